"""End events (BPMN 2.0, §10.5.3)."""

from typing import final

from bpmnd.bpmn.elements.behaviour import Activation
from bpmnd.bpmn.elements.errors import catcher_of, interrupt
from bpmnd.bpmn.elements.lifecycle import activated, pass_through
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import EndEvent


@final
class EndEventBehaviour:
    """Ends a path; with an error definition it throws the error out of its scope."""

    def activate(self, element: EndEvent, activation: Activation) -> Incident | None:
        if element.error is None:
            return pass_through(element, activation)
        turn, instance = activation.turn, activation.instance
        caught = catcher_of(turn, instance, activation.scope_key, element.error.code or "", "")
        if isinstance(caught, Incident):
            return caught
        activated(element, activation)
        interrupt(turn, instance, caught, {})
        return None
