"""Dates, times and durations as text: read as ISO 8601 has them, written as FEEL and as Java write them."""

import re
from typing import Final

from bpmnd.bpmn.feel.temporal import (
    DAY_NANOS,
    NANOS,
    Date,
    DateTime,
    DayTimeDuration,
    Time,
    YearMonthDuration,
    date_of,
    date_of_epoch_day,
    date_time_of,
    day_time_duration,
    epoch_day,
    year_month_duration,
)
from bpmnd.bpmn.feel.zones import OFFSET_SECONDS_MAX, Zone, zone_named

_DATE: Final = re.compile(r"([+-]?)([0-9]{4,9})-([0-9]{2})-([0-9]{2})", re.ASCII)
_TIME: Final = re.compile(
    r"T?([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9})[0-9]*)?)?"
    r"(Z|z|[+-][0-9]{2}:?[0-9]{2}(?::?[0-9]{2})?)?(?:@([A-Za-z0-9_/+-]+)|\[([A-Za-z0-9_/+-]+)\])?",
    re.ASCII,
)
_DAY_TIME: Final = re.compile(
    r"(-?)P(?:(-?[0-9]{1,18})D)?"
    r"(?:(T)(?:(-?[0-9]{1,18})H)?(?:(-?[0-9]{1,18})M)?(?:(-?)([0-9]{1,18})(?:\.([0-9]{0,9})[0-9]*)?S)?)?",
    re.ASCII,
)
_YEAR_MONTH: Final = re.compile(r"(-?)P(?:(-?[0-9]{1,18})Y)?(?:(-?[0-9]{1,18})M)?", re.ASCII)
_TEXT_SIZE_MAX: Final = 128


def parse_date(text: str) -> Date | None:
    if len(text) > _TEXT_SIZE_MAX:
        return None
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    sign, year, month, day = found.groups()
    if (len(year) > 4 and year[0] == "0") or (sign == "+" and len(year) == 4):
        return None
    return date_of(-int(year) if sign == "-" else int(year), int(month), int(day))


def parse_time(text: str) -> Time | None:
    if len(text) > _TEXT_SIZE_MAX:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second, fraction, offset, name, bracketed = found.groups()
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    nanos = int((fraction or "").ljust(9, "0"))
    if hours == 24 and minutes == seconds == nanos == 0:
        hours = 0
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    of_day = ((hours * 60 + minutes) * 60 + seconds) * NANOS + nanos

    place: str | None = name or bracketed
    if place is not None and offset is not None and name is not None:
        return None  # DMN knows an offset or a place, not both; Java's brackets only name it again.
    if place is not None:
        zone = zone_named(place)
        return None if zone is None else Time(of_day, zone)
    if offset is None:
        return Time(of_day)
    fixed = parse_offset(offset)
    return None if fixed is None else Time(of_day, fixed)


def parse_offset(text: str) -> Zone | None:
    if text in ("Z", "z"):
        return Zone(None, 0)
    digits = text[1:].replace(":", "")
    minutes, second = int(digits[2:4]), int(digits[4:6] or 0)
    seconds = int(digits[:2]) * 3600 + minutes * 60 + second
    if minutes > 59 or second > 59 or seconds > OFFSET_SECONDS_MAX:
        return None
    return Zone(None, -seconds if text[0] == "-" else seconds)


def parse_date_time(text: str) -> DateTime | None:
    """A day with a time; a day alone is its midnight."""
    day, divider, of_day = text.partition("T")
    date = parse_date(day)
    if date is None:
        return None
    if not divider:
        return DateTime(date, 0)
    time = None if of_day.startswith("T") else parse_time(of_day)
    if time is None:
        return None
    if of_day.startswith("24"):  # The end of a day is the beginning of the next.
        next_day = date_of_epoch_day(epoch_day(date) + 1)
        return None if next_day is None else date_time_of(next_day, 0, time.zone)
    return date_time_of(date, time.nanos, time.zone)


def parse_duration(text: str) -> DayTimeDuration | YearMonthDuration | None:
    if len(text) > _TEXT_SIZE_MAX or text.endswith(("P", "T")):
        return None
    if found := _YEAR_MONTH.fullmatch(text):
        sign, years, months = found.groups()
        count = int(years or 0) * 12 + int(months or 0)
        return year_month_duration(-count if sign else count)
    if found := _DAY_TIME.fullmatch(text):
        sign, days, _, hours, minutes, second_sign, seconds, fraction = found.groups()
        whole = ((int(days or 0) * 24 + int(hours or 0)) * 60 + int(minutes or 0)) * 60
        part = int(seconds or 0) * NANOS + int((fraction or "").ljust(9, "0"))
        nanos = whole * NANOS + (-part if second_sign else part)
        return day_time_duration(-nanos if sign else nanos)
    return None


