"""The calendar in UTC, as far as timers need it: days since 1970 and their dates, in any year."""

from typing import Final

MS_PER_DAY: Final = 24 * 60 * 60 * 1000


def days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


# `datetime` ends with the year 9999, Zeebe's moments do not. The two functions below count in years that
# begin in March, so that the leap day is the last of its year, and in the 400 years the calendar repeats in.
_DAYS_PER_400_YEARS: Final = 146_097
_DAYS_UNTIL_1970: Final = 719_468
"""From 1 March of the year 0."""


def days_until(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to the date."""
    cycle, year = divmod(year - (month <= 2), 400)
    day_of_year = (153 * ((month - 3) % 12) + 2) // 5 + day - 1
    return cycle * _DAYS_PER_400_YEARS + year * 365 + year // 4 - year // 100 + day_of_year - _DAYS_UNTIL_1970


def date_of(days: int) -> tuple[int, int, int]:
    """The date (year, month, day) so many days after 1970-01-01."""
    cycle, day = divmod(days + _DAYS_UNTIL_1970, _DAYS_PER_400_YEARS)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= year * 365 + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    month = month + 3 if month < 10 else month - 9
    return cycle * 400 + year + (month <= 2), month, day + 1
