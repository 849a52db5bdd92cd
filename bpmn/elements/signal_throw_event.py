"""Throw events and end events of signals (BPMN 2.0, §10.5.1)."""

from typing import final

from bpmnd.bpmn.broadcast import broadcast
from bpmnd.bpmn.elements.behaviour import Activation
from bpmnd.bpmn.elements.lifecycle import activated, complete
from bpmnd.bpmn.evaluation import evaluate_string, lookup_in
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import SignalThrowEvent
from bpmnd.bpmn.steps import CompleteElement


@final
class SignalThrowEventBehaviour:
    """Broadcasts its signal with the variables that its input mappings made, and goes on."""

    def activate(self, element: SignalThrowEvent, activation: Activation) -> Incident | None:
        turn, instance = activation.turn, activation.instance
        lookup = lookup_in(instance, activation.key if activation.begun else activation.scope_key)
        name = evaluate_string(turn, element.signal.name, lookup)
        if isinstance(name, Incident):
            return name
        activated(element, activation)
        variables = dict(instance.variables.get(activation.key, {}))
        broadcast(turn, instance.tenant_id, name, variables)
        complete(turn, CompleteElement(instance.key, activation.key))
        return None