def parse_literal(text: str) -> Date | Time | DateTime | DayTimeDuration | YearMonthDuration | None:
    """What stands in `@"..."`."""
    return parse_date(text) or (
        parse_date_time(text) or parse_time(text) or parse_duration(text)
        if text[:1] in "+-0123456789PT"
        else None
    )


def feel_date(date: Date) -> str:
    year = f"{abs(date.year):04d}"
    return f"{'-' if date.year < 0 else ''}{year}-{date.month:02d}-{date.day:02d}"


def feel_time(nanos: int) -> str:
    """Hours, minutes and seconds; parts of a second only as far as there are any."""
    seconds, part = divmod(nanos, NANOS)
    fraction = f".{part:09d}".rstrip("0") if part else ""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"


def feel_offset(seconds: int) -> str:
    if seconds == 0:
        return "Z"
    size = abs(seconds)
    tail = f":{size % 60:02d}" if size % 60 else ""
    return f"{'-' if seconds < 0 else '+'}{size // 3600:02d}:{size // 60 % 60:02d}{tail}"


def feel_zone(zone: Zone | None) -> str:
    if zone is None:
        return ""
    return feel_offset(zone.offset) if zone.name is None else f"@{zone.name}"


def feel_date_time(moment: DateTime) -> str:
    return f"{feel_date(moment.date)}T{feel_time(moment.nanos)}{feel_zone(moment.zone)}"


def feel_day_time(duration: DayTimeDuration) -> str:
    if not duration.nanos:
        return "P0D"
    days, nanos = divmod(abs(duration.nanos), DAY_NANOS)
    seconds, part = divmod(nanos, NANOS)
    fraction = f".{part:09d}".rstrip("0") if part else ""
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if rest or part:
        time += f"{rest}{fraction}S"
    sign = "-" if duration.nanos < 0 else ""
    return f"{sign}P{f'{days}D' if days else ''}{f'T{time}' if time else ''}"


def feel_year_month(duration: YearMonthDuration) -> str:
    if not duration.months:
        return "P0Y"
    years, months = divmod(abs(duration.months), 12)
    sign = "-" if duration.months < 0 else ""
    return f"{sign}P{f'{years}Y' if years else ''}{f'{months}M' if months else ''}"


def java_date(date: Date) -> str:
    return f"+{feel_date(date)}" if date.year > 9999 else feel_date(date)


def java_time(nanos: int) -> str:
    """As Java writes it: no seconds where there are none, parts of them in groups of three digits."""
    seconds, part = divmod(nanos, NANOS)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    if not seconds % 60 and not part:
        return text
    text = f"{text}:{seconds % 60:02d}"
    if not part:
        return text
    if part % 1_000_000 == 0:
        return f"{text}.{part // 1_000_000:03d}"
    if part % 1_000 == 0:
        return f"{text}.{part // 1_000:06d}"
    return f"{text}.{part:09d}"


def java_date_time(moment: DateTime) -> str:
    text = f"{java_date(moment.date)}T{java_time(moment.nanos)}"
    if moment.zone is None or moment.offset is None:
        return text
    place = f"[{moment.zone.name}]" if moment.zone.name is not None else ""
    return f"{text}{feel_offset(moment.offset)}{place}"


def java_zoned_time(time: Time) -> str:
    """A time with a zone goes out as FEEL writes it, one without as Java does: so does Camunda."""
    return java_time(time.nanos) if time.zone is None else feel_time(time.nanos) + feel_zone(time.zone)


def java_day_time(duration: DayTimeDuration) -> str:
    """Java counts hours, not days, and gives every part its sign."""
    if not duration.nanos:
        return "PT0S"
    sign = "-" if duration.nanos < 0 else ""
    seconds, part = divmod(abs(duration.nanos), NANOS)
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    text = "PT" + (f"{sign}{hours}H" if hours else "") + (f"{sign}{minutes}M" if minutes else "")
    if rest or part:
        fraction = f".{part:09d}".rstrip("0") if part else ""
        text += f"{sign}{rest}{fraction}S"
    return text


def java_year_month(duration: YearMonthDuration) -> str:
    if not duration.months:
        return "P0D"
    sign = "-" if duration.months < 0 else ""
    years, months = divmod(abs(duration.months), 12)
    return f"P{f'{sign}{years}Y' if years else ''}{f'{sign}{months}M' if months else ''}"
