"""Who belongs to a cluster, and which node is to hold which partition: the state that group 0 agrees on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, final

import msgspec

CONTROLLER_GROUP: Final = 0
"""The Raft group of the controller. Partitions are numbered from 1 on."""
CONTROLLER_VOTERS_MAX: Final = 5
FINISHED_MAX: Final = 20
SLOTS: Final = 16_384
"""Correlation slots of a cluster, however many partitions share them."""
_INCARNATION_BITS: Final = 32


def member_id(node: int, incarnation: int) -> int:
    """The id of a node's Raft members: a node that lost its disk comes back as somebody else."""
    assert 0 < incarnation < 1 << _INCARNATION_BITS, f"incarnation {incarnation}"
    return node << _INCARNATION_BITS | incarnation


def node_of(member: int) -> int:
    return member >> _INCARNATION_BITS


@final
class Member(msgspec.Struct, frozen=True, array_like=True):
    """A node of the cluster. `incarnation` is made by chance with its data directory and kept in it."""

    node: int
    incarnation: int
    host: str
    """The label of the machine that it stands on: replicas of one partition stand on different ones."""
    peer_address: str

    @property
    def id(self) -> int:
        return member_id(self.node, self.incarnation)


@final
class GroupPlan(msgspec.Struct, frozen=True, array_like=True):
    """Where the replicas of a group are to be. Where they are its own Raft configuration says."""

    group: int
    birth: tuple[int, ...]
    """The ids of the voters that the group began with."""
    replicas: tuple[int, ...]
    """The nodes that are to have one, the one that is to lead first."""
    is_serving: bool = True
    """Whether it may be given new process instances: it has all that was deployed."""
    held: tuple[int, ...] = ()
    """The nodes that had one when the group last was where it was to be: what they hold is whole."""


@final
class Operation(msgspec.Struct, frozen=True, array_like=True):
    """A change of the cluster, under way or finished. `node` and `partition` are 0 where there is none."""

    number: int
    kind: str
    node: int = 0
    partition: int = 0
    to: int = 0
    was_given_up: bool = False
    by: str = ""
    """Who says that he has asked for it; nobody has checked that."""


@final
class SlotMove(msgspec.Struct, frozen=True, array_like=True):
    """Correlation slots on their way from one partition to another. Numbers rise by one."""

    number: int
    giver: int
    to: int
    slots: tuple[tuple[int, int], ...]
    """As runs: the first slot of each, and how many they are."""


