"""Compensation on one partition: what has completed is undone by handlers."""

import pytest

from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CompleteJob,
    Deploy,
    Resource,
    SetVariables,
    ThrowJobError,
)
from bpmnd.bpmn.events import (
    CompensationSubscriptionCompleted,
    CompensationSubscriptionCreated,
    CompensationSubscriptionDeleted,
    CompensationSubscriptionTriggered,
)
from tests.bpmn.events import boundary, compensable, event, event_sub_process, on_compensation
from tests.bpmn.playground import START, Playground, flow, io_mapping, many, path, process, rows_of, task


def undone(activity_id: str) -> str:
    """A compensation boundary event on an activity with the handler `undo_<id>`, a task."""
    handler = task(f"undo_{activity_id}").replace("<serviceTask", '<serviceTask isForCompensation="true"')
    return compensable(activity_id, handler, f"undo_{activity_id}")


def throws(element_id: str = "throw", activity_id: str = "", *, kind: str = "intermediateThrowEvent") -> str:
    return event(kind, element_id, on_compensation(element_id, activity_id))


def sub(inside: str) -> str:
    return f'<subProcess id="sub"><startEvent id="s"/>{inside}</subProcess>'


def handles(element_id: str, inside: str = "", *, interrupting: bool = True) -> str:
    """An event sub-process that undoes the one around it, by a task `undo_<id>` or what is `inside`."""
    inside = inside or task(f"undo_{element_id}") + path(f"{element_id}_start", f"undo_{element_id}")
    return event_sub_process(
        element_id, on_compensation(f"{element_id}_start"), inside, interrupting=interrupting
    )


def started(body: str, **variables: bytes) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(process(START + body))
    return playground, playground.create(variables)


def test_all_handlers_work_before_the_throw_event_goes_on() -> None:
    body = task("a") + task("b") + undone("a") + undone("b") + throws() + task("after")
    playground, key = started(body + path("start", "a", "b", "throw", "after"))
    playground.work("a")
    playground.work("b")
    playground.work("undo_a")
    assert playground.jobs("after") == ()
    playground.work("undo_b")
    playground.work("after")
    assert playground.is_over(key)


def test_what_has_not_completed_is_not_undone() -> None:
    body = '<parallelGateway id="fork"/>' + task("a") + task("b") + undone("a") + undone("b") + throws()
    playground, _ = started(body + path("start", "fork", "a", "throw") + path("fork", "b"))
    playground.work("a")
    assert len(playground.jobs("undo_a")) == 1
    assert playground.jobs("undo_b") == ()


def test_a_throw_event_with_nothing_to_undo_goes_on() -> None:
    playground, key = started(task("a") + undone("a") + throws() + path("start", "throw", "a"))
    playground.work("a")
    assert playground.is_over(key)
    assert len(playground.happened(CompensationSubscriptionDeleted)) == 1


def test_one_activity_is_undone_by_name() -> None:
    body = task("a") + task("b") + undone("a") + undone("b") + throws("throw", "a", kind="endEvent")
    playground, key = started(body + path("start", "a", "b", "throw"))
    playground.work("a")
    playground.work("b")
    assert playground.jobs("undo_b") == ()
    playground.work("undo_a")
    assert playground.is_over(key)


def test_each_completion_is_undone_once() -> None:
    body = '<exclusiveGateway id="merge"/><exclusiveGateway id="x" default="x_throw"/>' + task("a")
    body += undone("a") + throws() + throws("again") + path("start", "merge", "a", "x", "throw", "again")
    playground, key = started(body + flow("x", "merge", "=more"))
    playground.work("a", {"more": b"true"})
    playground.work("a", {"more": b"false"})
    playground.work("undo_a")
    playground.work("undo_a")
    assert playground.is_over(key)


def test_what_a_completed_sub_process_has_done_is_undone() -> None:
    body = sub(task("a") + undone("a") + path("s", "a")) + throws() + task("after")
    playground, key = started(body + path("start", "sub", "throw", "after"))
    playground.work("a")
    playground.work("undo_a")
    playground.work("after")
    assert playground.is_over(key)
    assert len(playground.happened(CompensationSubscriptionCreated)) == 2
    assert len(playground.happened(CompensationSubscriptionCompleted)) == 2


def test_a_sub_process_is_undone_by_name_and_by_its_own_handler() -> None:
    body = task("x") + undone("x") + sub(task("a") + undone("a") + path("s", "a")) + undone("sub")
    playground, key = started(body + throws("throw", "sub") + path("start", "x", "sub", "throw"))
    playground.work("x")
    playground.work("a")
    playground.work("undo_sub")
    playground.work("undo_a")
    assert playground.is_over(key)
    assert playground.jobs("undo_x") == ()


def test_who_throws_inside_undoes_what_is_inside() -> None:
    body = task("x") + undone("x") + sub(task("a") + undone("a") + throws() + path("s", "a", "throw"))
    playground, key = started(body + path("start", "x", "sub"))
    playground.work("x")
    playground.work("a")
    assert playground.jobs("undo_x") == ()
    playground.work("undo_a")
    assert playground.is_over(key)


