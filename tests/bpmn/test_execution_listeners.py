"""Execution listeners: jobs before an element is active, and before it is left."""

import pytest

from bpmnd.bpmn.commands import (
    BroadcastSignal,
    CancelProcessInstance,
    CreateProcessInstance,
    FailJob,
    PublishMessage,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
    UpdateJob,
)
from bpmnd.bpmn.events import (
    ElementActivated,
    ElementCompleted,
    ElementTerminated,
    IncidentCreated,
    JobCanceled,
    JobCreated,
    ListenerJobCreated,
    TimerCanceled,
    TimerCreated,
    VariablesCreated,
)
from bpmnd.bpmn.outcomes import Accepted, ActivatedJob, ProcessInstanceCreated, RejectionType
from tests.bpmn import events
from tests.bpmn.playground import END, START, Playground, flow, io_mapping, path, process, rows_of

TIMER = "<timerEventDefinition><timeDuration>PT1M</timeDuration></timerEventDefinition>"


def listeners(*of: tuple[str, str], retries: str = "3") -> str:
    """Each is an event, `start` or `end`, and a job type."""
    inner = "".join(
        f'<zeebe:executionListener eventType="{event}" type="{job_type}" retries="{retries}"/>'
        for event, job_type in of
    )
    return f"<zeebe:executionListeners>{inner}</zeebe:executionListeners>"


def element(kind: str, element_id: str, extensions: str, inner: str = "") -> str:
    return f'<{kind} id="{element_id}"><extensionElements>{extensions}</extensionElements>{inner}</{kind}>'


def worked(element_id: str, extensions: str) -> str:
    return element("serviceTask", element_id, f'<zeebe:taskDefinition type="{element_id}"/>{extensions}')


def of_process(*of: tuple[str, str]) -> str:
    return f"<extensionElements>{listeners(*of)}</extensionElements>"


def one_task(*of: tuple[str, str], more: str = "", beside: str = "") -> Playground:
    play = Playground()
    body = START + worked("work", listeners(*of) + more) + END + path("start", "work", "end") + beside
    play.deploy(process(body))
    return play


def test_the_listeners_of_a_start_work_one_after_the_other_before_the_task() -> None:
    play = one_task(("start", "first"), ("start", "second"))
    instance = play.create()

    assert not play.jobs("second")
    play.work("first")
    assert not play.happened(JobCreated)
    play.work("second")

    assert [job.type for job in play.happened(JobCreated)] == ["work"]
    play.work("work")
    assert play.is_over(instance)


def test_the_listeners_of_an_end_work_before_the_task_is_left() -> None:
    play = one_task(("end", "first"), ("end", "second"))
    instance = play.create()
    play.work("work")

    play.work("first")
    assert not play.is_over(instance)
    play.work("second")

    assert play.is_over(instance)


def test_their_jobs_tell_what_they_are_and_have_no_headers() -> None:
    headers = '<zeebe:taskHeaders><zeebe:header key="h" value="v"/></zeebe:taskHeaders>'
    play = one_task(("start", "before"), ("end", "after"), more=headers)
    play.create()

    def seen(job: ActivatedJob) -> tuple[str, str, object]:
        return job.kind, job.listener_event, job.headers

    assert seen(play.work("before")) == ("EXECUTION_LISTENER", "START", ())
    assert seen(play.work("work")) == ("BPMN_ELEMENT", "UNSPECIFIED", (("h", "v"),))
    assert seen(play.work("after")) == ("EXECUTION_LISTENER", "END", ())


def test_variables_of_a_start_listener_are_local_and_seen_by_what_follows() -> None:
    play = one_task(("start", "before"))
    play.create({"x": b"1"})
    play.work("before", {"x": b"2"})

    assert play.jobs("work")[0].variables == {"x": b"2"}
    assert [created.variables for created in play.happened(VariablesCreated)] == [{"x": b"1"}, {"x": b"2"}]


