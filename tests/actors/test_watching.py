"""Who hears of jobs, and when: those on the leader's node first."""

import pytest

from bpmnd.actors.watching import FAR_SECONDS, JobWatching
from tests.actors.stage import StageScheduler

WORK = {("", "work")}


class Watcher:
    def __init__(self) -> None:
        self.told = 0

    def jobs_available(self, partition_id: int, job_type: str) -> None:
        assert (partition_id, job_type) == (1, "work")
        self.told += 1


@pytest.fixture
def scheduler() -> StageScheduler:
    return StageScheduler()


@pytest.fixture
def watching(scheduler: StageScheduler) -> JobWatching:
    return JobWatching(1, scheduler, scheduler)


@pytest.fixture
def near(watching: JobWatching) -> Watcher:
    watcher = Watcher()
    watching.subscribe(watcher, "work")
    return watcher


@pytest.fixture
def far(watching: JobWatching) -> Watcher:
    watcher = Watcher()
    watching.subscribe(watcher, "work", is_far=True)
    return watcher


def pass_time(scheduler: StageScheduler) -> None:
    scheduler.pass_time(FAR_SECONDS)


def test_a_far_watcher_hears_at_once_where_nobody_near_waits(watching: JobWatching, far: Watcher) -> None:
    watching.offered(WORK)
    assert far.told == 1


def test_a_near_watcher_hears_first(watching: JobWatching, near: Watcher, far: Watcher) -> None:
    watching.offered(WORK)
    assert (near.told, far.told) == (1, 0)


def test_a_far_watcher_hears_of_what_those_near_leave(
    watching: JobWatching, scheduler: StageScheduler, near: Watcher, far: Watcher
) -> None:
    watching.offered(WORK)
    watching.claimed("work")
    pass_time(scheduler)
    assert (near.told, far.told) == (1, 1)


def test_a_far_watcher_does_not_hear_of_what_those_near_have_taken(
    watching: JobWatching, scheduler: StageScheduler, near: Watcher, far: Watcher
) -> None:
    watching.offered(WORK)
    watching.claimed("work", emptied=[""])
    pass_time(scheduler)
    assert (near.told, far.told) == (1, 0)


def test_a_far_watcher_hears_of_jobs_of_a_tenant_for_which_nobody_near_asks(
    watching: JobWatching, scheduler: StageScheduler, near: Watcher, far: Watcher
) -> None:
    watching.offered({("other", "work")})
    watching.claimed("work", emptied=[""])
    pass_time(scheduler)
    assert (near.told, far.told) == (1, 1)


def test_a_far_watcher_hears_nothing_while_those_near_keep_up(
    watching: JobWatching, scheduler: StageScheduler, near: Watcher, far: Watcher
) -> None:
    for _ in range(5):
        watching.offered(WORK)
        scheduler.pass_time(FAR_SECONDS * 0.7)
        watching.claimed("work", emptied=[""])
    assert (near.told, far.told) == (5, 0)


def test_a_far_watcher_hears_of_jobs_that_came_after_those_near_took_all(
    watching: JobWatching, scheduler: StageScheduler, near: Watcher, far: Watcher
) -> None:
    watching.offered(WORK)
    watching.claimed("work", emptied=[""])
    scheduler.pass_time(FAR_SECONDS / 2)
    watching.offered(WORK)
    pass_time(scheduler)
    pass_time(scheduler)
    assert (near.told, far.told) == (2, 1)


def test_a_far_watcher_that_is_gone_meanwhile_hears_nothing(
    watching: JobWatching, scheduler: StageScheduler, near: Watcher, far: Watcher
) -> None:
    watching.offered(WORK)
    watching.forget(far)
    pass_time(scheduler)
    assert (near.told, far.told) == (1, 0)


def test_a_far_watcher_that_was_told_is_not_told_again_before_a_claim(
    watching: JobWatching, scheduler: StageScheduler, near: Watcher, far: Watcher
) -> None:
    for _ in range(2):
        watching.offered(WORK)
        pass_time(scheduler)
    assert (near.told, far.told) == (1, 1)
