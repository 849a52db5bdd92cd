"""The cluster as the gateway sees it: partitions wherever they are led, nodes as they tell of themselves."""

from collections.abc import Mapping, Sequence
from typing import Final, final

import bpmnd
from bpmnd.actors.node import Node
from bpmnd.actors.peer_messages import NodeStatus, ReplicaStatus
from bpmnd.actors.routing import RoutedPartition
from bpmnd.bpmn.keys import partition_of
from bpmnd.cluster.membership import CONTROLLER_GROUP
from bpmnd.gateway.ports import Broker, Partition, PartitionReplica, Topology

_TURNS_PER_CHOICE: Final = 64
_UNEVENNESS_MAX: Final = 1.1
_UNEVENNESS_SLACK: Final = 1000
"""A partition that has a tenth and so many more instances than the one with the fewest gets no new ones."""


@final
class ClusterView:
    """Routes commands to the partitions of the cluster that a node belongs to."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._turn = 0
        self._turns_left_at = 0
        self._chosen: list[RoutedPartition] = []

    def partitions(self) -> Sequence[Partition]:
        return self._routed()

    def owner_of(self, key: int) -> Partition | None:
        return self._node.partitions.get(partition_of(key))

    def for_creation(self) -> Partition:
        """In turn, those that were chosen a moment ago and have a leader still."""
        if self._turn >= self._turns_left_at or not self._chosen:
            self._chosen = choose_for_creation(self._routed())
            self._turns_left_at = self._turn + _TURNS_PER_CHOICE
        for _ in self._chosen:
            self._turn += 1
            partition = self._chosen[self._turn % len(self._chosen)]
            if partition.has_leader:
                return partition
        self._chosen = choose_for_creation(self._routed())
        return self._chosen[0]

    def for_deployment(self) -> Partition:
        return self._node.partitions[1]

    def for_key(self, key: str) -> Partition:
        return self._node.partitions[self._node.slots.partition_of(key)]

    def for_message(self, correlation_key: str) -> Partition:
        return self._node.partitions[self._node.slots.partition_of(correlation_key)]

    def for_signal(self) -> Partition:
        return self.for_creation()

    def topology(self) -> Topology:
        node = self._node
        cluster = node.identity.cluster
        statuses = {node.identity.node: node.status(), **node.peers.statuses}
        leaders = leaders_in(statuses)
        brokers = [_broker(number, statuses[number], leaders) for number in sorted(statuses)]
        return Topology(
            tuple(brokers),
            1 if cluster is None else len(cluster.members),
            len(node.partitions),
            1 if cluster is None else cluster.replication,
            bpmnd.__version__,
            None if cluster is None else cluster.cluster_id,
            str(cluster.finished[-1].number) if cluster is not None and cluster.finished else "-1",
        )

    def _routed(self) -> list[RoutedPartition]:
        return self._node.routed


def choose_for_creation(routed: Sequence[RoutedPartition]) -> list[RoutedPartition]:
    """Those led here cost no way over the network; but those with the fewest instances have to keep up."""
    able = [partition for partition in routed if partition.is_serving and partition.has_leader]
    if not able:
        return [partition for partition in routed if partition.is_serving] or list(routed)
    live = {partition.id: partition.live for partition in able}
    enough = int(min(live.values()) * _UNEVENNESS_MAX) + _UNEVENNESS_SLACK
    near = [partition for partition in able if partition.is_near and live[partition.id] <= enough]
    return near or [partition for partition in able if live[partition.id] <= enough]


def leaders_in(statuses: Mapping[int, NodeStatus]) -> dict[int, int]:
    """Partition -> node. Of several that say that they lead, the one of the highest term does: the others do
    not know yet, or cannot say any more."""
    terms: dict[int, tuple[int, int]] = {}
    for node, status in statuses.items():
        for replica in status.replicas:
            if replica.leads:
                terms[replica.partition] = max(terms.get(replica.partition, (-1, 0)), (replica.term, node))
    return {partition: node for partition, (_, node) in terms.items()}


def _broker(node: int, status: NodeStatus, leaders: Mapping[int, int]) -> Broker:
    replicas = tuple(
        _replica(replica, leaders.get(replica.partition) == node) for replica in _partitions_of(status)
    )
    return Broker(node, status.http_host, status.http_port, replicas, status.version)


def _partitions_of(status: NodeStatus) -> list[ReplicaStatus]:
    """Without the controller, which the API does not know."""
    replicas = [replica for replica in status.replicas if replica.partition != CONTROLLER_GROUP]
    return sorted(replicas, key=lambda replica: replica.partition)


def _replica(status: ReplicaStatus, leads: bool) -> PartitionReplica:
    return PartitionReplica(
        status.partition,
        "leader" if leads else "follower",
        "healthy" if status.is_healthy else "unhealthy",
    )
