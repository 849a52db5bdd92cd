"""End events (BPMN 2.0, §10.5.3)."""

from typing import final

from bpmnd.bpmn.elements.behaviour import Activation
from bpmnd.bpmn.elements.errors import throw
from bpmnd.bpmn.elements.lifecycle import activated, pass_through
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import EndEvent
from bpmnd.bpmn.steps import ThrowError


@final
class EndEventBehaviour:
    """Ends a path; with an error definition it throws the error out of its scope."""

    def activate(self, element: EndEvent, activation: Activation) -> Incident | None:
        if element.error is None:
            return pass_through(element, activation)
        turn, instance = activation.turn, activation.instance
        activated(element, activation)
        error = ThrowError(instance.key, activation.key, element.error.code or "", "")
        incident = throw(turn, error)
        if incident is not None:
            turn.raise_incident(instance, activation.key, incident, error)
        return None
