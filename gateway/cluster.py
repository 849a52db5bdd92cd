"""The cluster: its topology, and whether it can work."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.gateway.answers import Answer, no_content, ok
from bpmnd.gateway.errors import Problem
from bpmnd.gateway.ports import Cluster, Health, Role
from bpmnd.gateway.routes import Route


class _Replica(msgspec.Struct, frozen=True, rename="camel"):
    partition_id: int
    role: Role
    health: Health


class _Broker(msgspec.Struct, frozen=True, rename="camel"):
    node_id: int
    host: str
    port: int
    partitions: list[_Replica]
    version: str


class _Topology(msgspec.Struct, frozen=True, rename="camel"):
    brokers: list[_Broker]
    cluster_id: str | None
    cluster_size: int
    partitions_count: int
    replication_factor: int
    gateway_version: str
    last_completed_change_id: str


@final
class ClusterOperations:
    """The operations of the tag "Cluster"."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/topology", "getTopology", self.topology),
            Route("GET", "/status", "getStatus", self.status),
        )

    async def topology(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Brokers, partitions, roles, health, versions."""
        body = msgspec.convert(self._cluster.topology(), _Topology, from_attributes=True)
        return ok(msgspec.json.encode(body))

    async def status(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """204 when at least one partition has a healthy leader."""
        for broker in self._cluster.topology().brokers:
            if any(p.role == "leader" and p.health == "healthy" for p in broker.partitions):
                return no_content()
        raise Problem(503, "Service Unavailable", "No partition has a healthy leader.")
