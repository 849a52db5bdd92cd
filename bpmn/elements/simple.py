"""Elements that never wait: activated and completed in one go."""

from typing import final

from bpmnd.bpmn.elements.behaviour import Activation
from bpmnd.bpmn.elements.lifecycle import pass_through
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element


@final
class PassThroughBehaviour:
    """None start events, tasks that nobody works, boundary events that have gone off, and parallel gateways:
    a fork takes all its outgoing flows, and a join is activated only when it has a token on each incoming."""

    def activate(self, element: Element, activation: Activation) -> Incident | None:
        return pass_through(element, activation)
