"""Any value as text, as `string()` yields it."""

from decimal import Decimal

from bpmnd.bpmn.feel.environment import Environment, Stopped
from bpmnd.bpmn.feel.limits import VALUE_NESTING_MAX
from bpmnd.bpmn.feel.temporal import Date, DateTime, DayTimeDuration, Time, YearMonthDuration
from bpmnd.bpmn.feel.temporal_text import (
    feel_date,
    feel_date_time,
    feel_day_time,
    feel_time,
    feel_year_month,
    feel_zone,
)
from bpmnd.bpmn.feel.values import Function, Range, Value


def text_of(environment: Environment, value: Value, nesting: int = 0) -> str:
    """Strings within lists and contexts stand in quotes, alone they do not."""
    if nesting > VALUE_NESTING_MAX:
        raise Stopped("The value is nested too deeply.")
    text = _text_of(environment, value, nesting)
    environment.charge_text(len(text))
    return text


def _text_of(environment: Environment, value: Value, nesting: int) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case str():
            return f'"{value}"' if nesting else value
        case list():
            items = [text_of(environment, one, nesting + 1) for one in value]
            return f"[{', '.join(items)}]"
        case dict():
            entries = [f"{key}:{text_of(environment, one, nesting + 1)}" for key, one in value.items()]
            return f"{{{', '.join(entries)}}}"
        case Date():
            return feel_date(value)
        case Time():
            return feel_time(value.nanos) + feel_zone(value.zone)
        case DateTime():
            return feel_date_time(value)
        case DayTimeDuration():
            return feel_day_time(value)
        case YearMonthDuration():
            return feel_year_month(value)
        case Range():
            return _range_text(environment, value, nesting)
        case Function():
            return f"function({', '.join(value.parameters)})"


def _range_text(environment: Environment, value: Range, nesting: int) -> str:
    low = "" if value.start is None else text_of(environment, value.start, nesting + 1)
    high = "" if value.end is None else text_of(environment, value.end, nesting + 1)
    if value.start is None:
        return f"(<{'=' if value.end_included else ''}{high})"
    if value.end is None:
        return f"(>{'=' if value.start_included else ''}{low})"
    return f"{'[' if value.start_included else '('}{low}..{high}{']' if value.end_included else ')'}"