def test_a_sub_process_that_was_interrupted_is_not_undone() -> None:
    body = sub(task("a") + undone("a") + task("b") + path("s", "a", "b")) + throws()
    body += boundary("x", "sub", "<errorEventDefinition/>") + path("start", "sub") + flow("x", "throw")
    playground, key = started(body)
    playground.work("a")
    (job,) = playground.jobs("b")
    playground.do(ThrowJobError(job.key, "E1"))
    assert playground.is_over(key)
    assert playground.jobs("undo_a") == ()


def test_an_event_sub_process_undoes_what_its_scope_has_done() -> None:
    inside = throws(kind="endEvent") + path("es_start", "throw")
    body = task("a") + undone("a") + task("b") + path("start", "a", "b")
    playground, key = started(body + event_sub_process("es", "<errorEventDefinition/>", inside))
    playground.work("a")
    (job,) = playground.jobs("b")
    playground.do(ThrowJobError(job.key, "E1"))
    playground.work("undo_a")
    assert playground.is_over(key)


def test_a_handler_may_be_a_sub_process() -> None:
    handler = '<subProcess id="h" isForCompensation="true"><startEvent id="hs"/>'
    handler += task("u") + path("hs", "u") + "</subProcess>"
    body = task("a") + compensable("a", handler, "h") + throws() + path("start", "a", "throw")
    playground, key = started(body)
    playground.work("a")
    playground.work("u")
    assert playground.is_over(key)


def test_an_error_out_of_a_handler_is_caught_around_the_throw_event() -> None:
    body = sub(task("a") + undone("a") + throws() + path("s", "a", "throw")) + task("caught")
    body += boundary("x", "sub", "<errorEventDefinition/>") + path("start", "sub") + flow("x", "caught")
    playground, key = started(body)
    playground.work("a")
    (job,) = playground.jobs("undo_a")
    playground.do(ThrowJobError(job.key, "E1"))
    playground.work("caught")
    assert playground.is_over(key)
    assert len(playground.happened(CompensationSubscriptionDeleted)) == 1


def test_compensation_can_be_cancelled_and_leaves_nothing_behind() -> None:
    playground, key = started(task("a") + undone("a") + throws() + path("start", "a", "throw"))
    playground.work("a")
    (job,) = playground.jobs("undo_a")
    assert len(playground.happened(CompensationSubscriptionTriggered)) == 1
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)
    assert playground.rejected(CompleteJob(job.key)).reason
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_of_a_multi_instance_activity_the_whole_is_undone_once() -> None:
    loop = "<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics"
    loop += ' inputCollection="=[1, 2]"/></extensionElements></multiInstanceLoopCharacteristics>'
    many = task("a").replace("</serviceTask>", loop + "</serviceTask>")
    playground, key = started(many + undone("a") + throws() + path("start", "a", "throw"))
    playground.work("a")
    playground.work("a")
    playground.work("undo_a")
    assert playground.is_over(key)


def test_nobody_waits_for_handlers_if_the_event_says_so() -> None:
    throw = throws().replace("/>", ' waitForCompletion="false"/>', 1)
    body = task("a") + undone("a") + throw + task("after")
    playground, key = started(body + path("start", "a", "throw", "after"))
    playground.work("a")
    playground.work("after")
    assert not playground.is_over(key)
    playground.work("undo_a")
    assert playground.is_over(key)


# Event sub-processes that undo the sub-process around them

UNDOES = sub(task("a") + undone("a") + path("s", "a") + handles("es"))
THEN = throws() + task("after") + path("start", "sub", "throw", "after")


def test_an_event_sub_process_undoes_the_sub_process_around_it_in_place_of_what_is_inside() -> None:
    playground, key = started(UNDOES + THEN)
    playground.work("a")
    assert playground.jobs("after") == playground.jobs("undo_a") == ()
    playground.work("undo_es")
    assert playground.jobs("undo_a") == ()
    playground.work("after")
    assert playground.is_over(key)
    assert playground.state.instances.get(key) is None


def test_it_does_not_begin_before_the_sub_process_has_completed() -> None:
    body = '<parallelGateway id="fork"/>' + UNDOES + throws() + path("start", "fork", "sub")
    playground, key = started(body + flow("fork", "throw"))
    assert playground.jobs("undo_es") == ()
    playground.work("a")
    assert playground.is_over(key)


def test_it_undoes_what_is_inside_if_it_throws_compensation_itself() -> None:
    inside = throws("inner_throw") + task("undo_es") + path("es_start", "inner_throw", "undo_es")
    body = task("b") + undone("b") + sub(task("a") + undone("a") + path("s", "a") + handles("es", inside))
    playground, key = started(body + throws("throw", "sub") + path("start", "b", "sub", "throw"))
    playground.work("b")
    playground.work("a")
    assert playground.jobs("undo_es") == ()
    playground.work("undo_a")
    playground.work("undo_es")
    assert playground.happened(CompensationSubscriptionDeleted)
    assert playground.is_over(key)
    assert playground.jobs("undo_b") == ()


