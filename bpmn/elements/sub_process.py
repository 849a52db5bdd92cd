"""The embedded sub-process (BPMN 2.0, §10.3.5)."""

from typing import final

from bpmnd.bpmn.elements.behaviour import Activation
from bpmnd.bpmn.elements.lifecycle import activated
from bpmnd.bpmn.elements.waiting import plan_boundary_events, wait_for
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import SubProcess
from bpmnd.bpmn.steps import ActivateElement


@final
class SubProcessBehaviour:
    """Opens a scope and starts in it; the scope completes with the last of what it contains."""

    def activate(self, element: SubProcess, activation: Activation) -> Incident | None:
        events = plan_boundary_events(element, activation)
        if isinstance(events, Incident):
            return events
        activated(element, activation)
        wait_for(activation, events)
        start = ActivateElement(activation.instance.key, activation.key, element.start_event)
        activation.turn.schedule(start)
        return None
