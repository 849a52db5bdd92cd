"""Reads the event definition of an event, whatever its kind."""

from bpmnd.bpmn.elements.events.registry import EVENTS
from bpmnd.bpmn.elements.kind import Position
from bpmnd.bpmn.model.graph import EventDefinition
from bpmnd.bpmn.model.reading import Reading
from bpmnd.bpmn.model.xml import Tag


def definitions_of(event: Tag) -> tuple[Tag, ...]:
    return tuple(child for child in event.children if child.name in EVENTS)


def read_definition(
    event: Tag, position: Position, reading: Reading, *, required: bool = False, interrupting: bool = True
) -> EventDefinition | None:
    """The one event definition of an event, if there is one and it is supported there."""
    definition = definition_of(event, position, reading, required=required)
    if definition is None:
        return None
    kind = EVENTS[definition.name]
    read: EventDefinition = kind.read(event, definition, position, reading, interrupting=interrupting)
    return read


def definition_of(event: Tag, position: Position, reading: Reading, *, required: bool = False) -> Tag | None:
    report = reading.report
    definitions = definitions_of(event)
    if len(definitions) > 1:
        report.add(event, "must not have more than one event definition", at=definitions[1])
    if required and not definitions and not event.all("bpmn:eventDefinitionRef"):
        report.add(event, "must have exactly one event definition")

    refused = False
    for definition in definitions:
        if reason := EVENTS[definition.name].refusal(position):
            report.add(event, reason, at=definition)
            refused = True
    return definitions[0] if definitions and not refused else None
