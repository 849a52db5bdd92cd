"""Signal events (BPMN 2.0, §10.5.5.8)."""

from typing import final

from bpmnd.bpmn import broadcast
from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import throwing
from bpmnd.bpmn.elements.completing import complete
from bpmnd.bpmn.elements.kind import EventKind, Plan, Position
from bpmnd.bpmn.elements.subscriptions import plan_signal
from bpmnd.bpmn.elements.triggers import trigger_signal
from bpmnd.bpmn.evaluation import evaluate_string, lookup_in
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element, SignalDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.texts import read_name
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import CompleteElement


@final
class SignalKind(EventKind[SignalDefinition]):
    """Reaches everybody who waits for it."""

    words = "signal"
    definition = SignalDefinition
    positions = frozenset(Position)
    gathers = True

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> SignalDefinition:
        signal = reading.referenced("signal", event, definition)
        return SignalDefinition("" if signal is None else read_name(signal, event, reading.report))

    def plan(
        self,
        trigger: SignalDefinition,
        activation: Activation,
        element: int,
        *,
        interrupting: bool,
        outside: bool,
    ) -> Plan | Incident:
        return plan_signal(activation, element, trigger)

    def throw(self, element: Element, thrown: SignalDefinition, activation: Activation) -> Incident | None:
        """Broadcast it with the variables that the input mappings made, and go on."""
        turn, instance = activation.turn, activation.instance
        name = evaluate_string(turn, thrown.name, lookup_in(instance, activation.inner_key))
        if isinstance(name, Incident):
            return name
        throwing(element, activation)
        variables = dict(instance.variables.get(activation.key, {}))
        near = broadcast.throw(turn, instance, name, variables)
        completion = CompleteElement(instance.key, activation.key)
        if not near:
            complete(turn, completion)
            return None
        turn.schedule(completion)
        for step in near:
            trigger_signal(turn, step)
        return None
