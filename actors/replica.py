"""A replica: the log, the checkpoint store and the Raft member of one partition on this node."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import msgspec

from bpmnd.actors.checkpoints import CONFIGURATION
from bpmnd.actors.consensus import Configurations, Consensus
from bpmnd.actors.entry_log import EntryLog, raft_state
from bpmnd.actors.machine import Machine, replay_all
from bpmnd.cluster.raft import (
    Configuration,
    Entry,
    EntryId,
    EntryKind,
    Message,
    Raft,
    RaftSettings,
    Snapshot,
)
from bpmnd.storage.cold_store import ColdStore, Stores
from bpmnd.storage.disk import Disk, read_file, replace_file
from bpmnd.storage.layout import (
    ARCHIVE,
    DAMAGED,
    FROZEN,
    LOG,
    SCRUBBED,
    remove_directory,
    remove_old_checkpoints,
)
from bpmnd.storage.log import Appended, AppendFailed, Log, Post
from bpmnd.storage.partition import open_partition_storage
from bpmnd.storage.setting_aside import claimed_end, set_aside
from bpmnd.storage.writer import Writer

_logger = logging.getLogger(__name__)

BIRTH: Final = "birth"
"""The file with the configuration that the group began with. A replica exists when this file does."""
COMMITTED: Final = "committed"
"""The file with the last change of the configuration that this replica knows to be committed."""
CLAIM: Final = "claim"
"""The file in which a replica that was damaged keeps what it once acknowledged, until it has it again."""


@dataclass(frozen=True, slots=True)
class ReplicaFiles:
    """Where a replica lives, and how its log is written."""

    disk: Disk
    stores: Stores
    directory: Path
    writer: Writer
    post: Post
    segment_size: int

    def exists(self) -> bool:
        return BIRTH in self.disk.names(self.directory)

    def create(self, birth: Configuration) -> None:
        """Make an empty replica of a group that began with this configuration (blocking)."""
        self.disk.make_directory(self.directory)
        if not Log.exists(self.disk, self.directory / LOG):
            Log.create(self.disk, self.directory / LOG)
        replace_file(self.disk, self.directory / BIRTH, birth.to_bytes())

    def remove(self) -> None:
        """Delete the data (blocking), at last that the replica exists.

        The vote and what was acknowledged stay: should this member come back to the group, it stands by both.
        With an empty log it would otherwise elect whoever was left behind when it was a voter before.
        """
        disk, directory = self.disk, self.directory
        self.set_aside()
        remove_old_checkpoints(disk, directory)
        for name in (ARCHIVE, DAMAGED, FROZEN, SCRUBBED):
            remove_directory(disk, directory / name)
        if COMMITTED in disk.names(directory):
            disk.remove(directory / COMMITTED)
        disk.remove(directory / BIRTH)
        disk.sync_directory(directory)

    def claim(self) -> EntryId | None:
        """What a damaged replica has told others to have, as long as it does not have it again (blocking)."""
        if CLAIM not in self.disk.names(self.directory):
            return None
        term, index = msgspec.msgpack.decode(
            read_file(self.disk, self.directory / CLAIM), type=tuple[int, int]
        )
        return EntryId(term, index)

    def committed(self) -> EntryId | None:
        """The change of the configuration that was last told to `keep_committed` (blocking)."""
        if COMMITTED not in self.disk.names(self.directory):
            return None
        term, index = msgspec.msgpack.decode(
            read_file(self.disk, self.directory / COMMITTED), type=tuple[int, int]
        )
        return EntryId(term, index)

    def keep_committed(self, change: EntryId) -> None:
        """Have a change of the configuration known as committed after a restart, too (blocking).

        Who does not belong to the group any more may delete its replica then, and could not tell.
        """
        encoded = msgspec.msgpack.encode((change.term, change.index))
        replace_file(self.disk, self.directory / COMMITTED, encoded)

    def set_aside(self) -> Path:
        """Begin anew with nothing but what was claimed and voted (blocking); where the old files went.

        Raises DamageError if the vote cannot be read.
        """
        term, index = claimed_end(self.disk, self.directory / LOG)
        claim = max(EntryId(term, index), self.claim() or EntryId(0, 0))
        replace_file(self.disk, self.directory / CLAIM, msgspec.msgpack.encode((claim.term, claim.index)))
        return set_aside(self.disk, self.directory)

    def forget_claim(self) -> None:
        """The replica is whole again (blocking)."""
        self.disk.remove(self.directory / CLAIM)
        self.disk.sync_directory(self.directory)


@dataclass(frozen=True, slots=True)
class RaftMember:
    """Who this node is in the group, and what its Raft member needs from outside."""

    id: int
    send: Callable[[Message], None]
    random: Callable[[int], int]
    settings: RaftSettings


@final
@dataclass(frozen=True, slots=True)
class Replica:
    partition_id: int
    files: ReplicaFiles
    log: EntryLog
    store: ColdStore
    consensus: Consensus
    machine: Machine
    """The state as far as it is known to be committed; for a group of one that is all of the log."""


def open_replica(
    partition_id: int,
    files: ReplicaFiles,
    member: RaftMember,
    then: Callable[[Appended | AppendFailed], None],
) -> Replica:
    """Open a replica (blocking): checkpoint store, log, and the replay of what is known to be committed.

    Raises StorageError for what is damaged or does not fit together, CodecError for frames this build does
    not know.
    """
    remove_old_checkpoints(files.disk, files.directory)
    remove_directory(files.disk, files.directory / SCRUBBED)
    storage = open_partition_storage(
        files.disk,
        files.stores,
        files.directory,
        writer=files.writer,
        post=files.post,
        then=then,
        segment_size=files.segment_size,
    )
    log, store = storage.log, storage.store
    claim = files.claim()
    try:
        machine = Machine(partition_id, store)
        kept = store.meta(CONFIGURATION)
        birth = kept if kept is not None else read_file(files.disk, files.directory / BIRTH)
        configuration = Configuration.from_bytes(birth)
        base = machine.applied
        kinds = [(entry.index, entry.kind) for entry in log.entries(storage.replay_from)]
        changes = deque(index for index, kind in kinds if kind == EntryKind.CONFIGURATION)
        committed = base
        alone = configuration.voters == (member.id,) and not configuration.is_joint
        if alone and not changes and claim is None:
            committed = log.last_index  # What one member has on its disk, a majority has.
            replay_all(machine, log.entries(storage.replay_from))
    except BaseException:
        store.close()
        log.close()
        raise
    configurations = Configurations(base, configuration)
    entry_log = EntryLog(log)
    raft = Raft(
        member.id,
        RaftStorage(entry_log, store, configurations),
        configuration,
        hard_state=raft_state(log.hard_state),
        committed=committed,
        applied=committed,
        settings=member.settings,
        random=member.random,
        claim=claim,
    )
    if claim is not None and not raft.damaged:
        files.forget_claim()
    _logger.info(
        "partition %d: opened at %d, %d frames replayed", partition_id, log.last_index, machine.replayed
    )
    raft.learn_commit(files.committed())
    consensus = Consensus(raft, entry_log, configurations, changes, member.send, files.keep_committed)
    return Replica(partition_id, files, entry_log, store, consensus, machine)


@final
class RaftStorage:
    """Log and checkpoint of a replica, as its Raft member reads them."""

    def __init__(self, log: EntryLog, store: ColdStore, configurations: Configurations) -> None:
        self._log = log
        self._store = store
        self._configurations = configurations

    @property
    def first_index(self) -> int:
        return self._log.first_index

    @property
    def last_index(self) -> int:
        return self._log.last_index

    def term_at(self, index: int) -> int | None:
        return self._log.term_at(index)

    def entries(self, start: int, stop: int, bytes_max: int) -> Sequence[Entry]:
        return self._log.entries(start, stop, bytes_max)

    def snapshot_position(self) -> Snapshot | None:
        position = self._store.position()
        if position is None:
            return None
        return Snapshot(position.index, position.term, self._configurations.at(position.index))
