"""Following a log from its files alone: the entries between two positions that are known to be for good.

The reader remembers where it stopped, so that going on costs what is new. What it meets must continue the
chain of hashes and end at the hash it was told; where it does not, a write batch that was superseded was
read, or a segment has moved to the archive: then the place is looked up anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

from bpmnd.storage.archive import Archive
from bpmnd.storage.disk import Disk, File
from bpmnd.storage.entry import ORIGIN, Entry, Position, chain
from bpmnd.storage.errors import DamageError, MissingError, StorageError
from bpmnd.storage.layout import ARCHIVE, LOG
from bpmnd.storage.mark import read_mark
from bpmnd.storage.segment import Batch, read_batch, segment_numbers, segment_path
from bpmnd.storage.table import BatchPlace, entries_in
from bpmnd.storage.walk import Walk

_TRIES: Final = 3


@final
class LogFollower:
    """Reads archive and log of one replica while its node writes to them. Blocking; changes nothing."""

    def __init__(self, disk: Disk, directory: Path) -> None:
        self._disk = disk
        self._log = directory / LOG
        self._archive = Archive(disk, directory / ARCHIVE)
        self._place: tuple[int, int] | None = None
        """Segment and offset of the batch that holds the entry after `_last`, or ends before it."""
        self._last: Position | None = None
        self._file: File | None = None
        self._segment = 0

    def begin(self) -> Position:
        """What the first entry that is kept follows. Raises StorageError."""
        head = self._archive.head()
        if head != ORIGIN or self._archive.files():
            return head
        walk = Walk(self._disk, self._log, read_mark(self._disk, self._log))
        for place, batch in walk.batches():
            header = batch.header
            return Position(place.first - 1, header.previous_term, header.previous_hash)
        return walk.last

    def end(self) -> int:
        """The last entry that is there. Raises StorageError."""
        walk = Walk(self._disk, self._log, read_mark(self._disk, self._log))
        for _ in walk.batches():
            pass
        return max(walk.last.index, self._archive.last().index)

    def entries(self, after: Position, to: Position) -> Iterator[Entry]:
        """The entries after one position up to another, both of which are committed and on disk here.

        They count only when the iteration ends without an error: the hash at the end proves them. Raises
        ChainError when `after` is of another history, StorageError for what is damaged or not there any more.
        """
        if after.index >= to.index:
            return
        last = after
        try:
            for entry in self._source(after, to):
                expected = chain(last.hash, entry.index, entry.term, entry.kind, entry.payload)
                if entry.index != last.index + 1 or expected != entry.hash:
                    raise ChainError(f"entry {entry.index} does not continue entry {last.index}")
                yield entry
                last = Position(entry.index, entry.term, entry.hash)
            if last != to:
                raise ChainError(f"ends at entry {last.index}, which is not what entry {to.index} was told")
        except BaseException:
            self._forget()
            raise
        self._last = last

    def goes_on_from(self, after: Position) -> bool:
        """Whether reading goes on where it stopped. If so, a batch that was superseded may be met, and what
        is read counts only as a whole; else each entry does."""
        return self._place is not None and self._last == after

    def close(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._place = self._last = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _source(self, after: Position, to: Position) -> Iterator[Entry]:
        if self.goes_on_from(after):
            return self._go_on(after.index + 1, to.index)
        return self._look_up(after.index + 1, to.index)

    def _go_on(self, first: int, last: int) -> Iterator[Entry]:
        """From the place where it stopped, into the next segments."""
        assert self._place is not None, "it has stopped nowhere"
        segment, offset = self._place
        while first <= last:
            if self._file is None or self._segment != segment:
                self._open(segment)
            assert self._file is not None, "it was just opened"
            found = read_batch(self._file, offset)
            if not isinstance(found, Batch):
                segment, offset = segment + 1, 0  # Torn or empty: if it is neither, the chain will tell.
                continue
            self._place = segment, offset
            for _, entry in found.entries():
                if first == entry.index <= last:
                    yield entry
                    first += 1
            offset = found.end

    def _open(self, segment: int) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._file = self._disk.open(segment_path(self._log, segment))
        self._segment = segment

    def _look_up(self, first: int, last: int) -> Iterator[Entry]:
        """Out of the archive, then out of the log, whose batches are found by a walk over all of it."""
        for tries_left in reversed(range(_TRIES)):
            try:
                for entry in self._found(first, last):
                    yield entry
                    first = entry.index + 1
            except DamageError:
                raise
            except StorageError:
                if not tries_left:
                    raise
                continue  # A segment has just been archived: it is begun again where it stopped.
            return

    def _found(self, first: int, last: int) -> Iterator[Entry]:
        places = self._places(first)
        if not places or first < places[0].first:
            until = min(last, places[0].first - 1) if places else last
            yield from self._archive.entries(first, until)
            first = until + 1
        if first > last:
            return
        needed = [place for place in places if place.first <= last]
        if not needed:
            raise MissingError(f"{self._log} has no entry {first} yet")
        for entry in entries_in(self._disk, self._log, needed, first, None):
            if entry.index > last:
                break
            yield entry
        self._place = needed[-1].segment, needed[-1].offset

    def _places(self, first: int) -> list[BatchPlace]:
        if not segment_numbers(self._disk, self._log):
            return []
        walk = Walk(self._disk, self._log, read_mark(self._disk, self._log))
        for _ in walk.batches():
            pass
        return list(walk.table.places(first))


class ChainError(StorageError):
    """What is in the files is of another history than what was told."""
