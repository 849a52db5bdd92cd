"""Cron expressions: when they are due next, seen from a Thursday, 2026-11-26T14:52:19Z."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmnd.bpmn.model.cron import parse_cron
from bpmnd.bpmn.model.timers import CronCycle, parse_cycle

NOW = datetime(2026, 11, 26, 14, 52, 19, tzinfo=UTC)


def next_after(text: str, moment: datetime = NOW) -> str:
    cron = parse_cron(text)
    assert cron is not None, f"'{text}' is no cron expression"
    next_ms = cron.next_after(int(moment.timestamp()) * 1000)
    assert next_ms is not None
    return datetime.fromtimestamp(next_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("0 0 12 * * *", "2026-11-27T12:00:00"),
        ("*/10 * * * * *", "2026-11-26T14:52:20"),
        ("5/20 * * * * *", "2026-11-26T14:52:25"),
        ("0/15 0,30 9-17 * * MON-FRI", "2026-11-26T15:00:00"),
        ("0 0 0 L * *", "2026-11-30T00:00:00"),
        ("0 0 0 l * *", "2026-11-30T00:00:00"),
        ("0 0 0 L-3 * *", "2026-11-27T00:00:00"),
        ("0 0 0 LW * *", "2026-11-30T00:00:00"),
        ("0 0 0 15W * *", "2026-12-15T00:00:00"),
        ("0 0 0 30W * *", "2026-11-30T00:00:00"),
        ("0 0 0 31W * *", "2026-12-31T00:00:00"),
        ("0 0 0 L,15 * *", "2026-11-30T00:00:00"),
        ("0 0 0 1-5,10 * SUN", "2027-01-03T00:00:00"),
        ("0 0 0 1/10 * *", "2026-12-01T00:00:00"),
        ("0 0 0 * * 5L", "2026-11-27T00:00:00"),
        ("0 0 0 * * FRIL", "2026-11-27T00:00:00"),
        ("0 0 0 * * MON#1", "2026-12-07T00:00:00"),
        ("0 0 0 * * MON#5", "2026-11-30T00:00:00"),
        ("0 0 0 ? * 5#2", "2026-12-11T00:00:00"),
        ("0 0 0 * * 6#3,5L", "2026-11-27T00:00:00"),
        ("0 0 0 13 * FRI", "2027-08-13T00:00:00"),
        ("0 0 0 13 * ?", "2026-12-13T00:00:00"),
        ("0 0 0 * * 0", "2026-11-29T00:00:00"),
        ("0 0 0 * * 7", "2026-11-29T00:00:00"),
        ("0 0 0 * * L", "2026-11-29T00:00:00"),
        ("0 0 0 * * SUN-TUE", "2026-11-29T00:00:00"),
        ("0 0 0 * * MON,WED-FRI", "2026-11-27T00:00:00"),
        ("0 0 0 * JAN-MAR/2 *", "2027-01-01T00:00:00"),
        ("0  0 0 1 jan *", "2027-01-01T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("@hourly", "2026-11-26T15:00:00"),
        ("@daily", "2026-11-27T00:00:00"),
        ("@midnight", "2026-11-27T00:00:00"),
        ("@weekly", "2026-11-29T00:00:00"),
        ("@monthly", "2026-12-01T00:00:00"),
        ("@yearly", "2027-01-01T00:00:00"),
        ("@annually", "2027-01-01T00:00:00"),
    ],
)
def test_when_it_is_due(text: str, due: str) -> None:
    assert next_after(text) == due


@pytest.mark.parametrize(
    ("text", "moment", "due"),
    [
        ("0 0 0 1W * *", datetime(2026, 7, 31, tzinfo=UTC), "2026-08-03"),  # The 1st is a Saturday.
        ("0 0 0 15W * *", datetime(2026, 8, 1, tzinfo=UTC), "2026-08-14"),  # A Saturday.
        ("0 0 0 16W * *", datetime(2026, 8, 1, tzinfo=UTC), "2026-08-17"),  # A Sunday.
        ("0 0 0 31W * *", datetime(2027, 1, 1, tzinfo=UTC), "2027-01-29"),  # A Sunday, and the last day.
        ("0 0 0 LW * *", datetime(2026, 10, 1, tzinfo=UTC), "2026-10-30"),  # The 31st is a Saturday.
        ("0 0 0 LW * *", datetime(2027, 1, 1, tzinfo=UTC), "2027-01-29"),  # The 31st is a Sunday.
        ("0 0 0 29 2 MON#5", datetime(2072, 3, 1, tzinfo=UTC), "2112-02-29"),  # 2100 is no leap year.
    ],
)
def test_days_that_the_calendar_moves(text: str, moment: datetime, due: str) -> None:
    assert next_after(text, moment) == f"{due}T00:00:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * * *",
        "* * * * * * *",
        "@Daily",
        "@never",
        "60 * * * * *",
        "* 60 * * * *",
        "0 0 25 * * *",
        "0 0 22-2 * * *",
        "0 0 0 32 * *",
        "0 0 0 0 * *",
        "0 0 0 31 2 *",
        "0 0 0 * 13 *",
        "0 0 0 * * 8",
        "0 0 0 * * ?#2",
        "0 0 0 * * 1#6",
        "0 0 0 LW-1 * *",
        "0 0 0 L-31 * *",
        "0 0 0 W15 * *",
        "0 0 0 32W * *",
        "0 */0 * * * *",
        "? * * * * *",
        "0 0 0 1, * *",
        "0 0 0 -1 * *",
        "0,0" * 200 + " * * * * *",
    ],
)
def test_what_is_none(text: str) -> None:
    assert parse_cron(text) is None


def test_a_cycle_may_be_one_and_has_no_end() -> None:
    cycle = parse_cycle("0 0 12 * * *")
    assert isinstance(cycle, CronCycle)
    assert cycle.repetitions == -1
    assert cycle.first_due(0) == 12 * 60 * 60 * 1000
    assert cycle.next_due(12 * 60 * 60 * 1000) == 36 * 60 * 60 * 1000


@given(st.text(alphabet="0123456789*/,-?LW#@ MONFEB", max_size=30), st.integers(0, 2**42))
def test_the_next_moment_comes_after_this_one(text: str, moment_ms: int) -> None:
    cron = parse_cron(text)
    next_ms = cron.next_after(moment_ms) if cron is not None else None
    if next_ms is not None:
        assert next_ms > moment_ms
        assert next_ms % 1000 == 0
