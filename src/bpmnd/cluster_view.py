"""The cluster as the gateway sees it: the partitions of this one node."""

from collections.abc import Sequence
from itertools import cycle
from typing import final

import bpmnd
from bpmnd.actors.node import HostedPartition, Node
from bpmnd.bpmn.keys import partition_of
from bpmnd.bpmn.slots import SlotTable
from bpmnd.config import Config, address_of
from bpmnd.gateway.ports import Broker, Partition, PartitionReplica, Topology


@final
class LocalCluster:
    """Routes commands to the partitions of one node."""

    def __init__(self, config: Config, node: Node) -> None:
        self._config = config
        self._hosted: list[HostedPartition] = node.hosted
        self._turns = cycle(self._hosted)
        self._slots = SlotTable.even(len(self._hosted))
        self.http_port = 0
        """Where the gateway listens, once it does."""

    def partitions(self) -> Sequence[Partition]:
        return self._hosted

    def owner_of(self, key: int) -> Partition | None:
        number = partition_of(key)
        return self._hosted[number - 1] if 1 <= number <= len(self._hosted) else None

    def for_creation(self) -> Partition:
        return next(self._turns)

    def for_deployment(self) -> Partition:
        return self._hosted[0]

    def for_message(self, correlation_key: str) -> Partition:
        return self._hosted[self._slots.partition_of(correlation_key) - 1]

    def for_signal(self) -> Partition:
        return next(self._turns)

    def topology(self) -> Topology:
        host, _ = address_of(self._config.http.address)
        replicas = tuple(
            PartitionReplica(
                hosted.id,
                "leader" if hosted.leads else "inactive",
                "healthy" if hosted.leads else "unhealthy",
            )
            for hosted in self._hosted
        )
        broker = Broker(self._config.node.id, host, self.http_port, replicas, bpmnd.__version__)
        return Topology((broker,), 1, len(self._hosted), 1, bpmnd.__version__)
