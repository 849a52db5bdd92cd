"""Opening a log: read it, judge its end, leave it clean and synced."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import Position
from bpmnd.storage.mark import Mark, MarkFile, read_mark
from bpmnd.storage.segment import clean, make_segment, segment_path
from bpmnd.storage.table import Table
from bpmnd.storage.walk import Torn, Walk


@final
@dataclass(frozen=True, slots=True)
class Recovered:
    """A log that is whole, and where its next batch goes."""

    table: Table
    last: Position
    sequence: int
    oldest_segment: int
    segment: int
    offset: int
    torn: Torn | None


def recover(disk: Disk, directory: Path, segment_size: int) -> Recovered:
    """Raises `DamageError` and changes nothing when synced bytes are not what was written."""
    mark = read_mark(disk, directory)
    walk = Walk(disk, directory, mark)
    unmarked = [place for place, _ in walk.batches() if place.sequence > mark.sequence]
    torn = walk.finish()
    walk.check_mark()

    for name in disk.names(directory):
        if name.endswith(".new"):
            disk.remove(directory / name)
    for number in walk.leftovers:
        disk.remove(segment_path(directory, number))
    for number in walk.numbers:
        if number > walk.segment or (number == walk.segment and walk.offset == 0):
            disk.remove(segment_path(directory, number))  # Prepared, or torn in its first batch.
    disk.sync_directory(directory)

    segment = walk.segment if walk.offset else max(walk.segment, 1)
    if walk.offset == 0:
        make_segment(disk, directory, segment, segment_size).close()
    _resync(
        disk,
        directory,
        segment,
        walk.offset,
        [(place.segment, place.offset, place.size) for place in unmarked],
    )
    if walk.sequence:
        _write_mark(disk, directory, Mark(walk.sequence, walk.last))
    oldest = walk.numbers[0] if walk.numbers else segment
    return Recovered(walk.table, walk.last, walk.sequence, oldest, segment, walk.offset, torn)


def _resync(
    disk: Disk, directory: Path, segment: int, offset: int, unmarked: list[tuple[int, int, int]]
) -> None:
    """Write what the mark does not vouch for once more: that it can be read does not make it synced."""
    for number, start, size in unmarked:
        file = disk.open(segment_path(directory, number), writable=True)
        try:
            file.write([file.read(size, start)], start, durable=True)
        finally:
            file.close()
    file = disk.open(segment_path(directory, segment), writable=True)
    try:
        clean(file, offset)
    finally:
        file.close()


def _write_mark(disk: Disk, directory: Path, mark: Mark) -> None:
    """Also where it can be read already: what was written last may not be on disk."""
    mark_file = MarkFile.open(disk, directory)
    try:
        mark_file.write_both(mark)
    finally:
        mark_file.close()
