"""The terminate end event (BPMN 2.0, §10.5.5.9)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.completing import pass_through
from bpmnd.bpmn.elements.kind import EventKind, Position
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element, TerminateDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.xml import Tag


@final
class TerminateKind(EventKind[TerminateDefinition]):
    """Ends all that is still active in its scope, which completes then."""

    words = "terminate"
    definition = TerminateDefinition
    positions = frozenset({Position.END})

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> TerminateDefinition:
        return TerminateDefinition()

    def throw(self, element: Element, thrown: TerminateDefinition, activation: Activation) -> Incident | None:
        return pass_through(element, activation)