def test_it_sees_the_variables_that_the_sub_process_had() -> None:
    inner = task("a", outputs={"own": "=own"}, inputs={"own": "=0"}) + path("s", "a") + handles("es")
    mapped = sub(inner).replace(
        '<subProcess id="sub">',
        f'<subProcess id="sub"><extensionElements>{io_mapping({"own": "=1"})}</extensionElements>',
    )
    playground, key = started(mapped + THEN, v=b"1")
    playground.work("a", {"own": b"2"})
    playground.do(SetVariables(key, {"v": b"3"}))
    assert playground.work("undo_es").variables == {"v": b"3", "own": b"2"}
    assert "own" not in playground.work("after").variables
    assert playground.is_over(key)


def test_the_variables_kept_for_it_count_towards_the_size_of_the_instance() -> None:
    mapped = UNDOES.replace(
        '<subProcess id="sub">',
        f'<subProcess id="sub"><extensionElements>{io_mapping({"own": "=1"})}</extensionElements>',
    )
    playground, key = started(mapped + task("hold") + path("start", "sub", "hold"))
    playground.work("a")
    instance = playground.state.instances.get(key)
    assert instance is not None
    assert instance.size == len("own") + len("1")
    playground.work("hold")
    assert playground.is_over(key)


def test_each_of_many_sub_processes_is_undone() -> None:
    playground, key = started(many(UNDOES, "=[1, 2]") + THEN)
    playground.work("a")
    playground.work("a")
    assert [playground.work("undo_es").variables["item"] for _ in range(2)] == [b"1", b"2"]
    playground.work("after")
    assert playground.is_over(key)


def test_a_cancelled_transaction_is_undone_by_those_inside() -> None:
    cancel = event("endEvent", "cancels", "<cancelEventDefinition/>")
    inner = '<startEvent id="t"/>' + UNDOES + cancel + path("t", "sub", "cancels")
    body = f'<transaction id="deal">{inner}</transaction>' + boundary("x", "deal", "<cancelEventDefinition/>")
    playground, key = started(body + task("after") + flow("start", "deal") + flow("x", "after"))
    playground.work("a")
    playground.work("undo_es")
    playground.work("after")
    assert playground.is_over(key)


def test_an_error_out_of_it_is_caught_where_compensation_was_thrown() -> None:
    outer = '<subProcess id="outer"><startEvent id="o"/>' + UNDOES + throws() + path("o", "sub", "throw")
    body = outer + "</subProcess>" + boundary("x", "outer", "<errorEventDefinition/>") + task("after")
    playground, key = started(body + flow("start", "outer") + flow("x", "after"))
    playground.work("a")
    (job,) = playground.jobs("undo_es")
    playground.do(ThrowJobError(job.key, "E"))
    playground.work("after")
    assert playground.is_over(key)


def test_what_undoes_a_sub_process_is_not_undone_again() -> None:
    inside = task("undo_es") + undone("undo_es") + path("es_start", "undo_es")
    again = throws("again")
    body = sub(task("a") + path("s", "a") + handles("es", inside)) + throws() + again + task("after")
    playground, key = started(body + path("start", "sub", "throw", "again", "after"))
    playground.work("a")
    playground.work("undo_es")
    playground.work("after")
    assert playground.is_over(key)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            task("a")
            + '<boundaryEvent id="x" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>',
            "a compensation boundary event must have an association to its handler",
        ),
        (task("a") + undone("a") + task("b") + flow("undo_a", "b"), "must have neither incoming nor"),
        (task("a") + undone("a") + flow("undo_a_event", "a"), "must not have outgoing sequence flows"),
        (
            task("a") + undone("a") + boundary("x", "undo_a", "<errorEventDefinition/>") + flow("x", "a"),
            "a compensation handler must not have boundary events",
        ),
        (task("a") + compensable("a", "", "start"), "'start' is no activity of this process"),
        (task("a") + compensable("a", "", "nothing"), "'nothing' is no activity of this process"),
        (
            sub(task("a") + compensable("a", "", "h")) + task("h"),
            "must stand in the same sub-process as the compensation handler 'h'",
        ),
        (throws("throw", "nothing"), "the activity 'nothing' to compensate does not exist"),
        (task("a") + throws("throw", "a"), "the activity 'a' to compensate has no compensation boundary"),
        (
            sub(task("a") + undone("a")) + throws("throw", "a"),
            "the activity 'a' to compensate must be in the scope of the event",
        ),
        (handles("es"), "the process 'process' cannot be compensated by an event sub-process in it"),
        (
            sub(task("a") + handles("es") + handles("other")),
            "another event sub-process compensates the subProcess 'sub' already",
        ),
        (
            sub(task("a") + handles("es")) + undone("sub"),
            "the subProcess 'sub' has a compensation boundary event already",
        ),
        (
            sub(task("a") + handles("es", interrupting=False)),
            "a compensation start event of an event sub-process must interrupt",
        ),
    ],
)
def test_a_model_that_cannot_be_compensated_is_refused(body: str, reason: str) -> None:
    rejected = Playground().rejected(Deploy((Resource("a.bpmn", process(START + body)),)))
    assert reason in rejected.reason
