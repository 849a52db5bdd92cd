"""Timers of process instances and of start events."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, moment
from bpmnd.bpmn.events import (
    StartTimerCanceled,
    StartTimerCreated,
    StartTimerTriggered,
    TimerCanceled,
    TimerCreated,
    TimerTriggered,
)


@describes
def timer_changed(event: TimerCreated | TimerTriggered | TimerCanceled, places: Places) -> Value:
    instance = places.instance(event.instance_key)
    known = instance.timers.get(event.key) if instance is not None else None
    timer = event if isinstance(event, TimerCreated) else known
    if timer is None:
        return places.in_instance(event.instance_key)
    return {
        **places.at_element(event.instance_key, timer.element_instance_key, timer.element),
        "dueDate": moment(timer.due),
        "repetitions": timer.repetitions,
    }


@describes
def start_timer_created(event: StartTimerCreated, places: Places) -> Value:
    value = places.at_start_event(event.definition_key, event.element)
    return {**value, "dueDate": moment(event.due), "repetitions": event.repetitions}


@describes
def start_timer_over(event: StartTimerTriggered | StartTimerCanceled, places: Places) -> Value:
    return places.at_start_event(event.definition_key, event.element)
