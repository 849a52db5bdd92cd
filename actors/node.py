"""A node: its replicas, each an actor under supervision, its gateway's way to all partitions, its peers."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from bpmnd.actors.balancing import Balancing
from bpmnd.actors.carrying import ChannelCarrier
from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.clock import Clock, LogClock, Scheduler
from bpmnd.actors.control import Control, is_elsewhere
from bpmnd.actors.disk_space import DiskSpace
from bpmnd.actors.dispatch import Dispatch
from bpmnd.actors.exporters.service import ExporterOnNode
from bpmnd.actors.founding import Founding, Introduction, Plans
from bpmnd.actors.history.service import History
from bpmnd.actors.hosted import HostedPartition, Surroundings
from bpmnd.actors.identity import Entropy, Identity
from bpmnd.actors.messages import (
    ClusterChanged,
    HandOver,
    PartitionLimits,
)
from bpmnd.actors.moving_slots import MovingSlots
from bpmnd.actors.network import Network
from bpmnd.actors.partition import PartitionActor
from bpmnd.actors.peer_messages import (
    ForGroup,
    InstallDone,
    InstallRequest,
    NodeStatus,
    ReplicaStatus,
    encode_peer_message,
)
from bpmnd.actors.peers import Peers
from bpmnd.actors.replica import RaftMember, ReplicaFiles
from bpmnd.actors.requests import Requests
from bpmnd.actors.routing import RoutedPartition
from bpmnd.actors.scrubbing import Scrubbing, ScrubPolicy
from bpmnd.actors.supplying import Supplying
from bpmnd.bpmn.commands import GiveSlots
from bpmnd.bpmn.engine import Engine
from bpmnd.bpmn.outcomes import Outcome
from bpmnd.bpmn.slots import SlotTable
from bpmnd.cluster.membership import CONTROLLER_GROUP, ClusterState, GroupPlan, node_of
from bpmnd.cluster.operations import GroupReport
from bpmnd.cluster.raft import Configuration, RaftSettings
from bpmnd.cluster.raft import Message as RaftMessage
from bpmnd.cluster.raft.messages import Heartbeat, HeartbeatReply
from bpmnd.storage.archive import ArchiveRetention
from bpmnd.storage.cold_store import Stores
from bpmnd.storage.disk import Disk
from bpmnd.storage.writer import Writer

_logger = logging.getLogger(__name__)
_CONTROLLER_SEGMENT_SIZE: Final = 1 << 20
_HEARTBEAT_TICKS: Final = 2
_PATIENCE_TICKS: Final = 5
"""So much longer a member waits before it stands for election, for each one that is to lead rather."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What a node is built with."""

    directory: Path
    plans: Plans
    segment_size: int = 64 << 20
    disk_free_min: int = 0
    """Below so many free bytes new work is refused."""
    retention: ArchiveRetention = field(default_factory=ArchiveRetention)
    checkpoints: CheckpointPolicy = field(default_factory=CheckpointPolicy)
    limits: PartitionLimits = field(default_factory=PartitionLimits)
    version: str = ""
    scrub: ScrubPolicy = field(default_factory=ScrubPolicy)


