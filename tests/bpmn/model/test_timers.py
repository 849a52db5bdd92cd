from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmnd.bpmn.model.timers import INFINITE, Cycle, Duration, parse_cycle, parse_date, parse_duration

SECOND = 10**9


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT1S", Duration(0, 0, SECOND)),
        ("PT0S", Duration()),
        ("P1W", Duration(0, 7)),
        ("P1Y1W", Duration(12, 7)),
        ("P1Y2M3DT4H5M6.789S", Duration(14, 3, 14_706_789_000_000)),
        ("PT36H", Duration(0, 0, 36 * 3600 * SECOND)),
        ("PT1,5S", Duration(0, 0, 1_500_000_000)),
        ("PT1.S", Duration(0, 0, SECOND)),
        ("-PT1S", Duration(0, 0, -SECOND)),
        ("+PT1S", Duration(0, 0, SECOND)),
        ("PT-0.5S", Duration(0, 0, -SECOND // 2)),
        ("-P-1D", Duration(0, 1)),
        ("-P1DT1S", Duration(0, -1, -SECOND)),
        ("p1d", Duration(0, 1)),
        ("P1dT1s", Duration(0, 1, SECOND)),
        ("P2147483647D", Duration(0, 2147483647)),
    ],
)
def test_a_duration_is_read_as_zeebe_reads_it(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "P1YT",
        "PT1.5H",
        "P1.5D",
        "pt1s",
        "1h",
        "PT1H1D",
        "PT1M1H",
        "P1D1W",
        "PT.5S",
        "PT1.1234567891S",
        "--PT1S",
        "PT--1S",
        " PT1S",
        "PT1S\n",
        "PT\u0661S",
        "P2147483648D",
        "P306783379W",
        "PT9223372036854775808S",
        "PT9223372036854775807H",
        "PT999999999999999999999S",
    ],
)
def test_what_zeebe_does_not_take_for_a_duration_is_none(text: str) -> None:
    assert parse_duration(text) is None


def test_a_month_ends_with_its_last_day() -> None:
    month = Duration(months=1)
    assert month.after(moment("2027-01-31T10:00:00")) == moment("2027-02-28T10:00:00")


def test_a_month_in_a_leap_year_ends_with_the_leap_day() -> None:
    month = Duration(months=1)
    assert month.after(moment("2028-01-31T10:00:00")) == moment("2028-02-29T10:00:00")


def test_months_are_added_before_days() -> None:
    month_and_day = Duration(months=1, days=1)
    assert month_and_day.after(moment("2027-01-31T00:00:00")) == moment("2027-03-01T00:00:00")


def test_a_negative_duration_goes_back_over_the_year() -> None:
    assert Duration(months=-2).after(moment("2027-01-15T00:00:00")) == moment("2026-11-15T00:00:00")


def test_a_moment_out_of_reach_is_the_last_one() -> None:
    assert Duration(months=12 * 2147483647).after(0) == 2**63 - 1


@given(
    st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9000, 1, 1)),
    st.integers(min_value=-1000, max_value=1000),
)
def test_a_month_later_is_a_date_of_the_calendar(start: datetime, days: int) -> None:
    start_ms = moment(start.isoformat(timespec="seconds"))
    later = datetime.fromtimestamp(0, UTC).timestamp() * 1000 + Duration(months=1).after(start_ms)

    found = parse_date(f"{start.isoformat(timespec='seconds')}Z")

    assert found == start_ms
    assert 28 * 86_400_000 <= later - start_ms <= 31 * 86_400_000
    assert Duration(days=days).after(start_ms) == start_ms + days * 86_400_000


