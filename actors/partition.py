"""The partition actor: sole owner of one partition's engine, state, log and Raft peer.

A tick takes the commands that wait, lets the engine decide each in memory, and makes one frame of what
they caused. The frame is proposed to Raft and goes to the disk while the next tick is decided. Answers,
wake-ups and messages to other partitions leave when the frame is committed, never before.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, final

from bpmnd.actors.archiving import Archiving
from bpmnd.actors.channels import Channels, ChannelSender
from bpmnd.actors.checkpoints import CheckpointPolicy, Checkpoints
from bpmnd.actors.clock import Clock, LogClock, Scheduler, Timer
from bpmnd.actors.counting import PartitionCounts
from bpmnd.actors.disk_space import DiskSpace
from bpmnd.actors.errors import Refused, Unavailable
from bpmnd.actors.latency import CommitLatency
from bpmnd.actors.messages import (
    Answer,
    CheckpointWritten,
    Message,
    PartitionLimits,
    Reply,
    Submit,
    Tick,
    fail,
    size_of,
)
from bpmnd.actors.replica import Replica
from bpmnd.actors.runtime import Actor, LaneLimits
from bpmnd.actors.watching import JobWatcher, JobWatching
from bpmnd.bpmn.codec import CommandNote, encode_frame
from bpmnd.bpmn.commands import (
    ActivateJobs,
    ClientCommand,
    Command,
    Continue,
    CreateProcessInstance,
    Deploy,
    FireDue,
)
from bpmnd.bpmn.engine import Engine
from bpmnd.bpmn.events import Event
from bpmnd.bpmn.outcomes import Outcome
from bpmnd.cluster.raft import HardState as RaftState
from bpmnd.storage.entry import HardState as StoredState
from bpmnd.storage.log import Appended, AppendFailed

_logger = logging.getLogger(__name__)

DISK: Final = 0
ONGOING: Final = 1
NEW_WORK: Final = 2
_NEW_WORK: Final = (CreateProcessInstance, Deploy)
_TICK_SECONDS: Final = 0.1
_RESEND_SECONDS: Final = 1.0
_DUE_PER_TICK: Final = 100
_CONTINUATIONS_PER_TICK: Final = 4
_TERM_SHIFT: Final = 40
_WAITING_SLACK: Final = 1024


class _Pending:
    """What leaves the partition when everything up to `index` is committed."""

    __slots__ = ("answers", "index", "offered", "sent", "size", "started")

    def __init__(
        self,
        index: int,
        answers: list[Answer],
        offered: set[str],
        sent: dict[int, int],
        size: int,
        started: float,
    ) -> None:
        self.index = index
        self.answers = answers
        self.offered = offered
        self.sent = sent
        """Receiver -> number of the last channel message that is in the outbox at `index`."""
        self.size = size
        self.started = started


@final
class PartitionActor(Actor[Message]):
    """One partition on this node. Implements what the gateway asks of a partition."""

    def __init__(
        self,
        replica: Replica,
        partitions: Sequence[int],
        scheduler: Scheduler,
        clock: Clock,
        channels: Channels,
        new_future: Callable[[], asyncio.Future[Outcome]],
        *,
        limits: PartitionLimits | None = None,
        checkpoints: CheckpointPolicy | None = None,
        archiving: Archiving | None = None,
        disk_space: DiskSpace | None = None,
    ) -> None:
        limits = limits or PartitionLimits()
        disk_lane = LaneLimits(1 << 30, 1 << 60)  # Bounded by what this actor itself has under way.
        super().__init__(
            f"partition-{replica.partition_id}",
            scheduler,
            clock,
            (disk_lane, limits.ongoing, limits.new_work),
        )
        self.replica = replica
        self.engine = Engine(replica.state, partitions)
        self.watching = JobWatching(replica.partition_id)
        self.counts = PartitionCounts()
        self.latency = CommitLatency(limits.commit_seconds_max)
        self._limits = limits
        self._channels = ChannelSender(replica.partition_id, replica.state, channels)
        self._new_future = new_future
        self._archiving = archiving
        self._disk_space = disk_space
        self._raft = replica.raft
        self._log = replica.log
        self._state = replica.state
        self.checkpoints = Checkpoints(
            replica.state,
            replica.log,
            replica.store,
            checkpoints or CheckpointPolicy(),
            scheduler,
            clock,
            self._checkpoint_written,
        )
        self._log_clock: LogClock | None = None
        self._now = 0
        self._events: list[Event] = []
        self._notes: list[CommandNote] = []
        self._answers: list[Answer] = []
        self._offered: set[str] = set()
        self._tick_bytes = 0
        self._pending: deque[_Pending] = deque()
        self._uncommitted_bytes = 0
        self._deciding: Reply | None = None
        self._waiting: dict[int, Reply] = {}
        self._waiting_max = _WAITING_SLACK
        self._last_request = 0
        self._due_timer: Timer | None = None
        self._due_at = 0
        self._tick_timer: Timer | None = None
        self._resend_timer: Timer | None = None

    # What others ask of it

    @property
    def id(self) -> int:
        return self.replica.partition_id

    @property
    def leads(self) -> bool:
        return self._raft.leads and not self.stopped

    def start(self) -> None:
        """Begin to stand for election; `leads` turns true when the partition can answer."""
        self._raft_tick()
        self._resend()

    def submit(self, command: ClientCommand) -> asyncio.Future[Outcome]:
        """Hand in a command; the future ends when its outcome is committed.

        Raises Refused when there is too much to do already, Unavailable when this is not the leader.
        """
        if not self._raft.leads or self.stopped:
            raise Unavailable(f"partition {self.id} has no leader here")
        lane = ONGOING
        if isinstance(command, _NEW_WORK):
            lane = NEW_WORK
            if self._disk_space is not None and self._disk_space.is_short:
                raise Refused(f"partition {self.id} has no room left on its disk")
            queued = len(self._lanes[NEW_WORK].messages) + len(self._lanes[ONGOING].messages)
            if self.latency.is_too_long(queued):
                raise Refused(
                    f"partition {self.id} would need {self.latency.expected(queued):.1f} s to commit it"
                )
        future = self._new_future()
        size = size_of(command)
        if not self.tell(Submit(command, future, size), lane=lane, size=size):
            raise Refused(f"partition {self.id} has its mailbox full")
        return future

    def submit_internal(self, command: Command, reply: Reply | None = None) -> None:
        """A command of another partition. It may get lost: whoever sends it sends it again."""
        if self._raft.leads and not self.stopped:
            self.tell(Submit(command, reply, size_of(command)), lane=ONGOING)

    def watch_jobs(self, watcher: JobWatcher) -> None:
        self.watching.watch(watcher)

    def subscribe_jobs(self, job_type: str) -> None:
        self.watching.subscribe(job_type)

    def unsubscribe_jobs(self, job_type: str) -> None:
        self.watching.unsubscribe(job_type)

    def on_log(self, message: Appended | AppendFailed) -> None:
        """Completions of the log's writer; may come after the actor has stopped."""
        self.tell(message)

    def stop(self) -> None:
        """Stop at once. Whoever still waits for an answer hears that the outcome is unknown."""
        super().stop()
        if self._archiving is not None:
            self._archiving.close()
        for timer in (self._tick_timer, self._due_timer, self._resend_timer):
            if timer is not None:
                timer.cancel()
        error = Unavailable(f"partition {self.id} stopped before the outcome was committed")
        for pending in self._pending:
            for future, _ in pending.answers:
                fail(future, error)
        for future in self._waiting.values():
            fail(future, error)
        for future, _ in self._answers:
            fail(future, error)
        if self._deciding is not None:
            fail(self._deciding, error)
        self._pending.clear()
        self._waiting.clear()
        self._answers.clear()

    @property
    def quiet(self) -> bool:
        """Nothing is under way: the partition could stop without an open answer."""
        archiving = self._archiving is not None and self._archiving.busy
        return not (self._pending or any(self.queued()) or self.checkpoints.in_the_making or archiving)

    # The tick

    def accepts(self, lane: int) -> bool:
        if lane == DISK:
            return True
        return (
            self._raft.leads
            and self._log_clock is not None
            and self._uncommitted_bytes < self._limits.uncommitted_bytes_max
            and self._tick_bytes < self._limits.tick_bytes_max
        )

    def receive(self, message: Message) -> None:
        match message:
            case Submit():
                self._submit(message)
            case Appended():
                self._appended(message)
            case AppendFailed(error):
                raise error
            case Tick():
                self._raft.tick()
            case CheckpointWritten(error):
                if error is not None:
                    raise error
                self.checkpoints.readable()
                position = self.checkpoints.position
                if self._archiving is not None and position is not None:
                    self._archiving.up_to(position.index)

    def dropped(self, message: Message) -> None:
        if isinstance(message, Submit) and message.future is not None:
            fail(message.future, Unavailable(f"partition {self.id} stopped"))

    def settle(self) -> None:
        """Once a tick: bring in what is due, make the frame, hand it to Raft, release what is committed."""
        raft = self._raft
        if raft.leads:
            self._lead()
            if self._uncommitted_bytes < self._limits.uncommitted_bytes_max:
                self._do_own_work()
        if self._events or self._answers or self._offered:
            self._make_frame()
        ready = raft.ready()
        if ready.entries or ready.hard_state is not None:
            entries = [(entry.index, entry.term, entry.kind, entry.payload) for entry in ready.entries]
            self._log.append(entries, _stored(ready.hard_state))
        self._release(ready.committed)
        self.checkpoints.advance(raft.last_index, raft.committed)
        if self.checkpoints.needs_slices:
            self.wake()
        self._tick_bytes = 0
        self._now = 0

    def _submit(self, submit: Submit) -> None:
        future = submit.future
        if future is not None and future.done():
            return  # Given up by its client before anything was decided.
        self._tick_bytes += submit.size
        self._deciding = future
        self._decide(submit.command, future)
        self._deciding = None

    def _decide(self, command: Command, future: Reply | None) -> int:
        """Let the engine decide; how many events came of it."""
        if not self._now:
            assert self._log_clock is not None, "no log time before leadership"
            self._now = self._log_clock.now_ms()
        self._last_request += 1
        request = self._last_request
        decision = self.engine.decide(command, self._now, request)
        events = decision.events
        if events:
            self._events += events
            self._notes.append((type(command), getattr(command, "key", 0), len(events)))
        if decision.outcome is None:
            if future is not None:
                self._wait(request, future)
        elif future is not None:
            self._answers.append((future, decision.outcome))
        for earlier, outcome in decision.answers:
            waiting = self._waiting.pop(earlier, None)
            if waiting is not None:
                self._answers.append((waiting, outcome))
        for _, job_type in decision.offered:
            self._offered.add(job_type)
        if decision.notes:
            self.counts.note(decision.notes)
        if type(command) is ActivateJobs:
            self.watching.claimed(command.type)
        return len(events)

    def _wait(self, request: int, reply: Reply) -> None:
        """Keep who is answered by a later command; whoever has given up is let go of now and then."""
        self._waiting[request] = reply
        if len(self._waiting) > self._waiting_max:
            self._waiting = {number: other for number, other in self._waiting.items() if not other.done()}
            self._waiting_max = 2 * len(self._waiting) + _WAITING_SLACK

    def _lead(self) -> None:
        """What a new leader begins with; all else that is pending it finds in the state."""
        if self._log_clock is None:
            self._log_clock = LogClock(self.clock, self._state.last_time)
            self._last_request = self._raft.term << _TERM_SHIFT
            self._channels.committed(self._channels.last_numbers())

    def _do_own_work(self) -> None:
        """What nobody sends: timers and deadlines, and what earlier turns left over."""
        assert self._log_clock is not None, "no log time before leadership"
        due = self._state.next_due()
        if due is not None:
            self._now = self._now or self._log_clock.now_ms()
            if due <= self._now:
                self._fire_due()
            self._set_due_timer()
        if self._state.continuations.items:
            started = self.clock.monotonic()
            for key in list(islice(self._state.continuations.items, _CONTINUATIONS_PER_TICK)):
                self._decide(Continue(key), None)
                if self.clock.monotonic() - started > self.seconds_per_tick_max:
                    break
            if self._state.continuations.items:
                self.wake()

    def _fire_due(self) -> None:
        keys = self._state.due(self._now, _DUE_PER_TICK)
        started = self.clock.monotonic()
        for key in keys:
            self._decide(FireDue(key), None)  # Nothing comes of it if one before has taken it away.
            if self.clock.monotonic() - started > self.seconds_per_tick_max:
                self.wake()
                break
        assert self._state.due(self._now, 1) != keys[:1], f"{keys[0]} is due, but nothing came of it"
        if len(keys) == _DUE_PER_TICK:
            self.wake()

    def _set_due_timer(self) -> None:
        due = self._state.next_due()
        if due is None or (self._due_timer is not None and due >= self._due_at):
            return
        if self._due_timer is not None:
            self._due_timer.cancel()
        self._due_at = due
        delay = min(max(due - self._now, 1), 3_600_000) / 1000
        self._due_timer = self.scheduler.call_later(delay, self._due_came)

    def _due_came(self) -> None:
        self._due_timer = None
        self.wake()

    def _make_frame(self) -> None:
        started = self.clock.monotonic()
        size = 0
        if self._events:
            payload = encode_frame(self._now, self._state.last_key, self._notes, self._events)
            size = len(payload)
            self._raft.propose(payload)
            self._uncommitted_bytes += size
            self.checkpoints.grew(size)
            self._events = []
            self._notes = []
        sent = self._channels.last_numbers() if self._state.outbox.items else {}
        pending = _Pending(self._raft.last_index, self._answers, self._offered, sent, size, started)
        self._pending.append(pending)
        self._answers = []
        self._offered = set()

    def _appended(self, appended: Appended) -> None:
        if appended.generation == self._log.generation:
            state = appended.hard_state
            persisted = None if state is None else _raft_state(state)
            self._raft.persisted(appended.index, appended.term, persisted)

    def _release(self, committed: int) -> None:
        """Send out what waited for the commit."""
        pending = self._pending
        while pending and pending[0].index <= committed:
            done = pending.popleft()
            self._uncommitted_bytes -= done.size
            if done.size:
                self.latency.committed(self.clock.monotonic() - done.started)
            for future, outcome in done.answers:
                if not future.done():
                    future.set_result(outcome)
            if done.offered:
                self.watching.offered(done.offered)
            if done.sent:
                self._channels.committed(done.sent)

    # Channels, Raft's time, checkpoints

    def _resend(self) -> None:
        if self.stopped:
            return
        if self._raft.leads:
            self._channels.again()
        self._resend_timer = self.scheduler.call_later(_RESEND_SECONDS, self._resend)

    def _raft_tick(self) -> None:
        if self.stopped:
            return
        self.tell(Tick())
        self._tick_timer = self.scheduler.call_later(_TICK_SECONDS, self._raft_tick)

    def _checkpoint_written(self, error: BaseException | None) -> None:
        self.tell(CheckpointWritten(error))


def _stored(state: RaftState | None) -> StoredState | None:
    """Raft's hard state as the log stores it."""
    return None if state is None else StoredState(state.term, state.vote or None)


def _raft_state(state: StoredState) -> RaftState:
    return RaftState(state.term, state.voted_for or 0)
