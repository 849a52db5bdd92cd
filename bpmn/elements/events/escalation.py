"""Escalation events (BPMN 2.0, §10.5.5.4)."""

from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import throwing
from bpmnd.bpmn.elements.escalations import escalate
from bpmnd.bpmn.elements.kind import EventKind, Position
from bpmnd.bpmn.evaluation import evaluate_string, lookup_in
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element, EscalationDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.texts import is_expression, read_text
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import CompleteElement

_THROWN: Final = (Position.THROW, Position.END)


@final
class EscalationKind(EventKind[EscalationDefinition]):
    """Thrown by events, caught by the innermost that can, which may interrupt or not; or by nobody."""

    words = "escalation"
    definition = EscalationDefinition
    positions = frozenset({Position.THROW, Position.END, Position.BOUNDARY, Position.EVENT_START})
    gathers = True

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> EscalationDefinition:
        if position in _THROWN:
            return _read_thrown(event, definition, reading)
        return _read_caught(event, definition, reading)

    def throw(
        self, element: Element, thrown: EscalationDefinition, activation: Activation
    ) -> Incident | None:
        """Go on, unless the catching event interrupts the scope; what it begins is first."""
        turn, instance = activation.turn, activation.instance
        assert thrown.code is not None, f"{element} throws nothing"
        code = evaluate_string(turn, thrown.code, lookup_in(instance, activation.inner_key))
        if isinstance(code, Incident):
            return code
        throwing(element, activation)
        if not escalate(turn, instance, activation.key, code):
            turn.schedule(CompleteElement(instance.key, activation.key))
        return None


def _read_thrown(event: Tag, definition: Tag, reading: Reading) -> EscalationDefinition:
    escalation = reading.referenced("escalation", event, definition)
    if escalation is None:
        return EscalationDefinition("")
    code = escalation.attributes.get("escalationCode", "")
    if not code:
        reason = "the code of an escalation to throw must be present and not empty"
        reading.report.add(event, reason, at=definition)
    return EscalationDefinition(read_text(code, event, reading.report, at=escalation))


def _read_caught(event: Tag, definition: Tag, reading: Reading) -> EscalationDefinition:
    """Without a reference or without a code it is every escalation."""
    escalation = reading.referenced("escalation", event, definition, required=False)
    code = "" if escalation is None else escalation.attributes.get("escalationCode", "")
    if is_expression(code):
        reason = "the code of an escalation to catch must not be an expression"
        reading.report.add(event, reason, at=definition)
    return EscalationDefinition(code or None)
