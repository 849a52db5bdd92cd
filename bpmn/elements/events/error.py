"""Error events (BPMN 2.0, §10.5.5.2)."""

from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import throwing
from bpmnd.bpmn.elements.errors import catcher_of, interrupt
from bpmnd.bpmn.elements.kind import EventKind, Position
from bpmnd.bpmn.elements.triggers import can_happen
from bpmnd.bpmn.evaluation import evaluate_string, lookup_in
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element, ErrorDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.texts import is_expression, read_text
from bpmnd.bpmn.model.xml import Tag

_CATCHES: Final = {
    Position.BOUNDARY: "boundary event",
    Position.EVENT_START: "start event of an event sub-process",
}


@final
class ErrorKind(EventKind[ErrorDefinition]):
    """Thrown by end events and by workers, caught by the innermost that can, which always interrupts."""

    words = "error"
    definition = ErrorDefinition
    positions = frozenset({Position.BOUNDARY, Position.END, Position.EVENT_START})
    ends = True

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> ErrorDefinition:
        if position is Position.END:
            return _read_thrown(event, definition, reading)
        if not interrupting:
            reading.report.add(event, f"an error {_CATCHES[position]} must interrupt")
        return _read_caught(event, definition, reading)

    def throw(self, element: Element, thrown: ErrorDefinition, activation: Activation) -> Incident | None:
        turn, instance = activation.turn, activation.instance
        code = evaluate_string(turn, thrown.code or "", lookup_in(instance, activation.inner_key))
        if isinstance(code, Incident):
            return code
        caught = catcher_of(turn, instance, activation.scope_key, code, "")
        if isinstance(caught, Incident):
            return caught
        throwing(element, activation)
        if can_happen(instance, activation.key):
            interrupt(turn, caught, {})
        return None


def _read_caught(event: Tag, definition: Tag, reading: Reading) -> ErrorDefinition:
    """Without a reference or without a code it is every error."""
    error = reading.referenced("error", event, definition, required=False)
    if error is None:
        return ErrorDefinition(None)

    code = error.attributes.get("errorCode", "")
    if is_expression(code):
        reading.report.add(event, "the code of an error to catch must not be an expression", at=definition)
    return ErrorDefinition(code or None)


def _read_thrown(event: Tag, definition: Tag, reading: Reading) -> ErrorDefinition:
    """It must have a code."""
    error = reading.referenced("error", event, definition)
    if error is None:
        return ErrorDefinition(None)

    code = error.attributes.get("errorCode", "")
    if not code:
        reason = "the code of an error to throw must be present and not empty"
        reading.report.add(event, reason, at=definition)
    return ErrorDefinition(read_text(code, event, reading.report, at=error))
