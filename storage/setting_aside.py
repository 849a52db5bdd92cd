"""A damaged replica of several: what it once claimed is kept, its files are put aside, and it begins anew."""

from pathlib import Path
from typing import Final

from bpmnd.storage.batch import PAGE, trailer_of
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import ORIGIN, Position
from bpmnd.storage.errors import DamageError
from bpmnd.storage.layout import (
    ARCHIVE,
    DAMAGED,
    LOG,
    empty_directory,
    next_checkpoint_directory,
    switch_checkpoint,
)
from bpmnd.storage.mark import Mark, MarkFile, read_claim, read_vote
from bpmnd.storage.segment import segment_numbers, segment_path

_CHUNK: Final = 1 << 20


def claimed_end(disk: Disk, log: Path) -> tuple[int, int]:
    """(term, index): the furthest that this log can have told others to have on disk.

    A batch that was told has a trailer, and all but the last few stand in the mark; so the furthest trailer
    that can be read bounds it, whatever else is damaged. Raises DamageError when the vote cannot be read:
    then nobody knows what was promised.
    """
    read_vote(disk, log)
    try:
        mark = read_claim(disk, log).position
        furthest = (mark.term, mark.index)
    except DamageError:
        furthest = (0, 0)
    for number in segment_numbers(disk, log):
        file = disk.open(segment_path(log, number))
        try:
            offset = 0
            while chunk := file.read(_CHUNK, offset):
                for end in range(PAGE, len(chunk) + 1, PAGE):
                    trailer = trailer_of(chunk, end)
                    if trailer is not None:
                        furthest = max(furthest, (trailer.term, trailer.last))
                offset += len(chunk)
        finally:
            file.close()
    return furthest


def set_aside(disk: Disk, directory: Path) -> Path:
    """Leave an empty log with the vote that was there, and an empty checkpoint; where the files went.

    May be interrupted at any point and done again: the files that went aside stay there. Those of an earlier
    time that are in the way are replaced.
    """
    log, kept = directory / LOG, directory / DAMAGED
    disk.make_directory(kept)
    for number in reversed(segment_numbers(disk, log)):
        path = segment_path(log, number)
        disk.rename(path, kept / path.name)
    disk.sync_directory(kept)
    disk.sync_directory(log)
    MarkFile.create(disk, log, Mark(0, ORIGIN))
    for name in disk.names(directory / ARCHIVE):
        disk.rename(directory / ARCHIVE / name, kept / name)
    if disk.names(directory / ARCHIVE):
        disk.sync_directory(directory / ARCHIVE)
    _empty_checkpoint(disk, directory)
    return kept


def begin_after(disk: Disk, directory: Path, position: Position) -> None:
    """Let the log of a closed replica go on after a position that its entries do not reach."""
    log = directory / LOG
    for number in reversed(segment_numbers(disk, log)):
        disk.remove(segment_path(log, number))
    disk.sync_directory(log)
    MarkFile.create(disk, log, Mark(0, position))


def _empty_checkpoint(disk: Disk, directory: Path) -> None:
    empty = next_checkpoint_directory(disk, directory)
    disk.make_directory(empty)
    empty_directory(disk, empty)  # A transfer may have been on its way there.
    switch_checkpoint(disk, directory, empty)
