"""Activities in standard loops (BPMN 2.0, §13.3.6), on the pure engine."""

import pytest

from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CompleteJob,
    MigrateProcessInstance,
    ModifyProcessInstance,
    PublishMessage,
    ResolveIncident,
    SetVariables,
    TerminateInstruction,
    ThrowJobError,
)
from bpmnd.bpmn.events import ElementActivated, ElementTerminated, IncidentCreated, LoopEnded
from bpmnd.bpmn.model.graph import ElementType, LoopBody
from bpmnd.bpmn.model.parser import Parsed, parse_resource, rebuild
from bpmnd.bpmn.outcomes import Accepted
from bpmnd.bpmn.state.records import decode_instance, encode_instance
from tests.bpmn.events import boundary, event, message, on_message
from tests.bpmn.model.models import reasons
from tests.bpmn.people import execution
from tests.bpmn.playground import (
    END,
    START,
    Playground,
    again,
    flow,
    many,
    path,
    process,
    rows_of,
    task,
)
from tests.bpmn.test_flow import ERRORS


def model(activity: str, more: str = "", *, activity_id: str = "work", definitions: str = ERRORS) -> bytes:
    return process(
        START + activity + task("after") + path("start", activity_id, "after") + more, definitions=definitions
    )


def started(content: bytes, variables: dict[str, bytes] | None = None) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(content)
    return playground, playground.create(variables)


def rounds(playground: Playground, variables: dict[str, bytes] | None = None) -> list[bytes]:
    """Work until there is no more to do, and tell the counter of each time."""
    counters: list[bytes] = []
    while jobs := playground.jobs("work"):
        (job,) = jobs
        counters.append(job.variables["loopCounter"])
        playground.do(CompleteJob(job.key, variables or {}))
    return counters


def test_an_activity_runs_as_long_as_its_condition_holds_which_is_asked_after_it() -> None:
    playground, key = started(model(again(task("work"), condition="=loopCounter &lt; 3")))
    assert rounds(playground) == [b"1", b"2", b"3"]
    playground.work("after")
    assert playground.is_over(key)


def test_a_condition_that_is_asked_before_counts_the_time_to_come() -> None:
    playground, _ = started(model(again(task("work"), condition="=loopCounter &lt; 3", before=True)))
    assert rounds(playground) == [b"1", b"2"]
    assert len(playground.jobs("after")) == 1


def test_asked_before_an_activity_may_not_run_at_all() -> None:
    playground, _ = started(model(again(task("work"), condition="=more", before=True)), {"more": b"false"})
    assert len(playground.jobs("after")) == 1
    assert not playground.jobs("work")


def test_asked_after_an_activity_runs_once_at_least() -> None:
    playground, _ = started(model(again(task("work"), condition="=more")), {"more": b"false"})
    assert rounds(playground) == [b"1"]


@pytest.mark.parametrize("before", [False, True])
def test_an_activity_runs_no_more_often_than_its_maximum(before: bool) -> None:
    playground, _ = started(model(again(task("work"), condition="=true", maximum=2, before=before)))
    assert rounds(playground) == [b"1", b"2"]
    assert len(playground.jobs("after")) == 1


def test_a_maximum_alone_says_how_often() -> None:
    playground, _ = started(model(again(task("work"), maximum=3)))
    assert rounds(playground) == [b"1", b"2", b"3"]


@pytest.mark.parametrize("before", [False, True])
def test_the_condition_sees_what_a_job_has_made(before: bool) -> None:
    looped = again(task("work"), condition="=more", before=before)
    playground, _ = started(model(looped), {"more": b"true"})
    playground.work("work")
    playground.work("work", {"more": b"false"})
    assert len(playground.jobs("after")) == 1


def test_outputs_are_mapped_each_time_before_the_condition_is_asked() -> None:
    mapped = task("work", outputs={"total": "=total + 1"})
    playground, key = started(model(again(mapped, condition="=total &lt; 3")), {"total": b"0"})
    assert rounds(playground) == [b"1", b"2", b"3"]
    instance = playground.state.instances.get(key)
    assert instance is not None
    assert instance.variables[key] == {"total": b"3"}


