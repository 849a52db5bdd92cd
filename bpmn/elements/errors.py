"""BPMN errors: who catches one (BPMN 2.0, §10.5.1 and §13.5.3)."""

from collections.abc import Iterator
from typing import NamedTuple

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events import BoundaryEventTriggered
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import BoundaryEvent, ErrorDefinition, ExecutableProcess, SequenceFlow
from bpmnd.bpmn.state.records import ElementInstance, Lifecycle, ProcessInstance
from bpmnd.bpmn.steps import TerminateElement, ThrowError
from bpmnd.bpmn.turn import Turn


class Caught(NamedTuple):
    """The activity to interrupt, and the boundary event that goes off then."""

    activity: ElementInstance
    boundary: BoundaryEvent


def throw(turn: Turn, step: ThrowError) -> Incident | None:
    """Interrupt the innermost activity that catches the error; an incident if there is none."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None or step.key not in instance.elements:
        return None
    caught = catcher_of(turn, instance, step.key, step.code, step.message)
    if isinstance(caught, Incident):
        return caught
    interrupt(turn, instance, caught, step.variables)
    return None


def interrupt(turn: Turn, instance: ProcessInstance, caught: Caught, variables: Variables) -> None:
    key = caught.activity.key
    if key in instance.triggers or caught.activity.state is Lifecycle.TERMINATING:
        return  # Something else has interrupted it before.
    turn.emit(BoundaryEventTriggered(key, instance.key, caught.boundary.index, variables))
    turn.schedule(TerminateElement(instance.key, key))


def catcher_of(turn: Turn, instance: ProcessInstance, key: int, code: str, message: str) -> Caught | Incident:
    """Who catches an error thrown in the element instance `key`: the innermost activity that can."""
    process = turn.executable_of(instance)
    codes: list[str] = []
    for record in _outwards(instance, key):
        boundary = _boundary_for(process, record, code, codes)
        if boundary is not None:
            return Caught(record, boundary)
    with_message = f" with message '{message}'" if message else ""
    available = (
        f" Available error events are [{', '.join(codes)}]"
        if codes
        else (" No error events are available in the scope.")
    )
    return Incident(
        IncidentType.UNHANDLED_ERROR_EVENT,
        f"Expected to throw an error event with the code '{code}'{with_message},"
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
) -> BoundaryEvent | None:
    """The boundary event on this activity that catches the code; one without a code catches what is left."""
    element = process.elements[record.element]
    assert not isinstance(element, SequenceFlow), f"{record} is no element"
    catch_all: BoundaryEvent | None = None
    for index in element.boundary_events:
        boundary = process.elements[index]
        assert isinstance(boundary, BoundaryEvent), f"{boundary} on {element}"
        error = boundary.trigger
        if not isinstance(error, ErrorDefinition):
            continue
        if error.code == code:
            return boundary
        if error.code is None:
            catch_all = boundary
        else:
            codes.append(error.code)
    return catch_all
