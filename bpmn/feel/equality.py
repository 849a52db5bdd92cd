"""Whether values are equal, and in which order they stand.

Both are None where FEEL has no answer. As Camunda has it: null equals null and nothing else, values of
different types are neither equal nor unequal, and lists or contexts with such elements are simply unequal.
"""

from typing import final

from bpmnd.bpmn.feel.environment import Environment, Stopped
from bpmnd.bpmn.feel.limits import VALUE_NESTING_MAX
from bpmnd.bpmn.feel.temporal import NANOS, Date, DateTime, DayTimeDuration, Time, YearMonthDuration, instant
from bpmnd.bpmn.feel.values import Range, Value, feel_type, is_number


def equal(environment: Environment, left: Value, right: Value, nesting: int = 0) -> bool | None:
    kind = type(left)
    if kind is type(right):
        if isinstance(left, str) and isinstance(right, str):
            if len(left) == len(right):
                environment.charge_comparison(left, right)
            return left == right
        if isinstance(left, list) and isinstance(right, list):
            return _lists_equal(environment, left, right, nesting)
        if isinstance(left, dict) and isinstance(right, dict):
            return _contexts_equal(environment, left, right, nesting)
        if isinstance(left, Range) and isinstance(right, Range):
            return _ranges_equal(environment, left, right, nesting)
        if isinstance(left, DateTime | Time) and isinstance(right, DateTime | Time):
            return _moment(left) == _moment(right) if both_zoned_or_not(left, right) else None
        return left == right
    if left is None or right is None:
        return False
    if is_number(left) and is_number(right):
        return left == right
    environment.warn(f"Can't compare '{feel_type(left)}' with '{feel_type(right)}'")
    return None


def _moment(value: DateTime | Time) -> int:
    return instant(value) if isinstance(value, DateTime) else time_instant(value)


def both_zoned_or_not(left: DateTime | Time, right: DateTime | Time) -> bool:
    """A time with a zone and one without have nothing in common."""
    return (left.zone is None) is (right.zone is None)


def time_instant(time: Time) -> int:
    """Nanoseconds since midnight in UTC. A place counts with its offset in the winter of 1970."""
    if time.zone is None:
        return time.nanos
    return time.nanos - time.zone.offset_of_instant(0) * NANOS


def _deeper(environment: Environment, nesting: int, steps: int) -> int:
    environment.charge(steps + 1)
    if nesting >= VALUE_NESTING_MAX:
        raise Stopped("The values are nested too deeply.")
    return nesting + 1


def _lists_equal(environment: Environment, left: list[Value], right: list[Value], nesting: int) -> bool:
    if len(left) != len(right):
        return False
    deeper = _deeper(environment, nesting, len(left))
    pairs = zip(left, right, strict=True)
    return all(equal(environment, one, other, deeper) for one, other in pairs)


def _contexts_equal(
    environment: Environment, left: dict[str, Value], right: dict[str, Value], nesting: int
) -> bool:
    if left.keys() != right.keys():
        return False
    deeper = _deeper(environment, nesting, len(left))
    return all(equal(environment, one, right[key], deeper) for key, one in left.items())


def _ranges_equal(environment: Environment, left: Range, right: Range, nesting: int) -> bool | None:
    if (left.start_included, left.end_included) != (right.start_included, right.end_included):
        return False
    deeper = _deeper(environment, nesting, 2)
    starts = equal(environment, left.start, right.start, deeper)
    return equal(environment, left.end, right.end, deeper) if starts else starts


@final
class Distinct:
    """Values that differ, in the order in which they came."""

    __slots__ = ("_counts", "_environment", "_plain", "values")

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.values: list[Value] = []
        self._counts: list[int] = []
        self._plain: dict[tuple[type, Value], int] = {}

    def add(self, value: Value) -> bool:
        """Take in a value; false if an equal one is there already."""
        self._environment.charge_text(len(value) if isinstance(value, str) else 0)
        key = _key(value)
        at = self._plain.get(key) if key is not None else self._find(value)
        if at is not None:
            self._counts[at] += 1
            return False
        if key is not None:
            self._plain[key] = len(self.values)
        self.values.append(value)
        self._counts.append(1)
        return True

    def count(self, at: int) -> int:
        return self._counts[at]

    def _find(self, value: Value) -> int | None:
        for at, known in enumerate(self.values):
            if type(known) is type(value) and equal(self._environment, known, value):
                return at
        return None


def _key(value: Value) -> tuple[type, Value] | None:
    """What plain values are equal by; None for those that must be compared."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return kind, value
    if is_number(value):
        return int, value
    return (kind, value) if isinstance(value, Date | DayTimeDuration | YearMonthDuration) else None


def contains(environment: Environment, values: list[Value], wanted: Value) -> bool:
    """Whether a list has an element that equals a value."""
    environment.charge(len(values))
    if type(wanted) is bool or wanted is None:
        kind = type(wanted)
        return any(type(value) is kind and value == wanted for value in values)
    return any(equal(environment, value, wanted) for value in values)


def order(environment: Environment, left: Value, right: Value) -> int | None:
    """Negative, zero or positive, as `left` stands before, at or behind `right`."""
    if is_number(left) and is_number(right):
        return (left > right) - (left < right)
    if isinstance(left, str) and isinstance(right, str):
        environment.charge_comparison(left, right)
        return (left > right) - (left < right)
    if isinstance(left, Date) and isinstance(right, Date):
        return (left > right) - (left < right)
    if isinstance(left, DayTimeDuration) and isinstance(right, DayTimeDuration):
        return (left > right) - (left < right)
    if isinstance(left, YearMonthDuration) and isinstance(right, YearMonthDuration):
        return (left > right) - (left < right)
    if isinstance(left, DateTime) and isinstance(right, DateTime) and both_zoned_or_not(left, right):
        return (instant(left) > instant(right)) - (instant(left) < instant(right))
    if isinstance(left, Time) and isinstance(right, Time) and both_zoned_or_not(left, right):
        return (time_instant(left) > time_instant(right)) - (time_instant(left) < time_instant(right))
    environment.warn(f"Can't compare '{feel_type(left)}' with '{feel_type(right)}'")
    return None


def in_range(environment: Environment, value: Value, interval: Range) -> bool | None:
    """Whether a value lies within an interval; an end that is null does not bound it."""
    if interval.start is not None:
        after = order(environment, value, interval.start)
        if after is None:
            return None
        if after < 0 or (after == 0 and not interval.start_included):
            return False
    if interval.end is not None:
        after = order(environment, value, interval.end)
        if after is None:
            return None
        if after > 0 or (after == 0 and not interval.end_included):
            return False
    return True
