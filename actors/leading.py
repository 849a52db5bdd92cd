"""One leadership of a partition: deciding commands, making frames of them, answering what is committed.

It begins when a member has won its term and has applied its whole log, and ends when the term does. All
that must outlive it stands in the state; what is only in here may be lost.
"""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final, final

from bpmnd.actors.channels import ChannelSender
from bpmnd.actors.checkpoints import Checkpoints
from bpmnd.actors.clock import Clock, LogClock, Scheduler
from bpmnd.actors.consensus import Consensus
from bpmnd.actors.counting import PartitionCounts
from bpmnd.actors.latency import CommitLatency
from bpmnd.actors.machine import Machine
from bpmnd.actors.messages import Answer, Reply, Submit, fail
from bpmnd.actors.pacing import Pacing
from bpmnd.actors.replies import together
from bpmnd.actors.sampling import sampled_rows
from bpmnd.actors.trailing import Trailing
from bpmnd.actors.watching import JobWatching
from bpmnd.bpmn.codec import CommandNote, encode_frame
from bpmnd.bpmn.commands import (
    NO_ORIGIN,
    ActivateJobs,
    Attributed,
    Command,
    Continue,
    FireDue,
    Origin,
    SampleState,
    asked_for,
)
from bpmnd.bpmn.engine import Engine
from bpmnd.bpmn.events import Event
from bpmnd.bpmn.outcomes import Accepted, JobsActivated

DUE_PER_TICK: Final = 100
_CONTINUATIONS_PER_TICK: Final = 4
_TERM_SHIFT: Final = 40
_WAITING_SLACK: Final = 1024


class _Pending:
    """What leaves the partition when everything up to `index` is committed.

    Without a frame of its own that is not enough: a deposed leader would not know. Then `read` is the request
    by which Raft confirms that this leadership went on after the decision; 0 if there is a frame.
    """

    __slots__ = ("answers", "commands", "index", "offered", "read", "sent", "size", "started")

    def __init__(
        self,
        commands: int,
        index: int,
        read: int,
        answers: list[Answer],
        offered: set[tuple[str, str]],
        sent: dict[int, int],
        size: int,
        started: float,
    ) -> None:
        self.commands = commands
        self.index = index
        self.read = read
        self.answers = answers
        self.offered = offered
        self.sent = sent
        """Receiver -> number of the last channel message that is in the outbox at `index`."""
        self.size = size
        self.started = started


