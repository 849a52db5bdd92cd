"""The cluster as the gateway sees it: partitions wherever they are led, nodes as they tell of themselves."""

from collections.abc import Sequence
from typing import final

import bpmnd
from bpmnd.actors.node import Node
from bpmnd.actors.peer_messages import NodeStatus, ReplicaStatus
from bpmnd.actors.routing import RoutedPartition
from bpmnd.bpmn.keys import partition_of
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
        routed = self._routed()
        for _ in routed:
            self._turn += 1
            partition = routed[self._turn % len(routed)]
            if partition.has_leader:
                return partition
        return routed[self._turn % len(routed)]

    def for_deployment(self) -> Partition:
        return self._node.partitions[1]

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
        )

    def _routed(self) -> list[RoutedPartition]:
        return self._node.routed


def _broker(node: int, status: NodeStatus) -> Broker:
    replicas = tuple(_replica(replica) for replica in sorted(status.replicas, key=lambda one: one.partition))
    return Broker(node, status.http_host, status.http_port, replicas, status.version)


def _replica(status: ReplicaStatus) -> PartitionReplica:
    return PartitionReplica(
        status.partition,
        "leader" if status.leads else "follower",
        "healthy" if status.is_healthy else "unhealthy",
    )
