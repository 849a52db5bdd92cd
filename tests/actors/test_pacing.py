"""When a leader makes its next frame."""

import pytest

from bpmnd.actors.pacing import (
    BUSY_SECONDS,
    ENOUGH,
    GATHER_COMMITS,
    GATHER_SECONDS_MAX,
    GATHER_SECONDS_MIN,
    SMALL_FRAME,
    UNDER_WAY_MAX,
    Pacing,
)
from tests.actors.stage import StageScheduler

LARGE = SMALL_FRAME + 1


@pytest.fixture
def scheduler() -> StageScheduler:
    return StageScheduler()


@pytest.fixture
def woken() -> list[float]:
    """When the leader was woken."""
    return []


@pytest.fixture
def pacing(scheduler: StageScheduler, woken: list[float]) -> Pacing:
    return Pacing(scheduler, scheduler, lambda: woken.append(scheduler.seconds))


def test_a_command_that_comes_alone_waits_for_nothing(pacing: Pacing) -> None:
    assert pacing.allows(under_way=0, commands_before=0, waiting=1)
    pacing.committed(SMALL_FRAME, 0)
    assert pacing.allows(under_way=0, commands_before=0, waiting=1)


def test_behind_a_small_frame_there_may_be_another_and_no_more(pacing: Pacing) -> None:
    assert pacing.allows(under_way=UNDER_WAY_MAX - 1, commands_before=SMALL_FRAME, waiting=1)
    assert not pacing.allows(under_way=UNDER_WAY_MAX, commands_before=SMALL_FRAME, waiting=1)


def test_behind_a_larger_frame_all_wait_for_its_commit(pacing: Pacing) -> None:
    assert not pacing.allows(under_way=1, commands_before=LARGE, waiting=ENOUGH)


def test_after_a_larger_frame_is_gathered_for_a_moment(
    pacing: Pacing, scheduler: StageScheduler, woken: list[float]
) -> None:
    pacing.committed(LARGE, 0)
    assert not pacing.allows(under_way=0, commands_before=0, waiting=1)
    until = scheduler.seconds + GATHER_SECONDS_MIN
    scheduler.pass_time(1)
    assert woken == [until]
    assert pacing.allows(under_way=0, commands_before=0, waiting=1)


@pytest.mark.parametrize(
    ("commit", "gathered"),
    [(0.0001, GATHER_SECONDS_MIN), (0.005, GATHER_COMMITS * 0.005), (1, GATHER_SECONDS_MAX)],
)
def test_gathering_takes_the_longer_the_longer_commits_take(
    pacing: Pacing, scheduler: StageScheduler, woken: list[float], commit: float, gathered: float
) -> None:
    for _ in range(40):
        pacing.committed(LARGE, commit)
        scheduler.pass_time(GATHER_SECONDS_MAX)
    until = scheduler.seconds + gathered
    pacing.committed(LARGE, commit)
    scheduler.pass_time(1)
    assert woken[-1] == pytest.approx(until, abs=gathered / 100)


def test_gathering_ends_when_enough_has_come(
    pacing: Pacing, scheduler: StageScheduler, woken: list[float]
) -> None:
    pacing.committed(LARGE, 0)
    assert not pacing.allows(under_way=0, commands_before=0, waiting=ENOUGH - 1)
    assert pacing.allows(under_way=0, commands_before=0, waiting=ENOUGH)
    assert pacing.allows(under_way=0, commands_before=0, waiting=1), "the rest of them is taken as well"
    scheduler.pass_time(1)
    assert not woken


def test_gathering_ends_when_somebody_is_in_a_hurry(
    pacing: Pacing, scheduler: StageScheduler, woken: list[float]
) -> None:
    pacing.committed(LARGE, 0)
    pacing.hurry()
    assert pacing.allows(under_way=0, commands_before=0, waiting=1)
    scheduler.pass_time(1)
    assert not woken


def test_while_many_come_a_small_frame_is_not_followed_at_once(
    pacing: Pacing, scheduler: StageScheduler
) -> None:
    pacing.committed(LARGE, 0)
    scheduler.pass_time(GATHER_SECONDS_MIN)
    assert not pacing.allows(under_way=1, commands_before=1, waiting=1)
    pacing.committed(1, 0)
    assert not pacing.allows(under_way=0, commands_before=0, waiting=1)


def test_when_no_more_come_the_next_waits_for_nothing_again(
    pacing: Pacing, scheduler: StageScheduler
) -> None:
    pacing.committed(LARGE, 0)
    scheduler.pass_time(BUSY_SECONDS)
    assert pacing.allows(under_way=1, commands_before=1, waiting=1)
    pacing.committed(1, 0)
    assert pacing.allows(under_way=0, commands_before=0, waiting=1)
