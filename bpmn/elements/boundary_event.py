"""Boundary events (BPMN 2.0, §10.5.4)."""

from dataclasses import replace
from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.events.reading import read_definition
from bpmnd.bpmn.elements.kind import ElementKind, Position
from bpmnd.bpmn.elements.lifecycle import pass_through
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import BoundaryEvent, EscalationDefinition
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
        if not around.outgoing[item.id]:
            around.report.add(item.tag, "a boundary event must have an outgoing sequence flow")

    def link(self, node: BoundaryEvent, tag: Tag, references: References) -> BoundaryEvent:
        return replace(node, attached_to=references[tag.attributes["attachedToRef"]])

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
    elif activity.scope != boundary.scope:
        report.add(boundary.tag, f"must stand in the same sub-process as the activity '{reference}'")


def _catches_escalations(boundary: Item) -> bool:
    return isinstance(boundary.node, BoundaryEvent) and isinstance(
        boundary.node.trigger, EscalationDefinition
    )
