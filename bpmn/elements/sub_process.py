"""The embedded sub-process (BPMN 2.0, §10.3.5)."""

from typing import final

from bpmnd.bpmn.elements.behaviour import Activation
from bpmnd.bpmn.elements.lifecycle import activated
from bpmnd.bpmn.elements.timers import create_timers, plan_boundary_timers
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import SubProcess
from bpmnd.bpmn.steps import ActivateElement


@final
class SubProcessBehaviour:
    """Opens a scope and starts in it; the scope completes with the last of what it contains."""

    def activate(self, element: SubProcess, activation: Activation) -> Incident | None:
        timers = plan_boundary_timers(element, activation)
        if isinstance(timers, Incident):
            return timers
        activated(element, activation)
        create_timers(activation, timers)
        start = ActivateElement(activation.instance.key, activation.key, element.start_event)
        activation.turn.schedule(start)
        return None