def test_variables_of_an_end_listener_go_into_the_scope_around_and_no_further() -> None:
    play = Playground()
    inner = (
        START.replace('"start"', '"in"') + worked("work", listeners(("end", "after"))) + flow("in", "work")
    )
    sub = f'<subProcess id="sub">{inner}</subProcess>'
    play.deploy(process(START + sub + flow("start", "sub")))
    play.create({"x": b"1"})
    play.work("work")
    play.work("after", {"x": b"2", "y": b"3"})

    sub_key = next(event.key for event in play.happened(ElementActivated) if event.element == 2)
    created = play.happened(VariablesCreated)[-1]
    assert (created.scope_key, created.variables) == (sub_key, {"x": b"2", "y": b"3"})


def test_inputs_are_mapped_before_and_boundary_events_wait_after_the_listeners_of_the_start() -> None:
    rings = events.boundary("late", "work", TIMER) + flow("late", "end")
    play = one_task(("start", "=kind"), more=io_mapping(inputs={"kind": "=k"}), beside=rings)
    play.create({"k": b'"mapped"'})

    assert not play.happened(TimerCreated)
    play.work("mapped")
    assert play.happened(TimerCreated)


def test_outputs_are_mapped_and_boundary_events_are_over_before_the_listeners_of_the_end() -> None:
    rings = events.boundary("late", "work", TIMER) + flow("late", "end")
    play = one_task(("end", "after"), more=io_mapping(outputs={"made": "=x"}), beside=rings)
    instance = play.create()
    play.work("work", {"x": b"7"})

    (job,) = play.jobs("after")
    assert job.variables == {"x": b"7", "made": b"7"}
    assert play.happened(TimerCanceled)
    play.pass_time(59_000)
    assert not play.is_over(instance)


def test_outputs_are_mapped_once() -> None:
    play = one_task(("end", "after"), more=io_mapping(outputs={"made": "=x"}))
    play.create()
    play.work("work", {"x": b"7"})
    play.work("after", {"x": b"8"})

    assert [created.variables for created in play.happened(VariablesCreated)] == [
        {"x": b"7"},
        {"made": b"7"},
        {"x": b"8"},
    ]


def test_a_listener_without_retries_left_is_an_incident_of_its_own_type() -> None:
    play = one_task(("start", "before"))
    instance = play.create()
    (job,) = play.jobs("before")
    play.do(FailJob(job.key, 0, message="broken"))

    (incident,) = play.happened(IncidentCreated)
    assert (incident.type, incident.message) == ("EXECUTION_LISTENER_NO_RETRIES", "broken")
    assert play.do(UpdateJob(job.key, retries=1)) == Accepted()
    assert play.do(ResolveIncident(incident.key)) == Accepted()
    play.work("before")
    play.work("work")
    assert play.is_over(instance)


def test_a_listener_that_is_tried_again_is_still_a_listener() -> None:
    play = one_task(("start", "before"))
    play.create()
    (job,) = play.jobs("before", timeout_ms=1000)
    play.pass_time(2000)
    (again,) = play.jobs("before")
    play.do(FailJob(again.key, 2))
    (last,) = play.jobs("before")

    assert (last.key, last.kind, last.listener_event) == (job.key, "EXECUTION_LISTENER", "START")
    assert not play.happened(JobCreated)


def test_a_listener_throws_no_errors() -> None:
    play = one_task(("start", "before"))
    play.create()
    (job,) = play.jobs("before")

    rejected = play.rejected(ThrowJobError(job.key, "E"))

    assert rejected.type is RejectionType.INVALID_STATE
    assert "EXECUTION_LISTENER" in rejected.reason


@pytest.mark.parametrize("event", ["start", "end"])
def test_a_type_that_cannot_be_computed_is_an_incident_and_tried_again(event: str) -> None:
    play = one_task((event, "=kind"))
    instance = play.create()
    if event == "end":
        play.work("work")
    (incident,) = play.happened(IncidentCreated)
    assert incident.type == "EXTRACT_VALUE_ERROR"

    play.do(SetVariables(instance, {"kind": b'"found"'}))
    play.do(ResolveIncident(incident.key))

    play.work("found")
    if event == "start":
        play.work("work")
    assert play.is_over(instance)


