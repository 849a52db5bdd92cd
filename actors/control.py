"""A node's part in the cluster: founding or joining it, knowing its state, having group 0 change it."""

import logging
from collections.abc import Callable, Iterator, Mapping
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
from bpmnd.cluster.operations import GroupReport, MoveNode, Refused, ReplaceNode, Request
from bpmnd.cluster.raft import Configuration
from bpmnd.storage.errors import DamageError
from bpmnd.storage.log import Appended, AppendFailed

_logger = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 1.0
_REPLACED_AFTER_SECONDS: Final = 2.0
"""So long an empty node of a member's id waits: if the member is alive after all, it connects meanwhile."""

Outcome = ClusterState | Refused


class Cluster(Protocol):
    """The node, as its control needs it."""

    def use(self, state: ClusterState) -> None:
        """Have the replicas, routes and connections that the state asks for."""

    def reports(self) -> dict[int, GroupReport]:
        """What the leaders of all groups say of them, as far as they are known."""
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
        self._asked: dict[int, tuple[int, Callable[[Outcome], None]]] = {}
        """Number -> the node that was asked, and who waits."""
        self._last_asked = 0
        self._applied_at: dict[int, float] = {}
        self._introduced: dict[int, tuple[int, Introduction]] = {}
        """What the nodes that are connected say of themselves, by incarnation."""
        self._addresses: dict[int, str] = {}
        """Where the network looks for other nodes."""
        self._strangers: set[int] = set()
        """Nodes that did not belong to the cluster when that was last looked at."""
        self._refusal = ""

    @property
    def state(self) -> ClusterState | None:
        return self.identity.cluster

    @property
    def is_member(self) -> bool:
        """It belongs to a cluster, or at least to none that has gone on without it."""
        own = self.state
        return own is None or own.knows(self.identity.node, self.identity.incarnation)

    def start(self) -> None:
        own = self.identity.cluster
        configured = self._founding.addresses()
        for node, address in configured.items():
            if own is None or (self.is_member and own.member(node) is not None):
                self._learn_address(node, address)
        if own is not None:
            # What the configuration says of addresses is newer than what was written down before the start.
            self._use(own, {one.node: one.peer_address for one in _all_of(own) if one.node in configured})
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
            return (
                f"this is cluster {own.cluster_id}, and the data directory of node {node} belongs to cluster"
                f" {cluster}: a node joins with an empty directory"
            )
        if not self.is_member:
            return f"node {self.identity.node} itself belongs to cluster {own.cluster_id} no more"
        if not cluster or own.knows(node, incarnation):
            present = self._peers.connected.get(node, incarnation)
            if present == incarnation or (cluster and not own.knows(node, present)):
                return None  # A member goes before an applicant of the same id.
            return (
                f"there is a node {node} that is connected, with another data directory: a new node needs an"
                " id of its own"
            )
        if own.member(node) is not None:
            return (
                f"node {node} of cluster {own.cluster_id} has another data directory now: this old one counts"
                " no more"
            )
        return (
            f"node {node} is no member of cluster {own.cluster_id} any more: to join again it needs an empty"
            " directory"
        )

    def connected(self, node: int, incarnation: int, cluster: str, introduction: Introduction) -> None:
        own = self.state
        self._introduced[node] = (incarnation, introduction)
        if own is None:
            self._founding.arrived(node, incarnation, cluster, introduction)
            self._found()
        elif not cluster and not own.knows(node, incarnation):
            self._applied_at[node] = self._clock.monotonic()
            self.applicants[node] = Member(node, incarnation, introduction.host, introduction.peer_address)
        elif not cluster:
            self._network.send(node, encode_peer_message(ClusterUpdate(own)), True)

    def disconnected(self, node: int) -> None:
        self._founding.left(node)
        self.applicants.pop(node, None)
        self._introduced.pop(node, None)
        for number, (asked, then) in list(self._asked.items()):
            if asked == node:
                del self._asked[number]
                then(Refused(f"node {node} is gone: whether the operation has begun is unknown"))

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
        self._asked[number] = (leader[1], then)

    def requested(self, node: int, request: ControlRequest) -> None:
        """Another node hands a request on."""

        def decided(outcome: Outcome) -> None:
            self._network.send(node, encode_peer_message(ControlReply(request.number, outcome)))

        if self.controller is not None and self.controller.leads:
            self.controller.tell(Change(request.request, _Reply(decided)))
        else:
            decided(Refused("the controller is led by another node; ask again"))

    def replied(self, reply: ControlReply) -> None:
        asked = self._asked.pop(reply.number, None)
        if asked is not None:
            asked[1](reply.outcome)

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
        before = self.identity.cluster
        known = {} if before is None else {one.node: one.peer_address for one in _all_of(before)}
        self.identity.note(state)
        self._use(state, known)
        update = encode_peer_message(ClusterUpdate(state))
        for node in self._peers.connected:
            member = state.member(node)
            if member is not None and member.incarnation == self._peers.connected[node]:
                self.applicants.pop(node, None)
            if node not in self.applicants:
                self._network.send(node, update, True)
        self._peers.tell()

    def _use(self, state: ClusterState, known: Mapping[int, str]) -> None:
        """`known` are the addresses of nodes that are not news."""
        self._network.introduce(state.cluster_id)
        if not self.is_member:
            _logger.warning(
                "node %d is no member of cluster %s any more: it can be stopped, its data directory deleted",
                self.identity.node,
                state.cluster_id,
            )
        else:
            for member in _all_of(state):
                if member.node != self.identity.node and known.get(member.node) != member.peer_address:
                    self._learn_address(member.node, member.peer_address)
        self._cluster.use(state)
        if self.is_member and (self.identity.node in state.controller.replicas or self._files.exists()):
            self._open_controller(state)

    def _learn_address(self, node: int, address: str) -> None:
        if address and node != self.identity.node and self._addresses.get(node) != address:
            self._addresses[node] = address
            self._network.learn(node, address)

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
        has_peers = any(node != self.identity.node for node in state.controller.held)

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
        report = controller.report() if controller.leads else None
        return ReplicaStatus(
            CONTROLLER_GROUP,
            controller.term,
            controller.leads,
            True,
            members=() if report is None else tuple(sorted(report.members)),
            is_settled=report is not None and report.is_settled,
        )

    # What is done without anybody asking

    def _look(self) -> None:
        if self._stopping:
            return
        state = self.state
        if state is not None:
            self._cluster.look_after(state)
            self._look_after_controller(state)
            self._forget_strangers(state)
            if self.controller is not None and self.controller.leads:
                wanted = next(self._wanted(state), None)
                if wanted is not None:
                    self.request(wanted, self._note_refusal)
        self._timer = self._scheduler.call_later(_LOOK_SECONDS, self._look)

    def _wanted(self, state: ClusterState) -> Iterator[Request]:
        """What the leader of group 0 asks for itself.

        A member that lost its disk came back with an empty one: it is given what it had. A member has moved:
        the others are told where to.
        """
        for applicant in self.applicants.values():
            waited = self._clock.monotonic() - self._applied_at[applicant.node]
            if state.member(applicant.node) is not None and waited >= _REPLACED_AFTER_SECONDS:
                yield ReplaceNode(applicant)
        own = (self.identity.incarnation, self._founding.introduction)
        for node, (incarnation, introduction) in {**self._introduced, self.identity.node: own}.items():
            member = state.known(node, incarnation)
            if member is not None and introduction.peer_address:
                moved = Member(node, incarnation, introduction.host, introduction.peer_address)
                if moved != member:
                    yield MoveNode(moved)

    def _note_refusal(self, outcome: Outcome) -> None:
        """Say it once, not each time that it is tried."""
        refusal = outcome.reason if isinstance(outcome, Refused) else ""
        if refusal and refusal != self._refusal:
            _logger.warning("a node that came back is not taken in as it is: %s", refusal)
        self._refusal = refusal

    def _look_after_controller(self, state: ClusterState) -> None:
        """Let go of the member of group 0 here once the group is elsewhere."""
        controller = self.controller
        if controller is None or controller.leads or self.identity.node in state.controller.replicas:
            return
        report = self._cluster.reports().get(CONTROLLER_GROUP)
        if not is_elsewhere(self.identity.member, report, is_member=self.is_member):
            return
        _logger.info("the controller is elsewhere now, and its member here removed")
        self.controller = None
        controller.stop()
        self._opening = True  # Not before it is gone.

        def work() -> None:
            controller.replica.log.log.close()
            self._files.remove()

        def done(_: None, error: BaseException | None) -> None:
            self._opening = False
            if error is not None:
                _logger.error("the member of the controller cannot be removed", exc_info=error)

        self._scheduler.run_blocking(work, done)

    def _forget_strangers(self, state: ClusterState) -> None:
        """Let go of nodes that are no members any more. They have had the time to hear of it."""
        if not self.is_member:
            gone = set(self._addresses) | set(self._peers.connected)
        else:
            known = {member.node for member in _all_of(state)} | set(self.applicants)
            gone = (set(self._addresses) | set(self._peers.connected)) - known
        for node in gone & self._strangers:
            self._addresses.pop(node, None)
            self._network.forget(node)
        self._strangers = gone


def is_elsewhere(member: int, report: GroupReport | None, *, is_member: bool) -> bool:
    """Whether a group has gone on without a member that is not to be in it.

    The cluster lets go of a node only when all groups have.
    """
    return not is_member or (report is not None and report.is_settled and member not in report.members)


def _all_of(state: ClusterState) -> tuple[Member, ...]:
    return (*state.members, *state.leaving)
