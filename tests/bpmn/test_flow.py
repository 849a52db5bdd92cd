"""Gateways, sub-processes, timers, errors and mappings, on the pure engine."""

from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CompleteJob,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
)
from bpmnd.bpmn.events import (
    ElementActivated,
    ElementTerminated,
    IncidentCreated,
    JobCanceled,
    TimerCanceled,
    TimerCreated,
    TimerTriggered,
    VariablesCreated,
)
from tests.bpmn.playground import END, START, Playground, flow, io_mapping, path, process, task

EXCLUSIVE = process(
    START
    + '<exclusiveGateway id="choice" default="choice_small"/>'
    + task("big")
    + task("huge")
    + task("small")
    + flow("start", "choice")
    + flow("choice", "huge", "=amount &gt; 1000")
    + flow("choice", "big", "=amount &gt; 100")
    + flow("choice", "small")
)
ERRORS = '<error id="e1" errorCode="E1"/><error id="e2" errorCode="E2"/>'


def started(content: bytes, variables: dict[str, bytes] | None = None) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(content)
    return playground, playground.create(variables)


def test_the_last_flow_of_the_file_whose_condition_holds_is_taken() -> None:
    """The order that Zeebe has, and that models are tested with."""
    playground, _ = started(EXCLUSIVE, {"amount": b"5000"})
    assert len(playground.jobs("big")) == 1
    assert playground.jobs("huge") == ()


def test_the_default_flow_is_taken_when_no_condition_holds() -> None:
    playground, _ = started(EXCLUSIVE, {"amount": b"5"})
    assert len(playground.jobs("small")) == 1


def test_a_condition_that_is_not_boolean_is_an_incident_to_be_resolved() -> None:
    playground, key = started(EXCLUSIVE)
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"

    playground.do(SetVariables(key, {"amount": b"500"}))
    playground.do(ResolveIncident(incident.key))

    assert len(playground.jobs("big")) == 1


def test_without_a_flow_to_take_the_gateway_waits_behind_an_incident() -> None:
    body = (
        START
        + '<exclusiveGateway id="choice"/>'
        + task("a")
        + task("b")
        + flow("start", "choice")
        + flow("choice", "a", "=x = 1")
        + flow("choice", "b", "=x = 2")
    )
    playground, _ = started(process(body), {"x": b"3"})
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "CONDITION_ERROR"


PARALLEL = process(
    START
    + '<parallelGateway id="fork"/><parallelGateway id="join"/>'
    + task("a")
    + task("b")
    + task("after")
    + path("start", "fork", "a", "join", "after")
    + path("fork", "b", "join")
)


def test_a_fork_activates_all_its_branches() -> None:
    playground, _ = started(PARALLEL)
    assert len(playground.jobs("a")) == len(playground.jobs("b")) == 1


def test_a_join_waits_for_all_its_branches() -> None:
    playground, _ = started(PARALLEL)

    playground.work("a")
    assert playground.jobs("after") == ()
    playground.work("b")

    assert len(playground.jobs("after")) == 1


def test_a_join_that_never_gets_its_second_token_keeps_the_instance_alive() -> None:
    body = (
        START
        + '<exclusiveGateway id="choice" default="choice_a"/><parallelGateway id="join"/>'
        + task("a")
        + task("b")
        + flow("start", "choice")
        + flow("choice", "a")
        + flow("choice", "b", "=false")
        + path("a", "join")
        + path("b", "join")
    )
    playground, key = started(process(body))
    playground.work("a")
    assert not playground.is_over(key)
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


def sub_process(inner: str, *, boundary: str = "") -> bytes:
    nested = f'<startEvent id="inner"/>{inner}'
    return process(
        START
        + f'<subProcess id="sub">{nested}</subProcess>'
        + task("after")
        + boundary
        + path("start", "sub", "after"),
        definitions=ERRORS,
    )


def test_a_sub_process_completes_with_the_last_of_what_it_contains() -> None:
    playground, _ = started(sub_process(task("a") + task("b") + flow("inner", "a") + flow("inner", "b")))
    playground.work("a")
    assert playground.jobs("after") == ()
    playground.work("b")
    assert len(playground.jobs("after")) == 1


def timer(event: str, kind: str, value: str) -> str:
    return (
        f"<{event}<timerEventDefinition><{kind}>{value}</{kind}></timerEventDefinition></{event.split()[0]}>"
    )


