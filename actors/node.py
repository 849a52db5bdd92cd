"""A node: its partitions, each an actor under supervision, and the way to them."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, final

from bpmnd.actors.archiving import Archiving
from bpmnd.actors.channels import deliver_to
from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.clock import Clock, Scheduler
from bpmnd.actors.disk_space import DiskSpace
from bpmnd.actors.errors import Unavailable
from bpmnd.actors.messages import PartitionLimits
from bpmnd.actors.partition import PartitionActor
from bpmnd.actors.replica import Replica, ReplicaFiles, open_replica
from bpmnd.actors.supervisor import Supervisor
from bpmnd.actors.watching import JobWatcher
from bpmnd.bpmn.codec import CodecError
from bpmnd.bpmn.commands import ClientCommand
from bpmnd.bpmn.outcomes import Outcome
from bpmnd.storage.archive import Archive, ArchiveRetention
from bpmnd.storage.disk import Disk
from bpmnd.storage.errors import StorageError
from bpmnd.storage.layout import ARCHIVE, LOG
from bpmnd.storage.log import Appended, AppendFailed
from bpmnd.storage.writer import Writer

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What a node is built with. `partitions` is the number of partitions, all of them on this node."""

    directory: Path
    partitions: int = 1
    segment_size: int = 64 << 20
    disk_free_min: int = 0
    """Below so many free bytes new work is refused."""
    retention: ArchiveRetention = field(default_factory=ArchiveRetention)
    checkpoints: CheckpointPolicy = field(default_factory=CheckpointPolicy)
    limits: PartitionLimits = field(default_factory=PartitionLimits)


@final
class HostedPartition:
    """A partition of this node across the restarts of its actor. What the gateway holds on to."""

    def __init__(self, partition_id: int) -> None:
        self.id: Final = partition_id
        self.actor: PartitionActor | None = None
        self.failure: BaseException | None = None
        self._watchers: list[JobWatcher] = []
        self._subscribed: set[str] = set()

    def started(self, actor: PartitionActor) -> None:
        """There is a new actor; it is told of everybody who watched the old one."""
        self.actor = actor
        for watcher in self._watchers:
            actor.watch_jobs(watcher)
        for job_type in self._subscribed:
            actor.subscribe_jobs(job_type)

    @property
    def leads(self) -> bool:
        return self.actor is not None and self.actor.leads

    def submit(self, command: ClientCommand) -> asyncio.Future[Outcome]:
        """Raises Refused or Unavailable when the command was not taken."""
        if self.actor is None:
            raise Unavailable(f"partition {self.id} is being recovered")
        return self.actor.submit(command)

    def watch_jobs(self, watcher: JobWatcher) -> None:
        self._watchers.append(watcher)
        if self.actor is not None:
            self.actor.watch_jobs(watcher)

    def subscribe_jobs(self, job_type: str) -> None:
        self._subscribed.add(job_type)
        if self.actor is not None:
            self.actor.subscribe_jobs(job_type)

    def unsubscribe_jobs(self, job_type: str) -> None:
        self._subscribed.discard(job_type)
        if self.actor is not None:
            self.actor.unsubscribe_jobs(job_type)


