"""Who belongs to a cluster, and which node is to hold which partition: the state that group 0 agrees on."""

from collections.abc import Mapping, Sequence
from typing import Final, final

import msgspec

CONTROLLER_GROUP: Final = 0
"""The Raft group of the controller. Partitions are numbered from 1 on."""
CONTROLLER_VOTERS_MAX: Final = 5
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
class PartitionPlan(msgspec.Struct, frozen=True, array_like=True):
    """Where the replicas of a partition are to be. Where they are its own Raft configuration says."""

    partition: int
    birth: tuple[int, ...]
    """The ids of the voters that the group began with."""
    replicas: tuple[int, ...]
    """The nodes that are to have one, the one that is to lead first."""


@final
class ClusterState(msgspec.Struct, frozen=True, array_like=True):
    """Everything that group 0 decides. Each version replaces the one before."""

    cluster_id: str
    version: int
    replication: int
    members: tuple[Member, ...]
    controller: PartitionPlan
    partitions: tuple[PartitionPlan, ...]

    def member(self, node: int) -> Member | None:
        return next((member for member in self.members if member.node == node), None)

    def plan(self, group: int) -> PartitionPlan | None:
        if group == CONTROLLER_GROUP:
            return self.controller
        return next((plan for plan in self.partitions if plan.partition == group), None)

    def goal(self, plan: PartitionPlan) -> tuple[int, ...]:
        """The ids of the members that are to vote in a group."""
        ids = {member.node: member.id for member in self.members}
        return tuple(ids[node] for node in plan.replicas)

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
    ids = {member.node: member.id for member in ordered}
    replicas = place({}, ordered, range(1, partitions + 1), min(replication, len(ordered)))
    plans = [_born(number, ids, replicas[number]) for number in range(1, partitions + 1)]
    voters = place({}, ordered, (CONTROLLER_GROUP,), min(CONTROLLER_VOTERS_MAX, len(ordered)))
    controller = _born(CONTROLLER_GROUP, ids, voters[CONTROLLER_GROUP])
    return ClusterState(cluster_id, 1, replication, tuple(ordered), controller, tuple(plans))


def place(
    kept: Mapping[int, Sequence[int]], members: Sequence[Member], partitions: Sequence[int], replication: int
) -> dict[int, tuple[int, ...]]:
    """Choose the nodes of each partition: as many hosts as can be, then those with the fewest replicas.

    What stands in `kept` stays, as far as its nodes are members. The first node of each is to lead; leaders
    are spread evenly. The same arguments give the same answer.
    """
    hosts = {member.node: member.host for member in members}
    load = dict.fromkeys(hosts, 0)
    leads = dict.fromkeys(hosts, 0)
    chosen = {
        partition: [node for node in kept.get(partition, ()) if node in hosts][:replication]
        for partition in partitions
    }
    for nodes in chosen.values():
        for node in nodes:
            load[node] += 1
    for nodes in chosen.values():
        while len(nodes) < min(replication, len(hosts)):
            taken = [hosts[node] for node in nodes]
            free = [node for node in hosts if node not in nodes]
            best = min(free, key=lambda node: (taken.count(hosts[node]), load[node], node))
            nodes.append(best)
            load[best] += 1
    placed: dict[int, tuple[int, ...]] = {}
    for partition, nodes in chosen.items():
        leader = min(nodes, key=lambda node: (leads[node], nodes.index(node)))
        leads[leader] += 1
        placed[partition] = (leader, *(node for node in nodes if node != leader))
    return placed


def _born(partition: int, ids: Mapping[int, int], replicas: tuple[int, ...]) -> PartitionPlan:
    return PartitionPlan(partition, tuple(ids[node] for node in replicas), replicas)


def _node(member: Member) -> int:
    return member.node
