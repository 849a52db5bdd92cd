"""A new checkpoint out of archive and log, when the old one is damaged or stands ahead of a repaired log."""

from pathlib import Path
from typing import Final

from bpmnd.actors.checkpoints import CONFIGURATION
from bpmnd.actors.exporters.reading import PartitionFiles
from bpmnd.actors.machine import Machine
from bpmnd.actors.replica import BIRTH
from bpmnd.cluster.raft import Configuration, ConfigurationChange, EntryKind, Refusal
from bpmnd.storage.checkpoint import CheckpointStore
from bpmnd.storage.disk import Disk, read_file
from bpmnd.storage.entry import ORIGIN, Position
from bpmnd.storage.errors import MissingError
from bpmnd.storage.layout import checkpoint_directory

_ENTRIES_PER_CHECKPOINT: Final = 10_000
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
    old = checkpoint_directory(disk, directory)
    if old.exists():
        disk.make_directory(kept_in)
        disk.rename(old, kept_in / old.name)
        disk.sync_directory(directory)
    birth = Configuration.from_bytes(read_file(disk, directory / BIRTH))
    store = CheckpointStore(old)
    try:
        return _replay_all(files, Machine(partition_id, store), store, birth)
    finally:
        store.close()


def _replay_all(
    files: PartitionFiles, machine: Machine, store: CheckpointStore, configuration: Configuration
) -> Position:
    last = ORIGIN
    for entry in files.entries():
        last = Position(entry.index, entry.term, entry.hash)
        machine.take(entry.index, entry.kind, entry.payload)
        if entry.kind == EntryKind.CONFIGURATION:
            changed = configuration.changed(ConfigurationChange.from_bytes(entry.payload))
            assert not isinstance(changed, Refusal), f"entry {entry.index}: {changed}"
            configuration = changed
        if entry.index % _ENTRIES_PER_CHECKPOINT == 0:
            machine.apply()
            _write(machine, store, last, configuration)
        elif machine.has_enough:
            machine.apply()
    machine.apply()
    _write(machine, store, last, configuration)
    return last


def _write(
    machine: Machine, store: CheckpointStore, position: Position, configuration: Configuration
) -> None:
    capture = machine.state.begin_capture()
    while capture.advance(_ENTRIES_PER_CHECKPOINT):
        pass
    store.write(capture.rows)
    store.commit(position, {CONFIGURATION: configuration.to_bytes()})
    machine.state.readable(instances_in_memory_max=_IN_MEMORY_MAX, index_head_max=_HEAD_MAX)
