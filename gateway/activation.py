"""Job activation: waiting polls, and the claims that fetch jobs for them.

A queue for each job type that somebody waits for holds the polls in the order they came and what is known
of the partitions. Only the longest-waiting poll claims, from one partition at a time and a partition
answers one claim at a time, so one new job does not wake a hundred polls. A partition whose claim came
back short is known to be empty until it notifies; the queue subscribed before the first claim, and a
notification during a claim counts as one after it, so none is lost. Once a second everything that was
known is forgotten and asked again, which mends what a change of leaders may have lost.

Jobs that no poll is left for are given back at once.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final, final

from bpmnd.actors.errors import Refused, Unavailable
from bpmnd.bpmn.commands import ActivateJobs, CommandId, DoOnce, YieldJobs
from bpmnd.bpmn.outcomes import ActivatedJob, JobsActivated, Outcome
from bpmnd.gateway.errors import unexpected
from bpmnd.gateway.ports import Cluster, Partition

POLLS_MAX: Final = 10_000
RENEWAL_S: Final = 1.0
CLAIM_TIMEOUT_S: Final = 10.0
SLOW_CLAIM_S: Final = 1.0
_RENEWALS_OF_ALL: Final = 10
"""Every so many renewals all is forgotten, even of partitions led elsewhere while those here have jobs."""
_TURNS_NEAR_FIRST: Final = 4
"""Every so many turns the partitions led here have no precedence."""

_log = logging.getLogger(__name__)


@final
class _Poll:
    """One activation request, from its arrival until it is answered."""

    __slots__ = (
        "answer",
        "asked",
        "at_once",
        "claim",
        "failure",
        "given",
        "id",
        "is_overdue",
        "jobs",
        "partition_answered",
        "size",
        "timer",
        "unasked",
    )

    def __init__(
        self,
        asked: ActivateJobs,
        answer: asyncio.Future[tuple[ActivatedJob, ...]],
        at_once: bool,
        id: CommandId | None,
    ) -> None:
        self.asked = asked
        self.id = id
        """If it has one, each partition lends it jobs once, and would lend the same ones again."""
        self.given: set[int] = set()
        """The partitions that have lent jobs to a poll with an id."""
        self.answer = answer
        self.at_once = at_once
        self.unasked: set[int] = set()
        """The partitions that a poll which does not wait has yet to ask, whatever is known of them."""
        self.jobs: tuple[ActivatedJob, ...] = ()
        self.size = 0
        self.claim: asyncio.TimerHandle | None = None
        """The claim under way for this poll, by the timer that watches it."""
        self.is_overdue = False
        self.partition_answered = False
        self.failure: Unavailable | None = None
        self.timer: asyncio.TimerHandle | None = None

    @property
    def missing(self) -> int:
        return self.asked.jobs_max - len(self.jobs)

    @property
    def is_full(self) -> bool:
        return self.missing <= 0 or self.size >= self.asked.bytes_max


@final
class _Queue:
    """The polls for one job type, and what is known of the partitions."""

    __slots__ = ("busy", "empty", "is_fed", "polls", "renewals", "unasked_count")

    def __init__(self) -> None:
        self.polls: dict[_Poll, None] = {}
        self.busy: dict[int, bool] = {}
        """Partitions with a claim under way, and whether they notified since."""
        self.empty: set[int] = set()
        self.is_fed = False
        """A partition led here has given jobs since the last renewal."""
        self.renewals = 0
        self.unasked_count = 0
        """How many of the polls do not wait."""


@final
class JobActivation:
    """Owns all waiting polls of this gateway. Lives on the event loop; nothing in here blocks."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        polls_max: int = POLLS_MAX,
        renewal_s: float = RENEWAL_S,
    ) -> None:
        self._cluster = cluster
        self._polls_max = polls_max
        self._renewal_s = renewal_s
        self._queues: dict[str, _Queue] = {}
        self._polls_count = 0
        self._turn = 0
        self._watched: set[int] = set()
        self._renewal: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def polls_count(self) -> int:
        """How many requests wait or are being served."""
        return self._polls_count

    async def activate(
        self, asked: ActivateJobs, wait_ms: int | None, id: CommandId | None = None
    ) -> tuple[ActivatedJob, ...]:
        """Up to as many jobs as asked for, waiting up to `wait_ms` for the first; None is not to wait.

        When the caller is cancelled, its jobs are given back. Whoever has the result answers for it, and
        calls `give_back` if it cannot be delivered. With an id nothing is given
        back: it can be asked for again.
        """
        if self._polls_count >= self._polls_max:
            raise Refused(f"There are {self._polls_max} job activations waiting already")

        loop = asyncio.get_running_loop()
        poll = _Poll(asked, loop.create_future(), at_once=wait_ms is None, id=id)
        self._enter(poll, loop, CLAIM_TIMEOUT_S if wait_ms is None else wait_ms / 1000)
        try:
            return await poll.answer
        except asyncio.CancelledError:
            self._abandon(poll)
            raise

    def give_back(self, jobs: tuple[ActivatedJob, ...]) -> None:
        """Make jobs activatable again that did not reach their worker."""
        lent_by_owner: dict[Partition, list[tuple[int, int]]] = {}
        for job in jobs:
            owner = self._cluster.owner_of(job.key)
            assert owner is not None, f"job {job.key} came from a partition that does not exist"
            lent_by_owner.setdefault(owner, []).append((job.key, job.deadline))
        for owner, lent in lent_by_owner.items():
            try:
                owner.submit(YieldJobs(tuple(lent))).add_done_callback(partial(_given_back, len(lent)))
            except Unavailable as error:
                _log.warning("%d jobs could not be given back and will time out: %s", len(lent), error)

    def jobs_available(self, partition_id: int, job_type: str) -> None:
        """A partition has jobs of the type again."""
        queue = self._queues.get(job_type)
        if queue is None:
            return
        queue.empty.discard(partition_id)
        if partition_id in queue.busy:
            queue.busy[partition_id] = True
        else:
            self._claim_all(queue)

    def close(self) -> None:
        """Answer all polls with what they have. Later ones are answered without waiting."""
        self._closed = True
        for queue in list(self._queues.values()):
            for poll in list(queue.polls):
                self._time_is_over(poll)
        if self._renewal is not None:
            self._renewal.cancel()

    def _enter(self, poll: _Poll, loop: asyncio.AbstractEventLoop, wait_s: float) -> None:
        job_type = poll.asked.type
        queue = self._queues.get(job_type)
        if queue is None:
            queue = self._queues[job_type] = _Queue()
            self._subscribe(job_type)
        if self._closed:
            poll.at_once = True
        if poll.at_once:
            poll.unasked = {partition.id for partition in self._cluster.partitions()}
            queue.unasked_count += 1
        queue.polls[poll] = None
        self._polls_count += 1
        self._turn += 1
        poll.timer = loop.call_later(wait_s, self._time_is_over, poll)
        if self._renewal is None and not self._closed:
            self._renewal = loop.call_later(self._renewal_s, self._renew)
        self._claim_all(queue)

    def _subscribe(self, job_type: str) -> None:
        for partition in self._cluster.partitions():
            if partition.id not in self._watched:
                self._watched.add(partition.id)
                partition.watch_jobs(self)
            partition.subscribe_jobs(job_type)

    def _renew(self) -> None:
        """Forget what is known and ask again, for every type that somebody waits for."""
        self._renewal = None
        for job_type, queue in list(self._queues.items()):
            self._subscribe(job_type)
            self._forget(queue)
            self._claim_all(queue)
        if self._queues and not self._closed:
            self._renewal = asyncio.get_running_loop().call_later(self._renewal_s, self._renew)

    def _forget(self, queue: _Queue) -> None:
        """Ask all again; those led elsewhere seldom while those here have jobs: on their own they tell of
        what is left there."""
        queue.renewals += 1
        if queue.is_fed and queue.renewals % _RENEWALS_OF_ALL:
            queue.empty.difference_update(p.id for p in self._cluster.partitions() if p.is_near)
        else:
            queue.empty.clear()
        queue.is_fed = False

    def _claim_all(self, queue: _Queue) -> None:
        """Send the claims that can be sent now."""
        for partition in self._in_turn():
            if partition.id in queue.busy:
                continue
            poll = self._next_poll(queue, partition.id)
            if poll is not None:
                self._claim(poll, partition, queue)

    def _in_turn(self) -> Sequence[Partition]:
        """All partitions, each time beginning with another; mostly those led here come first, as they cost no
        way over the network, but not always: elsewhere jobs must not wait for ever."""
        partitions = self._cluster.partitions()
        count = len(partitions)
        if count == 1:
            return partitions
        begin = self._turn % count
        turned = [*partitions[begin:], *partitions[:begin]]
        if self._turn % _TURNS_NEAR_FIRST:
            turned.sort(key=_is_far)
        return turned

    def _next_poll(self, queue: _Queue, partition_id: int) -> _Poll | None:
        """The poll whose turn it is to ask the partition: the one that came first of those that may."""
        is_empty = partition_id in queue.empty
        if is_empty and not queue.unasked_count:
            return None
        for poll in queue.polls:
            if poll.claim is not None or poll.answer.done():
                continue
            if partition_id in poll.given:
                continue
            if partition_id in poll.unasked if poll.at_once else not is_empty:
                return poll
        return None

    def _claim(self, poll: _Poll, partition: Partition, queue: _Queue) -> None:
        asked = poll.asked
        command = ActivateJobs(
            type=asked.type,
            worker=asked.worker,
            timeout_ms=asked.timeout_ms,
            jobs_max=poll.missing,
            fetch_variables=asked.fetch_variables,
            tenant_ids=asked.tenant_ids,
            bytes_max=asked.bytes_max - poll.size,
        )
        loop = asyncio.get_running_loop()
        try:
            answer = partition.submit(command if poll.id is None else DoOnce(poll.id, command))
        except Unavailable as error:
            # Goes the way of a claim that fails later, so that no poll ends while claims are being sent.
            answer = loop.create_future()
            answer.set_exception(error)
        poll.claim = claim = loop.call_later(SLOW_CLAIM_S, self._claim_is_slow, poll, queue)
        poll.unasked.discard(partition.id)
        queue.busy[partition.id] = False
        answer.add_done_callback(partial(self._claimed, poll, claim, partition.id, command.jobs_max, queue))

    def _claim_is_slow(self, poll: _Poll, queue: _Queue) -> None:
        """Let the poll ask other partitions; this one is left alone until it answers."""
        poll.claim = None
        poll.failure = Unavailable("A partition did not answer in time")
        self._go_on(poll, queue)

    def _claimed(
        self,
        poll: _Poll,
        claim: asyncio.TimerHandle,
        partition_id: int,
        jobs_max: int,
        queue: _Queue,
        answer: asyncio.Future[Outcome],
    ) -> None:
        """A claim came back: hand over what it brought, or give it back, and go on."""
        claim.cancel()
        if poll.claim is claim:
            poll.claim = None
        waits = poll in queue.polls and poll.claim is None
        may_have_more = queue.busy.pop(partition_id)
        failure = asyncio.CancelledError() if answer.cancelled() else answer.exception()

        match None if failure is not None else answer.result():
            case JobsActivated(jobs, truncated):
                if jobs and not queue.is_fed:
                    owner = self._cluster.owner_of(jobs[0].key)
                    queue.is_fed = owner is not None and owner.is_near
                may_have_more = may_have_more or len(jobs) >= jobs_max or (truncated and len(jobs) > 0)
                if waits:
                    self._hand_over(poll, jobs, truncated)
                    if jobs and poll.id is not None:
                        poll.given.add(partition_id)
                elif poll.id is None:
                    self.give_back(jobs)
            case None if isinstance(failure, Unavailable):
                poll.failure = failure
            case None if isinstance(failure, asyncio.CancelledError):
                poll.failure = Unavailable("The partition stopped")
            case refusal:
                error = failure if refusal is None else unexpected("ACTIVATE", refusal)
                assert error is not None, "a claim neither failed nor brought anything"
                self._fail(poll, queue, error)
        if not may_have_more:
            queue.empty.add(partition_id)  # Until it notifies, or the renewal asks again.
        self._go_on(poll, queue)

    def _hand_over(self, poll: _Poll, jobs: tuple[ActivatedJob, ...], truncated: bool) -> None:
        poll.partition_answered = True
        poll.jobs += jobs
        if truncated and jobs:
            poll.size = poll.asked.bytes_max
        elif poll.missing > 0:
            poll.size += sum(sum(map(len, job.variables.values())) for job in jobs)

    def _go_on(self, poll: _Poll, queue: _Queue) -> None:
        """End the poll if it has what it can get, and send the claims that became possible."""
        if poll.is_full or poll.is_overdue:
            self._end(poll, queue)
        self._claim_all(queue)
        if poll.claim is None and (poll.jobs or (poll.at_once and not poll.unasked)):
            self._end(poll, queue)
        self._drop_if_idle(poll.asked.type, queue)

    def _time_is_over(self, poll: _Poll) -> None:
        queue = self._queues[poll.asked.type]
        if poll.claim is not None:
            poll.is_overdue = True  # Its claim, which may bring jobs, will come back or prove slow.
        else:
            self._end(poll, queue)
            self._drop_if_idle(poll.asked.type, queue)

    def _end(self, poll: _Poll, queue: _Queue) -> None:
        """Answer the poll with what it has; with a failure only when no partition answered at all."""
        if poll not in queue.polls:
            return
        if not poll.jobs and not poll.partition_answered and poll.failure is not None:
            self._fail(poll, queue, poll.failure)
            return
        self._leave(poll, queue)
        if not poll.answer.done():
            poll.answer.set_result(poll.jobs)

    def _fail(self, poll: _Poll, queue: _Queue, error: BaseException) -> None:
        if poll.jobs:
            self._end(poll, queue)
        elif self._leave(poll, queue) and not poll.answer.done():
            poll.answer.set_exception(error)
        else:
            _log.warning("A claim failed for a poll that is gone", exc_info=error)

    def _abandon(self, poll: _Poll) -> None:
        """The client is gone: what its poll collected goes back; what is being claimed for it will."""
        queue = self._queues.get(poll.asked.type)
        if queue is not None and self._leave(poll, queue):
            self._drop_if_idle(poll.asked.type, queue)
        if poll.id is None:
            self.give_back(poll.jobs)

    def _leave(self, poll: _Poll, queue: _Queue) -> bool:
        """Take the poll off the queue; False when it was off already."""
        if poll not in queue.polls:
            return False
        del queue.polls[poll]
        self._polls_count -= 1
        if poll.at_once:
            queue.unasked_count -= 1
        if poll.timer is not None:
            poll.timer.cancel()
            poll.timer = None
        return True

    def _drop_if_idle(self, job_type: str, queue: _Queue) -> None:
        if not queue.polls and not queue.busy and self._queues.get(job_type) is queue:
            del self._queues[job_type]
            for partition in self._cluster.partitions():
                partition.unsubscribe_jobs(job_type)


def _given_back(count: int, answer: asyncio.Future[Outcome]) -> None:
    error = asyncio.CancelledError() if answer.cancelled() else answer.exception()
    if error is not None:
        _log.warning("%d jobs could not be given back and will time out", count, exc_info=error)


def _is_far(partition: Partition) -> bool:
    return not partition.is_near
