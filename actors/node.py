"""A node: its replicas, each an actor under supervision, its gateway's way to all partitions, its peers."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from bpmnd.actors.channels import deliver_to
from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.clock import Clock, LogClock, Scheduler
from bpmnd.actors.disk_space import DiskSpace
from bpmnd.actors.founding import Founding, Introduction, Plans
from bpmnd.actors.hosted import HostedPartition, Surroundings
from bpmnd.actors.identity import Entropy, Identity
from bpmnd.actors.machine import Machine
from bpmnd.actors.messages import HandOver, LeaderLost, PartitionLimits
from bpmnd.actors.network import Network
from bpmnd.actors.partition import PartitionActor
from bpmnd.actors.peer_messages import (
    ChannelAcknowledgement,
    ChannelMessage,
    ClusterUpdate,
    CommandFailed,
    CommandGivenUp,
    CommandReply,
    CommandRequest,
    ForGroup,
    JobsAvailable,
    NodeStatus,
    PeerMessage,
    ReplicaStatus,
    SubscribeJobs,
    UnsubscribeJobs,
    decode_peer_message,
    encode_peer_message,
)
from bpmnd.actors.peers import Peers
from bpmnd.actors.replica import RaftMember, ReplicaFiles
from bpmnd.actors.requests import Requested, Requests
from bpmnd.actors.routing import RemoteGateway, RoutedPartition
from bpmnd.bpmn.commands import AcknowledgeChannel, ReceiveChannelMessage
from bpmnd.bpmn.engine import Engine
from bpmnd.bpmn.outcomes import Outcome, Rejected
from bpmnd.cluster.membership import ClusterState, PartitionPlan, node_of
from bpmnd.cluster.raft import Configuration, RaftSettings
from bpmnd.cluster.raft import Message as RaftMessage
from bpmnd.cluster.raft.messages import Heartbeat, HeartbeatReply
from bpmnd.storage.archive import ArchiveRetention
from bpmnd.storage.disk import Disk
from bpmnd.storage.partition import OpenStore
from bpmnd.storage.writer import Writer

_logger = logging.getLogger(__name__)
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


@final
class Node:
    """Opens, runs, restarts and stops the replicas of one process, and speaks for them with other nodes."""

    def __init__(
        self,
        settings: NodeSettings,
        identity: Identity,
        disk: Disk,
        open_store: OpenStore,
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
        self._open_store = open_store
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
        self._requested = Requested(network)
        self._founding = Founding(identity, settings.plans, entropy)
        self._gateways: dict[int, RemoteGateway] = {}
        self._surroundings = Surroundings(
            scheduler,
            clock,
            self._log_clock,
            self,
            new_future,
            self.disk_space,
            settings.limits,
            settings.checkpoints,
            settings.retention,
            self._engine,
            self.peers.tell,
            give_up,
        )

    # Life

    def start(self) -> None:
        """Begin: open the replicas of this node, or found or await a cluster first."""
        self.disk_space.watch()
        self.peers.start()
        for node, address in self.settings.plans.nodes.items():
            if node != self.identity.node:
                self._network.learn(node, address)
        if self.identity.cluster is not None:
            self._use(self.identity.cluster)
        else:
            self._found()

    @property
    def is_ready(self) -> bool:
        """Every partition has a leader that this node can reach."""
        return bool(self.partitions) and all(known.has_leader for known in self.partitions.values())

    @property
    def is_up(self) -> bool:
        """The node belongs to a cluster of several, and its own replicas have been opened."""
        cluster = self.identity.cluster
        is_open = all(hosted.actor is not None for hosted in self.hosted.values())
        return cluster is not None and len(cluster.members) > 1 and is_open

    def serves(self, host: str, port: int) -> None:
        """Clients are served there from now on."""
        self.http = (host, port)
        self.peers.tell()

    def hand_over(self) -> None:
        """The node is about to stop: let others lead."""
        for hosted in self.hosted.values():
            if hosted.actor is not None:
                hosted.actor.tell(HandOver())

    @property
    def is_quiet(self) -> bool:
        """Nothing under way in any partition."""
        return all(hosted.quiet for hosted in self.hosted.values())

    def stop(self) -> None:
        """Stop all replicas and close their files (blocking until what is queued is on disk)."""
        self._stopping = True
        self.peers.stop()
        self.disk_space.stop()
        for hosted in self.hosted.values():
            hosted.stop()

    # The cluster

    def _found(self) -> None:
        state = self._founding.found()
        if state is not None:
            _logger.info("founding cluster %s of %d nodes", state.cluster_id, len(state.members))
            self._learn(state)

    def _learn(self, state: ClusterState) -> None:
        """Take over a newer state of the cluster, and pass it on."""
        self.identity.note(state)
        self._use(state)
        update = encode_peer_message(ClusterUpdate(state))
        for node in self.peers.connected:
            self._network.send(node, update, True)
        self.peers.tell()

    def _use(self, state: ClusterState) -> None:
        self._network.introduce(state.cluster_id)
        for member in state.members:
            if member.node != self.identity.node:
                self._network.learn(member.node, member.peer_address)
        for plan in state.partitions:
            routed = self.partitions.get(plan.partition)
            if routed is None:
                routed = RoutedPartition(plan.partition, self.peers, self.requests, self._network)
                self.partitions[plan.partition] = routed
                self.routed.append(routed)
            if self.identity.node in plan.replicas and routed.hosted is None:
                routed.hosted = self._host(plan)

    def _host(self, plan: PartitionPlan) -> HostedPartition:
        rank = plan.replicas.index(self.identity.node)
        member = RaftMember(
            self.identity.member,
            lambda message: self._send_raft(plan.partition, message),
            self._entropy.below,
            RaftSettings(priority_ticks=rank * _PATIENCE_TICKS, announce_commits=False),
        )
        birth = Configuration(voters=tuple(sorted(plan.birth)))
        files = self._files(plan.partition)
        hosted = HostedPartition(plan.partition, files, member, birth, self._surroundings)
        self.hosted[plan.partition] = hosted
        hosted.open()
        return hosted

    def _files(self, partition_id: int) -> ReplicaFiles:
        return ReplicaFiles(
            self._disk,
            self.settings.directory / "partitions" / str(partition_id),
            self._writer,
            self._scheduler.post,
            self.settings.segment_size,
            self._open_store,
        )

    def _log_clock(self, last_time: int) -> LogClock:
        return LogClock(self._clock, last_time, self.peers.median_offset_ms)

    def _engine(self, machine: Machine) -> Engine:
        return Engine(machine.state, sorted(self.partitions))

    def status(self) -> NodeStatus:
        """How it stands here."""
        replicas = tuple(
            ReplicaStatus(hosted.id, hosted.actor.term, hosted.leads, hosted.actor.machine is not None)
            for hosted in self.hosted.values()
            if hosted.actor is not None
        )
        cluster = self.identity.cluster
        version = 0 if cluster is None else cluster.version
        return NodeStatus(self._clock.wall_ms(), version, *self.http, self.settings.version, replicas)

    # What the network tells

    def introduction(self) -> Introduction:
        return self.settings.plans.introduction()

    def admit(self, node: int, incarnation: int, cluster: str, introduction: Introduction) -> str | None:
        """Why another node is not welcome; None if it is."""
        own = self.identity.cluster
        if node == self.identity.node:
            return f"node {node} is here already"
        if own is None:
            if node not in self.settings.plans.nodes:
                return f"node {node} is not among the nodes of the cluster to be founded"
            return None if cluster else self._founding.disagreement(introduction)
        if cluster and cluster != own.cluster_id:
            return f"this is cluster {own.cluster_id}, not {cluster}"
        member = own.member(node)
        if member is None:
            return f"cluster {own.cluster_id} has no node {node}"
        if member.incarnation != incarnation:
            return f"node {node} of cluster {own.cluster_id} is another one: its disk was another"
        return None

    def connected(self, node: int, incarnation: int, cluster: str, introduction: Introduction) -> None:
        self.peers.arrived(node)
        if self.identity.cluster is None:
            self._founding.arrived(node, incarnation, cluster, introduction)
            self._found()
        elif not cluster:
            self._network.send(node, encode_peer_message(ClusterUpdate(self.identity.cluster)), True)

    def disconnected(self, node: int) -> None:
        self.peers.left(node)
        self._founding.left(node)
        self.requests.disconnected(node)
        self._requested.disconnected(node)
        gateway = self._gateways.pop(node, None)
        for hosted in self.hosted.values():
            if gateway is not None:
                hosted.forget_watcher(gateway)
            if hosted.actor is not None and node_of(hosted.actor.leader) == node:
                hosted.actor.tell(LeaderLost(hosted.actor.leader))

    def received(self, node: int, items: Iterable[bytes]) -> None:
        """Raises msgspec.DecodeError for what is no message of a node of this version."""
        for item in items:
            self._received(node, decode_peer_message(item), len(item))

    def _received(self, node: int, message: PeerMessage, size: int) -> None:
        match message:
            case ForGroup(group, raft_message):
                hosted = self.hosted.get(group)
                if hosted is not None and hosted.actor is not None:
                    hosted.actor.tell(raft_message, size=size)
            case CommandRequest():
                hosted = self.hosted.get(message.partition)
                self._requested.take(node, message, hosted.actor if hosted is not None else None)
            case CommandReply():
                self.requests.replied(node, message)
            case CommandFailed():
                self.requests.failed(node, message)
            case CommandGivenUp(number):
                self._requested.given_up(node, number)
            case SubscribeJobs(partition, job_type):
                if partition in self.hosted:
                    self.hosted[partition].subscribe_jobs(self._gateway(node), job_type)
            case UnsubscribeJobs(partition, job_type):
                if partition in self.hosted:
                    self.hosted[partition].unsubscribe_jobs(self._gateway(node), job_type)
            case JobsAvailable(partition, job_type):
                if partition in self.partitions:
                    for watcher in self.partitions[partition].watchers:
                        watcher.jobs_available(partition, job_type)
            case ChannelMessage():
                self._take_channel_message(node, message)
            case ChannelAcknowledgement(sender, receiver, number):
                self._acknowledge(sender, receiver, number)
            case NodeStatus():
                self.peers.told(node, message)
                self._compare(node, message)
            case ClusterUpdate(state):
                self._take_over(state)

    def _gateway(self, node: int) -> RemoteGateway:
        gateway = self._gateways.get(node)
        if gateway is None:
            gateway = self._gateways[node] = RemoteGateway(node, self._network)
        return gateway

    def _compare(self, node: int, status: NodeStatus) -> None:
        """Help a node that knows less of the cluster."""
        cluster = self.identity.cluster
        if cluster is not None and status.cluster_version < cluster.version:
            self._network.send(node, encode_peer_message(ClusterUpdate(cluster)), True)

    def _take_over(self, state: ClusterState) -> None:
        own = self.identity.cluster
        if own is None:
            member = state.member(self.identity.node)
            if member is not None and member.incarnation == self.identity.incarnation:
                self._learn(state)
        elif own.cluster_id == state.cluster_id and own.version < state.version:
            self._learn(state)

    def _send_raft(self, group: int, message: RaftMessage) -> None:
        control = isinstance(message, Heartbeat | HeartbeatReply)
        self._network.send(node_of(message.receiver), encode_peer_message(ForGroup(group, message)), control)

    # Channels between partitions

    def deliver(self, sender: int, receiver: int, number: int, payload: bytes) -> None:
        """Carry a channel message to the leader of its receiver, wherever that is."""
        to, back = self._leader_here(receiver), self._leader_here(sender)
        if to is not None and back is not None:
            deliver_to(to, back, number, payload)
            return
        leader = self.peers.leader_of(receiver)
        if leader is not None:
            message = ChannelMessage(sender, receiver, number, payload)
            self._network.send(leader[1], encode_peer_message(message))

    def _leader_here(self, partition: int) -> PartitionActor | None:
        hosted = self.hosted.get(partition)
        return hosted.actor if hosted is not None and hosted.leads else None

    def _take_channel_message(self, node: int, message: ChannelMessage) -> None:
        actor = self._leader_here(message.receiver)
        if actor is not None:
            acknowledgement = _AcknowledgementFor(self._network, node, message)
            command = ReceiveChannelMessage(message.sender, message.number, message.payload)
            actor.submit_internal(command, acknowledgement)

    def _acknowledge(self, sender: int, receiver: int, number: int) -> None:
        actor = self._leader_here(sender)
        if actor is not None:
            actor.submit_internal(AcknowledgeChannel(receiver, number))


@final
class _AcknowledgementFor:
    """Tells the node that sent a channel message that its receiver has it, committed."""

    def __init__(self, network: Network, node: int, message: ChannelMessage) -> None:
        self._network = network
        self._node = node
        self._message = message

    def done(self) -> bool:
        return False

    def set_result(self, outcome: Outcome, /) -> None:
        if not isinstance(outcome, Rejected):
            message = self._message
            acknowledgement = ChannelAcknowledgement(message.sender, message.receiver, message.number)
            self._network.send(self._node, encode_peer_message(acknowledgement))

    def set_exception(self, error: Exception, /) -> None:
        """The receiver stopped. The sender sends again until it is acknowledged."""