CATCH = process(
    START
    + timer('intermediateCatchEvent id="wait">', "timeDuration", "PT10S")
    + task("after")
    + path("start", "wait", "after")
)


def test_a_timer_catch_event_goes_on_when_its_time_has_come() -> None:
    playground, _ = started(CATCH)
    playground.pass_time(9_999)
    assert playground.jobs("after") == ()
    playground.pass_time(1)
    assert len(playground.jobs("after")) == 1


def test_a_cancelled_instance_leaves_no_timer() -> None:
    playground, key = started(CATCH)
    playground.do(CancelProcessInstance(key))
    assert len(playground.happened(TimerCanceled)) == 1
    assert playground.state.next_due() is None


def test_a_timer_may_be_computed() -> None:
    content = process(
        START
        + timer('intermediateCatchEvent id="wait">', "timeDuration", "=delay")
        + task("after")
        + path("start", "wait", "after")
    )
    playground, _ = started(content, {"delay": b'"PT2S"'})
    assert playground.happened(TimerCreated)[0].due == playground.now + 2000


def test_a_timer_that_cannot_be_read_is_an_incident() -> None:
    content = process(
        START + timer('intermediateCatchEvent id="wait">', "timeDuration", "=delay") + path("start", "wait")
    )
    playground, key = started(content, {"delay": b'"soon"'})
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"
    playground.do(SetVariables(key, {"delay": b'"PT1S"'}))
    playground.do(ResolveIncident(incident.key))
    playground.pass_time(1000)
    assert playground.is_over(key)


def test_a_computed_date_without_a_zone_is_meant_in_utc() -> None:
    content = process(
        START
        + timer('intermediateCatchEvent id="wait">', "timeDate", '=date and time("1970-01-02T00:00:00")')
        + path("start", "wait")
    )
    playground, _ = started(content)
    assert playground.happened(TimerCreated)[0].due == 24 * 60 * 60 * 1000


def boundary_timer(interrupting: bool, kind: str = "timeDuration", value: str = "PT5S") -> bytes:
    attributes = f'id="late" attachedToRef="work" cancelActivity="{str(interrupting).lower()}">'
    return process(
        START
        + task("work")
        + timer(f"boundaryEvent {attributes}", kind, value)
        + task("remind")
        + END
        + path("start", "work", "end")
        + path("late", "remind")
    )


def test_an_interrupting_timer_takes_the_task_and_its_job_away() -> None:
    playground, _ = started(boundary_timer(interrupting=True))
    playground.jobs("work")

    playground.pass_time(5000)

    assert len(playground.happened(JobCanceled)) == 1
    assert len(playground.jobs("remind")) == 1
    assert playground.state.next_due() is not None  # The deadline of the job lent just now.


def test_a_boundary_timer_ends_with_its_task() -> None:
    playground, key = started(boundary_timer(interrupting=True))
    playground.work("work")
    assert playground.is_over(key)
    assert len(playground.happened(TimerCanceled)) == 1


def test_a_timer_that_does_not_interrupt_leaves_the_task_alone() -> None:
    playground, key = started(boundary_timer(interrupting=False))
    playground.pass_time(5000)
    playground.work("remind")
    assert not playground.is_over(key)
    playground.work("work")
    assert playground.is_over(key)


def test_a_cycle_fires_as_often_as_it_says() -> None:
    playground, _ = started(boundary_timer(interrupting=False, kind="timeCycle", value="R3/PT5S"))
    for _ in range(10):
        playground.pass_time(5000)
    assert len(playground.happened(TimerTriggered)) == 3
    assert len(playground.jobs("remind")) == 3


def error_boundary(event_id: str, error: str) -> str:
    reference = f' errorRef="{error}"' if error else ""
    return (
        f'<boundaryEvent id="{event_id}" attachedToRef="sub"><errorEventDefinition{reference}/>'
        f"</boundaryEvent>{task('handle-' + event_id)}{path(event_id, 'handle-' + event_id)}"
    )


def test_an_error_is_caught_by_the_boundary_event_with_its_code() -> None:
    content = sub_process(
        task("a") + path("inner", "a"), boundary=error_boundary("one", "e1") + error_boundary("two", "e2")
    )
    playground, _ = started(content)
    (job,) = playground.jobs("a")

    playground.do(ThrowJobError(job.key, "E2", variables={"reason": b'"x"'}))

    assert len(playground.jobs("handle-two")) == 1
    assert playground.jobs("handle-one") == ()
    assert len(playground.happened(ElementTerminated)) == 2


