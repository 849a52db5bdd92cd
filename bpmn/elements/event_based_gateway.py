"""The event-based gateway (BPMN 2.0, §10.6.6)."""

from typing import final

from bpmnd.bpmn.elements.behaviour import Activation
from bpmnd.bpmn.elements.lifecycle import activated
from bpmnd.bpmn.elements.waiting import Plan, plan_catch, wait_for
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import (
    EventBasedGateway,
    MessageCatchEvent,
    SequenceFlow,
    SignalCatchEvent,
    TimerCatchEvent,
)


@final
class EventBasedGatewayBehaviour:
    """Waits for all the events behind it; the first that happens decides the way."""

    def activate(self, element: EventBasedGateway, activation: Activation) -> Incident | None:
        process = activation.turn.executable_of(activation.instance)
        plans: list[Plan] = []
        for index in element.outgoing:
            flow = process.elements[index]
            assert isinstance(flow, SequenceFlow), f"{index} is no sequence flow"
            event = process.elements[flow.target]
            assert isinstance(event, MessageCatchEvent | SignalCatchEvent | TimerCatchEvent), f"{event}"
            plan = plan_catch(activation, event)
            if isinstance(plan, Incident):
                return plan
            plans.append(plan)
        activated(element, activation)
        wait_for(activation, plans)
        return None