@given(st.integers(min_value=-(10**14), max_value=10**14), st.integers(min_value=-3000, max_value=3000))
def test_whole_years_forth_and_back_lead_to_the_same_day_or_the_leap_day_before(now: int, years: int) -> None:
    there = Duration(months=12 * years).after(now)
    assert now - Duration(months=-12 * years).after(there) in (0, 86_400_000)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00"),
        ("2030-01-01t00:00:00z", "2030-01-01T00:00:00"),
        ("2030-01-01T00:00Z", "2030-01-01T00:00:00"),
        ("2030-01-01T00:00:00+02", "2029-12-31T22:00:00"),
        ("2030-01-01T00:00:00-02:30", "2030-01-01T02:30:00"),
        ("2030-01-01T00:00:00+02:00:30", "2029-12-31T21:59:30"),
        ("2030-01-01T00:00:00.123456789Z", "2030-01-01T00:00:00.123"),
        ("2030-01-01T00:00:00.Z", "2030-01-01T00:00:00"),
        ("1960-02-29T00:00:00Z", "1960-02-29T00:00:00"),
        ("2030-01-01T00:00:00+02:00[Europe/Berlin]", "2029-12-31T22:00:00"),
        ("2040-07-01T00:00:00+05:00[Europe/Berlin]", "2040-06-30T19:00:00"),
    ],
)
def test_a_date_is_the_moment_that_its_offset_says(text: str, same: str) -> None:
    assert parse_date(text) == moment(same)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2030-01-01",
        "2030-01-01T00:00:00",
        "2030-01-01T00:00:00[Europe/Berlin]",
        "2030-01-01T00Z",
        "2030-01-01T24:00:00Z",
        "2030-02-30T00:00:00Z",
        "2030-13-01T00:00:00Z",
        "2030-01-01T00:00:60Z",
        "2030-01-01 00:00:00Z",
        "2030-01-01T00:00:00+0200",
        "2030-01-01T00:00:00+19:00",
        "99999-01-01T00:00:00Z",
        "2030-01-01T00:00:00,5Z",
        "2030-01-01T00:00:00+02:60",
        "+999999999-01-01T00:00:00Z",
        "2030-1-1T00:00:00Z",
    ],
)
def test_what_is_not_a_date_with_an_offset_is_none(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "cycle"),
    [
        ("R/PT1S", Cycle(INFINITE, Duration(0, 0, SECOND))),
        ("R-1/PT1S", Cycle(INFINITE, Duration(0, 0, SECOND))),
        ("R3/P1M", Cycle(3, Duration(1))),
        ("R3//P1M", Cycle(3, Duration(1))),
        ("R3/1970-01-02T00:00:00Z/P1D", Cycle(3, Duration(0, 1), 86_400_000)),
    ],
)
def test_a_cycle_has_repetitions_an_interval_and_maybe_a_start(text: str, cycle: Cycle) -> None:
    assert parse_cycle(text) == cycle


@pytest.mark.parametrize("text", ["R0/PT1S", "R-2/PT1S"])
def test_a_cycle_fires_at_least_once_as_in_zeebe(text: str) -> None:
    assert parse_cycle(text) == Cycle(1, Duration(0, 0, SECOND))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "R3",
        "R3/",
        "/PT1S",
        "r3/PT1S",
        "PT1S",
        "R3/PT1S/",
        "R3/PT1S/2030-01-01T00:00:00Z",
        "R3//",
        "R2147483648/PT1S",
        "R 3/PT1S",
        "RR/PT1S",
        "R-/PT1S",
        "R3/2030-01-01T00:00:00/PT1S",
        "0 0 * * *",
        "R3/x/PT1S",
        "R3/2030-01-01T00:00:00Z/PT1S/x",
    ],
)
def test_what_is_not_a_cycle_is_none(text: str) -> None:
    assert parse_cycle(text) is None


def test_a_cycle_with_a_start_yet_to_come_is_first_due_then() -> None:
    assert Cycle(1, Duration(days=1), start=5000).first_due(4999) == 5000


def test_a_cycle_with_a_past_start_is_first_due_after_its_interval() -> None:
    assert Cycle(1, Duration(0, 0, SECOND), start=5000).first_due(5000) == 6000


@given(st.text(alphabet="PRTYMWDHS0123456789.,:+-/[]Z", max_size=40))
def test_no_text_makes_the_readers_raise(text: str) -> None:
    for read in (parse_duration, parse_date, parse_cycle):
        read(text)
