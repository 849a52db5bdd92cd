"""BPMN errors: who catches one (BPMN 2.0, §10.5.1 and §13.5.3)."""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias, TypeVar

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.elements.scopes import interrupt_scope
from bpmnd.bpmn.elements.triggers import can_happen
from bpmnd.bpmn.events import BoundaryEventTriggered
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    ErrorDefinition,
    EventDefinition,
    ExecutableProcess,
    StartEvent,
)
from bpmnd.bpmn.model.multiple import parts_of
from bpmnd.bpmn.state.records import ElementInstance, Lifecycle, ProcessInstance
from bpmnd.bpmn.steps import TerminateElement, ThrowError
from bpmnd.bpmn.turn import Turn

Catching: TypeAlias = BoundaryEvent | StartEvent
D = TypeVar("D", bound=EventDefinition)


class Caught(NamedTuple):
    """Where an error is caught: at the activity of a boundary event, or in the scope of the event sub-process
    that begins with a start event. It may be in an instance that has called the one where it was thrown.
    `part` is which definition of the event catches it."""

    instance: ProcessInstance
    place: ElementInstance
    event: Catching
    part: int = 0


def throw(turn: Turn, step: ThrowError) -> Incident | None:
    """Interrupt the innermost activity or scope that catches the error; an incident if there is none."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None or not can_happen(instance, step.key):
        return None
    caught = catcher_of(turn, instance, step.key, step.code, step.message)
    if isinstance(caught, Incident):
        return caught
    interrupt(turn, caught, step.variables)
    return None


def interrupt(turn: Turn, caught: Caught, variables: Variables) -> None:
    instance, key = caught.instance, caught.place.key
    if key in instance.triggers or caught.place.state is Lifecycle.TERMINATING:
        return  # Something else has interrupted it before.
    if isinstance(caught.event, StartEvent):
        interrupt_scope(turn, instance, key, caught.event.scope, variables)
        return
    turn.emit(BoundaryEventTriggered(key, instance.key, caught.event.index, variables))
    turn.schedule(TerminateElement(instance.key, key))


def catcher_of(turn: Turn, instance: ProcessInstance, key: int, code: str, message: str) -> Caught | Incident:
    """Who catches an error thrown in the element instance `key`: the innermost activity that can."""
    codes: list[str] = []
    for outer, record in outwards(turn, instance, key):
        event = _catching(turn.executable_of(outer), outer, record, code, codes)
        if event is not None:
            return Caught(outer, record, event)
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


def outwards(
    turn: Turn, instance: ProcessInstance, key: int
) -> Iterator[tuple[ProcessInstance, ElementInstance]]:
    """The element instance, those around it, and from the process on its call activity and those around."""
    record = instance.elements[key]
    while True:
        yield instance, record
        if record.key != instance.key:
            record = instance.elements[record.scope_key]
            continue
        parent = instance.parent
        caller = None if parent is None else turn.state.instances.get(parent.instance_key)
        if parent is None or caller is None:
            return
        instance, record = caller, caller.elements[parent.element_instance_key]


def _catching(
    process: ExecutableProcess,
    instance: ProcessInstance,
    record: ElementInstance,
    code: str,
    codes: list[str],
) -> Catching | None:
    """The event at this activity that catches the code; one without a code catches what is left."""
    catch_all: Catching | None = None
    for event, _, error in catching_in(process, instance, record, ErrorDefinition):
        if error.code == code:
            return event
        if error.code is None:
            catch_all = catch_all or event
        else:
            codes.append(str(error.code))
    return catch_all


def catching_in(
    process: ExecutableProcess, instance: ProcessInstance, record: ElementInstance, kind: type[D]
) -> Iterator[tuple[Catching, int, D]]:
    """The events of a kind on this activity or in this scope, with the number of the definition that catches.
    In a scope that has been interrupted no event sub-process catches anything any more."""
    element = process.element(record.element)
    starts = () if record.key in instance.interruptions else element.event_starts
    for index in (*starts, *element.boundary_events):
        event = process.elements[index]
        assert isinstance(event, BoundaryEvent | StartEvent), f"{event} at {element}"
        for number, trigger in enumerate(parts_of(event.trigger)):
            if isinstance(trigger, kind):
                yield event, number, trigger
