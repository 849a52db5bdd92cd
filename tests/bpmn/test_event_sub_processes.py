"""Event sub-processes on one partition: what triggers them, and what becomes of their scope."""

from collections.abc import Callable

import pytest

from bpmnd.bpmn.commands import (
    BroadcastSignal,
    CancelProcessInstance,
    CompleteJob,
    CreateProcessInstance,
    PublishMessage,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
)
from bpmnd.bpmn.events import (
    ElementActivated,
    ElementActivating,
    ElementTerminated,
    IncidentCreated,
    ProcessInstanceCreated,
    ScopeInterrupted,
    TimerCreated,
)
from bpmnd.bpmn.outcomes import ProcessInstanceCreated as InstanceAnswer
from bpmnd.bpmn.outcomes import RejectionType
from tests.bpmn.events import boundary, event, event_sub_process, message, on_message, on_signal, signal
from tests.bpmn.playground import END, START, Playground, flow, io_mapping, path, process, rows_of, task

BESIDE = (
    message("go", "go", "=k")
    + message("began", "begin")
    + signal("bell", "bell")
    + '<error id="e1" errorCode="E1"/>'
)
ON_ERROR = '<errorEventDefinition errorRef="e1"/>'


def handles(definition: str, *, name: str = "es", interrupting: bool = True, extensions: str = "") -> str:
    inside = task(f"in_{name}") + path(f"{name}_start", f"in_{name}")
    return event_sub_process(name, definition, inside, interrupting=interrupting, extensions=extensions)


def every(text: str, kind: str = "timeDuration") -> str:
    return f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"


def in_process(*events: str) -> bytes:
    body = START + task("a") + END + path("start", "a", "end") + "".join(events)
    return process(body, definitions=BESIDE)


def in_sub_process(*events: str, outside: str = "") -> bytes:
    inner = '<startEvent id="s"/>' + task("a") + path("s", "a") + "".join(events)
    body = START + f'<subProcess id="sub">{inner}</subProcess>' + task("after") + outside
    return process(body + path("start", "sub", "after"), definitions=BESIDE)


def started(content: bytes, **variables: bytes) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(content)
    return playground, playground.create(variables)


def publish(playground: Playground, **variables: bytes) -> None:
    playground.do(PublishMessage("go", "1", 0, "", variables))


@pytest.mark.parametrize("place", [in_process, in_sub_process])
def test_what_was_active_in_the_scope_is_interrupted(place: Callable[[str], bytes]) -> None:
    playground, key = started(place(handles(on_message("go"))), k=b'"1"')
    (job,) = playground.jobs("a")
    publish(playground)
    assert playground.rejected(CompleteJob(job.key)).type is RejectionType.NOT_FOUND
    playground.work("in_es")
    if place is in_sub_process:
        playground.work("after")
    assert playground.is_over(key)


def test_one_that_does_not_interrupt_begins_as_often_as_it_is_triggered() -> None:
    playground, key = started(in_sub_process(handles(on_message("go"), interrupting=False)), k=b'"1"')
    publish(playground)
    publish(playground)
    playground.work("a")
    playground.work("in_es")
    assert playground.jobs("after") == ()
    playground.work("in_es")
    playground.work("after")
    assert playground.is_over(key)


def test_the_variables_of_a_trigger_are_merged_upwards() -> None:
    playground, _ = started(in_process(handles(on_message("go"), interrupting=False)), k=b'"1"', v=b"0")
    publish(playground, v=b"2", w=b"3")
    (job,) = playground.jobs("a")
    assert job.variables == {"k": b'"1"', "v": b"2", "w": b"3"}


def test_outputs_of_the_start_event_choose_from_the_variables_of_the_trigger() -> None:
    outputs = io_mapping(outputs={"z": "=v + 1"})
    playground, _ = started(in_process(handles(on_message("go"), extensions=outputs)), k=b'"1"', v=b"0")
    publish(playground, v=b"2", w=b"3")
    (job,) = playground.jobs("in_es")
    assert job.variables == {"k": b'"1"', "v": b"0", "z": b"3"}


