"""Error events (BPMN 2.0, §10.5.5.2)."""

from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.errors import catcher_of, interrupt
from bpmnd.bpmn.elements.kind import EventKind, Position
from bpmnd.bpmn.elements.lifecycle import activated
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.details import not_yet
from bpmnd.bpmn.model.graph import Element, ErrorDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.texts import is_expression
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
        caught = catcher_of(turn, instance, activation.scope_key, thrown.code or "", "")
        if isinstance(caught, Incident):
            return caught
        activated(element, activation)
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
    if is_expression(code):
        reading.report.add(event, not_yet("expressions as error codes"), at=definition)
    return ErrorDefinition(code)