def test_inputs_are_mapped_each_time_and_see_the_counter() -> None:
    mapped = task("work", inputs={"page": "=loopCounter * 10"})
    playground, _ = started(model(again(mapped, maximum=2)))
    assert playground.work("work").variables["page"] == b"10"
    assert playground.work("work").variables["page"] == b"20"


@pytest.mark.parametrize("before", [False, True])
def test_a_condition_that_is_no_truth_is_an_incident_that_can_be_resolved(before: bool) -> None:
    playground, key = started(model(again(task("work"), condition="=more", before=before)))
    if not before:
        playground.work("work")
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"
    assert "'BOOLEAN', but was 'NULL'" in incident.message

    playground.do(SetVariables(key, {"more": b"false"}))
    playground.do(ResolveIncident(incident.key))

    assert len(playground.jobs("after")) == 1


def test_a_boundary_event_stands_on_the_whole_loop() -> None:
    on_error = '<boundaryEvent id="caught" attachedToRef="work"><errorEventDefinition/></boundaryEvent>'
    content = model(again(task("work"), maximum=5), on_error + task("handle") + flow("caught", "handle"))
    playground, _ = started(content)
    playground.work("work")
    (job,) = playground.jobs("work")
    playground.do(ThrowJobError(job.key, "E1"))
    assert len(playground.jobs("handle")) == 1
    assert not playground.jobs("work")
    assert not playground.jobs("after")


def test_a_boundary_event_waits_for_one_message_in_all_rounds() -> None:
    told = boundary("told", "work", on_message("go")) + task("handle") + flow("told", "handle")
    content = model(again(task("work"), maximum=5), told, definitions=message("go", "go", "=k"))
    playground, _ = started(content, {"k": b"1"})
    playground.work("work")
    playground.do(PublishMessage("go", "1"))
    assert len(playground.jobs("handle")) == 1
    assert not playground.jobs("work")


def test_listeners_work_for_every_round() -> None:
    listeners = execution(("start", "a"), ("end", "b"))
    listened = f'<task id="work"><extensionElements>{listeners}</extensionElements></task>'
    playground, _ = started(model(again(listened, maximum=2)))
    for job_type in ("a", "b", "a", "b"):
        playground.work(job_type)
    assert len(playground.jobs("after")) == 1


def test_a_sub_process_runs_anew_each_time() -> None:
    inner = '<startEvent id="s"/>' + task("work") + flow("s", "work")
    looped = again(f'<subProcess id="sub">{inner}</subProcess>', maximum=2)
    playground, _ = started(model(looped, activity_id="sub"))
    assert rounds(playground) == [b"1", b"2"]
    assert len(playground.jobs("after")) == 1


def test_an_activity_without_a_wait_state_runs_as_often_as_it_is_to() -> None:
    looped = again('<task id="work"/>', condition="=loopCounter &lt; 1000")
    playground, _ = started(model(looped))
    assert len(playground.jobs("after")) == 1
    assert not playground.happened(IncidentCreated)


def test_a_loop_without_end_and_wait_state_is_an_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpmnd.bpmn.engine.PASSES_MAX", 10)
    playground, key = started(model(again('<task id="work"/>', condition="=true")))
    (incident,) = playground.happened(IncidentCreated)
    assert "endless loop" in incident.message
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


def test_a_loop_around_items_that_do_not_wait_is_an_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bpmnd.bpmn.engine.PASSES_MAX", 10)
    inner = '<startEvent id="s"/>' + many('<task id="each"/>', "=[1,2,3]") + flow("s", "each")
    looped = again(f'<subProcess id="sub">{inner}</subProcess>', condition="=true")
    playground, _ = started(model(looped, activity_id="sub"))
    (incident,) = playground.happened(IncidentCreated)
    assert "endless loop" in incident.message


def test_a_round_that_is_terminated_by_hand_takes_the_loop_along() -> None:
    """As it is with a sequential multi-instance activity: a scope in which nothing is left ends, too."""
    playground, key = started(model(again(task("work"), maximum=3)))
    (job,) = playground.jobs("work")
    terminate = TerminateInstruction(job.element_instance_key)
    assert playground.do(ModifyProcessInstance(key, terminations=(terminate,))) == Accepted()
    assert playground.is_over(key)