def test_what_fails_behind_the_listeners_of_the_start_does_not_call_them_again() -> None:
    play = Playground()
    task = element(
        "serviceTask", "work", f'<zeebe:taskDefinition type="=kind"/>{listeners(("start", "before"))}'
    )
    play.deploy(process(START + task + flow("start", "work")))
    instance = play.create()
    play.work("before")
    (incident,) = play.happened(IncidentCreated)

    play.do(SetVariables(instance, {"kind": b'"found"'}))
    play.do(ResolveIncident(incident.key))

    assert len(play.happened(ListenerJobCreated)) == 1
    play.work("found")
    assert play.is_over(instance)


@pytest.mark.parametrize("event", ["start", "end"])
def test_a_listener_ends_with_its_instance(event: str) -> None:
    play = one_task((event, "listens"))
    instance = play.create()
    if event == "end":
        play.work("work")
    play.do(CancelProcessInstance(instance))

    assert len(play.happened(JobCanceled)) == 1
    assert play.is_over(instance)
    assert not play.jobs("listens")


def test_the_listeners_of_a_process_work_before_its_start_event_and_after_its_last_element() -> None:
    play = Playground()
    play.deploy(
        process(of_process(("start", "opens"), ("end", "closes")) + START + END + path("start", "end"))
    )
    instance = play.create({"x": b"1"})

    assert not play.happened(ElementActivated)
    assert play.work("opens", {"y": b"2"}).variables == {"x": b"1"}
    assert [event.element for event in play.happened(ElementCompleted)] == [1, 2]
    assert play.work("closes").variables == {"x": b"1", "y": b"2"}
    assert play.is_over(instance)


def test_who_awaits_the_result_gets_the_variables_of_the_last_listener() -> None:
    play = Playground()
    play.deploy(process(of_process(("end", "closes")) + START + END + path("start", "end")))
    assert play.do(CreateProcessInstance("process", await_result=True)) is None

    play.work("closes", {"x": b"1"})

    (answer,) = play.answers.values()
    assert isinstance(answer, ProcessInstanceCreated)
    assert answer.variables == {"x": b"1"}


def test_start_instructions_call_no_listeners_of_the_process() -> None:
    """As in Zeebe."""
    play = Playground()
    body = of_process(("start", "opens")) + START + worked("one", "") + worked("two", "")
    play.deploy(process(body + path("start", "one", "two")))
    play.do(CreateProcessInstance("process", start_elements=("two",)))

    play.work("two")
    assert not play.jobs("opens")


def test_a_process_with_listeners_starts_by_a_message_with_its_variables() -> None:
    play = Playground()
    start = events.event("startEvent", "start", events.on_message("m"))
    body = of_process(("start", "opens")) + start + worked("work", "") + flow("start", "work")
    play.deploy(process(body, definitions=events.message("m", "go")))
    play.do(PublishMessage("go", variables={"x": b"1"}))

    play.work("opens")

    assert play.work("work").variables == {"x": b"1"}


def test_a_process_with_listeners_starts_by_a_signal() -> None:
    play = Playground()
    start = events.event("startEvent", "start", events.on_signal("s"))
    body = of_process(("start", "opens")) + start + worked("work", "") + flow("start", "work")
    play.deploy(process(body, definitions=events.signal("s", "go")))
    play.do(BroadcastSignal("go"))

    play.work("opens")

    play.work("work")


def test_a_process_that_is_cancelled_while_its_listener_works_never_starts() -> None:
    play = Playground()
    play.deploy(process(of_process(("start", "opens")) + START + worked("work", "") + flow("start", "work")))
    instance = play.create()
    (job,) = play.jobs("opens")
    play.do(CancelProcessInstance(instance))

    assert play.is_over(instance)
    assert not play.state.owner_of(job.key)


