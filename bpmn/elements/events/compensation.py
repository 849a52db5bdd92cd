"""Compensation events (BPMN 2.0, §10.5.5.3)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import throwing
from bpmnd.bpmn.elements.compensation import compensate
from bpmnd.bpmn.elements.kind import EventKind, Position
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import CompensationDefinition, Element
from bpmnd.bpmn.model.reading import UNKNOWN, Reading, read_flag
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import CompleteElement


@final
class CompensationKind(EventKind[CompensationDefinition]):
    """Thrown to have handlers undo what has completed: a boundary event leads to such a handler, and an event
    sub-process is that of the sub-process around it."""

    words = "compensation"
    definition = CompensationDefinition
    positions = frozenset({Position.BOUNDARY, Position.EVENT_START, Position.THROW, Position.END})
    alone = frozenset({Position.BOUNDARY, Position.EVENT_START})

    def read(
        self, event: Tag, definition: Tag, position: Position, reading: Reading, *, interrupting: bool
    ) -> CompensationDefinition:
        if position is Position.BOUNDARY:
            handler = reading.associations.get(event.id or "", "")
            if not handler:
                reason = "a compensation boundary event must have an association to its handler"
                reading.report.add(event, reason)
            return CompensationDefinition(handler, UNKNOWN)
        if position is Position.EVENT_START:
            if not interrupting:
                reason = "a compensation start event of an event sub-process must interrupt"
                reading.report.add(event, reason)
            return CompensationDefinition("", -1)
        waits = read_flag(definition, "waitForCompletion", reading.report, default=True)
        return CompensationDefinition(definition.attributes.get("activityRef", ""), -1, waits)

    def throw(
        self, element: Element, thrown: CompensationDefinition, activation: Activation
    ) -> Incident | None:
        turn, instance = activation.turn, activation.instance
        throwing(element, activation)
        if not compensate(turn, instance, activation.key, thrown.target) or not thrown.waits:
            turn.schedule(CompleteElement(instance.key, activation.key))
        return None
