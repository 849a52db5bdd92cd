"""Escalations, terminate end events and links on one partition."""

import pytest

from bpmnd.bpmn import turn
from bpmnd.bpmn.commands import CompleteJob, Continue, ThrowJobError
from bpmnd.bpmn.events import ElementTerminated, EscalationThrown, IncidentCreated, ScopeInterrupted
from tests.bpmn.events import boundary, event, event_sub_process
from tests.bpmn.playground import START, Playground, flow, path, process, rows_of, task

ESCALATIONS = (
    '<escalation id="c1" escalationCode="C1"/><escalation id="c2" escalationCode="C2"/>'
    '<escalation id="cx" escalationCode="=code"/>'
)
TERMINATE = "<terminateEventDefinition/>"


def escalation(reference: str = "") -> str:
    attribute = f' escalationRef="{reference}"' if reference else ""
    return f"<escalationEventDefinition{attribute}/>"


def caught(element_id: str, reference: str = "", *, interrupting: bool = True) -> str:
    event = boundary(element_id, "sub", escalation(reference), interrupting=interrupting)
    return event + task(f"after_{element_id}") + flow(element_id, f"after_{element_id}")


def handled(reference: str = "", *, interrupting: bool = True) -> str:
    inside = task("in_es") + path("es_start", "in_es")
    return event_sub_process("es", escalation(reference), inside, interrupting=interrupting)


def throwing(inside: str = "", outside: str = "", reference: str = "c1") -> bytes:
    """A sub-process that throws an escalation before its task b."""
    inner = (
        '<startEvent id="s"/>' + event("intermediateThrowEvent", "throw", escalation(reference)) + task("b")
    )
    inner += path("s", "throw", "b") + inside
    body = START + f'<subProcess id="sub">{inner}</subProcess>' + outside + task("after")
    return process(body + path("start", "sub", "after"), definitions=ESCALATIONS)


def started(content: bytes, **variables: bytes) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(content)
    return playground, playground.create(variables)


def test_an_interrupting_event_catches_it_instead_of_what_would_come() -> None:
    playground, key = started(throwing(outside=caught("x", "c1")))
    assert playground.jobs("b") == ()
    playground.work("after_x")
    assert playground.is_over(key)


def test_an_event_that_does_not_interrupt_catches_it_beside_what_comes() -> None:
    playground, key = started(throwing(outside=caught("x", "c1", interrupting=False)))
    playground.work("after_x")
    playground.work("b")
    playground.work("after")
    assert playground.is_over(key)


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_event_sub_process_catches_it(interrupting: bool) -> None:
    playground, key = started(throwing(handled("c1", interrupting=interrupting), caught("x")))
    playground.work("in_es")
    if not interrupting:
        playground.work("b")
    playground.work("after")
    assert playground.is_over(key)


def test_an_event_with_another_code_does_not_catch_it() -> None:
    playground, _ = started(throwing(handled("c2"), caught("x")))
    assert playground.jobs("in_es") == ()
    assert len(playground.jobs("after_x")) == 1


def test_nobody_has_to_catch_it() -> None:
    playground, key = started(throwing(outside=caught("x", "c2")))
    assert playground.happened(IncidentCreated) == []
    assert [thrown.catch_event for thrown in playground.happened(EscalationThrown)] == [""]
    playground.work("b")
    playground.work("after")
    assert playground.is_over(key)


def test_the_code_may_be_computed() -> None:
    playground, _ = started(throwing(outside=caught("x", "c2"), reference="cx"), code=b'"C2"')
    assert len(playground.jobs("after_x")) == 1


def test_a_computed_code_that_is_no_text_is_an_incident() -> None:
    playground, _ = started(throwing(reference="cx"), code=b"5")
    assert [incident.type for incident in playground.happened(IncidentCreated)] == ["EXTRACT_VALUE_ERROR"]


