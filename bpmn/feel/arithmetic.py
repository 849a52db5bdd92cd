"""`+ - * / **` on whatever has them: numbers, strings, and times with durations.

What has no result is null, with a warning.
"""

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from typing import Final

from bpmnd.bpmn.feel import numbers
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.equality import both_zoned_or_not, time_instant
from bpmnd.bpmn.feel.temporal import (
    DAY_NANOS,
    Date,
    DateTime,
    DayTimeDuration,
    Time,
    YearMonthDuration,
    date_of_epoch_day,
    date_time_at,
    date_time_of,
    day_time_duration,
    epoch_day,
    instant,
    plus_months,
    year_month_duration,
)
from bpmnd.bpmn.feel.values import Duration, Number, Temporal, Value, feel_type, is_number

# A power by anything but a small whole number takes some 60 µs.
_POWER_STEPS: Final = 200

Operation = Callable[[Environment, Value, Value], Value]


def add(environment: Environment, left: Value, right: Value) -> Value:
    if is_number(left) and is_number(right):
        return _number(environment, numbers.add(left, right))
    if isinstance(left, str) and isinstance(right, str):
        environment.charge_text(len(left) + len(right))
        return left + right
    if isinstance(left, DayTimeDuration) and isinstance(right, DayTimeDuration):
        return day_time_duration(left.nanos + right.nanos)
    if isinstance(left, YearMonthDuration) and isinstance(right, YearMonthDuration):
        return year_month_duration(left.months + right.months)
    if isinstance(left, Temporal) and isinstance(right, Duration):
        return shifted(left, right)
    if isinstance(left, Duration) and isinstance(right, Temporal):
        return shifted(right, left)
    return _mismatch(environment, "add", left, right)


def subtract(environment: Environment, left: Value, right: Value) -> Value:
    """Of a day and a moment with a zone, the day is its midnight in UTC."""
    if is_number(left) and is_number(right):
        return _number(environment, numbers.subtract(left, right))
    if isinstance(left, Temporal) and isinstance(right, Duration):
        return shifted(left, _negated(right))
    if isinstance(left, DayTimeDuration) and isinstance(right, DayTimeDuration):
        return day_time_duration(left.nanos - right.nanos)
    if isinstance(left, YearMonthDuration) and isinstance(right, YearMonthDuration):
        return year_month_duration(left.months - right.months)
    if isinstance(left, Time) and isinstance(right, Time) and both_zoned_or_not(left, right):
        return day_time_duration(time_instant(left) - time_instant(right))
    if isinstance(left, Date) and isinstance(right, Date):
        return day_time_duration((epoch_day(left) - epoch_day(right)) * DAY_NANOS)
    if isinstance(left, DateTime) and isinstance(right, DateTime) and both_zoned_or_not(left, right):
        return day_time_duration(instant(left) - instant(right))
    if isinstance(left, Date) and isinstance(right, DateTime) and right.zone is not None:
        return day_time_duration(epoch_day(left) * DAY_NANOS - instant(right))
    if isinstance(left, DateTime) and isinstance(right, Date) and left.zone is not None:
        return day_time_duration(instant(left) - epoch_day(right) * DAY_NANOS)
    return _mismatch(environment, "subtract", left, right)


def multiply(environment: Environment, left: Value, right: Value) -> Value:
    if is_number(left) and is_number(right):
        return _number(environment, numbers.multiply(left, right))
    if isinstance(left, Duration) and is_number(right):
        return _scaled(environment, left, right)
    if is_number(left) and isinstance(right, Duration):
        return _scaled(environment, right, left)
    return _mismatch(environment, "multiply", left, right)


def divide(environment: Environment, left: Value, right: Value) -> Value:
    if is_number(left) and is_number(right):
        return _quotient(environment, left, right)
    if isinstance(left, DayTimeDuration) and isinstance(right, DayTimeDuration):
        return _quotient(environment, left.nanos, right.nanos)
    if isinstance(left, YearMonthDuration) and isinstance(right, YearMonthDuration):
        return _quotient(environment, left.months, right.months)
    if isinstance(left, Duration) and is_number(right):
        if not right:
            return _quotient(environment, 1, 0)
        size = left.nanos if isinstance(left, DayTimeDuration) else left.months
        return _resized(left, numbers.CONTEXT.divide(size, right).to_integral_value(ROUND_DOWN))
    return _mismatch(environment, "divide", left, right)


def power(environment: Environment, left: Value, right: Value) -> Value:
    if is_number(left) and is_number(right):
        environment.charge(_POWER_STEPS)
        return _number(environment, numbers.power(left, right))
    return _mismatch(environment, "raise", left, right)


def negate(environment: Environment, operand: Value) -> Value:
    if is_number(operand):
        return numbers.negate(operand)
    if isinstance(operand, Duration):
        return _negated(operand)
    environment.warn(f"Can't negate '{feel_type(operand)}'")
    return None


OPERATIONS: Final[dict[str, Operation]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
}


def shifted(moment: Temporal, duration: Duration) -> Value:
    """A moment later. A day moves by whole days; a zoned moment by time that passes, not by its clock."""
    if isinstance(moment, Time):
        if isinstance(duration, YearMonthDuration):
            return None
        return Time((moment.nanos + duration.nanos) % DAY_NANOS, moment.zone)
    if isinstance(duration, YearMonthDuration):
        date = plus_months(moment if isinstance(moment, Date) else moment.date, duration.months)
        if date is None or isinstance(moment, Date):
            return date
        return date_time_of(date, moment.nanos, moment.zone)
    if isinstance(moment, Date):
        return date_of_epoch_day(epoch_day(moment) + duration.nanos // DAY_NANOS)
    return date_time_at(instant(moment) + duration.nanos, moment.zone)


def _negated(duration: Duration) -> Duration:
    if isinstance(duration, DayTimeDuration):
        return DayTimeDuration(-duration.nanos)
    return YearMonthDuration(-duration.months)


def _scaled(environment: Environment, duration: Duration, factor: Number) -> Value:
    size = duration.nanos if isinstance(duration, DayTimeDuration) else duration.months
    product = numbers.CONTEXT.multiply(size, factor)
    return _resized(duration, product.to_integral_value(ROUND_DOWN))


def _resized(duration: Duration, size: Decimal) -> Value:
    """A duration of the same kind, unless the size is beyond all durations."""
    if not size.is_finite() or size.adjusted() > numbers.DIGITS:
        return None
    if isinstance(duration, DayTimeDuration):
        return day_time_duration(int(size))
    return year_month_duration(int(size))


def _quotient(environment: Environment, left: Number, right: Number) -> Value:
    if not right:
        environment.warn("Can't divide by zero")
        return None
    return _number(environment, numbers.divide(left, right))


def _number(environment: Environment, result: Number | None) -> Value:
    if result is None:
        environment.warn("The result is no number, or too large a one")
    return result


def _mismatch(environment: Environment, verb: str, left: Value, right: Value) -> Value:
    environment.warn(f"Can't {verb} '{feel_type(left)}' and '{feel_type(right)}'")
    return None
