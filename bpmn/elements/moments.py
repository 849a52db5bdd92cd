"""When a timer is due (BPMN 2.0, §10.5.5.1)."""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from bpmnd.bpmn.evaluation import evaluate, not_of_type
from bpmnd.bpmn.feel import Value, to_json, type_name
from bpmnd.bpmn.feel.temporal import DateTime
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import TimerDefinition, TimerKind
from bpmnd.bpmn.model.timers import parse_cycle, parse_date, parse_duration
from bpmnd.bpmn.turn import Turn

_DUE_MIN: Final = 1
"""What is long past is due at once; 0 would stand for a timer that is not due at all."""
_TEMPORAL: Final = ("STRING", "DURATION", "PERIOD", "DATE", "DATE_TIME")


class Moment(NamedTuple):
    """When a timer is due, in epoch milliseconds; how often, -1 without an end; and what it follows then."""

    due: int
    repetitions: int = 1
    cycle: str = ""


def work_out(turn: Turn, timer: TimerDefinition, lookup: Callable[[str], Value]) -> Moment | Incident:
    """When the timer is to fire, reckoned from now."""
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
                return Moment(max(_DUE_MIN, date))
        case TimerKind.DURATION:
            duration = parse_duration(text)
            if duration is not None:
                return Moment(max(_DUE_MIN, duration.after(turn.now)))
        case TimerKind.CYCLE:
            cycle = parse_cycle(text)
            if cycle is not None:
                return Moment(max(_DUE_MIN, cycle.first_due(turn.now)), cycle.repetitions, text)
    return Incident(
        IncidentType.EXTRACT_VALUE_ERROR,
        f"Expected a timer of kind '{timer.kind.value}', but '{text}' cannot be read as one.",
    )


def again(turn: Turn, repetitions: int, cycle: str) -> Moment | None:
    """When a timer that has just fired is due again, one interval after now: a cycle that was late does not
    catch up, and one without a length of time still lets the partition do other work."""
    left = repetitions - 1 if repetitions > 0 else repetitions
    parsed = parse_cycle(cycle) if cycle and left else None
    if parsed is None:
        return None
    return Moment(max(parsed.next_due(turn.now), turn.now + 1), left, cycle)
