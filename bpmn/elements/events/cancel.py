"""Cancel events of transactions (BPMN 2.0, §10.5.5.2 and §10.3.5)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import throwing
from bpmnd.bpmn.elements.kind import EventKind, Position
from bpmnd.bpmn.elements.scopes import cancel_scope
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import CancelDefinition, Element
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.xml import Tag


@final
class CancelKind(EventKind[CancelDefinition]):
    """Ends a transaction without success: what is active in it is terminated, what has completed is
    compensated, and then its cancel boundary event goes off."""

    words = "cancel"
    definition = CancelDefinition
    positions = frozenset({Position.BOUNDARY, Position.END})
    ends = True

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> CancelDefinition:
        if position is Position.BOUNDARY and not interrupting:
            reading.report.add(event, "a cancel boundary event must interrupt")
        return CancelDefinition()

    def throw(self, element: Element, thrown: CancelDefinition, activation: Activation) -> Incident | None:
        throwing(element, activation)
        cancel_scope(activation.turn, activation.instance, activation.key)
        return None