def test_a_cycle_triggers_it_so_often() -> None:
    playground, key = started(in_process(handles(every("R3/PT1S", "timeCycle"), interrupting=False)))
    for _ in range(5):
        playground.pass_time(1000)
    assert len(playground.jobs("in_es", timeout_ms=0)) == 3
    assert len(playground.happened(TimerCreated)) == 3
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)


def test_a_signal_reaches_it() -> None:
    playground, key = started(in_process(handles(on_signal("bell"))))
    playground.do(BroadcastSignal("bell", {"v": b"1"}))
    assert playground.work("in_es").variables == {"v": b"1"}
    assert playground.is_over(key)


def test_it_catches_an_error_before_the_boundary_event_of_its_scope() -> None:
    outside = boundary("x", "sub", ON_ERROR) + task("caught") + flow("x", "caught")
    playground, _ = started(in_sub_process(handles(ON_ERROR), outside=outside))
    (job,) = playground.jobs("a")
    playground.do(ThrowJobError(job.key, "E1", variables={"why": b"1"}))
    assert playground.jobs("in_es")[0].variables == {"why": b"1"}
    assert playground.jobs("caught") == ()


def test_an_error_out_of_it_is_caught_further_outside() -> None:
    outside = boundary("x", "sub", ON_ERROR) + task("caught") + flow("x", "caught")
    playground, key = started(in_sub_process(handles(ON_ERROR), outside=outside))
    for name in ("a", "in_es"):
        (job,) = playground.jobs(name)
        playground.do(ThrowJobError(job.key, "E1"))
    playground.work("caught")
    assert playground.is_over(key)


def test_an_error_out_of_it_does_not_trigger_it_again() -> None:
    playground, _ = started(in_process(handles(ON_ERROR)))
    for name in ("a", "in_es"):
        (job,) = playground.jobs(name)
        playground.do(ThrowJobError(job.key, "E1"))
    (incident,) = playground.happened(IncidentCreated)
    assert incident.type == "UNHANDLED_ERROR_EVENT"


def test_an_interrupted_scope_triggers_no_other_of_its_event_sub_processes() -> None:
    content = in_process(handles(on_message("go")), handles(on_signal("bell"), name="et", interrupting=False))
    playground, _ = started(content, k=b'"1"')
    publish(playground)
    playground.do(BroadcastSignal("bell"))
    assert playground.jobs("in_et") == ()


def test_the_boundary_events_of_an_interrupted_scope_go_on_to_wait() -> None:
    outside = boundary("x", "sub", on_signal("bell")) + task("belled") + flow("x", "belled")
    playground, key = started(in_sub_process(handles(on_message("go")), outside=outside), k=b'"1"')
    publish(playground)
    playground.do(BroadcastSignal("bell"))
    assert playground.jobs("in_es") == ()
    playground.work("belled")
    assert playground.is_over(key)


def test_a_token_that_waits_at_a_join_is_gone_with_the_interruption() -> None:
    body = START + '<parallelGateway id="fork"/><parallelGateway id="join"/>' + task("a") + task("b")
    body += path("start", "fork", "a", "join") + path("fork", "b", "join") + handles(on_message("go"))
    playground, key = started(process(body, definitions=BESIDE), k=b'"1"')
    playground.work("a")
    publish(playground)
    playground.work("in_es")
    assert playground.is_over(key)


def test_a_scope_in_which_only_tokens_wait_is_interrupted_at_once() -> None:
    body = START + '<parallelGateway id="join"/>' + task("a") + flow("start", "join", flow_id="f")
    body += flow("a", "join") + handles(on_message("go"))
    playground, key = started(process(body, definitions=BESIDE), k=b'"1"')
    publish(playground)
    playground.work("in_es")
    assert playground.is_over(key)


