"""The partition actor: sole owner of one partition's state, log and Raft member on this node.

As leader it decides commands: a tick takes those that wait, lets the engine decide each in memory, and makes
one frame of what they caused, which Raft brings to the disk and to the other members while the next tick is
decided. As follower it applies what is committed, and so stands by. Answers, wake-ups and messages to other
partitions leave when their frame is committed, never before.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

from bpmnd.actors.admission import Admission, is_new_work
from bpmnd.actors.alarms import Alarms
from bpmnd.actors.archiving import Archiving
from bpmnd.actors.channels import Channels, ChannelSender
from bpmnd.actors.checkpoints import CheckpointPolicy, Checkpoints
from bpmnd.actors.clock import Clock, LogClock, Scheduler
from bpmnd.actors.counting import PartitionCounts
from bpmnd.actors.disk_space import DiskSpace
from bpmnd.actors.errors import NoLeader, OutcomeUnknown, Refused
from bpmnd.actors.installing import Installed
from bpmnd.actors.latency import CommitLatency
from bpmnd.actors.leading import Leadership
from bpmnd.actors.machine import Machine
from bpmnd.actors.mending import Mending
from bpmnd.actors.messages import (
    Campaign,
    CheckpointWritten,
    ClusterChanged,
    Confirm,
    DamageFound,
    HandOver,
    HasInstalled,
    LeaderLost,
    MachineLoaded,
    Message,
    PartitionLimits,
    PeerPosition,
    Reconcile,
    Reply,
    Submit,
    Tick,
    fail,
    size_of,
)
from bpmnd.actors.peer_messages import (
    InstallChunk,
    InstallDone,
    InstallEntries,
    InstallManifest,
    InstallRefused,
    InstallRequest,
)
from bpmnd.actors.reconciling import next_change, report_of, successor
from bpmnd.actors.replica import Replica
from bpmnd.actors.replies import Confirmation
from bpmnd.actors.runtime import Actor, LaneLimits
from bpmnd.actors.sampling import SampleChoice, SampleTold
from bpmnd.actors.serving import Serving
from bpmnd.actors.standby import Standby
from bpmnd.actors.watching import JobWatching
from bpmnd.bpmn.commands import ActivateJobs, ClientCommand, Command, GiveSlots, Supply
from bpmnd.bpmn.engine import Engine
from bpmnd.bpmn.outcomes import Outcome
from bpmnd.bpmn.state.slots import Phase
from bpmnd.cluster.operations import GroupReport
from bpmnd.cluster.raft import Role
from bpmnd.storage.errors import DamageError
from bpmnd.storage.log import Appended, AppendFailed

_logger = logging.getLogger(__name__)

DISK: Final = 0
ONGOING: Final = 1
NEW_WORK: Final = 2
_SECONDS_ALONE_MAX: Final = 0.004
_SECONDS_REPLICATED_MAX: Final = 0.008
"""Of a tick. What replicas have gathered is to be one frame: what is left over waits for one more commit."""
_KEPT_BYTES_MAX: Final = 1 << 30
"""So much log is kept for followers that lag behind."""
_HAND_OVER_LAG_MAX: Final = 100
"""Who lacks more entries is not handed over to: meanwhile nothing could be decided."""


@final
class PartitionActor(Actor[Message]):
    """One replica of a partition at work."""

    seconds_per_tick_max = _SECONDS_ALONE_MAX
    """What a frame costs by itself is that of some commands: it must be worth it."""

    def __init__(
        self,
        replica: Replica,
        know_peers: Callable[[Engine], None],
        scheduler: Scheduler,
        clock: Clock,
        log_clock: Callable[[int], LogClock],
        channels: Channels,
        new_future: Callable[[], asyncio.Future[Outcome]],
        *,
        limits: PartitionLimits | None = None,
        checkpoints: CheckpointPolicy | None = None,
        archiving: Archiving | None = None,
        disk_space: DiskSpace | None = None,
        leader_changed: Callable[[], None] = lambda: None,
        ask: Callable[[int, InstallRequest | InstallDone], None] = lambda member, request: None,
        has_peers: Callable[[], bool] = lambda: False,
        installed: Callable[[Installed], None] = lambda installed: None,
    ) -> None:
        limits = limits or PartitionLimits()
        # A message of Raft that finds its lane full is lost, as it may be on the way.
        disk_lane = LaneLimits(1 << 20, 1 << 30)
        super().__init__(
            f"partition-{replica.partition_id}",
            scheduler,
            clock,
            (disk_lane, limits.ongoing, limits.new_work),
        )
        self.replica = replica
        self.watching = JobWatching(replica.partition_id, scheduler, clock)
        self.counts = PartitionCounts()
        self.latency = CommitLatency(limits.commit_seconds_max)
        self._limits = limits
        self._know_peers = know_peers
        self._log_clock = log_clock
        self._channels = channels
        self._new_future = new_future
        self._archiving = archiving
        self._admission = Admission(self.id, self.latency, disk_space)
        self._leader_changed = leader_changed
        self.mending = Mending(replica, scheduler, ask, installed, self._contradicted, self.wake, has_peers)
        self._choice = SampleChoice(clock.monotonic)
        self._goal: frozenset[int] = frozenset()
        self.serving = Serving(replica, scheduler, self.found_damaged)
        self._consensus = replica.consensus
        self._raft = replica.consensus.raft
        self._log = replica.log
        self._standby = Standby(
            replica,
            checkpoints or CheckpointPolicy(),
            scheduler,
            clock,
            self.wake,
            self._loaded,
            self._checkpoint_written,
        )
        self._alarms = Alarms(
            scheduler,
            clock,
            self._raft.member,
            lambda: self.tell(Tick()),
            self._resend,
            self.wake,
        )
        self._leading: Leadership | None = None
        self._sender: ChannelSender | None = None
        self._seen_leader = (0, 0)
        self._was_able = False
        self._settled_term = self._raft.term
        self._settled_commit = self._raft.committed
        """Term and commit when the last tick ended."""

    # What others ask of it

    @property
    def id(self) -> int:
        return self.replica.partition_id

    @property
    def leads(self) -> bool:
        """It decides and answers: its term has a committed entry, and its memory is the fold of its log."""
        return self._leading is not None and self._raft.leads and not self.stopped

    @property
    def role(self) -> Role:
        return self._raft.role

    @property
    def term(self) -> int:
        return self._raft.term

    @property
    def leader(self) -> int:
        """The member that leads, as far as it is known; 0 if it is not."""
        return self._raft.leader

    @property
    def committed(self) -> int:
        """The last entry that is known to stand for good."""
        return self._raft.committed

    @property
    def machine(self) -> Machine | None:
        """What is applied here; None while it is built anew."""
        return self._standby.machine

    @property
    def sample(self) -> tuple[int, bytes]:
        """(index, digest) of the last look at the state that stands for good; (0, b"") if there was none."""
        seen = None if self.machine is None else self.machine.samples.newest(self._raft.committed)
        return seen or (0, b"")

    @property
    def checkpoints(self) -> Checkpoints:
        return self._standby.checkpoints

    @property
    def live(self) -> int:
        """Process instances that are under way."""
        machine = self.machine
        return 0 if machine is None else machine.state.started - machine.state.completed

    @property
    def quiet(self) -> bool:
        """Nothing is under way: the partition could stop without an open answer."""
        archiving = self._archiving is not None and self._archiving.busy
        answers = self._leading is not None and not self._leading.quiet
        return not (answers or any(self.queued()) or self.checkpoints.in_the_making or archiving)

    def start(self) -> None:
        """Take part in elections from now on."""
        self._alarms.start()

    def submit(self, command: ClientCommand) -> asyncio.Future[Outcome]:
        """Hand in a command; the future ends when its outcome is committed.

        Raises Refused when there is too much to do already, NoLeader when this is not the leader.
        """
        future = self._new_future()
        self.hand_in(command, future)
        return future

    def hand_in(self, command: ClientCommand, reply: Reply) -> None:
        """The same for a caller who has a reply of its own."""
        if not self.leads:
            raise NoLeader(f"partition {self.id} has no leader here")
        lane = ONGOING
        if is_new_work(command):
            lane = NEW_WORK
            queued = self._waiting_commands
            is_idle = not queued and (self._leading is None or self._leading.quiet)
            self._admission.check(queued, is_idle=is_idle)
        if type(command) is ActivateJobs and self._leading is not None:
            self._leading.heed(command)
        size = size_of(command)
        if not self.tell(Submit(command, reply, size), lane=lane, size=size):
            raise Refused(f"partition {self.id} has its mailbox full")

    def confirm(self, then: Callable[[bool], None]) -> None:
        """Tell `then`, once, whether a majority still takes this for the leader: if so, all that was
        acknowledged anywhere before this was asked is committed here."""
        reply = Confirmation(then)
        if not self.leads or not self.tell(Confirm(reply), lane=ONGOING):
            then(False)

    def submit_internal(self, command: Command, reply: Reply | None = None) -> None:
        """A command of another partition. It may get lost: whoever sends it sends it again."""
        if self.leads:
            self.tell(Submit(command, reply, size_of(command)), lane=ONGOING)

    def on_log(self, message: Appended | AppendFailed) -> None:
        """Completions of the log's writer; may come after the actor has stopped.

        What a leader has written itself nobody hears before a majority has it, too: that can mostly wait for
        the next tick. Whoever follows has only to answer.
        """
        if type(message) is AppendFailed or self._raft.role is Role.LEADER:
            self.tell(message)
        else:
            self.receive_now(message)
            if self._raft.has_ready:
                self.wake()

    def stop(self) -> None:
        """Stop at once. Whoever still waits for an answer hears that the outcome is unknown."""
        super().stop()
        if self._archiving is not None:
            self._archiving.close()
        self._alarms.stop()
        self.serving.close()
        self.mending.stop()
        self._end_leadership("stopped")

    @property
    def _waiting_commands(self) -> int:
        return len(self._lanes[NEW_WORK].messages) + len(self._lanes[ONGOING].messages)

    # The tick

    def accepts(self, lane: int) -> bool:
        if lane == DISK:
            return True
        leading = self._leading
        if leading is None or not self._raft.leads:
            return leading is None  # Without leadership all is taken, to be refused.
        return (
            self._raft.may_propose
            and leading.uncommitted_bytes < self._limits.uncommitted_bytes_max
            and leading.may_decide(self._waiting_commands)
        )

    @property
    def has_enough(self) -> bool:
        leading = self._leading
        return leading is not None and leading.tick_bytes >= self._limits.tick_bytes_max

    def is_urgent(self, message: Message) -> bool:
        return type(message) is not Appended or self._consensus.waits_for_own_disk

    def receive(self, message: Message) -> None:
        match message:
            case Submit():
                self._submit(message)
            case Appended():
                self._consensus.appended(message)
                self.mending.synced()
            case AppendFailed(error):
                raise error
            case Tick():
                self._raft.tick()
                is_alone = len(self._raft.configuration.members) == 1
                self.seconds_per_tick_max = _SECONDS_ALONE_MAX if is_alone else _SECONDS_REPLICATED_MAX
                self._reconcile()
                self.mending.compare(self.machine)
                if self._choice.rests:
                    self._sample(())
                if self.mending.is_in_the_way(self.clock.monotonic()):
                    self._hand_over(())
            case LeaderLost(member, seconds):
                if self._raft.leader == member:
                    self._raft.forget_leader()
                    self._alarms.once("campaign", seconds, lambda: self.tell(Campaign()))
                self.mending.lost(member)
            case Campaign():
                if not self._raft.leader:
                    self._raft.campaign()
            case InstallManifest() | InstallChunk() | InstallEntries() | InstallRefused():
                self.mending.received(message)
            case Reconcile(goal):
                self._goal = goal
            case Confirm(reply):
                if self._leading is None:
                    fail(reply, NoLeader(f"partition {self.id} lost its leadership"))
                else:
                    self._leading.confirm(reply)
            case ClusterChanged():
                if self._leading is not None:
                    self._know_peers(self._leading.engine)
            case HasInstalled(member):
                self._raft.report_snapshot(member, succeeded=True)
            case PeerPosition() | SampleTold():
                self.mending.told(message, self.clock.monotonic())
            case DamageFound(error, is_hidden=True):
                self.mending.found(error, self.clock.monotonic())
            case DamageFound(error):
                raise error
            case HandOver(to):
                self._hand_over(to)
            case CheckpointWritten(error):
                if error is not None:
                    raise error
                self._checkpoint_is_there()
            case MachineLoaded(machine, error):
                self._standby.use(machine, error)
            case raft_message:
                self._raft.step(raft_message)

    def dropped(self, message: Message) -> None:
        if isinstance(message, Submit | Confirm) and message.reply is not None:
            fail(message.reply, NoLeader(f"partition {self.id} stopped"))

    def settle(self) -> None:
        """Once a tick: see who leads, bring in what is due, make the frame, hand it to Raft, release what is
        committed."""
        raft, leading = self._raft, self._leading
        if raft.term != self._settled_term or raft.role is not Role.LEADER:
            if leading is not None:
                self._end_leadership("lost its leadership")
                leading = None
            # The commit as it was while it led is what tells: by now others may be committed there.
            self._standby.drop_beyond(self._settled_commit)
        if leading is None and raft.role is Role.LEADER:
            leading = self._lead()
        if leading is not None and raft.may_propose:
            if raft.leads and leading.may_decide(self._waiting_commands):
                if leading.do_own_work(self.seconds_per_tick_max):
                    self.wake()
                due = leading.next_due()
                if due is not None:
                    self._alarms.at_due(due, leading.now)
            leading.make_frame()
        self._consensus.pump()
        if leading is not None:
            leading.tick_bytes = 0
            leading.release(raft.committed, self._consensus.confirmed)
        elif raft.role is not Role.LEADER:
            self._standby.follow()
        self._standby.advance_checkpoint()
        self._settled_term, self._settled_commit = raft.term, raft.committed
        if (raft.term, raft.leader) != self._seen_leader or self._became_able():
            self._seen_leader = (raft.term, raft.leader)
            self._leader_changed()
        self.mending.settle()

    def _became_able(self) -> bool:
        """Whether answers may leave since this tick."""
        able = self.leads
        changed, self._was_able = able != self._was_able, able
        return changed

    def _submit(self, submit: Submit) -> None:
        if self._leading is None:
            if submit.reply is not None:
                fail(submit.reply, NoLeader(f"partition {self.id} lost its leadership"))
        else:
            self._leading.submit(submit)

    # Leading and following

    def _lead(self) -> Leadership | None:
        """A new leader applies its whole log, the uncommitted end too, and decides only on top of that."""
        self._consensus.pump()  # The first entry of the term goes into the log before what is decided.
        machine = self.machine
        if machine is None:
            self._standby.load()
            return None
        if not self._standby.catch_up(machine, self._raft.last_index):
            return None
        machine.lead()
        engine = Engine(machine.state, (self.id,), keep_ms=self._limits.idempotency_ms)
        self._know_peers(engine)
        channels = ChannelSender(self.id, machine.state, self._channels)
        self._sender = channels
        self._leading = Leadership(
            self._consensus,
            machine,
            engine,
            channels,
            self.checkpoints,
            self.watching,
            self.counts,
            self.latency,
            self.clock,
            self._log_clock(machine.state.last_time),
            self.scheduler,
            self.wake,
            self._limits.small_frame,
        )
        _logger.info("partition %d: leads in term %d from %d on", self.id, self.term, machine.applied)
        return self._leading

    def _end_leadership(self, what: str) -> None:
        leading, self._leading, self._sender = self._leading, None, None
        if leading is not None:
            _logger.info("partition %d: %s in term %d", self.id, what, leading.term)
            error = f"partition {self.id} {what} before the outcome was committed; it is unknown"
            leading.end(OutcomeUnknown(error))
            if self.machine is not None:
                self.machine.follow()

    def reconcile(self, goal: frozenset[int]) -> None:
        """As the leader, bring the group's configuration to who is to be in it, step by step."""
        if self.leads and goal != self._goal:
            self.tell(Reconcile(goal))

    def _reconcile(self) -> None:
        if self._leading is None:
            self._goal = frozenset()
            return
        change = next_change(self._raft, self._goal)
        if change is not None and isinstance(self._raft.propose_change(change), int):
            _logger.info("partition %d: %s", self.id, change)

    def report(self) -> GroupReport | None:
        """What the leader says of its group."""
        return report_of(self._raft) if self.leads else None

    def supply(self, partition: int, reply: Reply) -> None:
        """Have all that was deployed sent to a new partition."""
        self.submit_internal(Supply(partition), reply)

    def give_slots(self, move: GiveSlots) -> None:
        """Have slots go to another partition, unless they have gone. It may get lost."""
        machine = self.machine
        last = None if machine is None else machine.state.slots.outgoing
        if last is None or last.number < move.number:
            self.submit_internal(move)

    def finish_giving(self) -> None:
        """Have the last move out of here come to its end: nobody may ask for it any more. It may get lost."""
        machine = self.machine
        last = None if machine is None else machine.state.slots.outgoing
        if last is not None and last.phase is not Phase.ENDED:
            self.submit_internal(GiveSlots(last.number, last.to, last.slots))

    def is_acknowledged(self, partition: int) -> bool:
        """Nothing that was sent to another partition is still on its way."""
        machine = self.machine
        channel = None if machine is None else machine.state.outbox.items.get(partition)
        return channel is None or not channel.messages

    def is_projected(self, index: int) -> None:
        """A history has read all entries up to there."""
        if self._archiving is not None:
            self._archiving.projected = index

    def is_exported(self, exporter: str, index: int) -> None:
        """An exporter has acknowledged all entries up to there."""
        if self._archiving is not None:
            self._archiving.exported[exporter] = index

    @property
    def held(self) -> Mapping[str, float]:
        """Exporter -> which part is used of what the archive keeps longer for it; beyond 1 it loses some."""
        return {} if self._archiving is None else self._archiving.held

    # Damage, and copies of the checkpoint

    def found_damaged(self, error: DamageError) -> None:
        """What lies here and is seldom read is damaged: with peers the replica is rebuilt."""
        self.tell(DamageFound(error, is_hidden=True))

    def _contradicted(self, error: DamageError) -> None:
        self.tell(DamageFound(error))

    def _hand_over(self, to: tuple[int, ...]) -> None:
        """Ask another voter to lead, one that is there and lacks little."""
        raft = self._raft
        if raft.role is not Role.LEADER or not raft.may_propose:
            return
        best = successor(raft, to=to, lag_max=_HAND_OVER_LAG_MAX)
        if best:
            raft.transfer_leadership(best)

    # What waits for time or the disk

    def _resend(self) -> None:
        if self._sender is not None and self.leads:
            self._sender.again()

    def _loaded(self, machine: Machine | None, error: BaseException | None) -> None:
        self.tell(MachineLoaded(machine, error))

    def _checkpoint_written(self, error: BaseException | None) -> None:
        self.tell(CheckpointWritten(error))

    def _checkpoint_is_there(self) -> None:
        self._standby.checkpoint_is_there()
        self._sample(self.checkpoints.changed)
        position = self.replica.store.position()
        if position is not None:
            self._consensus.configurations.forget_before(position.index)
            if self._archiving is not None:
                self._archiving.up_to(min(position.index, self._needed_by_followers()))

    def _sample(self, changed: Sequence[bytes]) -> None:
        """As the leader of several: have some rows compared, those that have changed first."""
        leading, machine = self._leading, self.machine
        if leading is not None and machine is not None and len(self._raft.progress()) > 1:
            leading.sample(self._choice.choose(machine.state, changed))

    def _needed_by_followers(self) -> int:
        """Up to where the log may be let go of without anybody needing a whole checkpoint instead."""
        if self._leading is None or self._log.log.size_bytes > _KEPT_BYTES_MAX:
            return self._raft.committed
        return min(progress.match for progress in self._raft.progress().values())
