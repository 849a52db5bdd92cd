"""The controller: group 0, which agrees on the cluster's state. Its log holds one whole state an entry.

The log is short and kept whole, so there is no checkpoint: a member that comes back or comes new reads it
from the beginning.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias, final

from bpmnd.actors.clock import Clock, Scheduler, Timer
from bpmnd.actors.consensus import Configurations, Consensus
from bpmnd.actors.entry_log import EntryLog, raft_state
from bpmnd.actors.messages import Campaign, HandOver, LeaderLost, Tick
from bpmnd.actors.reconciling import next_change, report_of, successor
from bpmnd.actors.replica import RaftMember, ReplicaFiles
from bpmnd.actors.runtime import Actor, LaneLimits
from bpmnd.actors.ticking import until_next_tick
from bpmnd.cluster.membership import ClusterState
from bpmnd.cluster.operations import GroupReport, Refused, Request, advanced, decide
from bpmnd.cluster.raft import Configuration, Entry, EntryKind, Raft, Role, Snapshot
from bpmnd.cluster.raft import Message as RaftMessage
from bpmnd.storage.layout import LOG
from bpmnd.storage.log import Appended, AppendFailed, Log

_logger = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.5
_LANE: Final = LaneLimits(10_000, 64 << 20)


class RequestReply(Protocol):
    """Who waits for a change to begin."""

    def decided(self, outcome: ClusterState | Refused) -> None: ...


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants of the cluster."""

    request: Request
    reply: RequestReply


ControllerMessage: TypeAlias = (
    Appended | AppendFailed | Tick | RaftMessage | LeaderLost | Campaign | HandOver | Change
)


@final
class ControllerStorage:
    """The log of the controller, as its Raft member reads it."""

    def __init__(self, log: EntryLog) -> None:
        self._log = log

    @property
    def first_index(self) -> int:
        return self._log.first_index

    @property
    def last_index(self) -> int:
        return self._log.last_index

    def term_at(self, index: int) -> int | None:
        return self._log.term_at(index)

    def entries(self, start: int, stop: int, bytes_max: int) -> tuple[Entry, ...]:
        return tuple(self._log.entries(start, stop, bytes_max))

    def snapshot_position(self) -> Snapshot | None:
        return None


@final
@dataclass(frozen=True, slots=True)
class ControllerReplica:
    files: ReplicaFiles
    log: EntryLog
    consensus: Consensus


def open_controller(
    files: ReplicaFiles,
    member: RaftMember,
    birth: Configuration,
    then: Callable[[Appended | AppendFailed], None],
) -> ControllerReplica:
    """Open or create the log of group 0 (blocking). Raises StorageError."""
    if not files.exists():
        files.create(birth)
    log = Log.open(
        files.disk,
        files.directory / LOG,
        writer=files.writer,
        post=files.post,
        then=then,
        segment_size=files.segment_size,
    )
    entry_log = EntryLog(log)
    kinds = [(entry.index, entry.kind) for entry in log.entries(1)]
    changes = deque(index for index, kind in kinds if kind == EntryKind.CONFIGURATION)
    claim = files.claim()
    raft = Raft(
        member.id,
        ControllerStorage(entry_log),
        birth,
        hard_state=raft_state(log.hard_state),
        committed=0,
        settings=member.settings,
        random=member.random,
        claim=claim,
    )
    if claim is not None and not raft.damaged:
        files.forget_claim()
    raft.learn_commit(files.committed())
    consensus = Consensus(
        raft, entry_log, Configurations(0, birth), changes, member.send, files.keep_committed
    )
    return ControllerReplica(files, entry_log, consensus)


