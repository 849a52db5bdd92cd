"""Intermediate throw events and end events (BPMN 2.0, §10.5.3 and §10.5.4)."""

from dataclasses import replace
from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.completing import pass_through
from bpmnd.bpmn.elements.events.reading import definitions_of, read_definition
from bpmnd.bpmn.elements.events.registry import EVENT_KINDS, EVENTS
from bpmnd.bpmn.elements.kind import ElementKind, Position
from bpmnd.bpmn.elements.service_task import WORKED
from bpmnd.bpmn.elements.triggers import can_happen
from bpmnd.bpmn.events import EventPartOccurred
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.extensions import read_job
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    CancelDefinition,
    CompensationDefinition,
    Element,
    ErrorDefinition,
    EventDefinition,
    EventSubProcess,
    LinkDefinition,
    MessageDefinition,
    ServiceTask,
    SignalDefinition,
    SubProcess,
    TerminateDefinition,
    ThrowEvent,
)
from bpmnd.bpmn.model.multiple import MultipleDefinition, WorkedThrowEvent, parts_of, thrown_by
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.surroundings import Item, References, Surroundings
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import CompleteElement, ThrowNext
from bpmnd.bpmn.turn import Turn

_END: Final = "bpmn:endEvent"
_WITHOUT_OUTPUTS: Final = (ErrorDefinition, TerminateDefinition, CompensationDefinition)


@final
class ThrowEventKind(ElementKind[Element]):
    """Throws what it is defined to, if anything. A message is thrown by a job worker, as a task is worked."""

    nodes = (ThrowEvent, WorkedThrowEvent)

    def read(self, tag: Tag, common: Common, reading: Reading) -> ThrowEvent | ServiceTask:
        position = Position.END if tag.name == _END else Position.THROW
        kinds = [EVENTS[definition.name] for definition in definitions_of(tag, reading)]
        if len(kinds) == 1 and kinds[0].is_worked:
            return ServiceTask(**common, job=read_job(tag, reading.report))

        throws = read_definition(tag, position, reading)
        parts = parts_of(throws)
        if any(isinstance(part, ErrorDefinition) for part in parts) and common["end_listeners"]:
            reading.report.add(tag, "an error end event must not have execution listeners of its end")
        if isinstance(throws, MultipleDefinition) and isinstance(parts[0], MessageDefinition):
            return WorkedThrowEvent(**common, job=read_job(tag, reading.report), throws=throws)
        if not any(isinstance(part, SignalDefinition) for part in parts):
            common["inputs"] = ()
        if parts and all(isinstance(part, _WITHOUT_OUTPUTS) for part in parts):
            common["outputs"] = ()
        return ThrowEvent(**common, throws=throws)

    def check(self, item: Item, around: Surroundings) -> None:
        if item.tag.name == _END and around.outgoing[item.id]:
            around.report.add(item.tag, "an end event must not have outgoing sequence flows")
        for thrown in thrown_by(item.node) if isinstance(item.node, Element) else ():
            match thrown:
                case CompensationDefinition():
                    _check_compensated(item, thrown.target_id, around)
                case CancelDefinition():
                    _check_cancelled(item, around)
                case LinkDefinition():
                    _check_link(item, thrown.name, around)
                case _:
                    pass

    def link(self, node: Element, tag: Tag, references: References) -> Element:
        if isinstance(node, WorkedThrowEvent):
            linked = tuple(_linked(part, references) for part in node.throws.parts)
            return replace(node, throws=replace(node.throws, parts=linked))
        if isinstance(node, ThrowEvent) and isinstance(node.throws, MultipleDefinition):
            linked = tuple(_linked(part, references) for part in node.throws.parts)
            return replace(node, throws=replace(node.throws, parts=linked))
        if isinstance(node, ThrowEvent) and node.throws is not None:
            return replace(node, throws=_linked(node.throws, references))
        return node

    def activate(self, element: Element, activation: Activation) -> Incident | None:
        if isinstance(element, WorkedThrowEvent):
            return _let_work(element, activation)
        assert isinstance(element, ThrowEvent), f"{element} is worked"
        if element.throws is None:
            return pass_through(element, activation)
        incident: Incident | None = EVENT_KINDS[type(element.throws)].throw(
            element, element.throws, activation
        )
        return incident


