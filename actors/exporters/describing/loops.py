"""Multi-instance bodies."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, json_values
from bpmnd.bpmn.events import LoopEnded, LoopOutputCollected, LoopStarted


@describes
def loop_started(event: LoopStarted, places: Places) -> Value:
    value = places.at_element(event.instance_key, event.key, event.element)
    return {**value, "numberOfInstances": len(event.items)}


@describes
def loop_output_collected(event: LoopOutputCollected, places: Places) -> Value:
    value = places.in_instance(event.instance_key, event.key)
    return {**value, "loopCounter": event.index + 1, **json_values({"value": event.value})}


@describes
def loop_ended(event: LoopEnded, places: Places) -> Value:
    return places.in_instance(event.instance_key, event.key)
