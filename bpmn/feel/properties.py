"""What stands behind a point: entries of contexts, and properties of times, durations and ranges."""

from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.numbers import CONTEXT, settled
from bpmnd.bpmn.feel.temporal import (
    DAY_NANOS,
    NANOS,
    Date,
    DateTime,
    DayTimeDuration,
    Time,
    YearMonthDuration,
    weekday,
)
from bpmnd.bpmn.feel.values import MISSING, Range, Value, feel_type
from bpmnd.bpmn.feel.zones import Zone


def property_of(environment: Environment, value: Value, name: str) -> Value:
    """Null, with a warning, where there is no such thing."""
    found: Value = MISSING
    match value:
        case list():
            return _of_each(environment, value, name)
        case dict():
            found = value.get(name, MISSING)
            if found is MISSING:
                environment.warn(f"No context entry found with key '{name}'")
                return None
        case Date():
            found = _of_date(value, name)
        case Time():
            found = _of_time(value.nanos, name)
            if found is MISSING:
                found = _of_zone(value.zone, None, name)
        case DateTime():
            found = _of_date(value.date, name)
            if found is MISSING:
                found = _of_time(value.nanos, name)
            if found is MISSING:
                found = _of_zone(value.zone, value.offset, name)
        case DayTimeDuration():
            found = _of_day_time(value.nanos, name)
        case YearMonthDuration():
            found = _of_year_month(value.months, name)
        case Range():
            found = _of_range(value, name)
        case _:
            pass
    if found is MISSING:
        environment.warn(f"No property found with name '{name}' of a value of type '{feel_type(value)}'")
        return None
    return found


def _of_each(environment: Environment, values: list[Value], name: str) -> Value:
    """The property of each element; lists within are gone through as well."""
    environment.charge(len(values))
    environment.deeper()
    result: list[Value] = [property_of(environment, value, name) for value in values]
    environment.nesting -= 1
    return result


def _of_date(date: Date, name: str) -> Value:
    match name:
        case "year":
            return date.year
        case "month":
            return date.month
        case "day":
            return date.day
        case "weekday":
            return weekday(date)
        case _:
            return MISSING


def _of_time(nanos: int, name: str) -> Value:
    seconds = nanos // NANOS
    match name:
        case "hour":
            return seconds // 3600
        case "minute":
            return seconds // 60 % 60
        case "second":
            part = nanos % NANOS
            return settled(CONTEXT.add(seconds % 60, CONTEXT.divide(part, NANOS))) if part else seconds % 60
        case _:
            return MISSING


def _of_zone(zone: Zone | None, offset: int | None, name: str) -> Value:
    match name:
        case "time offset" | "offset":
            if zone is None:
                return None
            seconds = zone.offset_of_instant(0) if offset is None else offset
            return DayTimeDuration(seconds * NANOS)
        case "timezone":
            return None if zone is None else zone.name
        case _:
            return MISSING


def _of_day_time(nanos: int, name: str) -> Value:
    """Every part has the sign of the whole."""
    sign = -1 if nanos < 0 else 1
    seconds = abs(nanos) // NANOS
    match name:
        case "days":
            return sign * (abs(nanos) // DAY_NANOS)
        case "hours":
            return sign * (seconds // 3600 % 24)
        case "minutes":
            return sign * (seconds // 60 % 60)
        case "seconds":
            part = abs(nanos) % NANOS
            if part:
                return settled(CONTEXT.multiply(sign, CONTEXT.add(seconds % 60, CONTEXT.divide(part, NANOS))))
            return sign * (seconds % 60)
        case _:
            return MISSING


def _of_year_month(months: int, name: str) -> Value:
    sign = -1 if months < 0 else 1
    match name:
        case "years":
            return sign * (abs(months) // 12)
        case "months":
            return sign * (abs(months) % 12)
        case _:
            return MISSING


def _of_range(value: Range, name: str) -> Value:
    match name:
        case "start":
            return value.start
        case "end":
            return value.end
        case "start included":
            return value.start_included
        case "end included":
            return value.end_included
        case _:
            return MISSING
