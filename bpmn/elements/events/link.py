"""Link events (BPMN 2.0, §10.5.5.5)."""

from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.completing import pass_through
from bpmnd.bpmn.elements.kind import EventKind, Position
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element, LinkDefinition
from bpmnd.bpmn.model.reading import UNKNOWN, Reading
from bpmnd.bpmn.model.xml import Tag

_NAME: Final = "the name of a link must be present and not empty"


@final
class LinkKind(EventKind[LinkDefinition]):
    """Who throws it goes on at the event of the same scope that catches it."""

    words = "link"
    definition = LinkDefinition
    positions = frozenset({Position.THROW, Position.CATCH})
    alone = positions

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> LinkDefinition:
        name = definition.attributes.get("name", "")
        if not name:
            reading.report.add(event, _NAME, at=definition)
        return LinkDefinition(name, UNKNOWN)

    def throw(self, element: Element, thrown: LinkDefinition, activation: Activation) -> Incident | None:
        return pass_through(element, activation)
