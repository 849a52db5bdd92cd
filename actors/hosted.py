"""A partition of this node across the restarts of its actor: opened aside, supervised, opened again."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

from bpmnd.actors.archiving import Archiving
from bpmnd.actors.channels import Channels
from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.clock import Clock, LogClock, Scheduler
from bpmnd.actors.disk_space import DiskSpace
from bpmnd.actors.errors import NoLeader
from bpmnd.actors.installing import Installed
from bpmnd.actors.messages import PartitionLimits
from bpmnd.actors.partition import PartitionActor
from bpmnd.actors.peer_messages import InstallDone, InstallRequest
from bpmnd.actors.replica import RaftMember, Replica, ReplicaFiles, open_replica
from bpmnd.actors.supervisor import Supervisor
from bpmnd.actors.watching import JobWatcher
from bpmnd.bpmn.codec import CodecError
from bpmnd.bpmn.commands import ClientCommand
from bpmnd.bpmn.engine import Engine
from bpmnd.bpmn.outcomes import Outcome
from bpmnd.bpmn.turn import BrokenStateError
from bpmnd.cluster.raft import Configuration
from bpmnd.storage.archive import Archive, ArchiveRetention
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError, GapError, StorageError
from bpmnd.storage.layout import ARCHIVE, LOG, switch_checkpoint
from bpmnd.storage.log import Appended, AppendFailed
from bpmnd.storage.setting_aside import begin_after

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every partition of a node is given."""

    scheduler: Scheduler
    clock: Clock
    log_clock: Callable[[int], LogClock]
    channels: Channels
    new_future: Callable[[], asyncio.Future[Outcome]]
    disk_space: DiskSpace
    limits: PartitionLimits
    checkpoints: CheckpointPolicy
    retention: ArchiveRetention
    know_peers: Callable[[Engine], None]
    ask: Callable[[int, InstallRequest | InstallDone], None]
    leader_changed: Callable[[], None]
    give_up: Callable[[BaseException], None]