@final
class ControllerActor(Actor[ControllerMessage]):
    """One member of group 0. The one that leads takes requests, and sees operations to their end."""

    def __init__(
        self,
        replica: ControllerReplica,
        founded: ClusterState,
        reports: Callable[[], Mapping[int, GroupReport]],
        learned: Callable[[ClusterState], None],
        leader_changed: Callable[[], None],
        scheduler: Scheduler,
        clock: Clock,
    ) -> None:
        super().__init__("controller", scheduler, clock, (_LANE,))
        self.replica = replica
        self.state = founded
        """The newest that is committed."""
        self._reports = reports
        self._learned = learned
        self._leader_changed = leader_changed
        self._consensus = replica.consensus
        self._raft = replica.consensus.raft
        self._applied = 0
        self._waiting: list[tuple[int, RequestReply]] = []
        self._seen_leader = (0, 0, False)
        self._tick_timer: Timer | None = None
        self._looked_at = 0.0

    @property
    def leads(self) -> bool:
        """It may decide: all that was agreed on is known here."""
        return self._raft.leads and self._applied == self._raft.committed and not self.stopped

    @property
    def term(self) -> int:
        return self._raft.term

    @property
    def leader(self) -> int:
        return self._raft.leader

    @property
    def quiet(self) -> bool:
        return not self._waiting

    def start(self) -> None:
        if not self.stopped:
            self.tell(Tick())
            delay = until_next_tick(self.clock.monotonic(), self._raft.member)
            self._tick_timer = self.scheduler.call_later(delay, self.start)

    def on_log(self, message: Appended | AppendFailed) -> None:
        self.tell(message)

    def stop(self) -> None:
        super().stop()
        if self._tick_timer is not None:
            self._tick_timer.cancel()
        self._give_up_waiting("the controller stopped")

    def report(self) -> GroupReport:
        """What its leader says of group 0."""
        return report_of(self._raft)

    def receive(self, message: ControllerMessage) -> None:
        match message:
            case Appended():
                self._consensus.appended(message)
            case AppendFailed(error):
                raise error
            case Tick():
                self._raft.tick()
            case LeaderLost(member, seconds):
                if self._raft.leader == member:
                    self._raft.forget_leader()
                    self.scheduler.call_later(seconds, self.tell, Campaign())
            case Campaign():
                if not self._raft.leader:
                    self._raft.campaign()
            case HandOver():
                self._hand_over()
            case Change(request, reply):
                self._decide(request, reply)
            case raft_message:
                self._raft.step(raft_message)

    def dropped(self, message: ControllerMessage) -> None:
        if isinstance(message, Change):
            message.reply.decided(Refused("the controller stopped"))

    def settle(self) -> None:
        raft = self._raft
        self._consensus.pump()
        self._apply()
        if raft.role is not Role.LEADER:
            self._give_up_waiting("the controller lost its leadership")
        elif self.leads and self.clock.monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = self.clock.monotonic()
            self._look()
            self._consensus.pump()
        seen = (raft.term, raft.leader, self.leads)
        if seen != self._seen_leader:
            self._seen_leader = seen
            self._leader_changed()

    def _apply(self) -> None:
        """Only what is committed and on the disk here: so a state that others were told never goes back."""
        last = min(self._raft.committed, self.replica.log.log.synced_index)
        before = self.state.version
        while self._applied < last:
            for entry in self.replica.log.entries(self._applied + 1, last + 1, 1 << 20):
                if entry.kind is EntryKind.COMMAND:
                    self.state = ClusterState.from_bytes(entry.payload)
                self._applied = entry.index
        if self.state.version > before:
            self._learned(self.state)
        while self._waiting and self._waiting[0][0] <= self._applied:
            _, reply = self._waiting.pop(0)
            reply.decided(self.state)

    def _decide(self, request: Request, reply: RequestReply) -> None:
        if not self.leads or not self._raft.may_propose:
            reply.decided(Refused("the controller has no leader here; ask again"))
            return
        if self._raft.last_index != self._applied:
            reply.decided(Refused("another change is just being decided; ask again"))
            return
        outcome = decide(self.state, request)
        if isinstance(outcome, Refused):
            reply.decided(outcome)
            return
        _logger.info("cluster state %d: %s", outcome.version, request)
        self._waiting.append((self._raft.propose(outcome.to_bytes()), reply))

    def _look(self) -> None:
        """Go on with what is under way."""
        if self._raft.last_index != self._applied or not self._raft.may_propose:
            return
        reports = dict(self._reports())
        reports[self.state.controller.group] = self.report()
        following = advanced(self.state, reports)
        if following is not None:
            ended = following.operation is None and self.state.operation is not None
            what = f"{following.finished[-1].kind} has ended" if ended else _news(self.state, following)
            _logger.info("cluster state %d: %s", following.version, what)
            self._raft.propose(following.to_bytes())
            return
        change = next_change(self._raft, self.state.goal(self.state.controller))
        if change is not None:
            self._raft.propose_change(change)

    def _hand_over(self) -> None:
        raft = self._raft
        if raft.role is Role.LEADER and raft.may_propose and (to := successor(raft, lag_max=0)):
            raft.transfer_leadership(to)

    def _give_up_waiting(self, reason: str) -> None:
        for _, reply in self._waiting:
            reply.decided(Refused(f"{reason}: whether the operation has begun is unknown"))
        self._waiting.clear()


def _news(before: ClusterState, after: ClusterState) -> str:
    if after.partitions != before.partitions:
        return "new partitions serve"
    if after.move is None:
        return f"move {before.moves} of slots has ended"
    return f"move {after.move.number} of slots begins, from partition {after.move.giver} to {after.move.to}"
