"""Timers that start process instances. They are set on the partition of the deployment alone."""

from collections.abc import Collection

from bpmnd.bpmn.elements.moments import again, work_out
from bpmnd.bpmn.events import StartTimerCanceled, StartTimerCreated, StartTimerTriggered
from bpmnd.bpmn.feel import MISSING
from bpmnd.bpmn.gathering import forget_occurred, occur_at_start
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import ExecutableProcess, StartEvent, TimerDefinition
from bpmnd.bpmn.model.multiple import parts_of
from bpmnd.bpmn.turn import Turn


def set_start_timers(turn: Turn, definition_key: int, process: ExecutableProcess) -> None:
    """Let the timers of a new version of a process start it, in place of those of the version before. They
    are set on one partition only: that of the deployment."""
    definition = turn.state.definitions.items[definition_key]
    name = (definition.tenant_id, definition.process_id)
    cancel_start_timers(turn, set(turn.state.latest[name].values()))
    for index in process.root.triggered_starts:
        event = process.elements[index]
        assert isinstance(event, StartEvent), f"{index} is no start event"
        for trigger in parts_of(event.trigger):
            if not isinstance(trigger, TimerDefinition):
                continue
            moment = work_out(turn, trigger, lambda _: MISSING)
            if not isinstance(moment, Incident):
                turn.emit(StartTimerCreated(turn.new_key(), definition_key, index, *moment))


def cancel_start_timers(turn: Turn, definition_keys: Collection[int]) -> None:
    """The processes are not started any more by any timer, nor by what has occurred so far."""
    timers = [
        timer for timer in turn.state.start_timers.items.values() if timer.definition_key in definition_keys
    ]
    for timer in timers:
        turn.emit(StartTimerCanceled(timer.key, timer.definition_key, timer.element))
    forget_occurred(turn, definition_keys)


def fire_start_timer(turn: Turn, key: int, *, starts: bool = True) -> bool:
    """A timer starts an instance of its process, or is passed over for once; false if there is none with the
    key. One that repeats is set again."""
    timer = turn.state.start_timers.get(key)
    if timer is None:
        return False
    turn.emit(StartTimerTriggered(key, timer.definition_key, timer.element))
    moment = again(turn, timer.repetitions, timer.cycle)
    if moment is not None:
        turn.emit(StartTimerCreated(turn.new_key(), timer.definition_key, timer.element, *moment))
    if starts:
        started = occur_at_start(turn, timer.definition_key, timer.element, TimerDefinition, "", {})
        if started is not None:
            turn.schedule(started.step)
    return True