def test_the_variables_of_an_error_stay_in_the_event_that_catches_it() -> None:
    content = sub_process(task("a") + path("inner", "a"), boundary=error_boundary("one", "e1"))
    playground, key = started(content, {"x": b"1"})
    (job,) = playground.jobs("a")

    playground.do(ThrowJobError(job.key, "E1", variables={"reason": b'"x"', "x": b"2"}))

    (handler,) = playground.jobs("handle-one")
    assert handler.variables == {"x": b"1"}
    local = playground.happened(VariablesCreated)[-1]
    assert local.variables == {"reason": b'"x"', "x": b"2"}
    assert local.scope_key != key


def test_an_error_without_its_own_boundary_event_goes_to_the_one_for_all() -> None:
    content = sub_process(
        task("a") + path("inner", "a"), boundary=error_boundary("one", "e1") + error_boundary("all", "")
    )
    playground, _ = started(content)
    (job,) = playground.jobs("a")
    playground.do(ThrowJobError(job.key, "E9"))
    assert len(playground.jobs("handle-all")) == 1


def test_an_error_end_event_throws_out_of_its_sub_process() -> None:
    end = '<endEvent id="boom"><errorEventDefinition errorRef="e1"/></endEvent>'
    content = sub_process(end + path("inner", "boom"), boundary=error_boundary("one", "e1"))
    playground, _ = started(content)
    assert len(playground.jobs("handle-one")) == 1
    assert playground.jobs("after") == ()


def test_an_error_end_event_that_nobody_catches_is_an_incident() -> None:
    end = '<endEvent id="boom"><errorEventDefinition errorRef="e1"/></endEvent>'
    playground, key = started(sub_process(end + path("inner", "boom")))
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "UNHANDLED_ERROR_EVENT"
    playground.do(ResolveIncident(incident.key))
    assert len(playground.happened(IncidentCreated)) == 2
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


def test_an_error_end_event_is_only_active_once_somebody_catches_its_error() -> None:
    end = '<endEvent id="boom"><errorEventDefinition errorRef="e1"/></endEvent>'

    playground, _ = started(sub_process(end + path("inner", "boom")))

    (incident,) = playground.happened(IncidentCreated)
    assert incident.element_instance_key not in {event.key for event in playground.happened(ElementActivated)}


def test_input_mappings_see_what_was_put_right_in_the_scope_of_the_element() -> None:
    body = START + task("a", retries="=x + 1", inputs={"x": "=x"}) + path("start", "a")
    playground, _ = started(process(body), {"x": b"null"})
    (incident,) = playground.happened(IncidentCreated)

    playground.do(SetVariables(incident.element_instance_key, {"x": b"2"}))
    playground.do(ResolveIncident(incident.key))

    (job,) = playground.jobs("a")
    assert (job.retries, job.variables) == (3, {"x": b"2"})


def test_input_mappings_make_variables_of_the_task_alone() -> None:
    content = process(
        START
        + task("a", inputs={"x": "=amount + 1", "y.z": "=x * 2", "text": "plain"})
        + task("b")
        + path("start", "a", "b")
    )
    playground, _ = started(content, {"amount": b"1"})

    job = playground.work("a")

    assert job.variables == {"amount": b"1", "x": b"2", "y": b'{"z":4}', "text": b'"plain"'}
    (after,) = playground.jobs("b")
    assert after.variables == {"amount": b"1"}


def test_output_mappings_choose_what_goes_on() -> None:
    content = process(
        START + task("a", outputs={"total": "=price * 2"}) + task("b") + path("start", "a", "b")
    )
    playground, _ = started(content)

    playground.work("a", {"price": b"21", "noise": b"1"})

    (after,) = playground.jobs("b")
    assert after.variables == {"total": b"42"}


def test_job_variables_without_output_mappings_go_to_the_process() -> None:
    playground, _ = started(process(START + task("a") + task("b") + path("start", "a", "b")), {"x": b"1"})
    playground.work("a", {"x": b"2", "y": b"3"})
    (after,) = playground.jobs("b")
    assert after.variables == {"x": b"2", "y": b"3"}