@final
class HostedPartition:
    """What the node and its gateway hold on to."""

    def __init__(
        self,
        partition_id: int,
        files: ReplicaFiles,
        member: RaftMember,
        birth: Configuration,
        has_peers: Callable[[], bool],
        surroundings: Surroundings,
    ) -> None:
        self.id: Final = partition_id
        self.member = member
        self.actor: PartitionActor | None = None
        self.failure: BaseException | None = None
        self._files = files
        self._birth = birth
        self._has_peers = has_peers
        self._is_damaged = False
        self._source = 0
        """Who sent the copy that the replica is to be opened with."""
        self._surroundings = surroundings
        self._stopping = False
        self._subscribed: dict[JobWatcher, set[str]] = {}
        self._far: set[JobWatcher] = set()
        """Those on other nodes."""
        self.supervisor = Supervisor(
            f"partition-{partition_id}",
            self.open,
            surroundings.give_up,
            surroundings.scheduler,
            surroundings.clock,
        )

    @property
    def leads(self) -> bool:
        return self.actor is not None and self.actor.leads

    @property
    def quiet(self) -> bool:
        return self.actor is None or self.actor.quiet

    def submit(self, command: ClientCommand) -> asyncio.Future[Outcome]:
        """Raises Refused or NoLeader when the command was not taken."""
        if self.actor is None:
            raise NoLeader(f"partition {self.id} is being recovered")
        return self.actor.submit(command)

    def subscribe_jobs(self, watcher: JobWatcher, job_type: str, *, is_far: bool = False) -> None:
        """Have the watcher told of jobs, over all restarts of the actor until it unsubscribes."""
        self._subscribed.setdefault(watcher, set()).add(job_type)
        if is_far:
            self._far.add(watcher)
        if self.actor is not None:
            self.actor.watching.subscribe(watcher, job_type, is_far=is_far)

    def unsubscribe_jobs(self, watcher: JobWatcher, job_type: str) -> None:
        self._subscribed.get(watcher, set()).discard(job_type)
        if self.actor is not None:
            self.actor.watching.unsubscribe(watcher, job_type)

    def forget_watcher(self, watcher: JobWatcher) -> None:
        self._subscribed.pop(watcher, None)
        self._far.discard(watcher)
        if self.actor is not None:
            self.actor.watching.forget(watcher)

    def open(self) -> None:
        """Open the replica aside, then start its actor here."""
        box: list[PartitionActor] = []
        early: list[Appended | AppendFailed] = []

        def on_log(message: Appended | AppendFailed) -> None:
            if box:
                box[0].on_log(message)
            else:
                early.append(message)

        has_peers = self._has_peers()

        def work() -> Replica:
            files = self._files
            if not files.exists():
                files.create(self._birth)
            if not has_peers:
                return open_replica(self.id, files, self.member, on_log)
            if not self._is_damaged:
                try:
                    return open_replica(self.id, files, self.member, on_log)
                except (DamageError, GapError) as error:
                    _logger.error("partition %d: damaged, and rebuilt from its peers: %s", self.id, error)
            kept = files.set_aside()
            _logger.warning("partition %d: what was here is in %s", self.id, kept)
            self._is_damaged = False
            return open_replica(self.id, files, self.member, on_log)

        def opened(replica: Replica | None, error: BaseException | None) -> None:
            if replica is None:
                assert error is not None, "neither a replica nor an error"
                self._failed(error)
                return
            if self._stopping:
                close_replica(replica)
                return
            actor = self._actor_of(replica)
            box.append(actor)
            for message in early:
                actor.on_log(message)
            self._started(actor)

        self._surroundings.scheduler.run_blocking(work, opened)

    def remove(self, removed: Callable[[], None]) -> None:
        """Stop, and delete the data: the group goes on without this replica."""
        self._stopping = True
        actor, self.actor = self.actor, None
        if actor is not None:
            actor.stop()

        def work() -> None:
            if actor is not None:
                close_replica(actor.replica)
            self._files.remove()

        def done(_: None, error: BaseException | None) -> None:
            if error is not None:
                _logger.error("partition %d: cannot be removed", self.id, exc_info=error)
            removed()

        self._surroundings.scheduler.run_blocking(work, done)

    def stop(self) -> None:
        """Stop and close the files (blocking until what is queued is on disk)."""
        self._stopping = True
        actor, self.actor = self.actor, None
        if actor is not None:
            actor.stop()
            close_replica(actor.replica)

    def _started(self, actor: PartitionActor) -> None:
        self.actor = actor
        for watcher, job_types in self._subscribed.items():
            for job_type in job_types:
                actor.watching.subscribe(watcher, job_type, is_far=watcher in self._far)
        actor.start()
        source, self._source = self._source, 0
        if source:
            actor.mending.say_installed(source)

    def _actor_of(self, replica: Replica) -> PartitionActor:
        files, given = replica.files, self._surroundings
        archiving = Archiving(
            Archive(files.disk, files.directory / ARCHIVE),
            replica.log.log,
            files.directory / LOG,
            given.retention,
            given.scheduler,
            given.clock,
            lambda error: actor.found_damaged(error),
        )
        actor = PartitionActor(
            replica,
            given.know_peers,
            given.scheduler,
            given.clock,
            given.log_clock,
            given.channels,
            given.new_future,
            limits=given.limits,
            checkpoints=given.checkpoints,
            archiving=archiving,
            disk_space=given.disk_space,
            leader_changed=given.leader_changed,
            ask=given.ask,
            has_peers=self._has_peers,
            installed=lambda installed: self._switch(actor, installed),
        )
        actor.supervise(lambda error: self._died(actor, error))
        return actor

    def _switch(self, actor: PartitionActor, installed: Installed) -> None:
        """Begin from the checkpoint that was fetched."""
        self.actor = None
        actor.stop()
        files, manifest = self._files, installed.manifest

        def work() -> None:
            close_replica(actor.replica)
            switch_checkpoint(files.disk, files.directory, installed.directory)
            if installed.begins_anew:
                position = Position(manifest.index, manifest.term, manifest.hash)
                begin_after(files.disk, files.directory, position)
                Archive(files.disk, files.directory / ARCHIVE).begin_after(position)

        def done(_: None, error: BaseException | None) -> None:
            if error is not None:
                self._failed(error)
            elif not self._stopping:
                _logger.info("partition %d: has the checkpoint of entry %d", self.id, manifest.index)
                self._source = installed.source
                self.open()

        self._surroundings.scheduler.run_blocking(work, done)

    def _died(self, actor: PartitionActor, error: Exception) -> None:
        """Memory is not the fold of the log any more, or the disk failed: drop it and begin from the disk."""
        self.actor = None
        self._surroundings.leader_changed()
        self._surroundings.scheduler.run_blocking(
            lambda: close_replica(actor.replica), lambda _, close_error: self._failed(close_error or error)
        )

    def _failed(self, error: BaseException) -> None:
        self.failure = error
        if self._stopping:
            return
        if _is_damage(error) and self._has_peers():
            self._is_damaged = True  # It may open well: of another history, or with a bad byte further on.
            self.supervisor.failed(error)
        else:
            self.supervisor.failed(error, final=_is_of_the_disk(error))


def close_replica(replica: Replica) -> None:
    replica.log.log.close()
    replica.store.close()


def _is_damage(error: BaseException | None) -> bool:
    """Whether what is on the disk is not what was written, or cannot be read any more."""
    while error is not None:
        if isinstance(error, DamageError | GapError):
            return True
        if isinstance(error, BrokenStateError) and isinstance(error.__cause__, StorageError):
            return True
        error = error.__cause__
    return False


def _is_of_the_disk(error: BaseException | None) -> bool:
    """Whether the disk or what is on it is at the root: beginning anew would meet it again."""
    while error is not None:
        if isinstance(error, StorageError | CodecError):
            return True
        error = error.__cause__
    return False
