"""A node's part in the cluster: founding or joining it, knowing its state, having group 0 change it."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, final

from bpmnd.actors.clock import Clock, Scheduler, Timer
from bpmnd.actors.controller import Change, ControllerActor, ControllerReplica, open_controller
from bpmnd.actors.founding import Founding, Introduction
from bpmnd.actors.identity import Identity
from bpmnd.actors.network import Network
from bpmnd.actors.peer_messages import (
    ClusterUpdate,
    ControlReply,
    ControlRequest,
    NodeStatus,
    ReplicaStatus,
    encode_peer_message,
)
from bpmnd.actors.peers import Peers
from bpmnd.actors.replica import RaftMember, ReplicaFiles
from bpmnd.cluster.membership import CONTROLLER_GROUP, ClusterState, Member
from bpmnd.cluster.operations import GroupReport, Refused, ReplaceNode, Request
from bpmnd.cluster.raft import Configuration
from bpmnd.storage.errors import DamageError
from bpmnd.storage.log import Appended, AppendFailed

_logger = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 1.0

Outcome = ClusterState | Refused


class Cluster(Protocol):
    """The node, as its control needs it."""

    def use(self, state: ClusterState) -> None:
        """Have the replicas, routes and connections that the state asks for."""

    def reports(self) -> dict[int, GroupReport]:
        """What the leaders of all partitions say of their groups, as far as they are known."""
        ...

    def look_after(self, state: ClusterState) -> None:
        """Once a second: bring the groups that are led here on their way."""


@final
@dataclass(frozen=True, slots=True)
class _Reply:
    """Somebody waits for the outcome of a request, here or on another node."""

    then: Callable[[Outcome], None]

    def decided(self, outcome: Outcome) -> None:
        self.then(outcome)


@final
class Control:
    """Owns the identity of the node and its member of group 0, if it has one."""

    def __init__(
        self,
        identity: Identity,
        founding: Founding,
        files: ReplicaFiles,
        member: Callable[[], RaftMember],
        cluster: Cluster,
        peers: Peers,
        network: Network,
        scheduler: Scheduler,
        clock: Clock,
        give_up: Callable[[BaseException], None],
    ) -> None:
        self.identity: Final = identity
        self.applicants: dict[int, Member] = {}
        """Nodes that belong to no cluster and are connected: they may be added."""
        self.controller: ControllerActor | None = None
        self._founding = founding
        self._files = files
        self._member = member
        self._cluster = cluster
        self._peers = peers
        self._network = network
        self._scheduler = scheduler
        self._clock = clock
        self._give_up = give_up
        self._opening = False
        self._stopping = False
        self._timer: Timer | None = None
        self._asked: dict[int, Callable[[Outcome], None]] = {}
        self._last_asked = 0

    @property
    def state(self) -> ClusterState | None:
        return self.identity.cluster

    def start(self) -> None:
        if self.identity.cluster is not None:
            self._use(self.identity.cluster)
        else:
            self._found()
        self._look()

    def stop(self) -> None:
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        controller, self.controller = self.controller, None
        if controller is not None:
            controller.stop()
            controller.replica.log.log.close()

    # Other nodes

    def admit(self, node: int, incarnation: int, cluster: str, introduction: Introduction) -> str | None:
        """Why another node is not welcome; None if it is. Who belongs to no cluster may introduce itself."""
        own = self.state
        if node == self.identity.node:
            return f"node {node} is here already"
        if own is None:
            return None if cluster else self._founding.disagreement(node, introduction)
        if cluster and cluster != own.cluster_id:
            return f"this is cluster {own.cluster_id}, not {cluster}"
        if not cluster or own.knows(node, incarnation):
            present = self._peers.connected.get(node, incarnation)
            return None if present == incarnation else f"node {node} is connected as another incarnation"
        if own.member(node) is not None:
            return f"node {node} of cluster {own.cluster_id} is another one: its disk was another"
        return f"cluster {own.cluster_id} has no node {node}"

    def connected(self, node: int, incarnation: int, cluster: str, introduction: Introduction) -> None:
        own = self.state
        if own is None:
            self._founding.arrived(node, incarnation, cluster, introduction)
            self._found()
        elif not cluster and not own.knows(node, incarnation):
            self.applicants[node] = Member(node, incarnation, introduction.host, introduction.peer_address)
        elif not cluster:
            self._network.send(node, encode_peer_message(ClusterUpdate(own)), True)

    def disconnected(self, node: int) -> None:
        self._founding.left(node)
        self.applicants.pop(node, None)

    def compare(self, node: int, status: NodeStatus) -> None:
        """Help a member that knows less of the cluster."""
        own = self.state
        if own is not None and status.cluster_version < own.version and node not in self.applicants:
            self._network.send(node, encode_peer_message(ClusterUpdate(own)), True)

    def take_over(self, state: ClusterState) -> None:
        """Another node knows more of the cluster, or that this one is in it."""
        own = self.state
        if own is None:
            if state.knows(self.identity.node, self.identity.incarnation):
                self._learn(state)
        elif own.cluster_id == state.cluster_id and own.version < state.version:
            self._learn(state)

    # Requests

    def request(self, request: Request, then: Callable[[Outcome], None]) -> None:
        """Have group 0 begin an operation; `then` is told once that is committed, or why not."""
        if self.controller is not None and self.controller.leads:
            self.controller.tell(Change(request, _Reply(then)))
            return
        leader = self._peers.leader_of(CONTROLLER_GROUP)
        self._last_asked = number = self._last_asked + 1
        item = encode_peer_message(ControlRequest(number, request))
        if leader is None or not self._network.send(leader[1], item):
            then(Refused("the controller has no leader that can be reached; ask again"))
            return
        self._asked[number] = then

    def requested(self, node: int, request: ControlRequest) -> None:
        """Another node hands a request on."""

        def decided(outcome: Outcome) -> None:
            self._network.send(node, encode_peer_message(ControlReply(request.number, outcome)))

        if self.controller is not None and self.controller.leads:
            self.controller.tell(Change(request.request, _Reply(decided)))
        else:
            decided(Refused("the controller is led by another node; ask again"))

    def replied(self, reply: ControlReply) -> None:
        then = self._asked.pop(reply.number, None)
        if then is not None:
            then(reply.outcome)

    # The state

    def _found(self) -> None:
        state = self._founding.found()
        if state is not None:
            _logger.info("founding cluster %s of %d nodes", state.cluster_id, len(state.members))
            self._learn(state)

    def _learn(self, state: ClusterState) -> None:
        """Take over a newer state of the cluster, and pass it on."""
        if self.identity.cluster is not None and state.version <= self.identity.cluster.version:
            return
        self.identity.note(state)
        self._use(state)
        update = encode_peer_message(ClusterUpdate(state))
        for node in self._peers.connected:
            member = state.member(node)
            if member is not None and member.incarnation == self._peers.connected[node]:
                self.applicants.pop(node, None)
            if node not in self.applicants:
                self._network.send(node, update, True)
        self._peers.tell()

    def _use(self, state: ClusterState) -> None:
        self._network.introduce(state.cluster_id)
        for member in state.members:
            if member.node != self.identity.node:
                self._network.learn(member.node, member.peer_address)
        self._cluster.use(state)
        if self.identity.node in state.controller.replicas:
            self._open_controller(state)

    def _open_controller(self, state: ClusterState) -> None:
        if self.controller is not None or self._opening:
            return
        self._opening = True
        box: list[ControllerActor] = []
        early: list[Appended | AppendFailed] = []

        def on_log(message: Appended | AppendFailed) -> None:
            if box:
                box[0].on_log(message)
            else:
                early.append(message)

        birth = Configuration(voters=state.controller.birth)
        has_peers = len(state.controller.replicas) > 1

        def work() -> ControllerReplica:
            try:
                return open_controller(self._files, self._member(), birth, on_log)
            except DamageError as error:
                if not has_peers:
                    raise
                _logger.error("the controller's log is damaged, and rebuilt from its peers: %s", error)
            self._files.set_aside()
            return open_controller(self._files, self._member(), birth, on_log)

        def opened(replica: ControllerReplica | None, error: BaseException | None) -> None:
            self._opening = False
            if replica is None:
                self._give_up(error or AssertionError("neither a replica nor an error"))
                return
            if self._stopping:
                replica.log.log.close()
                return
            newest = self.identity.cluster or state
            actor = ControllerActor(
                replica,
                newest,
                self._cluster.reports,
                self._learn,
                self._peers.tell,
                self._scheduler,
                self._clock,
            )
            actor.supervise(self._give_up)
            box.append(actor)
            for message in early:
                actor.on_log(message)
            self.controller = actor
            actor.start()

        self._scheduler.run_blocking(work, opened)

    def status(self) -> ReplicaStatus | None:
        """Of the member of group 0 here."""
        controller = self.controller
        if controller is None:
            return None
        return ReplicaStatus(CONTROLLER_GROUP, controller.term, controller.leads, True)

    # What is done without anybody asking

    def _look(self) -> None:
        if self._stopping:
            return
        state = self.state
        if state is not None:
            self._cluster.look_after(state)
            if self.controller is not None and self.controller.leads:
                self._replace(state, self.applicants)
        self._timer = self._scheduler.call_later(_LOOK_SECONDS, self._look)

    def _replace(self, state: ClusterState, applicants: Mapping[int, Member]) -> None:
        """A member that lost its disk came back with an empty one: it is given what it had."""
        if state.operation is not None:
            return
        for member in applicants.values():
            if state.member(member.node) is not None:
                self.request(ReplaceNode(member), _log_refusal)
                return


def _log_refusal(outcome: Outcome) -> None:
    if isinstance(outcome, Refused):
        _logger.warning("a node with an empty disk is not taken in: %s", outcome.reason)
