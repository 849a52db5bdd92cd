import pytest

from tests.bpmn.model.models import START, WORK, boundary, flow, model, reasons, task, timer

JOB = '<zeebe:taskDefinition type="t"/>'


def listens(event: str, *, type_: str = "l") -> str:
    inner = f'<zeebe:executionListener eventType="{event}" type="{type_}"/>'
    return f"<zeebe:executionListeners>{inner}</zeebe:executionListeners>"


def extended(kind: str, extensions: str, inner: str = "") -> str:
    return f'<{kind} id="it"><extensionElements>{extensions}</extensionElements>{inner}</{kind}>'


@pytest.mark.parametrize("event", ["", "START", "creating", "foo"])
def test_an_execution_listener_listens_for_start_or_end(event: str) -> None:
    reason = f"an executionListener cannot listen for '{event}', but for 'start', 'end'"
    assert reasons(model(START + task(JOB + listens(event)))) == [("task", reason)]


def test_a_listener_has_a_type() -> None:
    content = model(START + task(JOB + listens("start", type_="")))
    assert reasons(content) == [("task", "the type of an executionListener must not be empty")]


def test_no_two_listeners_are_the_same() -> None:
    twice = 2 * '<zeebe:executionListener eventType="end" type="l"/>'
    content = model(START + task(f"{JOB}<zeebe:executionListeners>{twice}</zeebe:executionListeners>"))
    assert reasons(content) == [("task", "must not have 2 listeners for 'end' with the type 'l'")]


def test_listeners_stand_in_one_place() -> None:
    content = model(START + task(JOB + listens("start") + listens("end")))
    assert reasons(content) == [("task", "must have at most one zeebe:executionListeners")]


def test_an_expression_that_is_none_is_a_problem() -> None:
    ((element, reason),) = reasons(model(START + task(JOB + listens("start", type_="=1 +"))))
    assert element == "task"
    assert reason.startswith("failed to parse expression '1 +'")


@pytest.mark.parametrize("kind", ["exclusiveGateway", "parallelGateway", "eventBasedGateway"])
def test_a_gateway_has_no_listeners_of_its_end(kind: str) -> None:
    found = reasons(model(START + extended(kind, listens("end")) + flow("f", "start", "it")))
    assert ("it", "a gateway must not have execution listeners of its end") in found


def test_a_start_event_has_no_listeners_of_its_start() -> None:
    content = model(extended("startEvent", listens("start")))
    assert reasons(content) == [("it", "a startEvent must not have execution listeners of its start")]


def test_a_boundary_event_has_no_listeners_of_its_start() -> None:
    inside = f"<extensionElements>{listens('start')}</extensionElements>{timer('timeDuration', 'PT1S')}"
    content = model(START + WORK + '<endEvent id="end"/>' + boundary(inside))
    assert reasons(content) == [
        ("boundary", "a boundaryEvent must not have execution listeners of its start")
    ]


def test_an_error_end_event_has_no_listeners_of_its_end() -> None:
    thrown = extended("endEvent", listens("end"), '<errorEventDefinition errorRef="e"/>')
    beside = '<error id="e" errorCode="E"/>'
    content = model(START + thrown + flow("f", "start", "it"), beside=beside)
    assert reasons(content) == [("it", "an error end event must not have execution listeners of its end")]
