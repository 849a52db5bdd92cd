"""Appliers of timers. A timer is due until it has fired or is cancelled."""

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import TimerCanceled, TimerCreated, TimerTriggered
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import Timer


@applies(TimerCreated)
def timer_created(state: State, event: TimerCreated) -> None:
    instance = state.touch(event.instance_key)
    timer = Timer(
        event.key, event.element_instance_key, event.element, event.due, event.repetitions, event.cycle
    )
    state.journal.put(instance.timers, event.key, timer)
    state.owners.add(event.key, event.instance_key, state.journal)
    state.add_due(event.due, event.key)


@applies(TimerTriggered)
def timer_triggered(state: State, event: TimerTriggered) -> None:
    _drop(state, event)


@applies(TimerCanceled)
def timer_canceled(state: State, event: TimerCanceled) -> None:
    _drop(state, event)


def _drop(state: State, event: TimerTriggered | TimerCanceled) -> None:
    instance = state.touch(event.instance_key)
    timer = state.journal.drop(instance.timers, event.key)
    state.owners.remove(event.key, state.journal)
    if timer.due:
        state.remove_due(timer.due, event.key)
