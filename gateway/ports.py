"""What the gateway needs from the node: partitions to send commands to, and a picture of the cluster."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from bpmnd.bpmn.commands import ClientCommand
from bpmnd.bpmn.outcomes import Outcome

Role: TypeAlias = Literal["leader", "follower", "inactive"]
Health: TypeAlias = Literal["healthy", "unhealthy", "dead"]


class JobWatcher(Protocol):
    """Whom a partition tells that there is something to activate."""

    def jobs_available(self, partition_id: int, job_type: str) -> None:
        """Jobs of the type went from none to some, and that is committed. Must return at once."""


class Partition(Protocol):
    """One partition, wherever its leader is."""

    @property
    def id(self) -> int: ...

    @property
    def is_near(self) -> bool:
        """It is led by this node: what it does costs no way over the network."""
        ...

    def submit(self, command: ClientCommand) -> asyncio.Future[Outcome]:
        """Hand in a command; the future ends when the outcome is committed.

        Raises `Refused` or `NoLeader` when the command was not taken; the future may end with either, too, or
        with `OutcomeUnknown`.
        Every future ends, also when the partition loses its leader or stops.
        The gateway may end the future itself, by cancelling it (the client is gone) or with an exception
        (the client waited long enough): whoever answers leaves a future alone that is done.
        """
        ...

    def watch_jobs(self, watcher: JobWatcher) -> None:
        """Tell the watcher of every type that it (or anyone) subscribed to and that gets activatable jobs."""

    def subscribe_jobs(self, job_type: str) -> None:
        """Have the type watched. Doing it again renews it."""

    def unsubscribe_jobs(self, job_type: str) -> None:
        """Stop watching the type; unknown ones are ignored."""


@dataclass(frozen=True, slots=True)
class PartitionReplica:
    """A partition as one broker has it."""

    partition_id: int
    role: Role
    health: Health


@dataclass(frozen=True, slots=True)
class Broker:
    """A node of the cluster."""

    node_id: int
    host: str
    port: int
    partitions: tuple[PartitionReplica, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Topology:
    """The cluster as this node sees it."""

    brokers: tuple[Broker, ...]
    cluster_size: int
    partitions_count: int
    replication_factor: int
    gateway_version: str
    cluster_id: str | None = None
    last_completed_change_id: str = "-1"


class Cluster(Protocol):
    """Which partition a command belongs to."""

    def partitions(self) -> Sequence[Partition]:
        """All partitions, in a fixed order."""
        ...

    def owner_of(self, key: int) -> Partition | None:
        """The partition that gave out the key; None when there is none of that number."""
        ...

    def for_creation(self) -> Partition:
        """The partition whose turn it is to start an instance."""
        ...

    def for_deployment(self) -> Partition: ...

    def for_key(self, key: str) -> Partition:
        """The partition for what could begin anywhere, but has this idempotency key."""
        ...

    def for_message(self, correlation_key: str) -> Partition:
        """The partition that the messages of a correlation key belong to."""
        ...

    def for_signal(self) -> Partition:
        """The partition whose turn it is to broadcast a signal, and to start what the signal starts."""
        ...

    def topology(self) -> Topology: ...
