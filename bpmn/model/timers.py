"""ISO 8601 as timers use it: durations, moments and repeating intervals, from text to numbers.

Used at deployment for what a model says literally, and at run time for what its expressions yield.
The accepted forms are Zeebe's, which are those of Java's `Period`, `Duration` and `ZonedDateTime`.
"""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from bpmnd.bpmn.model.cron import Cron, parse_cron
from bpmnd.bpmn.model.dates import MS_PER_DAY, date_of, days_in, days_until

INFINITE: Final = -1
"""The repetitions of a cycle without an end."""

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000
_INT_MAX: Final = 2**31 - 1
_LONG_MAX: Final = 2**63 - 1
_OFFSET_MAX_S: Final = 18 * 60 * 60

_PERIOD: Final = r"(?:([+-]?[0-9]{1,10})[Yy])?(?:([+-]?[0-9]{1,10})[Mm])?"
_DAYS: Final = r"(?:([+-]?[0-9]{1,10})[Ww])?(?:([+-]?[0-9]{1,10})[Dd])?"
_HOURS: Final = r"(?:([+-]?[0-9]{1,19})[Hh])?(?:([+-]?[0-9]{1,19})[Mm])?"
_SECONDS: Final = r"(?:([+-]?[0-9]{1,19})(?:[.,]([0-9]{0,9}))?[Ss])?"
_DURATION: Final = re.compile(
    rf"([+-]?)[Pp](?=[+\-0-9T]){_PERIOD}{_DAYS}(?:T(?=[+\-0-9]){_HOURS}{_SECONDS})?"
)

_DATE: Final = re.compile(
    r"([0-9]{4}|\+[0-9]{5,9}|-[0-9]{4,9})-([0-9]{2})-([0-9]{2})"
    r"[Tt]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{0,9}))?)?"
    r"(?:[Zz]|([+-])([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}))?)?)"
    r"(?:\[[A-Za-z+-][A-Za-z0-9~/._:+-]*\])?"
)
_REPETITIONS: Final = re.compile(r"R([+-]?[0-9]{1,10})?")


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of time of which months and days follow the calendar (in UTC); it may be negative."""

    months: int = 0
    days: int = 0
    nanoseconds: int = 0

    def after(self, moment_ms: int) -> int:
        """The moment this much later: months (at most to their last day), then days, then time."""
        days, time_ms = divmod(moment_ms, MS_PER_DAY)
        if self.months:
            year, month, day = date_of(days)
            year, month = divmod(year * 12 + month - 1 + self.months, 12)
            month += 1
            days = days_until(year, month, min(day, days_in(year, month)))

        later_ms = (days + self.days) * MS_PER_DAY + time_ms + self.nanoseconds // _NS_PER_MS
        return max(-_LONG_MAX, min(later_ms, _LONG_MAX))


@dataclass(frozen=True, slots=True)
class Cycle:
    """`interval` again and again: `repetitions` times or `INFINITE`, from `start` or from when it is set."""

    repetitions: int
    interval: Duration
    start: int | None = None

    def first_due(self, moment_ms: int) -> int:
        """When a cycle set at this moment is first due: at a start yet to come, else after its interval."""
        if self.start is not None and self.start > moment_ms:
            return self.start
        return self.next_due(moment_ms)

    def next_due(self, moment_ms: int) -> int:
        """When it is due again after it has been at this moment."""
        return self.interval.after(moment_ms)


@dataclass(frozen=True, slots=True)
class CronCycle:
    """The moments of a cron expression, without an end."""

    cron: Cron
    repetitions: int = INFINITE

    def first_due(self, moment_ms: int) -> int:
        return self.next_due(moment_ms)

    def next_due(self, moment_ms: int) -> int:
        """The next of its moments after this one; the end of time where there is none any more."""
        next_ms = self.cron.next_after(moment_ms)
        return _LONG_MAX if next_ms is None else next_ms


Repetition: TypeAlias = Cycle | CronCycle


def parse_duration(text: str) -> Duration | None:
    """Read `P1Y2M3W4DT5H6M7.8S` and its parts; each number and the whole may have a sign."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None

    sign = -1 if match[1] == "-" else 1
    years, months, weeks, days, hours, minutes, seconds = (
        sign * int(number or 0) for number in match.group(2, 3, 4, 5, 6, 7, 8)
    )
    fraction = sign * int((match[9] or "").ljust(9, "0"))
    if (match[8] or "").startswith("-"):
        fraction = -fraction

    months += years * 12
    days += weeks * 7
    seconds += hours * 3600 + minutes * 60
    if abs(months) > 13 * _INT_MAX or abs(days) > _INT_MAX or abs(seconds) > _LONG_MAX:
        return None
    return Duration(months, days, seconds * _NS_PER_S + fraction)


def parse_date(text: str) -> int | None:
    """Read a date-time with an offset, in epoch milliseconds. A `[Zone/Name]` behind it changes nothing."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None

    year, month, day, hour, minute, second = (int(number or 0) for number in match.group(1, 2, 3, 4, 5, 6))
    offset_hour, offset_minute, offset_second = (int(number or 0) for number in match.group(9, 10, 11))
    offset_s = offset_hour * 3600 + offset_minute * 60 + offset_second
    if not 1 <= month <= 12 or not 1 <= day <= days_in(year, month):
        return None
    if hour > 23 or max(minute, second, offset_minute, offset_second) > 59 or offset_s > _OFFSET_MAX_S:
        return None

    if match[8] == "-":
        offset_s = -offset_s
    time_s = hour * 3600 + minute * 60 + second - offset_s
    fraction_ms = int((match[7] or "").ljust(9, "0")) // _NS_PER_MS
    moment_ms = days_until(year, month, day) * MS_PER_DAY + time_s * 1000 + fraction_ms
    return moment_ms if abs(moment_ms) <= _LONG_MAX else None


def rfc3339(text: str) -> str | None:
    """The same date-time as RFC 3339 writes it: with seconds, and with an offset instead of a zone's name."""
    if parse_date(text) is None:
        return None
    match = _DATE.fullmatch(text)
    assert match is not None, text
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = match.group(
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    )
    fraction = f".{fraction}" if fraction else ""
    offset = f"{sign}{offset_hour}:{offset_minute or '00'}" if sign else "Z"
    return f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{fraction}{offset}"


def parse_cycle(text: str) -> Repetition | None:
    """Read `R[n]/interval`, `R[n]/start/interval` or a cron expression. Without a number, or with -1, it has
    no end.

    It fires once at least: Zeebe takes 0 and the other negative numbers for 1.
    """
    if not text.startswith("R"):
        cron = parse_cron(text)
        return None if cron is None else CronCycle(cron)
    repetitions_text, _, rest = text.partition("/")
    start_text, _, interval_text = rest.rpartition("/")
    match = _REPETITIONS.fullmatch(repetitions_text)
    interval = parse_duration(interval_text)
    if match is None or interval is None:
        return None

    start = parse_date(start_text) if start_text else None
    repetitions = int(match[1] or INFINITE)
    if (start_text and start is None) or abs(repetitions) > _INT_MAX:
        return None
    return Cycle(repetitions if repetitions == INFINITE else max(repetitions, 1), interval, start)
