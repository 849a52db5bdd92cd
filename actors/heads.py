"""The head of a log: the last position of which the files say that it stands for good.

Who notes it, and keeps the note elsewhere, can tell later whether anything up to there was altered.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from bpmnd.actors.exporters.reading import PartitionFiles
from bpmnd.actors.history.projector import history_path
from bpmnd.actors.identity import known_cluster
from bpmnd.bpmn.codec import decode_head
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.archive import Archive
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import StorageError
from bpmnd.storage.history import HistoryReader, TooSlowError
from bpmnd.storage.layout import ARCHIVE, LOG
from bpmnd.storage.mark import read_mark

_LOOKED_BACK: Final = (0, 100, 10_000)
"""How far before the head its time is looked for: Raft's own entries have none."""
_READ_SECONDS_MAX: Final = 5.0


@final
@dataclass(frozen=True, slots=True)
class Head:
    """A position, and the log's time there in milliseconds; 0 if nothing has happened yet."""

    partition_id: int
    position: Position
    time: int


def head_of(disk: Disk, directory: Path, partition_id: int, *, running: bool) -> Head | None:
    """The head of a partition in the data directory of a node; None if nothing is known to be committed.

    Raises StorageError and CodecError.
    """
    partition = directory / "partitions" / str(partition_id)
    position = _committed(disk, directory, partition_id, partition)
    if position.index == 0:
        return None
    return Head(partition_id, position, _time_at(PartitionFiles(disk, partition, running=running), position))


def _committed(disk: Disk, directory: Path, partition_id: int, partition: Path) -> Position:
    """A replica that is alone has committed what it has synced. Else the log does not say how far it is
    committed, but what was archived is, and what the history has."""
    cluster = known_cluster(disk, directory)
    if cluster is not None and len(cluster.members) == 1 and cluster.operation is None:
        return read_mark(disk, partition / LOG).position
    archived = Archive(disk, partition / ARCHIVE).last()
    try:
        with (
            closing(HistoryReader(history_path(directory, partition_id))) as reader,
            reader.snapshot(_READ_SECONDS_MAX) as progress,
        ):
            projected = progress.position
    except (StorageError, TooSlowError):
        return archived
    return max(archived, projected, key=lambda position: position.index)


def _time_at(files: PartitionFiles, position: Position) -> int:
    for back in _LOOKED_BACK:
        time, first = 0, max(position.index - back, 1)
        for entry in files.entries(first):
            if entry.index > position.index:
                break
            if entry.kind == EntryKind.COMMAND:
                time = decode_head(entry.payload).time
        if time or first == 1:
            return time
    return 0
