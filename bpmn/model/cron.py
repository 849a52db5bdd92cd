"""Cron expressions as timers use them: six fields, from seconds to days of the week, in UTC.

The accepted forms are Spring's, which Zeebe takes: names of months and days, ranges, steps and lists; `L`,
`L-n`, `W` and `LW` among days of the month, `dL` and `d#n` among days of the week; and the macros.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bpmnd.bpmn.model.dates import date_of, days_in, days_until

_MONTHS_MAX: Final = 12 * 48
"""How far ahead to look: the days of the week of 29 February come again after 40 years at the latest."""
_S_PER_DAY: Final = 24 * 60 * 60
_THURSDAY: Final = 4
"""1970-01-01, where Sunday is 0."""
_TEXT_LENGTH_MAX: Final = 500

_MACROS: Final = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_RANGE: Final = re.compile(r"(\*|[0-9]{1,2}(?:-[0-9]{1,2})?)(?:/([0-9]{1,2}))?")
_LAST_BUT: Final = re.compile(r"L-([0-9]{1,2})")
_NEAREST: Final = re.compile(r"([0-9]{1,2})W")
_LAST_WEEKDAY: Final = re.compile(r"([0-7])L")
_NTH_WEEKDAY: Final = re.compile(r"([0-7])#([1-5])")


@dataclass(frozen=True, slots=True)
class _MonthDays:
    """Days of the month: by number, so many before the last, the working day (Monday to Friday) that is
    nearest to a day in the same month, and the last working day."""

    numbers: frozenset[int]
    before_last: frozenset[int] = frozenset()
    nearest: frozenset[int] = frozenset()
    last_working: bool = False


@dataclass(frozen=True, slots=True)
class _WeekDays:
    """Days of the week, Sunday is 0: every one, the last in the month, and the n-th in the month."""

    every: frozenset[int]
    last: frozenset[int] = frozenset()
    nth: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Cron:
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    month_days: _MonthDays
    months: frozenset[int]
    week_days: _WeekDays

    def next_after(self, moment_ms: int) -> int | None:
        """The first of its moments after this one, epoch milliseconds; None if there is none for decades."""
        today, time = divmod(moment_ms // 1000 + 1, _S_PER_DAY)
        year, month, first_day = date_of(today)
        for _ in range(_MONTHS_MAX):
            first = days_until(year, month, 1)
            for day in self._days_of(year, month, first):
                if day < first_day:
                    continue
                at = self._first_time(time if first + day - 1 == today else 0)
                if at is not None:
                    return ((first + day - 1) * _S_PER_DAY + at) * 1000
            year, month, first_day = (year + 1, 1, 1) if month == 12 else (year, month + 1, 1)
        return None

    def _days_of(self, year: int, month: int, first: int) -> Iterator[int]:
        """The days of a month, from the first to the last. `first` is its first day since 1970."""
        if month not in self.months:
            return
        count = days_in(year, month)
        first_week_day = (first + _THURSDAY) % 7
        in_month = self._month_days(count, first_week_day)
        for day in range(1, count + 1):
            week_day = (first_week_day + day - 1) % 7
            if day in in_month and (
                week_day in self.week_days.every
                or (week_day in self.week_days.last and day > count - 7)
                or (week_day, (day - 1) // 7 + 1) in self.week_days.nth
            ):
                yield day

    def _month_days(self, count: int, first_week_day: int) -> frozenset[int]:
        rule = self.month_days
        if not (rule.before_last or rule.nearest or rule.last_working):
            return rule.numbers
        days = {count - before for before in rule.before_last}
        days |= {_working(day, count, first_week_day) for day in rule.nearest if day <= count}
        if rule.last_working:
            days.add(_last_working(count, first_week_day))
        return rule.numbers | days

    def _first_time(self, time: int) -> int | None:
        """The first of its times of the day from this one on, in seconds."""
        hour, rest = divmod(time, 3600)
        minute, second = divmod(rest, 60)
        for at_hour in self.hours:
            if at_hour < hour:
                continue
            for at_minute in self.minutes:
                if at_hour == hour and at_minute < minute:
                    continue
                for at_second in self.seconds:
                    if (at_hour, at_minute, at_second) >= (hour, minute, second):
                        return at_hour * 3600 + at_minute * 60 + at_second
        return None


def _working(day: int, count: int, first_week_day: int) -> int:
    """The working day of the month that is nearest to the day."""
    match (first_week_day + day - 1) % 7:
        case 6:
            return day - 1 if day > 1 else day + 2
        case 0:
            return day + 1 if day < count else day - 2
        case _:
            return day


def _last_working(count: int, first_week_day: int) -> int:
    match (first_week_day + count - 1) % 7:
        case 6:
            return count - 1
        case 0:
            return count - 2
        case _:
            return count


def parse_cron(text: str) -> Cron | None:
    """Read a cron expression; None if it is none, or if its moment never comes."""
    if len(text) > _TEXT_LENGTH_MAX:
        return None
    fields = _MACROS.get(text, text).upper().split()
    if len(fields) != 6:
        return None
    seconds, minutes = _numbers(fields[0], 0, 59), _numbers(fields[1], 0, 59)
    hours, months = _numbers(fields[2], 0, 23), _numbers(_with_numbers(fields[4], _MONTHS, 1), 1, 12)
    month_days, week_days = _month_days(fields[3]), _week_days(_with_numbers(fields[5], _DAYS, 0))
    if seconds is None or minutes is None or hours is None or months is None:
        return None
    if month_days is None or week_days is None:
        return None
    cron = Cron(
        tuple(sorted(seconds)), tuple(sorted(minutes)), tuple(sorted(hours)), month_days, months, week_days
    )
    return cron if cron.next_after(0) is not None else None


def _with_numbers(field: str, names: tuple[str, ...], first: int) -> str:
    for number, name in enumerate(names, start=first):
        field = field.replace(name, str(number))
    return field


def _numbers(field: str, least: int, most: int) -> frozenset[int] | None:
    """Numbers, ranges and `*`, also with steps, joined by commas."""
    found: set[int] = set()
    for part in field.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            return None
        step = 1 if match[2] is None else int(match[2])
        begin_text, dash, end_text = match[1].partition("-")
        if begin_text == "*":
            begin, end = least, most
        else:
            begin = int(begin_text)
            end = int(end_text) if dash else begin if match[2] is None else most
        if not (least <= begin <= end <= most and step > 0):
            return None
        found.update(range(begin, end + 1, step))
    return frozenset(found)


def _month_days(field: str) -> _MonthDays | None:
    plain: list[str] = []
    before_last: set[int] = set()
    nearest: set[int] = set()
    last_working = False
    for part in ("*" if field == "?" else field).split(","):
        if part == "L":
            before_last.add(0)
        elif part == "LW":
            last_working = True
        elif (match := _LAST_BUT.fullmatch(part)) is not None:
            before_last.add(int(match[1]))
        elif (match := _NEAREST.fullmatch(part)) is not None:
            nearest.add(int(match[1]))
        else:
            plain.append(part)
    numbers = _numbers(",".join(plain), 1, 31) if plain else frozenset[int]()
    if numbers is None or any(day > 30 for day in before_last) or any(not 1 <= day <= 31 for day in nearest):
        return None
    return _MonthDays(numbers, frozenset(before_last), frozenset(nearest), last_working)


def _week_days(field: str) -> _WeekDays | None:
    plain: list[str] = []
    last: set[int] = set()
    nth: set[tuple[int, int]] = set()
    for part in ("*" if field == "?" else field).split(","):
        if part == "L":
            plain.append("0")  # Sunday, as the last day of the week.
        elif (match := _LAST_WEEKDAY.fullmatch(part)) is not None:
            last.add(int(match[1]) % 7)
        elif (match := _NTH_WEEKDAY.fullmatch(part)) is not None:
            nth.add((int(match[1]) % 7, int(match[2])))
        else:
            plain.append(part)
    numbers = _numbers(",".join(plain), 0, 7) if plain else frozenset[int]()
    if numbers is None:
        return None
    return _WeekDays(frozenset(day % 7 for day in numbers), frozenset(last), frozenset(nth))
