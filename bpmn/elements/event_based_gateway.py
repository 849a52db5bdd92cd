"""The event-based gateway (BPMN 2.0, §10.6.6)."""

from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.kind import ElementKind, Plan
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_event
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.checks import check_waited_for_once
from bpmnd.bpmn.model.graph import CatchEvent, EventBasedGateway, SequenceFlow
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.surroundings import Item, Surroundings
from bpmnd.bpmn.model.xml import Tag

_EVENTS_MIN: Final = 2


@final
class EventBasedGatewayKind(ElementKind[EventBasedGateway]):
    """Waits for all the events behind it; the first that happens decides the way."""

    nodes = (EventBasedGateway,)
    with_inputs = False
    with_outputs = False

    def read(self, tag: Tag, common: Common, reading: Reading) -> EventBasedGateway:
        return EventBasedGateway(**common)

    def check(self, item: Item, around: Surroundings) -> None:
        targets = [around.target_of(flow) for flow in around.outgoing[item.id]]
        events = [target for target in targets if target is not None]
        if len(events) < _EVENTS_MIN:
            reason = "an event-based gateway must have at least two outgoing sequence flows"
            around.report.add(item.tag, reason)
        for event in events:
            if event.node is None:
                continue
            what = f"the {event.tag.bare_name} '{event.id}'"
            if not isinstance(event.node, CatchEvent):
                around.report.add(
                    item.tag, f"must only lead to catch events and receive tasks, not to {what}"
                )
            elif event.loop is not None or around.boundaries.get(event.id):
                reason = (
                    "a receive task behind an event-based gateway must have no boundary event and no loop"
                )
                around.report.add(event.tag, reason)
            elif len(around.incoming[event.id]) > 1:
                reason = "an event behind an event-based gateway must have no other incoming sequence flow"
                around.report.add(event.tag, reason)
        check_waited_for_once(events, around.report)

    def activate(self, element: EventBasedGateway, activation: Activation) -> Incident | None:
        process = activation.turn.executable_of(activation.instance)
        plans: list[Plan | None] = []
        for index in element.outgoing:
            flow = process.elements[index]
            assert isinstance(flow, SequenceFlow), f"{index} is no sequence flow"
            event = process.elements[flow.target]
            assert isinstance(event, CatchEvent), f"{event}"
            plan = plan_event(activation, event, event.trigger, interrupting=True, outside=False)
            if isinstance(plan, Incident):
                return plan
            plans.append(plan)
        activated(element, activation)
        begin_waiting(activation, plans)
        return None