def test_what_it_waits_for_is_worked_out_before_its_process_is_active() -> None:
    playground, key = started(in_process(handles(on_message("go"))))
    (incident,) = playground.happened(IncidentCreated)
    assert incident.element_instance_key == key
    assert playground.jobs("a") == ()
    playground.do(SetVariables(key, {"k": b'"1"'}, local=False))
    playground.do(ResolveIncident(incident.key))
    playground.work("a")
    assert playground.is_over(key)


def test_a_process_that_could_not_become_active_can_be_cancelled() -> None:
    playground, key = started(in_process(handles(on_message("go"))))
    playground.do(CancelProcessInstance(key))
    assert playground.is_over(key)
    assert playground.state.incidents == 0


def test_a_process_that_a_message_starts_has_them_too() -> None:
    begin = event("startEvent", "begin", on_message("began")) + task("a") + flow("begin", "a")
    playground = Playground()
    playground.deploy(process(begin + handles(on_signal("bell")), definitions=BESIDE))
    playground.do(PublishMessage("begin", "", 0, "", {"v": b"1"}))
    (created,) = playground.happened(ProcessInstanceCreated)
    playground.do(BroadcastSignal("bell"))
    assert playground.work("in_es").variables == {"v": b"1"}
    assert playground.is_over(created.key)


def test_start_instructions_open_scopes_with_them() -> None:
    playground = Playground()
    playground.deploy(in_sub_process(handles(on_signal("bell"))))
    created = playground.do(CreateProcessInstance("process", start_elements=("a",)))
    assert isinstance(created, InstanceAnswer)
    assert len(playground.jobs("a")) == 1
    playground.do(BroadcastSignal("bell"))
    playground.work("in_es")
    playground.work("after")
    assert playground.is_over(created.key)


def test_start_instructions_into_a_scope_that_cannot_be_opened_are_refused() -> None:
    for content in (in_sub_process(handles(on_message("go"))), in_process(handles(on_message("go")))):
        playground = Playground()
        playground.deploy(content)
        rejected = playground.rejected(CreateProcessInstance("process", start_elements=("a",)))
        assert rejected.reason.startswith("Expected to subscribe to catch event(s) of '")


def test_start_instructions_open_a_scope_once() -> None:
    inner = '<startEvent id="s"/>' + task("a") + task("b")
    body = START + f'<subProcess id="sub">{inner}{handles(on_signal("bell"))}</subProcess>'
    playground = Playground()
    playground.deploy(process(body + flow("start", "sub"), definitions=BESIDE))
    playground.do(CreateProcessInstance("process", start_elements=("a", "b")))
    assert len(playground.jobs("a") + playground.jobs("b")) == 2
    scopes = [event.scope_key for event in playground.happened(ElementActivated)]
    assert scopes[-1] == scopes[-2] != scopes[0]


def test_one_that_waits_in_another_is_triggered_there() -> None:
    inner = task("in_es") + path("es_start", "in_es") + handles(on_signal("bell"), name="et")
    content = in_process(event_sub_process("es", on_message("go"), inner, interrupting=False))
    playground, key = started(content, k=b'"1"')
    publish(playground)
    playground.do(BroadcastSignal("bell"))
    assert playground.jobs("in_es") == ()
    playground.work("in_et")
    playground.work("a")
    assert playground.is_over(key)


def test_a_process_without_event_sub_processes_is_active_at_once() -> None:
    playground, _ = started(process(START + task("a") + path("start", "a")))
    assert playground.happened(ElementActivating) == []


def test_an_interruption_is_noted_once_and_leaves_nothing_behind() -> None:
    playground = Playground()
    before = set(rows_of(playground.replayed()))
    playground.deploy(in_sub_process(handles(on_message("go"))))
    key = playground.create({"k": b'"1"'})
    publish(playground)
    publish(playground)
    assert len(playground.happened(ScopeInterrupted)) == 1
    assert len(playground.happened(ElementTerminated)) == 1
    playground.work("in_es")
    playground.work("after")
    assert playground.is_over(key)
    assert {row for row in rows_of(playground.replayed()) if row[:1] != b"d"} == before
    assert rows_of(playground.replayed()) == rows_of(playground.state)
