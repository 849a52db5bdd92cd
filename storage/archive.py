"""The archive: all entries of sealed segments, compressed, for as long as the operator wants them."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bpmnd.storage.archive_file import ArchiveHeader, read_archive, read_header, write_archive
from bpmnd.storage.disk import Disk, read_file, replace_file
from bpmnd.storage.entry import ORIGIN, Entry, Position
from bpmnd.storage.errors import DamageError, GapError, MissingError
from bpmnd.storage.log import Log, Sealed
from bpmnd.storage.table import entries_in

_SUFFIX = ".zst"
_HEAD_MAGIC = b"BPMNDHED"
_HEAD = struct.Struct("<8sQQ32s")
_LEVEL = 3


@final
@dataclass(frozen=True, slots=True)
class ArchiveRetention:
    """How much of the archive is kept. None: all of it."""

    seconds: int | None = None
    size_max: int | None = None
    held_seconds: int = 0
    """What exporters have not acknowledged is kept so much longer,"""
    held_size: int = 0
    """and so much more of it."""


@final
@dataclass(frozen=True, slots=True)
class Hold:
    """Someone still reads what comes after an entry: it is kept longer, up to a limit."""

    name: str
    after: int
    seconds: int | None
    """So much longer than the retention says,"""
    size: int | None
    """and so much more of it. None: as much again as the retention says."""


@final
@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of the archive, by its name."""

    path: Path
    first_index: int
    last_index: int


