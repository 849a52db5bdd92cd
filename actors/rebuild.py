"""A new checkpoint out of archive and log, when the old one is damaged or stands ahead of a repaired log."""

from pathlib import Path
from typing import Final

from bpmnd.actors.exporters.reading import PartitionFiles
from bpmnd.bpmn.appliers import replay
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.state import State
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.checkpoint import CheckpointStore
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import ORIGIN, Position
from bpmnd.storage.errors import MissingError
from bpmnd.storage.layout import CHECKPOINT

_FRAMES_PER_CHECKPOINT: Final = 10_000
_IN_MEMORY_MAX: Final = 10_000
_HEAD_MAX: Final = 4096


def rebuild_checkpoint(disk: Disk, directory: Path, partition_id: int, kept_in: Path) -> Position:
    """Replay every entry of a stopped node's partition from the first on (blocking); where it ends.

    The old checkpoint is moved to `kept_in`. Raises StorageError if archive and log are damaged or do not
    reach back to the first entry, CodecError for frames that this build does not know.
    """
    files = PartitionFiles(disk, directory, running=False)
    first = next(files.entries(), None)
    if first is not None and first.index != 1:
        raise MissingError(f"{directory} keeps entries from {first.index} on; a rebuild needs them all")
    old = directory / CHECKPOINT
    if old.exists():
        disk.make_directory(kept_in)
        disk.rename(old, kept_in / CHECKPOINT)
        disk.sync_directory(directory)
    store = CheckpointStore(old)
    try:
        return _replay_all(files, State(partition_id, store), store)
    finally:
        store.close()


def _replay_all(files: PartitionFiles, state: State, store: CheckpointStore) -> Position:
    last = ORIGIN
    frames = 0
    for entry in files.entries():
        last = Position(entry.index, entry.term, entry.hash)
        if entry.kind == EntryKind.COMMAND:
            replay(state, decode_frame(entry.payload))
            frames += 1
            if frames % _FRAMES_PER_CHECKPOINT == 0:
                _write(state, store, last)
    _write(state, store, last)
    return last


def _write(state: State, store: CheckpointStore, position: Position) -> None:
    capture = state.begin_capture()
    while capture.advance(_FRAMES_PER_CHECKPOINT):
        pass
    store.write(capture.rows)
    store.commit(position)
    state.readable(instances_in_memory_max=_IN_MEMORY_MAX, index_head_max=_HEAD_MAX)
