"""Events that wait for several things together."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, json_values
from bpmnd.bpmn.events import (
    EventPartAwaited,
    EventPartOccurred,
    EventPartsCleared,
    StartPartOccurred,
    StartPartsCleared,
)


@describes
def event_part_awaited(event: EventPartAwaited, places: Places) -> Value:
    return {**places.in_instance(event.instance_key), "part": event.part}


@describes
def event_part_occurred(event: EventPartOccurred, places: Places) -> Value:
    value = places.at_element(event.instance_key, event.element_instance_key, event.element)
    return {**value, "part": event.part, "variables": json_values(event.variables)}


@describes
def event_parts_cleared(event: EventPartsCleared, places: Places) -> Value:
    return places.at_element(event.instance_key, event.element_instance_key, event.element)


@describes
def start_part_occurred(event: StartPartOccurred, places: Places) -> Value:
    value = places.at_start_event(event.definition_key, event.element)
    return {**value, "part": event.part, "variables": json_values(event.variables)}


@describes
def start_parts_cleared(event: StartPartsCleared, places: Places) -> Value:
    return places.at_start_event(event.definition_key, event.element)
