"""Events with several event definitions on one partition: any of them happens, and all of them are thrown."""

import pytest

from bpmnd.bpmn.commands import (
    EvaluateConditionals,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
)
from bpmnd.bpmn.events import (
    IncidentCreated,
    SignalBroadcasted,
)
from tests.bpmn.events import (
    boundary,
    catch,
    compensable,
    event,
    event_sub_process,
    message,
    on_compensation,
    on_message,
    on_signal,
    signal,
)
from tests.bpmn.multiple import (
    ALL,
    ANY,
    ON_ERROR,
    ON_ESCALATION,
    WAITING,
    Occurs,
    after,
    by_condition,
    by_message,
    every,
    ring,
    started,
    tell,
    when,
)
from tests.bpmn.playground import END, START, Playground, flow, io_mapping, path, process, task

# Any of them


@pytest.mark.parametrize("occurs", ALL)
def test_a_catch_event_happens_with_any_of_its_definitions(occurs: Occurs) -> None:
    playground, key = started(WAITING)
    assert playground.jobs("b") == ()
    occurs(playground, key)
    playground.work("b")
    assert playground.is_over(key)


@pytest.mark.parametrize("occurs", ALL)
def test_an_event_behind_a_gateway_happens_with_any_of_its_definitions(occurs: Occurs) -> None:
    body = START + '<eventBasedGateway id="either"/>' + catch("wait", ANY) + task("b")
    body += catch("late", after("PT1H")) + path("start", "either", "wait", "b") + flow("either", "late")
    playground, key = started(body)
    occurs(playground, key)
    playground.work("b")
    assert playground.is_over(key)


@pytest.mark.parametrize("occurs", ALL)
def test_an_interrupting_boundary_event_goes_off_with_any_of_its_definitions(occurs: Occurs) -> None:
    body = START + task("a") + boundary("x", "a", ANY) + task("b") + path("start", "a") + flow("x", "b")
    playground, key = started(body)
    occurs(playground, key)
    assert playground.jobs("a") == ()
    playground.work("b")
    assert playground.is_over(key)


def test_a_boundary_event_that_does_not_interrupt_goes_off_with_each() -> None:
    definitions = ANY.replace(after("PT10S"), every("R2/PT10S"))
    body = START + task("a") + boundary("x", "a", definitions, interrupting=False) + task("b")
    playground, key = started(body + path("start", "a") + flow("x", "b"))
    for occurs in (*ALL, by_message):
        occurs(playground, key)
    playground.pass_time(30_000)
    assert len(playground.jobs("b")) == 6
    playground.work("a")
    assert not playground.state.instances.get(key).awaited_parts  # type: ignore[union-attr]


@pytest.mark.parametrize("occurs", ALL)
@pytest.mark.parametrize("interrupting", [True, False])
def test_an_event_sub_process_begins_with_any_of_its_definitions(occurs: Occurs, interrupting: bool) -> None:
    inside = task("b") + path("es_start", "b")
    body = START + task("a") + path("start", "a")
    playground, key = started(body + event_sub_process("es", ANY, inside, interrupting=interrupting))
    occurs(playground, key)
    playground.work("b")
    assert playground.is_over(key) is interrupting


@pytest.mark.parametrize("definitions", [ON_ERROR + on_message("m"), on_message("m") + ON_ERROR])
def test_an_error_is_caught_beside_a_message(definitions: str) -> None:
    body = START + task("a") + boundary("x", "a", definitions) + task("b") + path("start", "a")
    playground, key = started(body + flow("x", "b"))
    (job,) = playground.jobs("a")
    playground.do(ThrowJobError(job.key, "E"))
    playground.work("b")
    assert playground.is_over(key)

    other = playground.create({"k": b'"1"'})
    tell(playground, "go")
    playground.work("b")
    assert playground.is_over(other)


def test_an_escalation_is_caught_beside_a_signal() -> None:
    inner = '<startEvent id="s0"/>' + event("intermediateThrowEvent", "raise", ON_ESCALATION) + task("a")
    body = START + f'<subProcess id="sub">{inner}{path("s0", "raise", "a")}</subProcess>'
    body += boundary("x", "sub", on_signal("s") + ON_ESCALATION, interrupting=False) + task("b")
    playground, _ = started(body + flow("start", "sub") + flow("x", "b"))
    ring(playground)
    assert len(playground.jobs("b")) == 2


@pytest.mark.parametrize("occurs", [*ALL, "by a client"])
def test_a_process_starts_with_any_of_the_definitions_of_its_start_event(occurs: Occurs | str) -> None:
    definitions = on_signal("s") + on_message("m") + after("PT10S") + when("=v = 1")
    playground = Playground()
    begin = event("startEvent", "begin", definitions) + task("b") + path("begin", "b")
    playground.deploy(process(begin, definitions=message("m", "go") + signal("s", "bell")))
    if isinstance(occurs, str) or occurs is by_condition:
        playground.do(EvaluateConditionals({"v": b"1"}))
    else:
        occurs(playground, 0)
    assert len(playground.jobs("b")) == 1