KINDS = {
    "task": ("start", "end"),
    "manualTask": ("start", "end"),
    "intermediateThrowEvent": ("start", "end"),
    "endEvent": ("start", "end"),
    "exclusiveGateway": ("start",),
    "parallelGateway": ("start",),
}


@pytest.mark.parametrize("kind", KINDS)
def test_elements_that_never_wait_wait_for_their_listeners(kind: str) -> None:
    play = Playground()
    heard = [(event, event) for event in KINDS[kind]]
    play.deploy(process(START + element(kind, "here", listeners(*heard)) + flow("start", "here")))
    instance = play.create()

    for event in KINDS[kind]:
        assert not play.is_over(instance)
        play.work(event)

    assert play.is_over(instance)


def test_a_join_takes_its_tokens_and_then_calls_its_listeners() -> None:
    play = Playground()
    join = element("parallelGateway", "join", listeners(("start", "joined")))
    body = START + '<parallelGateway id="fork"/>' + worked("a", "") + worked("b", "") + join + END
    flows = path("start", "fork", "a", "join", "end") + path("fork", "b", "join")
    play.deploy(process(body + flows))
    instance = play.create()
    play.work("a")
    assert not play.jobs("joined")
    play.work("b")

    play.work("joined")

    assert play.is_over(instance)


def test_a_start_event_has_listeners_of_its_end() -> None:
    play = Playground()
    start = element("startEvent", "start", listeners(("end", "begun")))
    play.deploy(process(start + worked("work", "") + flow("start", "work")))
    play.create()
    play.work("begun", {"x": b"1"})

    assert play.work("work").variables == {"x": b"1"}


def test_a_sub_process_starts_after_its_listeners_and_is_left_after_them() -> None:
    play = Playground()
    inner = START.replace('"start"', '"in"') + worked("work", "") + flow("in", "work")
    sub = element("subProcess", "sub", listeners(("start", "opens"), ("end", "closes")), inner)
    play.deploy(process(START + sub + flow("start", "sub")))
    instance = play.create()
    assert not play.jobs("work")
    play.work("opens", {"x": b"1"})
    assert play.work("work").variables == {"x": b"1"}
    assert not play.is_over(instance)
    play.work("closes")

    assert play.is_over(instance)


def test_a_boundary_event_calls_the_listeners_of_its_end_after_it_has_interrupted() -> None:
    play = Playground()
    rings = events.boundary("late", "work", TIMER, extensions=listeners(("end", "rang")))
    play.deploy(
        process(START + worked("work", "") + rings + END + flow("start", "work") + flow("late", "end"))
    )
    instance = play.create()
    play.pass_time(60_000)

    assert play.happened(ElementTerminated)
    play.work("rang")
    assert play.is_over(instance)


def test_a_replica_and_a_checkpoint_know_what_a_listener_holds_up() -> None:
    play = Playground()
    play.deploy(process(of_process(("start", "opens")) + START + END + path("start", "end")))
    play.create({"x": b"1"})

    assert rows_of(play.replayed()) == rows_of(play.state)


def test_an_event_behind_a_gateway_has_happened_before_listeners_of_its_start_could_work() -> None:
    """As in Zeebe."""
    play = Playground()
    gateway = '<eventBasedGateway id="which"/>'
    now = element("intermediateCatchEvent", "now", listeners(("start", "before"), ("end", "after")), TIMER)
    later = f'<intermediateCatchEvent id="later">{TIMER.replace("PT1M", "PT1H")}</intermediateCatchEvent>'
    flows = path("start", "which", "now") + flow("which", "later")
    play.deploy(process(START + gateway + now + later + flows))
    instance = play.create()
    play.pass_time(60_000)

    assert not play.jobs("before")
    play.work("after")
    assert play.is_over(instance)
