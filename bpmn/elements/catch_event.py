"""Intermediate catch events (BPMN 2.0, §10.5.4)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.events.reading import read_definition
from bpmnd.bpmn.elements.kind import ElementKind, Position
from bpmnd.bpmn.elements.lifecycle import activated
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_event
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import CatchEvent
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.xml import Tag


@final
class CatchEventKind(ElementKind[CatchEvent]):
    """Waits for its moment, its message or its signal."""

    nodes = (CatchEvent,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> CatchEvent | None:
        trigger = read_definition(tag, Position.CATCH, reading, required=True)
        return None if trigger is None else CatchEvent(**common, trigger=trigger)

    def activate(self, element: CatchEvent, activation: Activation) -> Incident | None:
        plan = plan_event(activation, element, element.trigger, interrupting=True, outside=False)
        if isinstance(plan, Incident):
            return plan
        activated(element, activation)
        begin_waiting(activation, [plan])
        return None
