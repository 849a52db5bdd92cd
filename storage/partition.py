"""The storage of one partition replica: its log and its checkpoint, which must meet."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bpmnd.storage.cold_store import ColdStore, Stores
from bpmnd.storage.disk import Disk
from bpmnd.storage.errors import DamageError, GapError
from bpmnd.storage.layout import LOG, checkpoint_directory
from bpmnd.storage.log import SEGMENT_SIZE, Appended, AppendFailed, Log, Post
from bpmnd.storage.writer import Writer


@final
@dataclass(frozen=True, slots=True)
class PartitionStorage:
    """Log and store of one replica. What the log has after the store's position is to be replayed."""

    log: Log
    store: ColdStore

    @property
    def replay_from(self) -> int:
        position = self.store.position()
        return 1 if position is None else position.index + 1


def open_partition_storage(
    disk: Disk,
    stores: Stores,
    directory: Path,
    *,
    writer: Writer,
    post: Post,
    then: Callable[[Appended | AppendFailed], None],
    segment_size: int = SEGMENT_SIZE,
) -> PartitionStorage:
    """Open both (blocking) and refuse when they do not meet. The log must have been created."""
    log = Log.open(disk, directory / LOG, writer=writer, post=post, then=then, segment_size=segment_size)
    try:
        store = stores.open(checkpoint_directory(disk, directory))
        try:
            check_meets(log, store, directory)
        except BaseException:
            store.close()
            raise
    except BaseException:
        log.close()
        raise
    return PartitionStorage(log, store)


def check_meets(log: Log, store: ColdStore, directory: Path) -> None:
    """The store's position must be in the log, with the same chain hash."""
    position = store.position()
    if position is None:
        if log.base.index > 0:
            raise GapError(f"{directory}: no checkpoint, but the log begins with entry {log.first_index}")
        return
    if position.index < log.base.index:
        what = f"the checkpoint ends at entry {position.index}, the log begins with {log.first_index}"
        raise GapError(f"{directory}: {what}")
    if position.index > log.synced_index:
        what = f"the checkpoint is at entry {position.index}, but the log ends at {log.synced_index}"
        raise DamageError("truncated", directory / LOG, log.synced_index + 1, None, what)
    if log.hash_at(position.index) != position.hash:
        what = "log and checkpoint have different hashes for this entry"
        raise DamageError("chain", directory / LOG, position.index, None, what)
