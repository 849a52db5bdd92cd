"""Boundary events (BPMN 2.0, §10.5.4)."""

from dataclasses import replace
from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.completing import pass_through
from bpmnd.bpmn.elements.events.reading import read_definition
from bpmnd.bpmn.elements.kind import ElementKind, Position
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.checks import triggers_of
from bpmnd.bpmn.model.details import is_event_sub_process
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    CancelDefinition,
    CompensationDefinition,
    EscalationDefinition,
)
from bpmnd.bpmn.model.loops import is_activity
from bpmnd.bpmn.model.reading import UNKNOWN, Common, Reading, read_flag
from bpmnd.bpmn.model.surroundings import Item, References, Surroundings
from bpmnd.bpmn.model.xml import Tag

_CALL: Final = "bpmn:callActivity"


@final
class BoundaryEventKind(ElementKind[BoundaryEvent]):
    """Waits as long as its activity is active. When it is activated, it has gone off."""

    nodes = (BoundaryEvent,)
    with_inputs = False
    by_hand = False

    def read(self, tag: Tag, common: Common, reading: Reading) -> BoundaryEvent | None:
        interrupting = read_flag(tag, "cancelActivity", reading.report, default=True)
        trigger = read_definition(tag, Position.BOUNDARY, reading, required=True, interrupting=interrupting)
        if trigger is None:
            return None
        return BoundaryEvent(**common, attached_to=UNKNOWN, interrupting=interrupting, trigger=trigger)

    def check(self, item: Item, around: Surroundings) -> None:
        _check_attached(item, around)
        if around.incoming[item.id]:
            around.report.add(item.tag, "a boundary event must not have incoming sequence flows")
        if isinstance(item.node, BoundaryEvent) and isinstance(item.node.trigger, CompensationDefinition):
            _check_handler(item, item.node.trigger.target_id, around)
        elif not around.outgoing[item.id]:
            around.report.add(item.tag, "a boundary event must have an outgoing sequence flow")

    def link(self, node: BoundaryEvent, tag: Tag, references: References) -> BoundaryEvent:
        node = replace(node, attached_to=references[tag.attributes["attachedToRef"]])
        if isinstance(node.trigger, CompensationDefinition):
            handler = references[node.trigger.target_id]
            node = replace(node, trigger=replace(node.trigger, target=handler))
        return node

    def activate(self, element: BoundaryEvent, activation: Activation) -> Incident | None:
        return pass_through(element, activation)


def _check_attached(boundary: Item, around: Surroundings) -> None:
    report = around.report
    reference = boundary.tag.attributes.get("attachedToRef")
    if not reference:
        report.add(boundary.tag, "a boundary event must have an attachedToRef")
        return

    activity = around.by_id.get(reference)
    if activity is None:
        report.add(boundary.tag, f"the attachedToRef '{reference}' does not exist in this process")
    elif not is_activity(activity.tag):
        report.add(
            boundary.tag,
            f"must be attached to an activity, not to the {activity.tag.bare_name} '{reference}'",
        )
    elif _catches_escalations(boundary) and not activity.is_container and activity.tag.name != _CALL:
        report.add(
            boundary.tag,
            "an escalation boundary event must be attached to a sub-process or a call activity,"
            f" not to the {activity.tag.bare_name} '{reference}'",
        )
    elif _catches_cancellation(boundary) and activity.tag.name != "bpmn:transaction":
        report.add(boundary.tag, "a cancel boundary event must be attached to a transaction")
    elif activity.scope != boundary.scope:
        report.add(boundary.tag, f"must stand in the same sub-process as the activity '{reference}'")


def _check_handler(boundary: Item, handler_id: str, around: Surroundings) -> None:
    """The handler of a compensation boundary event stands beside everything else: no flow meets it."""
    report = around.report
    if around.outgoing[boundary.id]:
        report.add(boundary.tag, "a compensation boundary event must not have outgoing sequence flows")
    handler = around.by_id.get(handler_id)
    if not handler_id:
        return
    if handler is None or not is_activity(handler.tag) or is_event_sub_process(handler.tag):
        report.add(boundary.tag, f"the compensation handler '{handler_id}' is no activity of this process")
        return
    if handler.scope != boundary.scope:
        report.add(
            boundary.tag, f"must stand in the same sub-process as the compensation handler '{handler_id}'"
        )
    if around.incoming[handler_id] or around.outgoing[handler_id]:
        report.add(
            handler.tag, "a compensation handler must have neither incoming nor outgoing sequence flows"
        )
    if around.boundaries.get(handler_id):
        report.add(handler.tag, "a compensation handler must not have boundary events")


def _catches_cancellation(boundary: Item) -> bool:
    return any(isinstance(trigger, CancelDefinition) for trigger in triggers_of(boundary))


def _catches_escalations(boundary: Item) -> bool:
    return any(isinstance(trigger, EscalationDefinition) for trigger in triggers_of(boundary))
