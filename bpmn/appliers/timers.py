"""Appliers of timers. A timer is due until it has fired or is cancelled."""

from bpmnd.bpmn.appliers.multiple import forget_part
from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    StartTimerCanceled,
    StartTimerCreated,
    StartTimerTriggered,
    TimerCanceled,
    TimerCreated,
    TimerTriggered,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.deployed import StartTimer
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
    if instance.awaited_parts:
        forget_part(state.journal, instance, event.key)
    state.owners.remove(event.key, state.journal)
    if timer.due:
        state.remove_due(timer.due, event.key)


@applies(StartTimerCreated)
def start_timer_created(state: State, event: StartTimerCreated) -> None:
    timer = StartTimer(
        event.key, event.definition_key, event.element, event.due, event.repetitions, event.cycle
    )
    state.start_timers.put(event.key, timer, state.journal)
    state.add_due(event.due, event.key)


@applies(StartTimerTriggered)
def start_timer_triggered(state: State, event: StartTimerTriggered) -> None:
    _drop_start(state, event.key)


@applies(StartTimerCanceled)
def start_timer_canceled(state: State, event: StartTimerCanceled) -> None:
    _drop_start(state, event.key)


def _drop_start(state: State, key: int) -> None:
    state.remove_due(state.start_timers.items[key].due, key)
    state.start_timers.remove(key, state.journal)
