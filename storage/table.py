"""Where the entries of a log stand: one row a write batch, in memory."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, final

from bpmnd.storage.batch import BadBatch
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import Entry, Position, chain
from bpmnd.storage.errors import DamageError, MissingError
from bpmnd.storage.segment import Batch, read_batch, segment_path


class BatchPlace(NamedTuple):
    """Where a write batch stands. `last` is less than `end` when a later batch superseded the rest."""

    first: int
    last: int
    end: int
    hash: bytes
    sequence: int
    segment: int
    offset: int
    size: int


@final
class Terms:
    """The terms of the entries, as runs: a term is a whole leadership."""

    def __init__(self, base: Position) -> None:
        self._runs = [(base.index, base.term)]

    def add(self, index: int, term: int) -> None:
        if term != self._runs[-1][1]:
            self._runs.append((index, term))

    def cut(self, after: int) -> None:
        while self._runs[-1][0] > after:
            self._runs.pop()

    def drop(self, base: Position) -> None:
        at = bisect_right(self._runs, base.index, key=_first_of_run)
        self._runs[:at] = [(base.index, base.term)]

    def at(self, index: int) -> int:
        return self._runs[bisect_right(self._runs, index, key=_first_of_run) - 1][1]


@final
class Table:
    """The rows of all batches that count, rising by index, and the terms of their entries."""

    def __init__(self, base: Position) -> None:
        self.base = base
        self.terms = Terms(base)
        self._places: list[BatchPlace] = []

    @property
    def last_index(self) -> int:
        return self._places[-1].last if self._places else self.base.index

    def places(self, from_index: int = 0) -> Sequence[BatchPlace]:
        """A copy of the rows from the one that holds `from_index` on."""
        at = bisect_right(self._places, from_index, key=_first)
        return self._places[max(at - 1, 0) :]

    def add(self, place: BatchPlace) -> None:
        """Take in the next batch."""
        assert place.first == self.last_index + 1, f"{place} after entry {self.last_index}"
        if place.last >= place.first:
            self._places.append(place)

    def cut(self, after: int) -> None:
        """Forget what stands after an index."""
        while self._places and self._places[-1].first > after:
            self._places.pop()
        if self._places and self._places[-1].last > after:
            self._places[-1] = self._places[-1]._replace(last=after)
        self.terms.cut(after)

    def drop(self, base: Position) -> None:
        """Forget the rows up to an index, which ends one of them."""
        self._places = [place for place in self._places if place.first > base.index]
        self.terms.drop(base)
        self.base = base

    @property
    def first_segment(self) -> int | None:
        """The segment of the first row."""
        return self._places[0].segment if self._places else None

    def last_end(self, up_to_index: int) -> BatchPlace | None:
        """The last batch that ends at or below an index, and counts to its end."""
        at = bisect_right(self._places, up_to_index, key=_first) - 1
        while at >= 0:
            place = self._places[at]
            if place.last == place.end <= up_to_index:
                return place
            at -= 1
        return None

    def find(self, index: int) -> BatchPlace | None:
        """The row that holds an entry."""
        at = bisect_right(self._places, index, key=_first) - 1
        return self._places[at] if at >= 0 and index <= self._places[at].last else None


def hash_in(disk: Disk, directory: Path, table: Table, index: int) -> bytes:
    """The chain hash of an entry, from memory if it ends its batch, else from its segment."""
    if index == table.base.index:
        return table.base.hash
    place = table.find(index)
    if place is None:
        raise MissingError(f"{directory} keeps no entry {index}")
    if index == place.end:
        return place.hash
    batch = batch_at(disk, directory, place)
    return next(entry.hash for _, entry in batch.entries() if entry.index == index)


def batch_at(disk: Disk, directory: Path, place: BatchPlace) -> Batch:
    """Read the batch of a row."""
    path = segment_path(directory, place.segment)
    file = disk.open(path)
    try:
        return _batch(read_batch(file, place.offset), place, path)
    finally:
        file.close()


def entries_in(
    disk: Disk, directory: Path, places: Sequence[BatchPlace], from_index: int, before: bytes | None
) -> Iterator[Entry]:
    """The entries of these rows from an index on. Checksums and chain are checked.

    `before` is the hash the first row's first entry builds on, if it is known.
    """
    open_number, file = 0, None
    try:
        for place in places:
            path = segment_path(directory, place.segment)
            if file is None or open_number != place.segment:
                if file is not None:
                    file.close()
                open_number, file = place.segment, disk.open(path)
            batch = _batch(read_batch(file, place.offset), place, path)
            if before is not None and before != batch.header.previous_hash:
                raise DamageError("chain", path, place.first, place.offset, "does not continue the chain")
            before = batch.header.previous_hash
            for offset, entry in batch.entries():
                if entry.index > place.last:
                    break
                before = chain(before, entry.index, entry.term, entry.kind, entry.payload)
                if before != entry.hash:
                    raise DamageError("hash", path, entry.index, offset, "the chain hash is wrong")
                if entry.index >= from_index:
                    yield entry
    finally:
        if file is not None:
            file.close()


def _batch(found: Batch | BadBatch | None, place: BatchPlace, path: Path) -> Batch:
    match found:
        case Batch() as batch if batch.header.sequence == place.sequence:
            return batch
        case BadBatch(kind, what):
            raise DamageError(kind, path, place.first, place.offset, what)
        case _:
            raise DamageError("dropped", path, place.first, place.offset, "another batch stands here")


def _first(place: BatchPlace) -> int:
    return place.first


def _first_of_run(row: tuple[int, int]) -> int:
    return row[0]
