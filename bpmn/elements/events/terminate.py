"""The terminate end event (BPMN 2.0, §10.5.5.9)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import throwing
from bpmnd.bpmn.elements.completing import complete
from bpmnd.bpmn.elements.kind import EventKind, Position
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element, TerminateDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import CompleteElement


@final
class TerminateKind(EventKind[TerminateDefinition]):
    """Ends all that is still active in its scope, which completes then."""

    words = "terminate"
    definition = TerminateDefinition
    positions = frozenset({Position.END})
    ends = True

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> TerminateDefinition:
        return TerminateDefinition()

    def throw(self, element: Element, thrown: TerminateDefinition, activation: Activation) -> Incident | None:
        throwing(element, activation)
        complete(activation.turn, CompleteElement(activation.instance.key, activation.key))
        return None