def test_the_variables_of_what_has_occurred_go_on() -> None:
    playground, key = started(WAITING)
    tell(playground, "go", x=b"5")
    assert playground.work("b").variables == {"k": b'"1"', "x": b"5"}
    assert playground.is_over(key)


# Thrown


def test_an_event_throws_all_of_its_definitions_and_goes_on() -> None:
    undo = task("undo")
    body = START + task("a") + compensable("a", undo, "undo") + task("after")
    body += event(
        "intermediateThrowEvent", "throw", on_compensation("throw") + on_signal("s") + ON_ESCALATION
    )
    playground, key = started(body + path("start", "a", "throw", "after"))
    playground.work("a")
    assert playground.jobs("after") == ()
    playground.work("undo")
    assert [each.name for each in playground.happened(SignalBroadcasted)] == ["bell"]
    playground.work("after")
    assert playground.is_over(key)


def test_a_message_is_thrown_by_a_job_before_the_rest() -> None:
    job = '<zeebe:taskDefinition type="send"/>' + io_mapping({"x": "=1"})
    body = START + event("endEvent", "end", on_signal("s") + on_message("m"), job) + path("start", "end")
    playground, key = started(body)
    assert playground.happened(SignalBroadcasted) == []
    playground.work("send")
    (signalled,) = playground.happened(SignalBroadcasted)
    assert signalled.variables == {"x": b"1"}
    assert playground.is_over(key)


@pytest.mark.parametrize("definitions", [on_signal("s") + ON_ERROR, ON_ERROR + on_signal("s")])
def test_an_error_is_thrown_behind_the_rest(definitions: str) -> None:
    inner = '<startEvent id="s0"/>' + event("endEvent", "raise", definitions) + path("s0", "raise")
    body = START + f'<subProcess id="sub">{inner}</subProcess>' + boundary("x", "sub", ON_ERROR) + task("b")
    playground, key = started(body + flow("start", "sub") + flow("x", "b"))
    assert len(playground.happened(SignalBroadcasted)) == 1
    playground.work("b")
    assert playground.is_over(key)


def test_an_end_event_terminates_its_scope_behind_the_rest() -> None:
    end = event("endEvent", "halt", "<terminateEventDefinition/>" + on_signal("s"))
    body = START + '<parallelGateway id="fork"/>' + task("a") + end + path("start", "fork", "a")
    playground, key = started(body + flow("fork", "halt"))
    assert playground.is_over(key)
    assert len(playground.happened(SignalBroadcasted)) == 1


def test_an_end_event_cancels_its_transaction_behind_the_rest() -> None:
    end = event("endEvent", "cancels", "<cancelEventDefinition/>" + on_signal("s"))
    inner = '<startEvent id="s0"/>' + task("a") + compensable("a", task("undo"), "undo") + end
    body = START + f'<transaction id="deal">{inner}{path("s0", "a", "cancels")}</transaction>'
    body += boundary("x", "deal", "<cancelEventDefinition/>" + ON_ERROR) + task("b")
    playground, key = started(body + flow("start", "deal") + flow("x", "b"))
    playground.work("a")
    assert len(playground.happened(SignalBroadcasted)) == 1
    playground.work("undo")
    playground.work("b")
    assert playground.is_over(key)


def test_what_cannot_be_thrown_is_an_incident_and_the_rest_is_not_thrown_twice() -> None:
    beside = signal("s", "bell") + signal("t", "=name")
    playground = Playground()
    end = event("endEvent", "end", on_signal("s") + on_signal("t"))
    playground.deploy(process(START + end + path("start", "end"), definitions=beside))
    key = playground.create()
    (incident,) = playground.happened(IncidentCreated)
    playground.do(SetVariables(key, {"name": b'"ring"'}))
    playground.do(ResolveIncident(incident.key))
    assert [each.name for each in playground.happened(SignalBroadcasted)] == ["bell", "ring"]
    assert playground.is_over(key)


def test_an_interrupting_escalation_keeps_the_rest_from_being_thrown() -> None:
    inner = '<startEvent id="s0"/>' + event("endEvent", "raise", ON_ESCALATION + on_signal("s"))
    body = START + f'<subProcess id="sub">{inner}{path("s0", "raise")}</subProcess>'
    playground, key = started(
        body + boundary("x", "sub", ON_ESCALATION) + END + flow("x", "end") + flow("start", "sub")
    )
    assert playground.is_over(key)
    assert playground.happened(SignalBroadcasted) == []
