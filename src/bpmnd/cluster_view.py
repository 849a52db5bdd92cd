"""The cluster as the gateway sees it: partitions wherever they are led, nodes as they tell of themselves."""

from collections.abc import Sequence
from typing import final

import bpmnd
from bpmnd.actors.node import Node
from bpmnd.actors.peer_messages import NodeStatus, ReplicaStatus
from bpmnd.actors.routing import RoutedPartition
from bpmnd.bpmn.keys import partition_of
from bpmnd.cluster.membership import CONTROLLER_GROUP
from bpmnd.gateway.ports import Broker, Partition, PartitionReplica, Topology


@final
class ClusterView:
    """Routes commands to the partitions of the cluster that a node belongs to."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._turn = 0

    def partitions(self) -> Sequence[Partition]:
        return self._routed()

    def owner_of(self, key: int) -> Partition | None:
        return self._node.partitions.get(partition_of(key))

    def for_creation(self) -> Partition:
        """In turn, those that have a leader first."""
        routed = [partition for partition in self._routed() if partition.is_serving]
        for _ in routed:
            self._turn += 1
            partition = routed[self._turn % len(routed)]
            if partition.has_leader:
                return partition
        return routed[self._turn % len(routed)]

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
        own = node.status()
        brokers = [_broker(node.identity.node, own)]
        brokers += [_broker(number, status) for number, status in node.peers.statuses.items()]
        brokers.sort(key=lambda broker: broker.node_id)
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


def _broker(node: int, status: NodeStatus) -> Broker:
    replicas = tuple(_replica(replica) for replica in _partitions_of(status))
    return Broker(node, status.http_host, status.http_port, replicas, status.version)


def _partitions_of(status: NodeStatus) -> list[ReplicaStatus]:
    """Without the controller, which the API does not know."""
    replicas = [replica for replica in status.replicas if replica.partition != CONTROLLER_GROUP]
    return sorted(replicas, key=lambda replica: replica.partition)


def _replica(status: ReplicaStatus) -> PartitionReplica:
    return PartitionReplica(
        status.partition,
        "leader" if status.leads else "follower",
        "healthy" if status.is_healthy else "unhealthy",
    )