@final
class Archive:
    """A directory of compressed entries. Blocking: run it in a thread. One caller at a time writes."""

    def __init__(self, disk: Disk, directory: Path) -> None:
        self._disk = disk
        self._directory = directory

    def header(self, file: ArchiveFile) -> ArchiveHeader:
        """Which entries a file holds."""
        return read_header(self._disk, file.path)

    def begin_after(self, position: Position) -> None:
        """Note the position the archive begins after: what was dropped, or where a replica came in."""
        self._disk.make_directory(self._directory)
        fields = _HEAD.pack(_HEAD_MAGIC, position.index, position.term, position.hash)
        replace_file(self._disk, self._directory / "head", fields + zlib.crc32(fields).to_bytes(4, "little"))

    def head(self) -> Position:
        """The position after which the archive begins."""
        path = self._directory / "head"
        if "head" not in self._disk.names(self._directory):
            return ORIGIN
        data = read_file(self._disk, path)
        if len(data) != _HEAD.size + 4 or zlib.crc32(data[:-4]).to_bytes(4, "little") != data[-4:]:
            raise DamageError("archive", path, None, 0, "the noted head is not readable")
        _, index, term, hash = _HEAD.unpack_from(data)
        return Position(index, term, hash)

    def files(self) -> list[ArchiveFile]:
        """The files that count, by index."""
        dropped = self.head().index
        found = [_by_name(self._directory, name) for name in self._disk.names(self._directory)]
        return [file for file in found if file is not None and file.last_index > dropped]

    def last(self) -> Position:
        """The last position in the archive."""
        files = self.files()
        return read_header(self._disk, files[-1].path).last if files else self.head()

    def store(self, log_directory: Path, sealed: Sealed, *, at: int, level: int = _LEVEL) -> ArchiveHeader:
        """Take in a sealed segment; `at` is the time in seconds. The caller then drops it from the log."""
        self._disk.make_directory(self._directory)
        name = f"{sealed.first_index:020d}-{sealed.last.index:020d}{_SUFFIX}"
        path = self._directory / name
        if name in self._disk.names(self._directory):  # A crash came between this and the drop.
            return read_header(self._disk, path)
        last = self.last()
        if last != sealed.previous:
            raise GapError(f"{self._directory} ends at entry {last.index}, {path.name} does not continue it")
        made = path.with_suffix(".new")
        file = self._disk.create(made, 0)
        try:
            first, before = sealed.first_index, sealed.previous.hash
            entries = entries_in(self._disk, log_directory, sealed.places, first, before)
            header = write_archive(file, entries, sealed.previous, at, level)
            assert header.last == sealed.last, f"archived up to {header.last}, not {sealed.last}"
            file.sync()
        finally:
            file.close()
        self._disk.rename(made, path)
        self._disk.sync_directory(self._directory)
        return header

    def entries(self, from_index: int, to_index: int | None = None) -> Iterator[Entry]:
        """The entries from an index on; each file must continue the one before."""
        before: Position | None = None
        if from_index <= self.head().index:
            raise MissingError(f"{self._directory} begins after entry {self.head().index}")
        for file in self.files():
            if file.last_index < from_index:
                continue
            header = read_header(self._disk, file.path)
            first = header.previous.index + 1
            index = from_index if before is None else before.index + 1
            if first > index or (before is not None and first != index):
                what = f"entry {first} stands where {index} belongs"
                raise DamageError("dropped", file.path, index, 0, what)
            if before is not None and header.previous != before:
                raise DamageError("chain", file.path, index, 0, "does not continue the file before it")
            before = header.last
            for entry in read_archive(self._disk, file.path, from_index):
                if to_index is not None and entry.index > to_index:
                    return
                yield entry

    def retain(
        self, retention: ArchiveRetention, *, now: int, holds: Sequence[Hold] = ()
    ) -> list[ArchiveFile]:
        """Drop the oldest files beyond the retention. The head is noted first: the chain verifies from it.

        Files that a hold needs are kept up to its limits.
        """
        files = self.files()
        sizes = [_size(self._disk, file.path) for file in files]
        total, dropped = sum(sizes), list[ArchiveFile]()
        for file, size in zip(files, sizes, strict=True):
            header = read_header(self._disk, file.path)
            seconds, size_max = retention.seconds, retention.size_max
            holding = [hold for hold in holds if file.last_index > hold.after]
            if seconds is not None:
                more = (seconds if hold.seconds is None else hold.seconds for hold in holding)
                seconds += max(more, default=0)
            if size_max is not None:
                more = (size_max if hold.size is None else hold.size for hold in holding)
                size_max += max(more, default=0)
            too_old = seconds is not None and header.stored_at < now - seconds
            too_much = size_max is not None and total > size_max
            if not (too_old or too_much):
                break
            self.begin_after(header.last)
            dropped.append(file)
            total -= size
        self._remove_dropped()
        return dropped

    def used(self, retention: ArchiveRetention, *, now: int, holds: Sequence[Hold]) -> dict[str, float]:
        """Which part of its limits each hold uses: 0 for one for which nothing is kept longer, beyond 1 what
        it needs is dropped."""
        files = self.files()
        if not files:
            return {hold.name: 0.0 for hold in holds}
        stored_at = read_header(self._disk, files[0].path).stored_at
        total = sum(_size(self._disk, file.path) for file in files)
        found: dict[str, float] = {}
        for hold in holds:
            parts = [0.0]
            if files[0].last_index > hold.after:
                if retention.seconds is not None:
                    parts.append(_part(now - stored_at, retention.seconds, hold.seconds))
                if retention.size_max is not None:
                    parts.append(_part(total, retention.size_max, hold.size))
            found[hold.name] = max(parts)
        return found

    def _remove_dropped(self) -> None:
        """Also those that a crash left."""
        head = self.head().index
        for name in self._disk.names(self._directory):
            file = _by_name(self._directory, name)
            if file is not None and file.last_index <= head:
                self._disk.remove(file.path)
        self._disk.sync_directory(self._directory)


def entries_from(archive: Archive, log: Log, from_index: int, to_index: int | None = None) -> Iterator[Entry]:
    """The entries from an index on, those that the log no longer has out of the archive."""
    first = log.first_index
    if from_index < first:
        last = first - 1 if to_index is None else min(to_index, first - 1)
        yield from archive.entries(from_index, last)
        from_index = first
    if to_index is None or from_index <= to_index:
        yield from log.entries(from_index, to_index)


def _by_name(directory: Path, name: str) -> ArchiveFile | None:
    first, _, last = name.removesuffix(_SUFFIX).partition("-")
    if name.endswith(_SUFFIX) and first.isdigit() and last.isdigit():
        return ArchiveFile(directory / name, int(first), int(last))
    return None


def _part(there: int, kept: int, more: int | None) -> float:
    """Which part of what is kept longer is there."""
    limit = kept if more is None else more
    beyond = max(there - kept, 0)
    return beyond / limit if limit else float(beyond > 0)


def _size(disk: Disk, path: Path) -> int:
    file = disk.open(path)
    try:
        return file.size()
    finally:
        file.close()
