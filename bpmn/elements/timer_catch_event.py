"""The timer intermediate catch event (BPMN 2.0, §10.5.4)."""

from typing import final

from bpmnd.bpmn.elements.behaviour import Activation
from bpmnd.bpmn.elements.lifecycle import activated
from bpmnd.bpmn.elements.timers import create_timers, plan_timer
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import TimerCatchEvent


@final
class TimerCatchEventBehaviour:
    """Waits for its moment."""

    def activate(self, element: TimerCatchEvent, activation: Activation) -> Incident | None:
        plan = plan_timer(activation, element.index, element.timer)
        if isinstance(plan, Incident):
            return plan
        activated(element, activation)
        create_timers(activation, [plan])
        return None
