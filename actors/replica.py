"""A replica: the log, the checkpoint store and the state of one partition on this node, opened together."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bpmnd.bpmn.appliers import replay
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.state import State
from bpmnd.bpmn.turn import BrokenStateError
from bpmnd.cluster.raft import EntryKind, HardState, Raft
from bpmnd.storage.checkpoint import CheckpointStore
from bpmnd.storage.disk import Disk
from bpmnd.storage.errors import StorageError
from bpmnd.storage.layout import LOG
from bpmnd.storage.log import Appended, AppendFailed, Log, Post
from bpmnd.storage.partition import open_partition_storage
from bpmnd.storage.writer import Writer

_logger = logging.getLogger(__name__)

MEMBER = 1
"""This node's id in the Raft group of each of its partitions."""


@dataclass(frozen=True, slots=True)
class ReplicaFiles:
    """Where a replica lives, and how its log is written."""

    disk: Disk
    directory: Path
    writer: Writer
    post: Post
    segment_size: int


@final
class GuardedStore:
    """The checkpoint store as the state reads it. A failing disk is no failed decision: it ends the actor."""

    def __init__(self, store: CheckpointStore) -> None:
        self._store = store

    def get(self, key: bytes) -> bytes | None:
        try:
            return self._store.get(key)
        except StorageError as error:
            raise BrokenStateError("the checkpoint cannot be read") from error

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        try:
            return self._store.range(start, stop, limit)
        except StorageError as error:
            raise BrokenStateError("the checkpoint cannot be read") from error


@dataclass(frozen=True, slots=True)
class Replica:
    """All of the log is applied to `state`, its uncommitted end too (design: a new leader decides on top)."""

    partition_id: int
    files: ReplicaFiles
    log: Log
    store: CheckpointStore
    state: State
    raft: Raft
    replayed: int
    """Entries that were applied on top of the checkpoint."""


def open_replica(
    partition_id: int, files: ReplicaFiles, then: Callable[[Appended | AppendFailed], None]
) -> Replica:
    """Open or create a replica (blocking): checkpoint store, log, and the replay of the log's tail.

    Raises StorageError for what is damaged or does not fit together, CodecError for frames this build does
    not know.
    """
    log_directory = files.directory / LOG
    if not Log.exists(files.disk, log_directory):
        Log.create(files.disk, log_directory)
    storage = open_partition_storage(
        files.disk,
        files.directory,
        writer=files.writer,
        post=files.post,
        then=then,
        segment_size=files.segment_size,
    )
    log, store = storage.log, storage.store
    state = State(partition_id, GuardedStore(store))
    replayed = 0
    for entry in log.entries(storage.replay_from):
        if entry.kind == EntryKind.COMMAND:
            replay(state, decode_frame(entry.payload))
            replayed += 1
    raft = Raft(
        MEMBER,
        (MEMBER,),
        hard_state=HardState(log.hard_state.term, log.hard_state.voted_for or 0),
        last_index=log.last_index,
        last_term=log.last_term,
        committed=storage.replay_from - 1,
    )
    _logger.info("partition %d: opened at %d, %d frames replayed", partition_id, log.last_index, replayed)
    return Replica(partition_id, files, log, store, state, raft, replayed)
