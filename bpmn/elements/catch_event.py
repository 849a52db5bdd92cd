"""Intermediate catch events (BPMN 2.0, §10.5.4)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.completing import pass_through
from bpmnd.bpmn.elements.events.reading import read_definition
from bpmnd.bpmn.elements.kind import ElementKind, Position
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_event
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.checks import check_waited_for_once
from bpmnd.bpmn.model.graph import CatchEvent, LinkDefinition
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.surroundings import Item, Surroundings
from bpmnd.bpmn.model.xml import Tag


@final
class CatchEventKind(ElementKind[CatchEvent]):
    """Waits for its moment, its message or its signal."""

    nodes = (CatchEvent,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> CatchEvent | None:
        trigger = read_definition(tag, Position.CATCH, reading, required=True)
        return None if trigger is None else CatchEvent(**common, trigger=trigger)

    def check(self, item: Item, around: Surroundings) -> None:
        check_waited_for_once([item], around.report)
        if isinstance(item.node, CatchEvent) and isinstance(item.node.trigger, LinkDefinition):
            if around.incoming[item.id]:
                around.report.add(item.tag, "a link catch event must not have incoming sequence flows")
            name = item.node.trigger.name
            if name and around.links[item.scope, name] is not item:
                reason = f"another link catch event of the same scope already has the name '{name}'"
                around.report.add(item.tag, reason)

    def activate(self, element: CatchEvent, activation: Activation) -> Incident | None:
        if isinstance(element.trigger, LinkDefinition):
            return pass_through(element, activation)
        plan = plan_event(activation, element, element.trigger, interrupting=True, outside=False)
        if isinstance(plan, Incident):
            return plan
        activated(element, activation)
        begin_waiting(activation, [plan])
        return None
