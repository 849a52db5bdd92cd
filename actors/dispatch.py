"""Brings what other nodes say to whom it concerns on this one."""

from collections.abc import Callable, Iterable, Mapping
from typing import final

from bpmnd.actors.carrying import ChannelCarrier
from bpmnd.actors.control import Control
from bpmnd.actors.history.service import History
from bpmnd.actors.hosted import HostedPartition
from bpmnd.actors.identity import Entropy, Identity
from bpmnd.actors.messages import HasInstalled, LeaderLost, PeerPosition
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
    ControlReply,
    ControlRequest,
    ForGroup,
    HistoryFailed,
    HistoryReply,
    HistoryRequest,
    InstallAnswer,
    InstallChunk,
    InstallDone,
    InstallEntries,
    InstallManifest,
    InstallRefused,
    InstallRequest,
    JobsAvailable,
    NodeStatus,
    PeerMessage,
    ReadEntries,
    ReadFile,
    RequestInstall,
    SubscribeJobs,
    UnsubscribeJobs,
    decode_peer_message,
    encode_peer_message,
)
from bpmnd.actors.peers import Peers
from bpmnd.actors.requests import Requested, Requests
from bpmnd.actors.routing import RemoteGateway, RoutedPartition
from bpmnd.actors.sampling import SampleTold
from bpmnd.cluster.membership import CONTROLLER_GROUP, member_id, node_of


@final
class Dispatch:
    """The end of the network on a node. `hosted` and `partitions` are those of the node, and change."""

    def __init__(
        self,
        identity: Identity,
        entropy: Entropy,
        network: Network,
        peers: Peers,
        hosted: Mapping[int, HostedPartition],
        partitions: Mapping[int, RoutedPartition],
        requests: Requests,
        channels: ChannelCarrier,
        control: Control,
        history: Callable[[], History | None],
        version: str,
    ) -> None:
        self._identity = identity
        self._entropy = entropy
        self._network = network
        self._peers = peers
        self._hosted = hosted
        self._partitions = partitions
        self._requests = requests
        self._requested = Requested(network)
        self._channels = channels
        self._control = control
        self._history = history
        self._version = version
        self._gateways: dict[int, RemoteGateway] = {}

    def disconnected(self, node: int) -> None:
        """What was asked of the node has no answer, what it asked for has nobody to be told, and whom it led
        need another leader."""
        self._requests.disconnected(node)
        self._requested.disconnected(node)
        history = self._history()
        if history is not None:
            history.disconnected(node)
        gateway = self._gateways.pop(node, None)
        for hosted in self._hosted.values():
            if gateway is not None:
                hosted.forget_watcher(gateway)
            actor = hosted.actor
            if actor is not None:
                for member in {actor.leader, actor.mending.source}:
                    if node_of(member) == node:
                        actor.tell(LeaderLost(member, self._campaign_after(hosted.id)))
        controller = self._control.controller
        if controller is not None and node_of(controller.leader) == node:
            controller.tell(LeaderLost(controller.leader, self._campaign_after(CONTROLLER_GROUP)))

    def _campaign_after(self, group: int) -> float:
        """Seconds; those who are to lead rather go first, and others not all at once."""
        cluster = self._identity.cluster
        plan = None if cluster is None else cluster.plan(group)
        nodes = () if plan is None else plan.replicas
        rank = nodes.index(self._identity.node) if self._identity.node in nodes else len(nodes)
        return 0.05 + 0.15 * rank + self._entropy.below(100) / 1000

    def received(self, node: int, items: Iterable[bytes]) -> None:
        """Raises msgspec.DecodeError for what is no message of a node of this version."""
        for item in items:
            self._received(node, decode_peer_message(item), len(item))

    def _received(self, node: int, message: PeerMessage, size: int) -> None:
        match message:
            case ForGroup(0, raft_message):
                if self._control.controller is not None:
                    self._control.controller.tell(raft_message, size=size)
            case ForGroup(group, raft_message):
                actor = self._actor(group)
                if actor is not None:
                    actor.tell(raft_message, size=size)
            case CommandRequest():
                self._requested.take(node, message, self._actor(message.partition))
            case CommandReply():
                self._requests.replied(node, message)
            case CommandFailed():
                self._requests.failed(node, message)
            case CommandGivenUp(number):
                self._requested.given_up(node, number)
            case SubscribeJobs(partition, job_type):
                if partition in self._hosted:
                    self._hosted[partition].subscribe_jobs(self._gateway(node), job_type, is_far=True)
            case UnsubscribeJobs(partition, job_type):
                if partition in self._hosted:
                    self._hosted[partition].unsubscribe_jobs(self._gateway(node), job_type)
            case JobsAvailable(partition, job_type):
                if partition in self._partitions:
                    for watcher in self._partitions[partition].watchers:
                        watcher.jobs_available(partition, job_type)
            case ChannelMessage():
                self._channels.arrived(node, message)
            case ChannelAcknowledgement():
                self._channels.acknowledged(message)
            case NodeStatus():
                self._peers.told(node, message)
                self._compare_logs(node, message)
                self._control.compare(node, message)
            case ClusterUpdate(state):
                self._control.take_over(state)
            case ControlRequest():
                self._control.requested(node, message)
            case ControlReply():
                self._control.replied(message)
            case RequestInstall() | ReadFile() | ReadEntries():
                self._serve(node, message)
            case InstallDone(partition):
                actor = self._actor(partition)
                if actor is not None:
                    actor.tell(HasInstalled(member_id(node, self._peers.connected[node])))
            case InstallManifest() | InstallChunk() | InstallEntries() | InstallRefused():
                actor = self._actor(message.partition)
                if actor is not None:
                    actor.tell(message, size=size)
            case HistoryRequest() | HistoryReply() | HistoryFailed():
                self._received_by_history(node, message)

    def _received_by_history(self, node: int, message: HistoryRequest | HistoryReply | HistoryFailed) -> None:
        history = self._history()
        if history is not None:
            history.received(node, message)
        elif isinstance(message, HistoryRequest):
            reason = f"node {self._identity.node} keeps no history"
            self._network.send(node, encode_peer_message(HistoryFailed(message.number, reason)))

    def _actor(self, partition: int) -> PartitionActor | None:
        """That of the replica on this node, if there is one and it is open."""
        hosted = self._hosted.get(partition)
        return None if hosted is None else hosted.actor

    def _gateway(self, node: int) -> RemoteGateway:
        gateway = self._gateways.get(node)
        if gateway is None:
            gateway = self._gateways[node] = RemoteGateway(node, self._network)
        return gateway

    def _compare_logs(self, node: int, status: NodeStatus) -> None:
        """What others have committed must be the same here, and what they make of it: if they are of the same
        version, which may keep things in another form."""
        member = member_id(node, self._peers.connected[node])
        for replica in status.replicas:
            actor = self._actor(replica.partition)
            if not replica.is_healthy or actor is None:
                continue
            if replica.index:
                actor.tell(PeerPosition(member, replica.leads, replica.index, replica.hash))
            if replica.sampled and status.version == self._version:
                actor.tell(SampleTold(member, replica.leads, replica.sampled, replica.digest))

    def _serve(self, node: int, request: InstallRequest) -> None:
        """Send pieces of a checkpoint, or say why not."""
        actor = self._actor(request.partition)
        if actor is None:
            reason = f"node {self._identity.node} has no replica of it now"
            self._network.send(node, encode_peer_message(InstallRefused(request.partition, reason)))
            return

        def answer(answer: InstallAnswer) -> None:
            self._network.send(node, encode_peer_message(answer))

        actor.serving.asked(request, answer)