@final
class ClusterState(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Everything that group 0 decides. Each version replaces the one before."""

    cluster_id: str
    version: int
    replication: int
    members: tuple[Member, ...]
    controller: GroupPlan
    partitions: tuple[GroupPlan, ...]
    operation: Operation | None = None
    """One at a time."""
    finished: tuple[Operation, ...] = ()
    """The last ones, the newest last."""
    leaving: tuple[Member, ...] = ()
    """Members that hold replicas until these are elsewhere."""
    slots: tuple[tuple[int, int], ...] = ((0, 1),)
    """Which partition has which correlation slots, as runs: (first slot, partition). Those on their way are
    still their giver's."""
    first_slots: tuple[tuple[int, int], ...] = ()
    """The same before the first move; empty as long as there was none."""
    move: SlotMove | None = None
    """What is on its way; once begun it comes to its end, also if the operation is given up."""
    moves: int = 0
    """How many there have been, this one included."""

    def member(self, node: int) -> Member | None:
        return next((member for member in self.members if member.node == node), None)

    def known(self, node: int, incarnation: int) -> Member | None:
        """A node that belongs to the cluster, or did and still holds replicas."""
        for member in (*self.members, *self.leaving):
            if member.node == node and member.incarnation == incarnation:
                return member
        return None

    def knows(self, node: int, incarnation: int) -> bool:
        return self.known(node, incarnation) is not None

    def plan(self, group: int) -> GroupPlan | None:
        return next((plan for plan in self.plans if plan.group == group), None)

    @property
    def plans(self) -> tuple[GroupPlan, ...]:
        return (self.controller, *self.partitions)

    def goal(self, plan: GroupPlan) -> frozenset[int]:
        """The ids of the members that are to vote in a group."""
        ids = {member.node: member.id for member in self.members}
        return frozenset(ids[node] for node in plan.replicas)

    def to_bytes(self) -> bytes:
        return msgspec.msgpack.encode(self)

    @staticmethod
    def from_bytes(data: bytes) -> "ClusterState":
        """Raises msgspec.DecodeError."""
        return msgspec.msgpack.decode(data, type=ClusterState)


def found(cluster_id: str, members: Sequence[Member], partitions: int, replication: int) -> ClusterState:
    """The first version of a cluster's state. `replication` beyond the number of nodes is cut to it."""
    assert members, "a cluster has a node"
    assert partitions >= 1, f"{partitions} partitions"
    assert replication >= 1, f"replication {replication}"
    ordered = sorted(members, key=_node)
    replicas = place({}, ordered, range(1, partitions + 1), replication)
    voters = place({}, ordered, (CONTROLLER_GROUP,), CONTROLLER_VOTERS_MAX)[CONTROLLER_GROUP]
    return ClusterState(
        cluster_id,
        1,
        replication,
        tuple(ordered),
        born(CONTROLLER_GROUP, ordered, voters),
        tuple(born(number, ordered, replicas[number]) for number in range(1, partitions + 1)),
        slots=tuple((-(-SLOTS * number // partitions), number + 1) for number in range(partitions)),
    )


def born(group: int, members: Iterable[Member], replicas: tuple[int, ...]) -> GroupPlan:
    """The plan of a group that begins now."""
    ids = {member.node: member.id for member in members}
    return GroupPlan(group, tuple(sorted(ids[node] for node in replicas)), replicas, held=replicas)


def place(
    kept: Mapping[int, Sequence[int]], members: Sequence[Member], groups: Iterable[int], replication: int
) -> dict[int, tuple[int, ...]]:
    """Choose the nodes of each group, on as many hosts as can be, and evenly; and who leads, evenly too.

    What stands in `kept` stays where it is, as far as its nodes are members, no host has two replicas of a
    group while another could take one, and no node has two more than another. The same arguments give the
    same answer.
    """
    hosts = {member.node: member.host for member in members}
    load = dict.fromkeys(hosts, 0)
    chosen = {
        group: [node for node in kept.get(group, ()) if node in hosts][:replication] for group in groups
    }
    for nodes in chosen.values():
        for node in nodes:
            load[node] += 1
    for nodes in chosen.values():
        while len(nodes) < min(replication, len(hosts)):
            best = min(
                (node for node in hosts if node not in nodes),
                key=lambda node: (_on_host(nodes, hosts, node), load[node], node),
            )
            nodes.append(best)
            load[best] += 1
    while _spread(chosen, hosts, load):
        pass
    while _level(chosen, hosts, load):
        pass
    return _with_leaders(chosen, hosts)


def _on_host(nodes: Iterable[int], hosts: Mapping[int, str], node: int) -> int:
    """How many of the nodes stand on the same host as `node`."""
    return sum(hosts[other] == hosts[node] for other in nodes if other != node)


def _spread(chosen: dict[int, list[int]], hosts: Mapping[int, str], load: dict[int, int]) -> bool:
    """Move one replica from a host that has more of its group than another; false when there is none."""
    for nodes in chosen.values():
        giver = max(nodes, key=lambda node: (_on_host(nodes, hosts, node), load[node], node))
        others = [node for node in nodes if node != giver]
        takers = [node for node in hosts if node not in nodes]
        taker = min(takers, key=lambda node: (_on_host(others, hosts, node), load[node], node), default=None)
        if taker is None or _on_host(others, hosts, taker) >= _on_host(others, hosts, giver):
            continue
        nodes[nodes.index(giver)] = taker
        load[giver] -= 1
        load[taker] += 1
        return True
    return False


def _level(chosen: dict[int, list[int]], hosts: Mapping[int, str], load: dict[int, int]) -> bool:
    """Move one replica from a node that has two more than another; false when there is none to move."""
    for giver in sorted(load, key=lambda node: (-load[node], node)):
        for taker in sorted(load, key=lambda node: (load[node], node)):
            if load[giver] - load[taker] < 2:
                break
            for nodes in chosen.values():
                if giver not in nodes or taker in nodes:
                    continue
                others = [node for node in nodes if node != giver]
                if _on_host(others, hosts, taker) <= _on_host(others, hosts, giver):
                    nodes[nodes.index(giver)] = taker
                    load[giver] -= 1
                    load[taker] += 1
                    return True
    return False


def _with_leaders(chosen: Mapping[int, Sequence[int]], hosts: Iterable[int]) -> dict[int, tuple[int, ...]]:
    leads = dict.fromkeys(hosts, 0)
    placed: dict[int, tuple[int, ...]] = {}
    for group, nodes in chosen.items():
        leader = min(nodes, key=lambda node: (leads[node], nodes.index(node)))
        leads[leader] += 1
        placed[group] = (leader, *(node for node in nodes if node != leader))
    return placed


def _node(member: Member) -> int:
    return member.node