def test_a_loop_is_terminated_with_its_round() -> None:
    playground, key = started(model(again(task("work"), maximum=3)))
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)
    assert len(playground.happened(ElementTerminated)) == 3


def test_a_round_goes_on_in_another_definition_with_its_number() -> None:
    playground, key = started(model(again(task("work"), maximum=2)))
    playground.work("work")
    target = playground.deploy(model(again(task("work"), maximum=4))).processes[0].key
    assert playground.do(MigrateProcessInstance(key, target, (("work", "work"),))) == Accepted()
    assert rounds(playground) == [b"2", b"3", b"4"]


def test_a_standard_loop_cannot_become_a_multi_instance_activity() -> None:
    playground, key = started(model(again(task("work"), maximum=2)))
    target = playground.deploy(model(many(task("work"), "=[1]", sequential=True))).processes[0].key
    rejected = playground.rejected(MigrateProcessInstance(key, target, (("work", "work"),)))
    assert "is a standard loop and is mapped to an element with id 'work' that is a sequential one" in (
        rejected.reason
    )


def test_a_loop_has_a_body_with_the_id_of_its_activity() -> None:
    content = model(again(task("work"), maximum=2))
    parsed = parse_resource(content, name="1.bpmn")
    assert isinstance(parsed, Parsed)
    (executable,) = parsed.processes
    first, second = [element for element in executable.elements if element.id == "work"]
    assert isinstance(first, LoopBody)
    assert first.element_type is ElementType.MULTI_INSTANCE_BODY
    assert first.inner == second.index
    stored = rebuild(content, executable.id, executable.element_ids())
    assert list(map(type, stored.elements)) == list(map(type, executable.elements))


def test_an_instance_in_a_loop_is_read_as_it_was_written_and_replayed() -> None:
    playground, key = started(model(again(task("work"), condition="=true")))
    playground.work("work")
    instance = playground.state.instances.get(key)
    assert instance is not None
    assert decode_instance(encode_instance(instance)) == instance
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_the_loop_that_its_condition_ends_says_so() -> None:
    playground, _ = started(model(again(task("work"), condition="=false")))
    playground.work("work")
    (ended,) = playground.happened(LoopEnded)
    assert playground.happened(ElementActivated)[2].key == ended.key


LOOP = '<task id="t"><standardLoopCharacteristics {}>{}</standardLoopCharacteristics></task>'


@pytest.mark.parametrize(
    ("attributes", "inside", "reason"),
    [
        ("", "", "a standard loop must have a loopCondition or a loopMaximum"),
        ('loopMaximum="0"', "", "the loopMaximum '0' must be a whole number from 1 to 999999999"),
        ('loopMaximum="-1"', "", "the loopMaximum '-1' must be a whole number from 1 to 999999999"),
        ('loopMaximum="many"', "", "the loopMaximum 'many' must be a whole number from 1 to 999999999"),
        (
            "",
            "<loopCondition>until done</loopCondition>",
            "expected an expression but found the static value 'until done'; an expression starts with '='",
        ),
    ],
)
def test_what_is_wrong_with_a_standard_loop_is_told(attributes: str, inside: str, reason: str) -> None:
    content = process(START + LOOP.format(attributes, inside) + END + path("start", "t", "end"))
    assert reasons(content) == [("t", reason)]


def test_an_activity_has_one_kind_of_loop() -> None:
    looped = again(many(task("work"), "=[1]"), maximum=2)
    assert reasons(model(looped)) == [("work", "must have no more than one kind of loop characteristics")]


def test_an_event_sub_process_cannot_be_in_a_loop() -> None:
    inner = event("startEvent", "s", on_message("go")) + task("work") + flow("s", "work")
    looped = again(f'<subProcess id="es" triggeredByEvent="true">{inner}</subProcess>', maximum=2)
    content = process(START + END + flow("start", "end") + looped, definitions=message("go", "go", "=k"))
    assert reasons(content) == [("es", "an event sub-process must not run more than once")]
