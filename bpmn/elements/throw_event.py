"""Intermediate throw events and end events (BPMN 2.0, §10.5.3 and §10.5.4)."""

from dataclasses import replace
from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.completing import pass_through
from bpmnd.bpmn.elements.events.reading import definition_of, read_definition
from bpmnd.bpmn.elements.events.registry import EVENT_KINDS
from bpmnd.bpmn.elements.kind import ElementKind, Position
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.extensions import read_job
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    CancelDefinition,
    CompensationDefinition,
    Element,
    ErrorDefinition,
    EventSubProcess,
    LinkDefinition,
    ServiceTask,
    SignalDefinition,
    SubProcess,
    TerminateDefinition,
    ThrowEvent,
)
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.surroundings import Item, References, Surroundings
from bpmnd.bpmn.model.xml import Tag

_END: Final = "bpmn:endEvent"


@final
class ThrowEventKind(ElementKind[Element]):
    """Throws what it is defined to, if anything. A message is thrown by a job worker, as a task is worked."""

    nodes = (ThrowEvent,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> ThrowEvent | ServiceTask:
        position = Position.END if tag.name == _END else Position.THROW
        definition = definition_of(tag, position, reading)
        if definition is not None and definition.name == "bpmn:messageEventDefinition":
            return ServiceTask(**common, job=read_job(tag, reading.report))

        throws = None if definition is None else read_definition(tag, position, reading)
        if not isinstance(throws, SignalDefinition):
            common["inputs"] = ()
        if isinstance(throws, ErrorDefinition) and common["end_listeners"]:
            reading.report.add(tag, "an error end event must not have execution listeners of its end")
        if isinstance(throws, ErrorDefinition | TerminateDefinition | CompensationDefinition):
            common["outputs"] = ()
        return ThrowEvent(**common, throws=throws)

    def check(self, item: Item, around: Surroundings) -> None:
        if item.tag.name == _END and around.outgoing[item.id]:
            around.report.add(item.tag, "an end event must not have outgoing sequence flows")
        if isinstance(item.node, ThrowEvent) and isinstance(item.node.throws, CompensationDefinition):
            _check_compensated(item, item.node.throws.target_id, around)
        if isinstance(item.node, ThrowEvent) and isinstance(item.node.throws, CancelDefinition):
            _check_cancelled(item, around)
        if isinstance(item.node, ThrowEvent) and isinstance(item.node.throws, LinkDefinition):
            name = item.node.throws.name
            if around.outgoing[item.id]:
                around.report.add(item.tag, "a link throw event must not have outgoing sequence flows")
            if (item.scope, name) not in around.links:
                reason = f"there is no link catch event with the name '{name}' in the same scope"
                around.report.add(item.tag, reason)

    def link(self, node: Element, tag: Tag, references: References) -> Element:
        if isinstance(node, ThrowEvent) and isinstance(node.throws, CompensationDefinition):
            activity = node.throws.target_id
            if activity:
                return replace(node, throws=replace(node.throws, target=references[activity]))
        return node

    def activate(self, element: Element, activation: Activation) -> Incident | None:
        assert isinstance(element, ThrowEvent), f"{element} is worked"
        if element.throws is None:
            return pass_through(element, activation)
        incident: Incident | None = EVENT_KINDS[type(element.throws)].throw(
            element, element.throws, activation
        )
        return incident


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
        isinstance(boundary.node, BoundaryEvent) and isinstance(boundary.node.trigger, CancelDefinition)
        for boundary in around.boundaries.get(transaction.id, ())
    ):
        reason = f"the transaction '{transaction.id}' must have a cancel boundary event"
        around.report.add(event.tag, reason)