@final
class Node:
    """Opens, runs, restarts and stops the replicas of one process, and speaks for them with other nodes."""

    def __init__(
        self,
        settings: NodeSettings,
        identity: Identity,
        disk: Disk,
        stores: Stores,
        writer: Writer,
        scheduler: Scheduler,
        clock: Clock,
        entropy: Entropy,
        network: Network,
        new_future: Callable[[], asyncio.Future[Outcome]],
        give_up: Callable[[BaseException], None],
    ) -> None:
        self.settings = settings
        self.identity = identity
        self.http: tuple[str, int] = ("", 0)
        """Where this node serves its clients, once it does."""
        self._disk = disk
        self._stores = stores
        self._writer = writer
        self._scheduler = scheduler
        self._clock = clock
        self._entropy = entropy
        self._network = network
        self._stopping = False
        self.disk_space = DiskSpace(disk, settings.directory, settings.disk_free_min, scheduler)
        self.peers = Peers(network, self.status, scheduler, clock)
        self.requests = Requests(network, new_future)
        self.hosted: dict[int, HostedPartition] = {}
        self.partitions: dict[int, RoutedPartition] = {}
        self.routed: list[RoutedPartition] = []
        """The same, in order."""
        self.slots = SlotTable.even(1)
        """Which partition has the messages of a correlation key."""
        self.history: History | None = None
        """What answers queries here, if anything does."""
        self.exporters: Sequence[ExporterOnNode] = ()
        self.scrubbing = Scrubbing(self.hosted, settings.scrub, scheduler)
        self._balancing = Balancing(identity.node, self.peers)
        self._supplying = Supplying()
        self._moving = MovingSlots(self.peers.tell, self._move_slots, scheduler)
        self.channels = ChannelCarrier(self._led_here, self.peers, network)
        self.control = Control(
            identity,
            Founding(identity, settings.plans, entropy),
            self._files("controller", _CONTROLLER_SEGMENT_SIZE),
            lambda: self._member(CONTROLLER_GROUP, 0),
            self,
            self.peers,
            network,
            scheduler,
            clock,
            give_up,
        )
        self._dispatch = Dispatch(
            identity,
            entropy,
            network,
            self.peers,
            self.hosted,
            self.partitions,
            self.requests,
            self.channels,
            self.control,
            lambda: self.history,
            settings.version,
        )
        self._removing: set[int] = set()
        """Partitions of which a replica here is just being deleted."""
        self._surroundings = Surroundings(
            scheduler,
            clock,
            self._log_clock,
            self.channels,
            new_future,
            self.disk_space,
            settings.limits,
            settings.checkpoints,
            settings.retention,
            self._know_peers,
            self._ask_member,
            self.peers.tell,
            give_up,
        )

    # Life

    def start(self) -> None:
        """Begin: open the replicas of this node, or found or await a cluster first."""
        self.disk_space.watch()
        self.peers.start()
        self.control.start()
        self.scrubbing.start()

    @property
    def is_ready(self) -> bool:
        """Every partition has a leader that this node can reach."""
        return bool(self.partitions) and all(known.has_leader for known in self.partitions.values())

    @property
    def is_up(self) -> bool:
        """The node belongs to a cluster of several, and its own replicas have been opened."""
        cluster = self.identity.cluster
        is_open = all(hosted.actor is not None for hosted in self.hosted.values())
        return cluster is not None and self.control.is_member and len(cluster.members) > 1 and is_open

    def serves(self, host: str, port: int) -> None:
        """Clients are served there from now on."""
        self.http = (host, port)
        self.peers.tell()

    def hand_over(self) -> None:
        """The node is about to stop: let others lead."""
        for hosted in self.hosted.values():
            if hosted.actor is not None:
                hosted.actor.tell(HandOver())
        if self.control.controller is not None:
            self.control.controller.tell(HandOver())

    @property
    def is_quiet(self) -> bool:
        """Nothing under way in any partition."""
        return all(hosted.quiet for hosted in self.hosted.values())

    def stop(self) -> None:
        """Stop all replicas and close their files (blocking until what is queued is on disk)."""
        self._stopping = True
        self.scrubbing.stop()
        self.control.stop()
        self.peers.stop()
        self.disk_space.stop()
        for hosted in self.hosted.values():
            hosted.stop()

    # The cluster, as its control needs this node

    def use(self, state: ClusterState) -> None:
        """Have a route to every partition, and the replicas that are to be here."""
        self.slots = SlotTable.of_runs(state.version, state.slots, state.first_slots)
        for plan in state.partitions:
            routed = self.partitions.get(plan.group)
            if routed is None:
                routed = RoutedPartition(plan.group, self.peers, self.requests, self._network)
                self.partitions[plan.group] = routed
                self.routed.append(routed)
            routed.is_serving = plan.is_serving
        self._host_all(state)
        for hosted in self.hosted.values():
            if hosted.actor is not None:
                hosted.actor.tell(ClusterChanged())
        self._move_slots()

    def _host_all(self, state: ClusterState) -> None:
        """Open the replicas that are to be here, and those that are still here until they are elsewhere."""
        if not self.control.is_member:
            return
        for plan in state.partitions:
            if plan.group in self.hosted or plan.group in self._removing:
                continue
            files = self._files(f"partitions/{plan.group}", self.settings.segment_size)
            if self.identity.node in plan.replicas or files.exists():
                self.partitions[plan.group].hosted = self._host(plan, files)

    def _host(self, plan: GroupPlan, files: ReplicaFiles) -> HostedPartition:
        nodes = (*plan.replicas, self.identity.node)
        rank = nodes.index(self.identity.node)
        hosted = HostedPartition(
            plan.group,
            files,
            self._member(plan.group, rank),
            Configuration(voters=plan.birth),
            lambda: self._has_peers(plan.group),
            self._surroundings,
        )
        self.hosted[plan.group] = hosted
        hosted.open()
        return hosted

    def _member(self, group: int, rank: int) -> RaftMember:
        return RaftMember(
            self.identity.member,
            lambda message: self._send_raft(group, message),
            self._entropy.below,
            RaftSettings(
                heartbeat_ticks=_HEARTBEAT_TICKS,
                priority_ticks=rank * _PATIENCE_TICKS,
                announce_commits=False,
                appends_are_heartbeats=True,
            ),
        )

    def _has_peers(self, partition: int) -> bool:
        cluster = self.identity.cluster
        plan = None if cluster is None else cluster.plan(partition)
        return plan is not None and any(node != self.identity.node for node in plan.held)

    def _files(self, name: str, segment_size: int) -> ReplicaFiles:
        return ReplicaFiles(
            self._disk,
            self._stores,
            self.settings.directory / name,
            self._writer,
            self._scheduler.post,
            segment_size,
        )

    def _log_clock(self, last_time: int) -> LogClock:
        return LogClock(self._clock, last_time, self.peers.median_offset_ms)

    def _know_peers(self, engine: Engine) -> None:
        engine.know(sorted(self.partitions), self.slots)

    def reports(self) -> dict[int, GroupReport]:
        leading: dict[int, ReplicaStatus] = {}
        for status in (self.status(), *self.peers.statuses.values()):
            for replica in status.replicas:
                known = leading.get(replica.partition)
                if replica.leads and (known is None or known.term < replica.term):
                    leading[replica.partition] = replica
        supplied = leading[1].supplied if 1 in leading else ()
        return {
            partition: GroupReport(
                frozenset(replica.members), replica.is_settled, partition in supplied, replica.taken
            )
            for partition, replica in leading.items()
        }

    def look_after(self, state: ClusterState) -> None:
        """Bring the groups led here to their goals, and let go of replicas that are elsewhere now."""
        is_current = self._is_current(state)
        reports = self.reports()
        self._host_all(state)
        for hosted in list(self.hosted.values()):
            plan, actor = state.plan(hosted.id), hosted.actor
            if plan is None or actor is None:
                continue
            if actor.leads:
                actor.reconcile(state.goal(plan) if is_current else frozenset())
                if hosted.id == 1 and is_current:
                    self._supplying.supply(state, actor)
                if is_current:
                    self._balancing.look(state, plan, actor)
            elif self.identity.node not in plan.replicas and is_elsewhere(
                self.identity.member, reports.get(hosted.id), is_member=self.control.is_member
            ):
                self._remove(hosted)
        self._move_slots()

    def _move_slots(self) -> None:
        """Have the partitions led here begin what is to move, and say what has."""
        cluster = self.identity.cluster
        move = None if cluster is None else cluster.move
        if self._stopping:
            return
        for hosted in self.hosted.values():
            if hosted.actor is not None:
                hosted.actor.finish_giving()
        if move is not None:
            giver, taker = self._led_here(move.giver), self._led_here(move.to)
            if giver is not None:
                giver.give_slots(GiveSlots(move.number, move.to, move.slots))
            if taker is not None:
                self._moving.ask(taker, move.number)

    def _is_current(self, state: ClusterState) -> bool:
        """Nothing newer is agreed on: a goal that is over would undo what was done since."""
        controller = self.control.controller
        if controller is not None and controller.leads:
            return controller.state.version == state.version
        leader = self.peers.leader_of(CONTROLLER_GROUP)
        if leader is None or leader[1] not in self.peers.statuses:
            return False
        return self.peers.statuses[leader[1]].cluster_version == state.version

    def _remove(self, hosted: HostedPartition) -> None:
        _logger.info("partition %d: is elsewhere now, and removed here", hosted.id)
        del self.hosted[hosted.id]
        self.partitions[hosted.id].hosted = None
        self._removing.add(hosted.id)
        hosted.remove(lambda: self._removing.discard(hosted.id))

    def status(self) -> NodeStatus:
        """How it stands here."""
        replicas = [
            self._status_of(hosted.id, hosted.actor)
            for hosted in self.hosted.values()
            if hosted.actor is not None
        ]
        controller = self.control.status()
        if controller is not None:
            replicas.append(controller)
        cluster = self.identity.cluster
        version = 0 if cluster is None else cluster.version
        return NodeStatus(self._clock.wall_ms(), version, *self.http, self.settings.version, tuple(replicas))

    def _status_of(self, partition: int, actor: PartitionActor) -> ReplicaStatus:
        mending = actor.mending
        is_healthy = actor.machine is not None and not mending.is_damaged and mending.progress is None
        position = mending.position()
        report = actor.report()
        supplied: tuple[int, ...] = ()
        if partition == 1 and report is not None:
            supplied = self._supplying.supplied(actor)
        return ReplicaStatus(
            partition,
            actor.term,
            actor.leads,
            is_healthy,
            0 if position is None else position.index,
            b"" if position is None else position.hash,
            () if report is None else tuple(sorted(report.members)),
            report is not None and report.is_settled,
            supplied,
            actor.live,
            mending.progress or "",
            *actor.sample,
            self._moving.taken(partition),
        )

    # What the network tells

    def introduction(self) -> Introduction:
        return self.settings.plans.introduction()

    def admit(self, node: int, incarnation: int, cluster: str, introduction: Introduction) -> str | None:
        """Why another node is not welcome; None if it is."""
        return self.control.admit(node, incarnation, cluster, introduction)

    def connected(self, node: int, incarnation: int, cluster: str, introduction: Introduction) -> None:
        self.peers.arrived(node, incarnation)
        self.control.connected(node, incarnation, cluster, introduction)

    def disconnected(self, node: int) -> None:
        self.peers.left(node)
        self.control.disconnected(node)
        self._dispatch.disconnected(node)

    def received(self, node: int, items: Iterable[bytes]) -> None:
        """Raises msgspec.DecodeError for what is no message of a node of this version."""
        self._dispatch.received(node, items)

    # What the partitions here tell others

    def _send_raft(self, group: int, message: RaftMessage) -> None:
        control = isinstance(message, Heartbeat | HeartbeatReply)
        self._network.send(node_of(message.receiver), encode_peer_message(ForGroup(group, message)), control)

    def _ask_member(self, member: int, request: InstallRequest | InstallDone) -> None:
        self._network.send(node_of(member), encode_peer_message(request))

    def _led_here(self, partition: int) -> PartitionActor | None:
        hosted = self.hosted.get(partition)
        return hosted.actor if hosted is not None and hosted.leads else None
