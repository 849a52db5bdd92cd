"""The job activation actor, against partitions that can stall, refuse and notify."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bpmnd.actors.errors import Refused, Unavailable
from bpmnd.bpmn.commands import ActivateJobs
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import ActivatedJob, JobsActivated, Rejected, RejectionType
from bpmnd.gateway.activation import JobActivation
from bpmnd.gateway.errors import Problem
from tests.gateway.fakes import FakeCluster, FakePartition, job_of
from tests.gateway.wire import eventually

LONG_MS = 60_000
KEY = first_key(1)


@pytest.fixture
async def activation(cluster: FakeCluster) -> AsyncIterator[JobActivation]:
    activation = JobActivation(cluster, renewal_s=60)
    yield activation
    activation.close()


class Poll:
    """A request for jobs that is under way."""

    def __init__(self, activation: JobActivation, jobs_max: int = 10, wait_ms: int | None = LONG_MS) -> None:
        asked = ActivateJobs(type="work", worker="w", timeout_ms=1000, jobs_max=jobs_max)
        self.task = asyncio.create_task(activation.activate(asked, wait_ms))

    async def keys(self) -> list[int]:
        async with asyncio.timeout(5):
            return [job.key for job in await self.task]

    async def abandon(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def parked(activation: JobActivation, jobs_max: int = 10) -> Poll:
    poll = Poll(activation, jobs_max)
    await settled()
    assert not poll.task.done()
    return poll


async def test_jobs_that_are_there_are_lent_at_once(
    activation: JobActivation, partition: FakePartition
) -> None:
    partition.add_jobs(job_of(1), job_of(2), job_of(3))
    assert await Poll(activation, jobs_max=2).keys() == [KEY + 1, KEY + 2]


async def test_a_waiting_poll_is_woken_by_the_first_job(
    activation: JobActivation, partition: FakePartition
) -> None:
    poll = await parked(activation)
    partition.add_jobs(job_of(1))
    assert await poll.keys() == [KEY + 1]


async def test_the_poll_that_waits_longest_is_woken(
    activation: JobActivation, partition: FakePartition
) -> None:
    first, second = await parked(activation), await parked(activation)

    partition.add_jobs(job_of(1))
    assert await first.keys() == [KEY + 1]
    await settled()
    assert not second.task.done()

    partition.add_jobs(job_of(2))
    assert await second.keys() == [KEY + 2]


async def test_more_jobs_than_one_poll_takes_reach_the_next(
    activation: JobActivation, partition: FakePartition
) -> None:
    first, second = await parked(activation, jobs_max=1), await parked(activation, jobs_max=1)
    partition.add_jobs(job_of(1), job_of(2))
    assert await first.keys() == [KEY + 1]
    assert await second.keys() == [KEY + 2]


async def test_one_new_job_makes_one_claim_however_many_wait(
    activation: JobActivation, partition: FakePartition
) -> None:
    for _ in range(100):
        await parked(activation)
    assert len(partition.claims) == 1  # The first found nothing; the others knew.

    partition.add_jobs(job_of(1))
    await settled()

    assert len(partition.claims) == 2


async def test_a_notification_during_a_claim_is_not_lost(
    activation: JobActivation, partition: FakePartition
) -> None:
    partition.outcome = JobsActivated(())
    partition.stall()
    poll = Poll(activation)
    await settled()

    activation.jobs_available(1, "work")  # Committed after the claim was decided, heard of before its answer.
    partition.resume()
    await settled()

    assert len(partition.claims) == 2
    await poll.abandon()


async def test_the_type_is_subscribed_before_the_first_claim(
    activation: JobActivation, partition: FakePartition
) -> None:
    subscribed_at_claim: list[set[str]] = []

    def decide(_: object) -> JobsActivated:
        subscribed_at_claim.append(set(partition.subscriptions))
        return JobsActivated(())

    partition.outcome = decide
    await (await parked(activation)).abandon()

    assert subscribed_at_claim == [{"work"}]


async def test_a_type_that_nobody_waits_for_is_no_longer_subscribed(
    activation: JobActivation, partition: FakePartition
) -> None:
    poll = await parked(activation)
    assert partition.subscriptions == {"work"}

    await poll.abandon()

    assert partition.subscriptions == set()
    assert activation.polls_count == 0


async def test_a_poll_whose_time_is_over_gets_nothing(activation: JobActivation) -> None:
    assert await Poll(activation, wait_ms=5).keys() == []
    assert activation.polls_count == 0


@pytest.mark.parametrize("jobs", [[], [job_of(1)]])
async def test_a_poll_whose_time_is_over_during_a_claim_takes_what_that_brings(
    activation: JobActivation, partition: FakePartition, jobs: list[ActivatedJob]
) -> None:
    partition.stall()
    poll = Poll(activation, wait_ms=1)
    await asyncio.sleep(0.01)
    assert not poll.task.done()

    partition.add_jobs(*jobs)
    partition.resume()

    assert await poll.keys() == [job.key for job in jobs]


async def test_a_poll_that_does_not_wait_asks_also_when_others_know_that_there_is_nothing(
    activation: JobActivation, partition: FakePartition
) -> None:
    await parked(activation)
    assert await Poll(activation, wait_ms=None).keys() == []
    assert len(partition.claims) == 2


async def test_a_poll_abandoned_while_it_waits_swallows_no_job(
    activation: JobActivation, partition: FakePartition
) -> None:
    gone, alive = await parked(activation), await parked(activation)
    await gone.abandon()

    partition.add_jobs(job_of(1))

    assert await alive.keys() == [KEY + 1]
    assert partition.yielded == []


async def test_jobs_claimed_for_a_poll_that_is_gone_are_given_back(
    activation: JobActivation, partition: FakePartition
) -> None:
    partition.add_jobs(job_of(1), job_of(2))
    partition.stall()
    poll = Poll(activation)
    await settled()
    await poll.abandon()

    partition.resume()
    await settled()

    assert partition.yielded == [KEY + 1, KEY + 2]
    assert partition.subscriptions == set()


async def test_jobs_are_given_back_when_the_poll_is_cancelled_as_they_arrive(
    activation: JobActivation, partition: FakePartition
) -> None:
    partition.add_jobs(job_of(1))
    partition.stall()
    poll = Poll(activation)
    await settled()

    partition.resume()  # The claim is answered; the poll hears of it a turn of the loop later.
    await asyncio.sleep(0)
    await poll.abandon()

    assert poll.task.cancelled()
    await settled()
    assert partition.yielded == [KEY + 1]


async def test_a_claim_may_come_back_between_a_cancellation_and_its_effect(
    activation: JobActivation, partition: FakePartition
) -> None:
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    partition.add_jobs(job_of(1))
    partition.stall()
    poll = Poll(activation)
    await settled()

    partition.resume()
    await poll.abandon()
    await settled()

    assert (partition.yielded, errors) == ([KEY + 1], [])


async def test_nothing_is_claimed_for_a_poll_that_is_being_cancelled(
    activation: JobActivation, partition: FakePartition
) -> None:
    gone, alive = await parked(activation), await parked(activation)
    gone.task.cancel()
    partition.add_jobs(job_of(1))
    assert await alive.keys() == [KEY + 1]
    assert partition.yielded == []


@pytest.mark.parametrize("turns", range(8))
async def test_a_cancellation_at_any_moment_neither_loses_nor_doubles_a_job(
    activation: JobActivation, partition: FakePartition, turns: int
) -> None:
    partition.add_jobs(job_of(1))
    poll = Poll(activation)
    for _ in range(turns):
        await asyncio.sleep(0)
    poll.task.cancel()
    await asyncio.wait([poll.task])
    await settled()

    delivered = [] if poll.task.cancelled() else [job.key for job in poll.task.result()]
    still_there = [job.key for job in partition.jobs]
    assert sorted(delivered + partition.yielded + still_there) == [KEY + 1]
    assert activation.polls_count == 0


async def test_what_was_collected_from_one_partition_is_given_back_while_another_is_asked() -> None:
    cluster = FakeCluster(2)
    for partition in cluster.all:
        partition.add_jobs(job_of(1, partition_id=partition.id))
        partition.stall()
    activation = JobActivation(cluster, renewal_s=60)
    poll = Poll(activation, wait_ms=None)
    await settled()
    first, second = sorted(cluster.all, key=lambda partition: -len(partition.claims))
    first.resume()
    await settled()
    assert second.claims

    await poll.abandon()
    await settled()

    assert first.yielded == [first_key(first.id) + 1]
    second.resume()
    await settled()
    assert second.yielded == [first_key(second.id) + 1]


async def test_a_poll_is_filled_from_partition_after_partition() -> None:
    cluster = FakeCluster(3)
    for partition in cluster.all:
        partition.add_jobs(*(job_of(number, partition_id=partition.id) for number in range(1, 4)))
    activation = JobActivation(cluster, renewal_s=60)

    keys = await Poll(activation, jobs_max=5).keys()

    assert len(keys) == len(set(keys)) == 5
    assert sorted(claim.jobs_max for partition in cluster.all for claim in partition.claims) == [2, 5]


async def test_partitions_take_turns_in_being_asked_first() -> None:
    cluster = FakeCluster(2)
    for partition in cluster.all:
        partition.add_jobs(*(job_of(number, partition_id=partition.id) for number in range(1, 101)))
    activation = JobActivation(cluster, renewal_s=60)

    owners = [(await Poll(activation, jobs_max=1).keys())[0] >> 51 for _ in range(40)]

    assert 10 <= owners.count(1) <= 30


async def test_a_poll_with_jobs_does_not_wait_for_a_partition_that_stalls() -> None:
    cluster = FakeCluster(2)
    first, second = cluster.all
    first.add_jobs(job_of(1))
    second.stall()
    activation = JobActivation(cluster, renewal_s=60)

    assert await Poll(activation).keys() == [first_key(1) + 1]  # A second later.

    second.add_jobs(job_of(1, partition_id=2))
    second.resume()
    await eventually(lambda: second.yielded == [first_key(2) + 1])


async def test_polls_in_parallel_share_what_is_there_without_overlap(
    activation: JobActivation, partition: FakePartition
) -> None:
    partition.add_jobs(*(job_of(number) for number in range(1, 31)))
    polls = [Poll(activation, jobs_max=10) for _ in range(3)]
    lent = [await poll.keys() for poll in polls]
    assert [len(keys) for keys in lent] == [10, 10, 10]
    assert len({key for keys in lent for key in keys}) == 30


async def test_an_answer_cut_for_its_size_ends_the_poll(
    activation: JobActivation, partition: FakePartition
) -> None:
    partition.outcome = JobsActivated((job_of(1),), truncated=True)
    assert await Poll(activation).keys() == [KEY + 1]
    assert len(partition.claims) == 1


async def test_a_partition_without_leader_is_asked_again_at_the_renewal(
    cluster: FakeCluster, partition: FakePartition
) -> None:
    activation = JobActivation(cluster, renewal_s=0.01)
    partition.refusal = Unavailable()
    poll = await parked(activation)

    partition.refusal = None
    partition.jobs.append(job_of(1))  # And nobody notifies.

    assert await poll.keys() == [KEY + 1]


async def test_a_renewal_makes_one_claim_for_each_type(
    cluster: FakeCluster, partition: FakePartition
) -> None:
    activation = JobActivation(cluster, renewal_s=0.02)
    for _ in range(50):
        await parked(activation)
    before = len(partition.claims)

    await eventually(lambda: len(partition.claims) > before)

    assert len(partition.claims) == before + 1
    activation.close()


async def test_nothing_is_asked_while_nobody_waits(cluster: FakeCluster, partition: FakePartition) -> None:
    activation = JobActivation(cluster, renewal_s=0.001)
    await Poll(activation, wait_ms=None).keys()
    before = len(partition.claims)

    await asyncio.sleep(0.02)

    assert len(partition.claims) == before


@pytest.mark.parametrize("error", [Refused, Unavailable])
async def test_a_poll_fails_when_no_partition_could_be_asked(
    activation: JobActivation, partition: FakePartition, error: type[Exception]
) -> None:
    partition.refusal = error()
    with pytest.raises(error):
        await Poll(activation, wait_ms=None).keys()


async def test_one_partition_without_leader_does_not_fail_the_poll() -> None:
    cluster = FakeCluster(2)
    cluster.all[0].outcome = Unavailable()
    activation = JobActivation(cluster, renewal_s=60)
    assert await Poll(activation, wait_ms=None).keys() == []


async def test_a_rejected_claim_is_told_to_the_poll(
    activation: JobActivation, partition: FakePartition
) -> None:
    partition.outcome = Rejected(RejectionType.INVALID_ARGUMENT, "no such thing")
    with pytest.raises(Problem, match="Command 'ACTIVATE' rejected with code 'INVALID_ARGUMENT'"):
        await Poll(activation).keys()


async def test_a_failing_claim_is_not_swallowed(activation: JobActivation, partition: FakePartition) -> None:
    partition.outcome = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await Poll(activation).keys()
    assert activation.polls_count == 0


async def test_too_many_polls_are_refused(cluster: FakeCluster) -> None:
    activation = JobActivation(cluster, polls_max=2, renewal_s=60)
    polls = [await parked(activation) for _ in range(2)]
    with pytest.raises(Refused):
        await Poll(activation).keys()

    await polls[0].abandon()
    await parked(activation)


async def test_closing_answers_those_who_wait(activation: JobActivation) -> None:
    poll = await parked(activation)
    activation.close()
    assert await poll.keys() == []


async def test_a_poll_after_closing_does_not_wait(activation: JobActivation) -> None:
    activation.close()
    assert await Poll(activation).keys() == []


async def test_every_job_reaches_exactly_one_of_many_restless_workers() -> None:
    """Workers poll, hang up and come back while jobs appear; what comes back is offered again."""
    cluster = FakeCluster(3)
    activation = JobActivation(cluster, renewal_s=0.005)
    jobs = {job.key: job for p in cluster.all for n in range(200) for job in [job_of(n, partition_id=p.id)]}
    delivered: list[int] = []

    async def work(number: int) -> None:
        while len(delivered) < len(jobs):
            poll = Poll(activation, jobs_max=1 + number % 4, wait_ms=None if number % 5 == 0 else 20)
            for _ in range((number * 7 + len(delivered)) % 13):
                await asyncio.sleep(0)
            if number % 3 == 0:
                poll.task.cancel()
            await asyncio.wait([poll.task])
            if not poll.task.cancelled():
                delivered.extend(job.key for job in poll.task.result())
            take_back()

    def take_back() -> None:
        for partition in cluster.all:
            returned: list[ActivatedJob] = [jobs[key] for key in partition.yielded]
            partition.commands.clear()
            partition.add_jobs(*returned)

    async def produce() -> None:
        for key, job in jobs.items():
            cluster.all[(key >> 51) - 1].add_jobs(job)
            if job.key % 3 == 0:
                await asyncio.sleep(0)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(produce())
        for number in range(12):
            group.create_task(work(number))

    assert sorted(delivered) == sorted(jobs)


async def test_partitions_led_elsewhere_are_asked_seldom_while_one_here_has_jobs() -> None:
    cluster = FakeCluster(2)
    near, far = cluster.all
    far.is_near = False
    activation = JobActivation(cluster, renewal_s=0.001)
    for _ in range(50):
        Poll(activation, jobs_max=1)
    await settled()
    far.subscriptions.clear()  # A renewal subscribes anew.
    asked = len(far.claims)

    for number in range(1, 31):
        near.add_jobs(job_of(number))
        await eventually(lambda: bool(far.subscriptions))
        far.subscriptions.clear()

    assert 1 <= len(far.claims) - asked <= 10
    activation.close()
