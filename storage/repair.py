"""The explicit repair of a damaged partition: cut at the first damage, and keep what was cut."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from bpmnd.storage.archive import Archive, ArchiveRetention
from bpmnd.storage.archive_file import read_archive, read_header
from bpmnd.storage.disk import Disk, RealDisk, read_file, replace_file
from bpmnd.storage.entry import ORIGIN, Position
from bpmnd.storage.errors import DamageError, StorageError
from bpmnd.storage.layout import ARCHIVE, LOG
from bpmnd.storage.mark import Mark, MarkFile, read_mark, read_vote
from bpmnd.storage.segment import Batch, clean, read_batch, segment_numbers, segment_path
from bpmnd.storage.verify import check_chain, verify
from bpmnd.storage.walk import Walk


@final
@dataclass(frozen=True, slots=True)
class RepairReport:
    """What was repaired, and where a copy of all that was touched lies. `remaining` was hidden behind it."""

    damage: DamageError
    kept_in: Path
    remaining: DamageError | None


def repair(directory: Path, *, disk: Disk | None = None) -> RepairReport | None:
    """Repair the first damage of a stopped node's partition; None if there is none.

    The log is cut at it, by whole write batches. Damage in the archive leaves the log alone: the archive then
    begins after the damaged file. A damaged vote is not made up: such a replica must be replaced.
    """
    disk = disk or RealDisk()
    read_vote(disk, directory / LOG)
    damage = verify(directory, disk=disk).damage
    if damage is None:
        return None
    kept_in = _new_directory(disk, directory)
    if damage.file.parent == directory / ARCHIVE:
        _cut_archive(disk, directory, kept_in)
    else:
        _cut_log(disk, directory, kept_in)
    return RepairReport(damage, kept_in, verify(directory, disk=disk).damage)


def _cut_log(disk: Disk, directory: Path, kept_in: Path) -> None:
    """Leave the whole batches before the damage, and a mark that ends there."""
    log = directory / LOG
    walk, good, end = _good_part(disk, directory)
    for name in ("mark", "vote"):
        _copy(disk, log / name, kept_in)
    for number in walk.numbers:
        if number >= end[0]:
            _copy(disk, segment_path(log, number), kept_in)

    MarkFile.create(disk, log, good)
    for number in reversed(walk.numbers):
        if number > end[0] or good.sequence == 0:
            disk.remove(segment_path(log, number))
            disk.sync_directory(log)
    if good.sequence:
        file = disk.open(segment_path(log, end[0]), writable=True)
        try:
            clean(file, end[1])
        finally:
            file.close()


def _good_part(disk: Disk, directory: Path) -> tuple[Walk, Mark, tuple[int, int]]:
    """The last good batch, and the segment and offset at which it ends."""
    log = directory / LOG
    walk = Walk(disk, log, _mark_or_guess(disk, log))
    good, end = Mark(0, ORIGIN), (0, 0)
    try:
        for place, batch in walk.batches():
            check_chain(place, batch, segment_path(log, place.segment))
            good = Mark(place.sequence, Position(place.end, batch.trailer.term, place.hash))
            end = place.segment, place.offset + place.size
    except DamageError:
        pass  # The batch whose chain is broken is the first that goes.
    if good.sequence == 0:
        archived = Archive(disk, directory / ARCHIVE).last()
        if archived == ORIGIN and walk.numbers[:1] != [1]:
            raise StorageError(f"{log}: nothing before the damage is left; replace this replica")
        good = Mark(0, archived)
    return walk, good, end


def _mark_or_guess(disk: Disk, log: Path) -> Mark:
    """The mark; if that is what is damaged, one that lets the log begin with its first batch."""
    try:
        return read_mark(disk, log)
    except DamageError:
        for number in segment_numbers(disk, log):
            file = disk.open(segment_path(log, number))
            try:
                batch = read_batch(file, 0)
            finally:
                file.close()
            if isinstance(batch, Batch):
                header = batch.header
                before = Position(header.first - 1, header.previous_term, header.previous_hash)
                return Mark(header.sequence, before)
        raise


def _cut_archive(disk: Disk, directory: Path, kept_in: Path) -> None:
    """Let the archive begin after its last damaged file."""
    archive = directory / ARCHIVE
    begin = Walk(disk, directory / LOG, read_mark(disk, directory / LOG))
    next(begin.batches(), None)
    head = begin.table.base
    names = [name for name in disk.names(archive) if name.endswith(".zst")]
    newest_name = names[-1]  # It may reach into the log, if a crash came before the segment was dropped.
    for name in reversed(names):
        try:
            header = read_header(disk, archive / name)
            newest = name == newest_name and header.last.index >= head.index
            if header.last != head and not newest:
                break
            for _ in read_archive(disk, archive / name, 0):
                pass
        except DamageError:
            break
        head = header.previous
        names = names[: names.index(name)]
    for name in (*names, *(name for name in disk.names(archive) if name == "head")):
        _copy(disk, archive / name, kept_in)
    files = Archive(disk, archive)
    files.begin_after(head)
    files.retain(ArchiveRetention(), now=0)


def _copy(disk: Disk, path: Path, kept_in: Path) -> None:
    replace_file(disk, kept_in / path.name, read_file(disk, path))


def _new_directory(disk: Disk, directory: Path) -> Path:
    number = 1
    while disk.names(directory / f"cut-{number}"):
        number += 1
    path = directory / f"cut-{number}"
    disk.make_directory(path)
    return path
