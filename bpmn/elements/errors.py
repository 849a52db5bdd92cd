"""BPMN errors: who catches one (BPMN 2.0, §10.5.1 and §13.5.3)."""

from collections.abc import Iterator

from bpmnd.bpmn.events import BoundaryEventTriggered
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import ErrorBoundaryEvent, ExecutableProcess, SequenceFlow
from bpmnd.bpmn.state.records import ElementInstance, ProcessInstance
from bpmnd.bpmn.steps import TerminateElement, ThrowError
from bpmnd.bpmn.turn import Turn


def throw(turn: Turn, step: ThrowError) -> Incident | None:
    """Interrupt the innermost activity that catches the error; an incident if there is none."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None or step.key not in instance.elements:
        return None
    process = turn.executable_of(instance)
    codes: list[str] = []
    for record in _outwards(instance, step.key):
        caught = _boundary_for(process, record, step.code, codes)
        if caught is not None:
            turn.emit(BoundaryEventTriggered(record.key, instance.key, caught.index, step.variables))
            turn.schedule(TerminateElement(instance.key, record.key))
            return None
    with_message = f" with message '{step.message}'" if step.message else ""
    available = (
        f" Available error events are [{', '.join(codes)}]"
        if codes
        else (" No error events are available in the scope.")
    )
    return Incident(
        IncidentType.UNHANDLED_ERROR_EVENT,
        f"Expected to throw an error event with the code '{step.code}'{with_message},"
        f" but it was not caught.{available}",
    )


def _outwards(instance: ProcessInstance, key: int) -> Iterator[ElementInstance]:
    record = instance.elements[key]
    while True:
        yield record
        if record.key == instance.key:
            return
        record = instance.elements[record.scope_key]


def _boundary_for(
    process: ExecutableProcess, record: ElementInstance, code: str, codes: list[str]
) -> ErrorBoundaryEvent | None:
    """The boundary event on this activity that catches the code; one without a code catches what is left."""
    element = process.elements[record.element]
    assert not isinstance(element, SequenceFlow), f"{record} is no element"
    catch_all: ErrorBoundaryEvent | None = None
    for index in element.boundary_events:
        boundary = process.elements[index]
        if not isinstance(boundary, ErrorBoundaryEvent):
            continue
        if boundary.error.code == code:
            return boundary
        if boundary.error.code is None:
            catch_all = boundary
        else:
            codes.append(boundary.error.code)
    return catch_all
