"""Whether nothing was altered, dropped or reordered: every checksum, every link of the chain. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bpmnd.storage.archive import Archive
from bpmnd.storage.disk import Disk, RealDisk
from bpmnd.storage.entry import ORIGIN, Position, chain
from bpmnd.storage.errors import DamageError, StorageError
from bpmnd.storage.layout import ARCHIVE, LOG
from bpmnd.storage.mark import read_mark, read_vote
from bpmnd.storage.segment import Batch, segment_path
from bpmnd.storage.table import BatchPlace
from bpmnd.storage.walk import Torn, Walk


@final
@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was read, and the first damage.

    `head` is the position it began after, `last` the one up to which all is proven. `torn` is a write that
    never finished, which is no damage. `is_out_of_reach` says that a position which was to be found again is
    before all that is kept, so that nobody can tell.
    """

    head: Position
    last: Position
    archive_files: int
    segments: int
    torn: Torn | None
    damage: DamageError | None
    is_out_of_reach: bool = False

    @property
    def entry_count(self) -> int:
        return self.last.index - self.head.index


def verify(
    directory: Path, *, running: bool = False, noted: Position | None = None, disk: Disk | None = None
) -> VerifyReport:
    """Check archive and log of a partition's directory from the head of the archive on.

    With `running`, a node may be writing to it: what stands after the mark is then not judged. A position
    that was `noted` once must be found again as it was: that proves all before it to be what it was then.
    """
    check = _Check(disk or RealDisk(), directory, running, noted)
    damage: DamageError | None = None
    try:
        check.run()
    except DamageError as found:
        damage = found
    return VerifyReport(
        check.head,
        check.last,
        check.archive_files,
        check.segments,
        check.torn,
        damage,
        check.is_out_of_reach,
    )


@final
class _Check:
    """One run of `verify`, as far as it came."""

    def __init__(self, disk: Disk, directory: Path, running: bool, noted: Position | None) -> None:
        self._disk = disk
        self._directory = directory
        self._running = running
        self._archive = Archive(disk, directory / ARCHIVE)
        self.head = self.last = ORIGIN
        self.archive_files = 0
        self.segments = 0
        self.torn: Torn | None = None
        self.is_out_of_reach = False
        self._noted = noted
        self._found: tuple[Path, Position] | None = None
        """What stands where the noted position was, and in which file."""

    def run(self) -> None:
        self.head = self.last = self._archive.head()
        mark = read_mark(self._disk, self._directory / LOG)
        read_vote(self._disk, self._directory / LOG)
        walk = Walk(self._disk, self._directory / LOG, mark)
        batches = walk.batches()
        first = next(batches, None)  # Looked at first: a running node may archive and drop while this reads.
        self._check_archive()
        self.segments = len(walk.numbers)
        base = walk.table.base
        if base.index > self.last.index:
            index = self.last.index + 1
            what = f"the log begins with entry {base.index + 1}, entry {index} is nowhere"
            raise DamageError("dropped", self._begin(walk), index, 0, what)
        if self._hash_at(base.index) not in (None, base.hash):
            raise DamageError("chain", self._begin(walk), base.index + 1, 0, "does not continue the archive")
        if first is not None:
            self._check_log(walk, first, batches)
        if not (self._running and walk.sequence >= mark.sequence):
            self.torn = walk.finish()
        walk.check_mark()
        if self._noted is not None:
            self._check_noted(self._noted, walk)

    def _check_noted(self, noted: Position, walk: Walk) -> None:
        if noted.index < self.head.index:
            self.is_out_of_reach = True
            return
        found = (self._directory / ARCHIVE, self.head) if noted.index == self.head.index else self._found
        if found is None:
            what = f"entry {noted.index} was noted once, but all ends with entry {self.last.index}"
            raise DamageError("truncated", self._begin(walk), noted.index, None, what)
        file, position = found
        if position != noted:
            what = (
                f"the hash is not {noted.hash.hex()}, which was noted once: it or what is before was altered"
            )
            raise DamageError("chain", file, noted.index, None, what)

    def _check_archive(self) -> None:
        files = self._archive.files()
        self.archive_files = len(files)
        if files:
            for entry in self._archive.entries(self.head.index + 1):
                self.last = Position(entry.index, entry.term, entry.hash)
                if self._noted is not None and entry.index == self._noted.index:
                    self._found = self._directory / ARCHIVE, self.last

    def _hash_at(self, index: int) -> bytes | None:
        """The hash that the archive has for an entry; None if it does not have it."""
        if index == self.last.index:
            return self.last.hash
        if index <= self.head.index:
            return None
        return next(entry.hash for entry in self._archive.entries(index, index))

    def _check_log(
        self, walk: Walk, first: tuple[BatchPlace, Batch], rest: Iterator[tuple[BatchPlace, Batch]]
    ) -> None:
        archived = self.last.index
        self._check_batch(*first, archived)
        try:
            for place, batch in rest:
                self._check_batch(place, batch, archived)
        except DamageError:
            raise
        except StorageError:
            if not self._running:
                raise  # Else the node dropped the segment meanwhile: it is in the archive by now.

    def _check_batch(self, place: BatchPlace, batch: Batch, archived: int) -> None:
        path = segment_path(self._directory / LOG, place.segment)
        check_chain(place, batch, path)
        if place.end > archived:
            self.last = Position(place.end, batch.trailer.term, place.hash)
        if self._noted is not None and archived < self._noted.index >= place.first:
            # What an earlier batch had there is superseded, also if this one has nothing there.
            self._found = None
            for _, entry in batch.entries():
                if entry.index == self._noted.index:
                    self._found = path, Position(entry.index, entry.term, entry.hash)

    def _begin(self, walk: Walk) -> Path:
        log = self._directory / LOG
        return segment_path(log, walk.numbers[0]) if walk.numbers else log


def check_chain(place: BatchPlace, batch: Batch, path: Path) -> None:
    """The chain inside a batch; what it continues was checked by the walk."""
    before, index = batch.header.previous_hash, place.first
    entries = list(batch.entries())
    for offset, entry in entries:
        if entry.index != index:
            kind = "swapped" if any(other.index == index for _, other in entries) else "dropped"
            raise DamageError(kind, path, index, offset, f"entry {entry.index} stands where {index} belongs")
        before = chain(before, index, entry.term, entry.kind, entry.payload)
        if before != entry.hash:
            raise DamageError("hash", path, index, offset, "the chain hash is wrong")
        index += 1
    if index != place.end + 1 or before != place.hash:
        raise DamageError(
            "dropped", path, index, place.offset, f"the batch does not end with entry {place.end}"
        )