@final
class Node:
    """Opens, runs, restarts and stops the partitions of one process."""

    def __init__(
        self,
        settings: NodeSettings,
        disk: Disk,
        writer: Writer,
        scheduler: Scheduler,
        clock: Clock,
        new_future: Callable[[], asyncio.Future[Outcome]],
        give_up: Callable[[BaseException], None],
    ) -> None:
        self.settings = settings
        self._disk = disk
        self._writer = writer
        self._scheduler = scheduler
        self._clock = clock
        self._new_future = new_future
        self._stopping = False
        self.disk_space = DiskSpace(disk, settings.directory, settings.disk_free_min, scheduler)
        ids = range(1, settings.partitions + 1)
        self.hosted = [HostedPartition(partition_id) for partition_id in ids]
        self.supervisors = [
            Supervisor(
                f"partition-{hosted.id}",
                partial(self._open, hosted),
                give_up,
                scheduler,
                clock,
            )
            for hosted in self.hosted
        ]

    def start(self) -> None:
        """Begin to open all partitions. They lead, and take commands, some moments later."""
        self.disk_space.watch()
        for hosted in self.hosted:
            self._open(hosted)

    @property
    def is_ready(self) -> bool:
        return all(hosted.leads for hosted in self.hosted)

    @property
    def is_quiet(self) -> bool:
        """Nothing under way in any partition."""
        return all(hosted.actor is None or hosted.actor.quiet for hosted in self.hosted)

    def stop(self) -> None:
        """Stop all partitions and close their files (blocking until what is queued is on disk)."""
        self._stopping = True
        self.disk_space.stop()
        for hosted in self.hosted:
            actor, hosted.actor = hosted.actor, None
            if actor is not None:
                actor.stop()
                _close(actor.replica)

    def deliver(self, sender: int, receiver: int, number: int, payload: bytes) -> None:
        """Carry a channel message between two partitions of this node."""
        to, back = self.hosted[receiver - 1].actor, self.hosted[sender - 1].actor
        if to is not None and back is not None:
            deliver_to(to, back, number, payload)

    def _open(self, hosted: HostedPartition) -> None:
        """Open the replica aside, then start its actor here."""
        box: list[PartitionActor] = []
        early: list[Appended | AppendFailed] = []

        def on_log(message: Appended | AppendFailed) -> None:
            if box:
                box[0].on_log(message)
            else:
                early.append(message)

        def opened(replica: Replica | None, error: BaseException | None) -> None:
            if replica is None:
                assert error is not None, "neither a replica nor an error"
                self._failed(hosted, error)
                return
            if self._stopping:
                _close(replica)
                return
            actor = self._actor(hosted, replica)
            box.append(actor)
            for message in early:
                actor.on_log(message)
            hosted.started(actor)
            actor.start()

        files = self._files(hosted.id)
        self._scheduler.run_blocking(lambda: open_replica(hosted.id, files, on_log), opened)

    def _actor(self, hosted: HostedPartition, replica: Replica) -> PartitionActor:
        files = replica.files
        archiving = Archiving(
            Archive(files.disk, files.directory / ARCHIVE),
            replica.log,
            files.directory / LOG,
            self.settings.retention,
            self._scheduler,
            self._clock,
        )
        actor = PartitionActor(
            replica,
            [other.id for other in self.hosted],
            self._scheduler,
            self._clock,
            self,
            self._new_future,
            limits=self.settings.limits,
            checkpoints=self.settings.checkpoints,
            archiving=archiving,
            disk_space=self.disk_space,
        )
        actor.supervise(lambda error: self._died(hosted, actor, error))
        return actor

    def _files(self, partition_id: int) -> ReplicaFiles:
        return ReplicaFiles(
            self._disk,
            self.settings.directory / "partitions" / str(partition_id),
            self._writer,
            self._scheduler.post,
            self.settings.segment_size,
        )

    def _died(self, hosted: HostedPartition, actor: PartitionActor, error: Exception) -> None:
        """Memory is not the fold of the log any more, or the disk failed: drop it and begin from the disk."""
        hosted.actor = None
        self._scheduler.run_blocking(
            lambda: _close(actor.replica), lambda _, close_error: self._failed(hosted, close_error or error)
        )

    def _failed(self, hosted: HostedPartition, error: BaseException) -> None:
        hosted.failure = error
        if not self._stopping:
            supervisor = self.supervisors[hosted.id - 1]
            supervisor.failed(error, final=_is_of_the_disk(error))


def _is_of_the_disk(error: BaseException | None) -> bool:
    """Whether the disk or what is on it is at the root: beginning anew would meet it again."""
    while error is not None:
        if isinstance(error, StorageError | CodecError):
            return True
        error = error.__cause__
    return False


def _close(replica: Replica) -> None:
    replica.log.close()
    replica.store.close()
