"""How a cluster begins, once: all nodes named in the configuration meet, and the first of them founds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, final

import msgspec

from bpmnd.actors.identity import Entropy, Identity
from bpmnd.cluster.membership import ClusterState, Member, found

_CLUSTER_ID_LENGTH: Final = 16


@final
class Introduction(msgspec.Struct, frozen=True, array_like=True):
    """What a node tells of itself in the handshake, beside its id and incarnation."""

    host: str
    peer_address: str
    partitions: int
    replication: int
    nodes: tuple[int, ...]
    """The nodes that its configuration would found a cluster with."""

    def to_bytes(self) -> bytes:
        return msgspec.msgpack.encode(self)

    @staticmethod
    def from_bytes(data: bytes) -> "Introduction":
        """Raises msgspec.DecodeError."""
        return msgspec.msgpack.decode(data, type=Introduction)


@dataclass(frozen=True, slots=True)
class Plans:
    """What a cluster is to look like, from the configuration. Only its founding asks for this."""

    host: str
    peer_address: str
    partitions: int
    replication: int
    nodes: Mapping[int, str]
    """Node -> address, this one included; empty for a node that is alone or joins a cluster that exists."""
    join: Mapping[int, str] = field(default_factory=dict[int, str])
    """Node -> address of some members of the cluster that this node is to be added to."""

    def introduction(self) -> Introduction:
        return Introduction(
            self.host, self.peer_address, self.partitions, self.replication, tuple(sorted(self.nodes))
        )


@final
class Founding:
    """Until the node belongs to a cluster. The node with the lowest id founds it, when all others are there.

    A node that belongs to a cluster already is never founded anew: its presence stops the founding.
    """

    def __init__(self, identity: Identity, plans: Plans, entropy: Entropy) -> None:
        self._identity = identity
        self._plans = plans
        self._entropy = entropy
        self._present: dict[int, tuple[int, Introduction]] = {}
        self._members_of_others: set[int] = set()

    @property
    def introduction(self) -> Introduction:
        return self._plans.introduction()

    def addresses(self) -> dict[int, str]:
        """Where the configuration says that other nodes are."""
        named = {**self._plans.nodes, **self._plans.join}
        return {node: address for node, address in named.items() if node != self._identity.node}

    def arrived(self, node: int, incarnation: int, cluster: str, introduction: Introduction) -> None:
        if cluster:
            self._members_of_others.add(node)
        else:
            self._present[node] = (incarnation, introduction)

    def left(self, node: int) -> None:
        self._present.pop(node, None)
        self._members_of_others.discard(node)

    def disagreement(self, node: int, introduction: Introduction) -> str | None:
        """Why a node without a cluster cannot found one with us; None if it can."""
        if node not in self._plans.nodes:
            return f"node {node} is not among the nodes of the cluster to be founded"
        own = self._plans.introduction()
        for name in ("nodes", "partitions", "replication"):
            mine, other = getattr(own, name), getattr(introduction, name)
            if mine != other:
                return f"{name} differ: {other} there, {mine} here"
        return None

    def found(self) -> ClusterState | None:
        """The cluster's first state, if it is for this node to found it and the time has come."""
        own, plans = self._identity, self._plans
        others = [node for node in plans.nodes if node != own.node]
        joins = not plans.nodes and plans.join
        if joins or self._members_of_others or any(node < own.node for node in others):
            return None
        if any(node not in self._present for node in others):
            return None
        members = [Member(own.node, own.incarnation, plans.host, plans.peer_address)]
        for node in others:
            incarnation, introduction = self._present[node]
            members.append(Member(node, incarnation, introduction.host, plans.nodes[node]))
        digits = "0123456789abcdef"
        cluster_id = "".join(digits[self._entropy.below(16)] for _ in range(_CLUSTER_ID_LENGTH))
        return found(cluster_id, members, plans.partitions, plans.replication)
