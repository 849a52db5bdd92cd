"""Timers of catch events and boundary events (BPMN 2.0, §10.5.5.1)."""

from typing import Final

import msgspec

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.triggers import can_happen, happen
from bpmnd.bpmn.evaluation import evaluate, lookup_in, not_of_type
from bpmnd.bpmn.events import TimerCreated, TimerTriggered
from bpmnd.bpmn.feel import to_json, type_name
from bpmnd.bpmn.feel.temporal import DateTime
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import BoundaryEvent, StartEvent, TimerDefinition, TimerKind
from bpmnd.bpmn.model.timers import parse_cycle, parse_date, parse_duration
from bpmnd.bpmn.state.records import ProcessInstance, Timer
from bpmnd.bpmn.steps import TriggerTimer
from bpmnd.bpmn.turn import Turn

_DUE_MIN: Final = 1
"""What is long past is due at once; 0 would stand for a timer that is not due at all."""
_TEMPORAL = ("STRING", "DURATION", "PERIOD", "DATE", "DATE_TIME")


class TimerPlan(msgspec.Struct, frozen=True, gc=False):
    """A timer worked out, to be created when the element is active. `element` is what it triggers."""

    element: int
    due: int
    repetitions: int = 1
    cycle: str = ""

    def begin(self, activation: Activation) -> None:
        turn = activation.turn
        turn.emit(
            TimerCreated(
                turn.new_key(),
                activation.instance.key,
                activation.key,
                self.element,
                self.due,
                self.repetitions,
                self.cycle,
            )
        )


def plan_timer(activation: Activation, element: int, timer: TimerDefinition) -> TimerPlan | Incident:
    """When the timer is to fire, reckoned from now."""
    turn = activation.turn
    lookup = lookup_in(activation.instance, activation.inner_key)
    evaluated = evaluate(turn, timer.value, lookup, IncidentType.EXTRACT_VALUE_ERROR)
    if isinstance(evaluated, Incident):
        return evaluated
    if type_name(evaluated.value) not in _TEMPORAL:
        return not_of_type(timer.value, "STRING", evaluated)
    text: str = msgspec.json.decode(to_json(evaluated.value))
    match timer.kind:
        case TimerKind.DATE:
            if isinstance(evaluated.value, DateTime) and evaluated.value.offset is None:
                text += "Z"
            date = parse_date(text)
            if date is not None:
                return TimerPlan(element, max(_DUE_MIN, date))
        case TimerKind.DURATION:
            duration = parse_duration(text)
            if duration is not None:
                return TimerPlan(element, max(_DUE_MIN, duration.after(turn.now)))
        case TimerKind.CYCLE:
            cycle = parse_cycle(text)
            if cycle is not None:
                return TimerPlan(element, max(_DUE_MIN, cycle.first_due(turn.now)), cycle.repetitions, text)
    return Incident(
        IncidentType.EXTRACT_VALUE_ERROR,
        f"Expected a timer of kind '{timer.kind.value}', but '{text}' cannot be read as one.",
    )


def trigger(turn: Turn, step: TriggerTimer) -> None:
    """A timer fires: its catch event completes, or its boundary event goes off."""
    instance = turn.state.instances.get(step.instance_key)
    timer = instance.timers.get(step.timer_key) if instance is not None else None
    if instance is None or timer is None:
        return
    turn.emit(TimerTriggered(timer.key, instance.key))
    if not can_happen(instance, timer.element_instance_key):
        return
    event = turn.executable_of(instance).elements[timer.element]
    if isinstance(event, BoundaryEvent | StartEvent) and not event.interrupting:
        _repeat(turn, instance, timer)
    happen(turn, instance, timer.element_instance_key, timer.element, {})


def _repeat(turn: Turn, instance: ProcessInstance, timer: Timer) -> None:
    """Set the timer again, one interval after now: a cycle that was late does not catch up, and one
    without a length of time still lets the partition do other work."""
    left = timer.repetitions - 1 if timer.repetitions > 0 else timer.repetitions
    cycle = parse_cycle(timer.cycle) if timer.cycle and left else None
    if cycle is None:
        return
    due = max(cycle.interval.after(turn.now), turn.now + 1)
    turn.emit(
        TimerCreated(
            turn.new_key(),
            instance.key,
            timer.element_instance_key,
            timer.element,
            due,
            left,
            timer.cycle,
        )
    )