def test_a_result_for_a_variable_of_the_task_itself_stays_there() -> None:
    content = process(START + task("a", inputs={"x": "=1"}) + task("b") + path("start", "a", "b"))
    playground, _ = started(content)
    playground.work("a", {"x": b"5"})
    (after,) = playground.jobs("b")
    assert after.variables == {}


def test_an_output_to_a_path_keeps_the_other_entries() -> None:
    content = process(
        START + task("a", outputs={"order.paid": "=done"}) + task("b") + path("start", "a", "b")
    )
    playground, _ = started(content, {"order": b'{"id":7}'})
    playground.work("a", {"done": b"true"})
    (after,) = playground.jobs("b")
    assert after.variables == {"order": b'{"id":7,"paid":true}'}


def test_an_output_to_a_path_adds_to_what_the_task_itself_sees_under_the_name() -> None:
    content = process(
        START
        + task("a", inputs={"order": "={own: 1}"}, outputs={"order.paid": "=done"})
        + task("b")
        + path("start", "a", "b")
    )
    playground, _ = started(content, {"order": b'{"id":7}'})
    playground.work("a", {"done": b"true"})
    (after,) = playground.jobs("b")
    assert after.variables == {"order": b'{"own":1,"paid":true}'}


def test_an_output_to_a_path_below_what_is_no_context_gives_null() -> None:
    content = process(
        START + task("a", outputs={"order.paid": "=done"}) + task("b") + path("start", "a", "b")
    )
    playground, _ = started(content, {"order": b"5"})
    playground.work("a", {"done": b"true"})
    (after,) = playground.jobs("b")
    assert after.variables == {"order": b"null"}


def test_a_context_that_mappings_make_is_seen_when_all_its_entries_are_there() -> None:
    inputs = {"o.a": "=1", "o.b": "=a", "o.c": "=o.a", "after": "=o.a"}
    playground, _ = started(process(START + task("work", inputs=inputs) + path("start", "work")))
    (job,) = playground.jobs("work")
    assert job.variables == {"o": b'{"a":1,"b":1,"c":null}', "after": b"1"}


def test_a_result_that_changes_nothing_in_its_scope_goes_on_to_the_process() -> None:
    content = process(START + task("a", inputs={"x": "=1"}) + task("b") + path("start", "a", "b"))
    playground, _ = started(content)
    playground.work("a", {"x": b"1"})
    (after,) = playground.jobs("b")
    assert after.variables == {"x": b"1"}


def test_a_task_with_no_type_to_be_found_is_an_incident_to_be_resolved() -> None:
    content = process(START + task("a", "=kind") + path("start", "a"))
    playground, key = started(content)
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"
    assert "'STRING'" in incident.message

    playground.do(SetVariables(key, {"kind": b'"pay"'}))
    playground.do(ResolveIncident(incident.key))

    playground.work("pay")
    assert playground.is_over(key)


def test_boundary_output_mappings_apply_to_the_error_variables() -> None:
    boundary = (
        '<boundaryEvent id="one" attachedToRef="sub"><extensionElements>'
        + io_mapping(outputs={"why": "=reason"})
        + '</extensionElements><errorEventDefinition errorRef="e1"/></boundaryEvent>'
        + task("handle")
        + path("one", "handle")
    )
    playground, _ = started(sub_process(task("a") + path("inner", "a"), boundary=boundary))
    (job,) = playground.jobs("a")
    playground.do(ThrowJobError(job.key, "E1", variables={"reason": b"1", "rest": b"2"}))
    (handler,) = playground.jobs("handle")
    assert handler.variables == {"why": b"1"}


def test_a_loop_goes_round_with_waiting_tasks_in_it() -> None:
    body = (
        START
        + '<exclusiveGateway id="again"/><exclusiveGateway id="done" default="done_again"/>'
        + task("work")
        + END
        + path("start", "again", "work", "done")
        + flow("done", "again")
        + flow("done", "end", "=n = 3")
    )
    playground, key = started(process(body))
    for number in range(1, 4):
        playground.work("work", {"n": str(number).encode()})
    assert playground.is_over(key)
    assert len([event for event in playground.happened(ElementActivated) if event.element == 0]) == 1


def test_completing_a_job_twice_in_one_instance_leaves_the_other_branch() -> None:
    playground, key = started(PARALLEL)
    (job,) = playground.jobs("a")
    playground.do(CompleteJob(job.key))
    playground.rejected(CompleteJob(job.key))
    assert not playground.is_over(key)