def _let_work(element: WorkedThrowEvent, activation: Activation) -> Incident | None:
    """The job throws the messages; all else is thrown when it is done."""
    incident = WORKED.activate(element, activation)
    if incident is None:
        turn, key = activation.turn, activation.key
        for number, part in enumerate(element.throws.parts):
            if isinstance(part, MessageDefinition):
                turn.emit(EventPartOccurred(key, activation.instance.key, element.index, number, {}))
    return incident


def throw_next(turn: Turn, step: ThrowNext) -> None:
    """An event that throws several things is active: the next is thrown. Once that is done, it completes, or
    comes here again."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None or not can_happen(instance, step.key):
        return
    record = instance.elements[step.key]
    event, number = turn.executable_of(instance).element(record.element), instance.thrown(step.key)
    definitions = thrown_by(event)
    if number >= len(definitions):
        turn.schedule(CompleteElement(instance.key, step.key))
        return  # The instance has migrated to an event that throws less.
    thrown = definitions[number]
    activation = Activation(turn, instance, step.key, record.scope_key, (), True, part=number)
    incident = EVENT_KINDS[type(thrown)].throw(event, thrown, activation)
    if incident is not None:
        turn.raise_incident(instance, step.key, incident, step)


def _linked(thrown: EventDefinition, references: References) -> EventDefinition:
    if isinstance(thrown, CompensationDefinition) and thrown.target_id:
        return replace(thrown, target=references[thrown.target_id])
    return thrown


def _check_link(event: Item, name: str, around: Surroundings) -> None:
    if around.outgoing[event.id]:
        around.report.add(event.tag, "a link throw event must not have outgoing sequence flows")
    if (event.scope, name) not in around.links:
        reason = f"there is no link catch event with the name '{name}' in the same scope"
        around.report.add(event.tag, reason)


def _check_compensated(event: Item, activity_id: str, around: Surroundings) -> None:
    """The activity that is to be compensated, if the event names one."""
    if not activity_id:
        return
    report, activity = around.report, around.by_id.get(activity_id)
    if activity is None:
        report.add(event.tag, f"the activity '{activity_id}' to compensate does not exist in this process")
        return
    scope = around.outline[event.scope]
    scopes = {event.scope, scope.scope} if isinstance(scope.node, EventSubProcess) else {event.scope}
    if activity.scope not in scopes:
        report.add(event.tag, f"the activity '{activity_id}' to compensate must be in the scope of the event")
    has_handler = any(
        isinstance(boundary.node, BoundaryEvent) and isinstance(boundary.node.trigger, CompensationDefinition)
        for boundary in around.boundaries.get(activity_id, ())
    )
    if not has_handler and not isinstance(activity.node, SubProcess):
        reason = f"the activity '{activity_id}' to compensate has no compensation boundary event"
        report.add(event.tag, reason)


def _check_cancelled(event: Item, around: Surroundings) -> None:
    """A cancel end event stands in a transaction, on which somebody catches that it was cancelled."""
    transaction = around.outline[event.scope]
    if transaction.tag.name != "bpmn:transaction":
        around.report.add(event.tag, "a cancel end event must stand in a transaction")
    elif not any(
        isinstance(boundary.node, BoundaryEvent)
        and any(isinstance(part, CancelDefinition) for part in parts_of(boundary.node.trigger))
        for boundary in around.boundaries.get(transaction.id, ())
    ):
        reason = f"the transaction '{transaction.id}' must have a cancel boundary event"
        around.report.add(event.tag, reason)