@final
class Leadership:
    """What the leader of a partition does in one term."""

    def __init__(
        self,
        consensus: Consensus,
        machine: Machine,
        engine: Engine,
        channels: ChannelSender,
        checkpoints: Checkpoints,
        watching: JobWatching,
        counts: PartitionCounts,
        latency: CommitLatency,
        clock: Clock,
        log_clock: LogClock,
        scheduler: Scheduler,
        wake: Callable[[], None],
        small_frame: int,
    ) -> None:
        self.term: Final = consensus.raft.term
        self.uncommitted_bytes = 0
        self.tick_bytes = 0
        self._consensus = consensus
        self._raft = consensus.raft
        self._machine = machine
        self._state = machine.state
        self.engine: Final = engine
        self._channels = channels
        self._checkpoints = checkpoints
        self._watching = watching
        self._counts = counts
        self._latency = latency
        self._clock = clock
        self._log_clock = log_clock
        self._pacing = Pacing(clock, scheduler, wake, small_frame)
        self._trailing = Trailing(consensus.raft, clock, scheduler, wake)
        self._wake = wake
        self._now = 0
        self._began = 0.0
        self._decided = 0
        """Commands of this tick, and when the first was taken."""
        self._events: list[Event] = []
        self._notes: list[CommandNote] = []
        self._origins: list[tuple[int, Origin]] = []
        self._answers: list[Answer] = []
        self._offered: set[tuple[str, str]] = set()
        """(tenant, type) of jobs that may be lent since this tick."""
        self._pending: deque[_Pending] = deque()
        self._deciding: Reply | None = None
        self._waiting: dict[int, Reply] = {}
        self._waiting_max = _WAITING_SLACK
        self._to_sample: tuple[bytes, ...] = ()
        self._last_request = self.term << _TERM_SHIFT
        self._last_read = consensus.confirmed
        channels.committed(channels.last_numbers())

    @property
    def quiet(self) -> bool:
        return not self._pending

    def may_decide(self, waiting: int) -> bool:
        """Whether the next frame is begun by now, with so many commands waiting."""
        pending = self._pending
        return self._pacing.allows(len(pending), pending[-1].commands if pending else 0, waiting)

    @property
    def waiting_count(self) -> int:
        """Replies that a later command is to bring."""
        return len(self._waiting)

    @property
    def now(self) -> int:
        """Log time of this tick, epoch milliseconds."""
        if not self._now:
            self._now = self._log_clock.now_ms()
        return self._now

    def heed(self, command: ActivateJobs) -> None:
        """Somebody asks for jobs: if there are many, as many instances wait for it, and it does not wait."""
        pacing = self._pacing
        if not pacing.is_gathering:
            return
        enough = max(1, min(pacing.small_frame, command.jobs_max))
        for tenant in command.tenant_ids:
            if len(self._state.first_activatable(tenant, command.type, enough)) >= enough:
                pacing.hurry()
                return

    def submit(self, submit: Submit) -> None:
        """Decide a command; its answer waits for the commit."""
        reply = submit.reply
        if reply is not None and reply.done():
            return  # Given up by its client before anything was decided.
        self.tick_bytes += submit.size
        self._deciding = reply
        self._decide(submit.command, reply)
        self._deciding = None

    def confirm(self, reply: Reply) -> None:
        """Answer when it is certain that this leadership went on after now."""
        self._answers.append((reply, Accepted()))

    def next_due(self) -> int | None:
        """When something falls due next, in log time."""
        return self._state.next_due()

    def do_own_work(self, seconds_max: float) -> bool:
        """What nobody sends: timers and deadlines, and what earlier turns left over. True: there is more."""
        more = False
        due = self._state.next_due()
        if due is not None and due <= self.now:
            more = self._fire_due(seconds_max)
        continuations = self._state.continuations.items
        if continuations:
            started = self._clock.monotonic()
            for key in list(islice(continuations, _CONTINUATIONS_PER_TICK)):
                self._decide(Continue(key), None)
                if self._clock.monotonic() - started > seconds_max:
                    break
            more = more or bool(self._state.continuations.items)
        return more

    def sample(self, rows: tuple[bytes, ...]) -> None:
        """Have these rows compared between the replicas, at the end of the next frame."""
        self._to_sample = rows
        self._wake()

    def make_frame(self) -> None:
        """Propose what this tick has decided, and keep what waits for its commit."""
        if self._to_sample:
            sampled, self._to_sample = self._to_sample, ()
            self._decide(SampleState(sampled), None)
        commands = self._decided
        if commands:
            self._latency.decided(commands, self._clock.monotonic() - self._began)
            self._decided = 0
        if not self._events:
            self._machine.decided(self._raft.last_index)  # Raft's own entries change nothing here.
        if not (self._events or self._answers or self._offered):
            self._now = 0
            return
        started = self._clock.monotonic()
        size, read = 0, 0
        if self._events:
            payload = encode_frame(self.now, self._state.last_key, self._notes, self._events, self._origins)
            size = len(payload)
            pacing = self._pacing
            index = self._trailing.propose(payload, pacing.commit_seconds if pacing.is_busy else None)
            self._machine.decided(index)
            self.uncommitted_bytes += size
            rows = sampled_rows(self._events)
            if rows is not None:
                self._machine.sample(index, rows)
            if rows is None or len(self._events) > 1:
                self._checkpoints.grew(size)  # A sample changes nothing: nobody waits for more of them.
            self._events = []
            self._notes = []
            self._origins = []
        else:
            self._last_read = read = self._last_read + 1
            self._raft.read_index(read)
        sent = self._channels.last_numbers() if self._state.outbox.items else {}
        pending = _Pending(
            commands, self._raft.last_index, read, self._answers, self._offered, sent, size, started
        )
        self._pending.append(pending)
        self._answers = []
        self._offered = set()
        self._now = 0

    def release(self, committed: int, confirmed: int) -> None:
        """Send out what waited for the commit, in the order in which it was decided."""
        pending = self._pending
        while pending:
            first = pending[0]
            if first.index > committed or (first.read > confirmed and first.index == committed):
                return  # A later commit of this leadership would confirm it as well.
            pending.popleft()
            self.uncommitted_bytes -= first.size
            if first.size:
                seconds = self._clock.monotonic() - first.started
                self._latency.committed(seconds)
                if len(self._raft.progress()) > 1:
                    self._pacing.committed(first.commands, seconds)
                    self._trailing.committed(first.index)
            for reply, outcome in first.answers:
                if not reply.done():
                    reply.set_result(outcome)
            if first.offered:
                self._offer(first.offered)
            if first.sent:
                self._channels.committed(first.sent)

    def _offer(self, jobs: set[tuple[str, str]]) -> None:
        """Tell of jobs, unless a claim decided meanwhile has them: whoever came now would get nothing."""
        state = self._state
        self._watching.offered({kind for kind in jobs if state.first_activatable(*kind, 1)})

    def end(self, error: Exception) -> None:
        """The term is over, or the actor: whoever still waits for an answer hears why there is none."""
        self._trailing.close()
        for pending in self._pending:
            for reply, _ in pending.answers:
                fail(reply, error)
        for reply in self._waiting.values():
            fail(reply, error)
        for reply, _ in self._answers:
            fail(reply, error)
        if self._deciding is not None:
            fail(self._deciding, error)
        self._pending.clear()
        self._waiting.clear()
        self._answers.clear()

    def _decide(self, command: Command, reply: Reply | None) -> None:
        if not self._decided:
            self._began = self._clock.monotonic()
        self._decided += 1
        self._last_request += 1
        asked = asked_for(command)
        request = self._last_request
        decision = self.engine.decide(command, self.now, request)
        events = decision.events
        if events:
            self._events += events
            if isinstance(asked, Attributed) and asked.origin != NO_ORIGIN:
                self._origins.append((len(self._notes), asked.origin))
            self._notes.append((type(asked), getattr(asked, "key", 0), len(events)))
        if decision.outcome is None:
            if reply is not None:
                self._wait(decision.request, reply)
        elif reply is not None:
            self._answers.append((reply, decision.outcome))
        for earlier, outcome in decision.answers:
            waiting = self._waiting.pop(earlier, None)
            if waiting is not None:
                self._answers.append((waiting, outcome))
        if decision.offered:
            self._offered |= decision.offered
        if decision.notes:
            self._counts.note(decision.notes)
        if type(asked) is ActivateJobs:
            claimed = decision.outcome
            took_all = (
                type(claimed) is JobsActivated
                and not claimed.truncated
                and len(claimed.jobs) < asked.jobs_max
            )
            self._watching.claimed(asked.type, asked.tenant_ids if took_all else ())

    def _wait(self, request: int, reply: Reply) -> None:
        """Keep who is answered by a later command, and who has repeated it; whoever has given up is let go
        of now and then."""
        first = self._waiting.get(request)
        self._waiting[request] = reply if first is None else together(first, reply)
        if len(self._waiting) > self._waiting_max:
            self._waiting = {number: other for number, other in self._waiting.items() if not other.done()}
            self._waiting_max = 2 * len(self._waiting) + _WAITING_SLACK

    def _fire_due(self, seconds_max: float) -> bool:
        keys = self._state.due(self.now, DUE_PER_TICK)
        started = self._clock.monotonic()
        more = len(keys) == DUE_PER_TICK
        for key in keys:
            self._decide(FireDue(key), None)  # Nothing comes of it if one before has taken it away.
            if self._clock.monotonic() - started > seconds_max:
                more = True
                break
        assert self._state.due(self.now, 1) != keys[:1], f"{keys[0]} is due, but nothing came of it"
        return more
