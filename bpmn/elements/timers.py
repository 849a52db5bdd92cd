"""Timers that element instances wait for (BPMN 2.0, §10.5.5.1)."""

import msgspec

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.moments import again, work_out
from bpmnd.bpmn.elements.triggers import can_happen, occur
from bpmnd.bpmn.evaluation import lookup_in
from bpmnd.bpmn.events import EventPartAwaited, TimerCreated, TimerTriggered
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import BoundaryEvent, StartEvent, TimerDefinition
from bpmnd.bpmn.state.records import ProcessInstance, Timer
from bpmnd.bpmn.steps import TriggerTimer
from bpmnd.bpmn.turn import Turn


class TimerPlan(msgspec.Struct, frozen=True, gc=False):
    """A timer worked out, to be created when the element is active. `element` is what it triggers."""

    element: int
    due: int
    repetitions: int = 1
    cycle: str = ""

    def begin(self, activation: Activation) -> int:
        turn, key = activation.turn, activation.turn.new_key()
        turn.emit(
            TimerCreated(
                key,
                activation.instance.key,
                activation.key,
                self.element,
                self.due,
                self.repetitions,
                self.cycle,
            )
        )
        return key


def plan_timer(activation: Activation, element: int, timer: TimerDefinition) -> TimerPlan | Incident:
    """When the timer is to fire, reckoned from now."""
    moment = work_out(activation.turn, timer, lookup_in(activation.instance, activation.inner_key))
    return moment if isinstance(moment, Incident) else TimerPlan(element, *moment)


def trigger(turn: Turn, step: TriggerTimer) -> None:
    """A timer fires: its catch event completes, or its boundary event goes off."""
    instance = turn.state.instances.get(step.instance_key)
    timer = instance.timers.get(step.timer_key) if instance is not None else None
    if instance is None or timer is None:
        return
    part = instance.part_of(timer.key)
    turn.emit(TimerTriggered(timer.key, instance.key))
    if not can_happen(instance, timer.element_instance_key):
        return
    event = turn.executable_of(instance).elements[timer.element]
    if isinstance(event, BoundaryEvent | StartEvent) and not event.interrupting:
        _repeat(turn, instance, timer, part)
    occur(turn, instance, timer.element_instance_key, timer.element, part, {})


def _repeat(turn: Turn, instance: ProcessInstance, timer: Timer, part: int) -> None:
    moment = again(turn, timer.repetitions, timer.cycle)
    if moment is not None:
        key, waiting = turn.new_key(), timer.element_instance_key
        turn.emit(TimerCreated(key, instance.key, waiting, timer.element, *moment))
        if part:
            turn.emit(EventPartAwaited(key, instance.key, part))
