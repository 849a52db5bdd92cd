"""Built-ins about dates, times and durations."""

from typing import Final

from bpmnd.bpmn.feel.builtins.registry import builtin
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.numbers import CONTEXT
from bpmnd.bpmn.feel.temporal import (
    NANOS,
    Date,
    DateTime,
    DayTimeDuration,
    Time,
    YearMonthDuration,
    date_of,
    date_time_at,
    date_time_of,
    day_of_year,
    instant,
    month_days,
    months_between,
    week_of_year,
    weekday,
)
from bpmnd.bpmn.feel.temporal_text import parse_date, parse_date_time, parse_duration, parse_time
from bpmnd.bpmn.feel.texts import text_of
from bpmnd.bpmn.feel.values import Number, Value
from bpmnd.bpmn.feel.zones import OFFSET_SECONDS_MAX, Zone, zone_named

_UTC: Final = Zone(None, 0)
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _parsed(environment: Environment, what: str, text: str, value: Value) -> Value:
    if value is None:
        environment.warn(f"Failed to parse {what} from '{text[:100]}'")
    return value


@builtin("date(from)")
def date_from_text(environment: Environment, text: str) -> Value:
    return _parsed(environment, "date", text, parse_date(text))


@builtin("date(from)")
def date_from_moment(environment: Environment, moment: Date | DateTime) -> Value:
    return moment if isinstance(moment, Date) else moment.date


@builtin("date(year, month, day)")
def date_from_parts(environment: Environment, year: Number, month: Number, day: Number) -> Value:
    date = date_of(int(year), int(month), int(day))
    if date is None:
        environment.warn(f"There is no day {year}-{month}-{day}")
    return date


@builtin("time(from)")
def time_from_text(environment: Environment, text: str) -> Value:
    return _parsed(environment, "time", text, parse_time(text))


@builtin("time(from)")
def time_from_moment(environment: Environment, moment: Time | DateTime | Date) -> Value:
    """The time of a day alone is its midnight in UTC, as DMN has it."""
    match moment:
        case Time():
            return moment
        case DateTime():
            return Time(moment.nanos, moment.zone)
        case Date():
            return Time(0, _UTC)


@builtin("time(hour, minute, second, offset?)")
def time_from_parts(
    environment: Environment,
    hour: Number,
    minute: Number,
    second: Number,
    offset: DayTimeDuration | None = None,
) -> Value:
    nanos = int(CONTEXT.multiply(second, NANOS)) if 0 <= second < 60 else -1
    if not (0 <= hour < 24 and 0 <= minute < 60 and nanos >= 0):
        environment.warn(f"There is no time {hour}:{minute}:{second}")
        return None
    of_day = (int(hour) * 60 + int(minute)) * 60 * NANOS + nanos
    if offset is None:
        return Time(of_day)
    seconds = offset.nanos // NANOS
    if abs(seconds) > OFFSET_SECONDS_MAX:
        environment.warn("A time's offset has 18 hours at most")
        return None
    return Time(of_day, Zone(None, seconds))


@builtin("time(hour, minute, second, offset)")
def time_without_offset(
    environment: Environment, hour: Number, minute: Number, second: Number, offset: None
) -> Value:
    return time_from_parts(environment, hour, minute, second)


@builtin("date and time(from)")
def date_time_from_text(environment: Environment, text: str) -> Value:
    return _parsed(environment, "date and time", text, parse_date_time(text))


@builtin("date and time(from)")
def date_time_from_moment(environment: Environment, moment: DateTime | Date) -> Value:
    return moment if isinstance(moment, DateTime) else DateTime(moment, 0)


@builtin("date and time(date, time)")
def date_time_from_parts(environment: Environment, date: Date | DateTime, time: Time) -> Value:
    day = date if isinstance(date, Date) else date.date
    return date_time_of(day, time.nanos, time.zone)


@builtin("date and time(date, timezone)")
def date_time_in_zone(environment: Environment, moment: DateTime, timezone: str) -> Value:
    """The same moment in another zone; one without a zone is taken to be there already."""
    zone = zone_named(timezone)
    if zone is None:
        environment.warn(f"There is no time zone '{timezone[:100]}'")
        return None
    if moment.zone is None:
        return date_time_of(moment.date, moment.nanos, zone)
    return date_time_at(instant(moment), zone)


@builtin("duration(from)")
def duration_from_text(environment: Environment, text: str) -> Value:
    return _parsed(environment, "duration", text, parse_duration(text))


@builtin("duration(from)")
def duration_from_duration(environment: Environment, duration: DayTimeDuration | YearMonthDuration) -> Value:
    return duration


@builtin("cycle(interval)")
def cycle_without_end(environment: Environment, interval: DayTimeDuration | YearMonthDuration) -> Value:
    """The repeating interval of a timer, as its text."""
    return f"R/{text_of(environment, interval)}"


@builtin("cycle(repetitions, interval)")
def cycle(
    environment: Environment, repetitions: Number | None, interval: DayTimeDuration | YearMonthDuration
) -> Value:
    count = "" if repetitions is None else int(repetitions)
    return f"R{count}/{text_of(environment, interval)}"


@builtin("years and months duration(from, to)")
def years_and_months(environment: Environment, start: Date | DateTime, end: Date | DateTime) -> Value:
    """Whole months from day to day; the times of day do not count."""
    return YearMonthDuration(months_between(_day(start), _day(end)))


@builtin("now()")
def now(environment: Environment) -> Value:
    return date_time_at(environment.now_ms * 1_000_000, _UTC)


@builtin("today()")
def today(environment: Environment) -> Value:
    moment = date_time_at(environment.now_ms * 1_000_000, _UTC)
    return None if moment is None else moment.date


def _day(moment: Date | DateTime) -> Date:
    return moment if isinstance(moment, Date) else moment.date


@builtin("day of week(date)")
def name_of_weekday(environment: Environment, date: Date | DateTime) -> Value:
    return _WEEKDAYS[weekday(_day(date)) - 1]


@builtin("day of year(date)")
def number_of_day(environment: Environment, date: Date | DateTime) -> Value:
    return day_of_year(_day(date))


@builtin("week of year(date)")
def number_of_week(environment: Environment, date: Date | DateTime) -> Value:
    return week_of_year(_day(date))


@builtin("month of year(date)")
def name_of_month(environment: Environment, date: Date | DateTime) -> Value:
    return _MONTHS[_day(date).month - 1]


@builtin("last day of month(date)")
def last_day_of_month(environment: Environment, date: Date | DateTime) -> Value:
    day = _day(date)
    return Date(day.year, day.month, month_days(day.year, day.month))