def terminating(inside: str = "") -> bytes:
    inner = (
        '<startEvent id="s"/><parallelGateway id="fork"/><parallelGateway id="join"/>' + task("a") + task("b")
    )
    inner += event("endEvent", "halt", TERMINATE) + path("s", "fork", "a", "halt") + path("fork", "b", "join")
    inner += flow("fork", "join", flow_id="waits") + task("c") + path("fork", "c", "join") + inside
    body = (
        START + f'<subProcess id="sub">{inner}</subProcess>' + task("after") + path("start", "sub", "after")
    )
    return process(body, definitions=ESCALATIONS)


def test_a_terminate_end_event_ends_all_in_its_scope() -> None:
    playground, key = started(terminating())
    playground.work("b")
    playground.work("a")
    assert playground.jobs("c") == ()
    assert len(playground.happened(ElementTerminated)) == 1
    playground.work("after")
    assert playground.is_over(key)
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_a_terminate_end_event_that_is_alone_interrupts_nothing() -> None:
    body = START + event("endEvent", "halt", TERMINATE) + path("start", "halt")
    playground, key = started(process(body))
    assert playground.is_over(key)
    assert playground.happened(ScopeInterrupted) == []


def test_a_terminate_end_event_takes_tokens_away_that_wait_alone() -> None:
    body = START + '<parallelGateway id="fork"/><parallelGateway id="join"/>' + task("a") + task("b")
    body += event("endEvent", "halt", TERMINATE) + path("start", "fork", "a", "halt")
    body += path("fork", "join") + flow("b", "join")
    playground, key = started(process(body))
    playground.work("a")
    assert playground.is_over(key)


def link(kind: str, element_id: str, name: str) -> str:
    return event(kind, element_id, f'<linkEventDefinition name="{name}"/>')


def test_a_link_leads_to_the_event_of_its_name_in_the_same_scope() -> None:
    there = link("intermediateThrowEvent", "there", "L")
    here = link("intermediateCatchEvent", "here", "L")
    inner = '<startEvent id="s"/>' + link("intermediateThrowEvent", "inner_there", "L")
    inner += link("intermediateCatchEvent", "inner_here", "L") + task("a") + path("s", "inner_there")
    inner += path("inner_here", "a")
    body = START + f'<subProcess id="sub">{inner}</subProcess>' + there + here + task("b")
    playground, key = started(process(body + path("start", "sub", "there") + path("here", "b")))
    playground.work("a")
    playground.work("b")
    assert playground.is_over(key)


def test_the_code_of_a_thrown_error_may_be_computed() -> None:
    inner = '<startEvent id="s"/>' + event("endEvent", "boom", '<errorEventDefinition errorRef="ex"/>')
    body = START + f'<subProcess id="sub">{inner}{path("s", "boom")}</subProcess>' + task("b")
    body += boundary("x", "sub", '<errorEventDefinition errorRef="e1"/>')
    body += flow("x", "b") + flow("start", "sub")
    errors = '<error id="ex" errorCode="=code"/><error id="e1" errorCode="E1"/>'
    playground, _ = started(process(body, definitions=errors), code=b'"E1"')
    assert len(playground.jobs("b")) == 1


def test_who_is_about_to_be_interrupted_throws_no_error_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is to be terminated, in a turn to come, when its worker throws."""
    inner = '<startEvent id="s"/><parallelGateway id="fork"/>' + task("a") + task("b")
    inner += event("endEvent", "halt", TERMINATE) + path("s", "fork", "a", "halt") + path("fork", "b")
    body = START + f'<subProcess id="sub">{inner}</subProcess>' + task("after")
    body += boundary("x", "sub", "<errorEventDefinition/>") + task("caught") + flow("x", "caught")
    playground, _ = started(process(body + path("start", "sub", "after")))
    (other,) = playground.jobs("b")
    (job,) = playground.jobs("a")
    monkeypatch.setattr(turn, "STEPS_MAX", 1)
    playground.decide(CompleteJob(job.key))
    while not playground.happened(ScopeInterrupted):
        playground.decide(Continue(next(iter(playground.state.continuations.items))))
    playground.do(ThrowJobError(other.key, "E1"))
    assert playground.jobs("caught") == ()
    assert len(playground.jobs("after")) == 1
