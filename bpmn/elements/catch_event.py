"""Intermediate catch events and receive tasks (BPMN 2.0, §10.5.4 and §10.3.3)."""

from typing import final

from bpmnd.bpmn.elements.behaviour import Activation
from bpmnd.bpmn.elements.lifecycle import activated
from bpmnd.bpmn.elements.waiting import plan_boundary_events, plan_catch, wait_for
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import CatchEvent


@final
class CatchEventBehaviour:
    """Waits for its moment, its message or its signal; a receive task also for its boundary events."""

    def activate(self, element: CatchEvent, activation: Activation) -> Incident | None:
        plan = plan_catch(activation, element)
        if isinstance(plan, Incident):
            return plan
        others = plan_boundary_events(element, activation)
        if isinstance(others, Incident):
            return others
        activated(element, activation)
        wait_for(activation, [plan, *others])
        return None
