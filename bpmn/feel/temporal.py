"""Dates, times and durations, in the proleptic Gregorian calendar and to the nanosecond.

Python's own classes know neither the years before 1 and after 9999 nor a time with a zone but no day.
"""

from typing import Final, final

import msgspec

from bpmnd.bpmn.feel.zones import Zone, offset_at

NANOS: Final = 10**9
DAY_SECONDS: Final = 24 * 60 * 60
DAY_NANOS: Final = DAY_SECONDS * NANOS
YEAR_MAX: Final = 999_999_999

# A duration has as many seconds, and as many months, as fit into Java's long.
SECONDS_MAX: Final = 2**63 - 1
MONTHS_MAX: Final = 2**63 - 1

_MONTH_DAYS: Final = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@final
class Date(msgspec.Struct, frozen=True, gc=False, order=True):
    year: int
    month: int
    day: int


@final
class Time(msgspec.Struct, frozen=True, gc=False):
    """A time of day: nanoseconds since midnight, with the zone they are counted in."""

    nanos: int
    zone: Zone | None = None


@final
class DateTime(msgspec.Struct, frozen=True, gc=False):
    """A day and nanoseconds since its midnight. `offset` is what the zone says at that moment."""

    date: Date
    nanos: int
    zone: Zone | None = None
    offset: int | None = None


@final
class DayTimeDuration(msgspec.Struct, frozen=True, gc=False, order=True):
    nanos: int


@final
class YearMonthDuration(msgspec.Struct, frozen=True, gc=False, order=True):
    months: int


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_days(year: int, month: int) -> int:
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month]


def date_of(year: int, month: int, day: int) -> Date | None:
    """The day, if the calendar has it."""
    if not (-YEAR_MAX <= year <= YEAR_MAX and 1 <= month <= 12 and 1 <= day <= month_days(year, month)):
        return None
    return Date(year, month, day)


def epoch_day(date: Date) -> int:
    """Days since 1970-01-01. Years are counted from March, so that the odd day comes last."""
    year = date.year - (date.month <= 2)
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((date.month + 9) % 12) + 2) // 5 + date.day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468


def date_of_epoch_day(days: int) -> Date | None:
    """The inverse of `epoch_day`; None beyond the years that a date can have."""
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = era * 400 + year_of_era + (month <= 2)
    if not -YEAR_MAX <= year <= YEAR_MAX:
        return None
    return Date(year, month, day_of_year - (153 * shifted + 2) // 5 + 1)


def weekday(date: Date) -> int:
    """1 for Monday to 7 for Sunday."""
    return (epoch_day(date) + 3) % 7 + 1


def day_of_year(date: Date) -> int:
    return epoch_day(date) - epoch_day(Date(date.year, 1, 1)) + 1


def week_of_year(date: Date) -> int:
    """The ISO week: the one that has the year's first Thursday is number 1."""
    thursday = date_of_epoch_day(epoch_day(date) + 4 - weekday(date)) or date
    return (day_of_year(thursday) - 1) // 7 + 1


def date_time_of(date: Date, nanos: int, zone: Zone | None) -> DateTime:
    """A local moment; one that a zone leaves out in spring is moved behind the gap."""
    if zone is None:
        return DateTime(date, nanos)
    local = epoch_day(date) * DAY_SECONDS + nanos // NANOS
    offset, shift = offset_at(zone, local)
    if shift:
        days, seconds = divmod(local + shift, DAY_SECONDS)
        moved = date_of_epoch_day(days) or date
        return DateTime(moved, seconds * NANOS + nanos % NANOS, zone, offset)
    return DateTime(date, nanos, zone, offset)


def instant(moment: DateTime) -> int:
    """Nanoseconds since 1970-01-01 in UTC; a moment without a zone is taken as if it were in UTC."""
    local = epoch_day(moment.date) * DAY_NANOS + moment.nanos
    return local - (moment.offset or 0) * NANOS


def date_time_at(nanos: int, zone: Zone | None) -> DateTime | None:
    """The moment so long after 1970-01-01 in UTC, as a clock in the zone shows it."""
    offset = 0 if zone is None else zone.offset_of_instant(nanos // NANOS)
    days, of_day = divmod(nanos + offset * NANOS, DAY_NANOS)
    date = date_of_epoch_day(days)
    if date is None:
        return None
    return DateTime(date, of_day, zone, None if zone is None else offset)


def day_time_duration(nanos: int) -> DayTimeDuration | None:
    return DayTimeDuration(nanos) if abs(nanos) <= SECONDS_MAX * NANOS else None


def year_month_duration(months: int) -> YearMonthDuration | None:
    return YearMonthDuration(months) if abs(months) <= MONTHS_MAX else None


def plus_months(date: Date, months: int) -> Date | None:
    """The same day so many months later, or the last one of a shorter month."""
    years, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    if not -YEAR_MAX <= years <= YEAR_MAX:
        return None
    return Date(years, month + 1, min(date.day, month_days(years, month + 1)))


def months_between(start: Date, end: Date) -> int:
    """Whole months from one day to another."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        return months - 1
    if months < 0 and end.day > start.day:
        return months + 1
    return months
