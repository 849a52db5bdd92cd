"""The log of one replica, as its owner on the event loop sees it. The format is in docs/log-format.md."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import ORIGIN, Entry, HardState, Position
from bpmnd.storage.errors import ClosedError, MissingError, StorageError
from bpmnd.storage.mark import Mark, MarkFile, VoteFile, read_vote
from bpmnd.storage.recovery import Recovered, recover
from bpmnd.storage.table import BatchPlace, entries_in, hash_in
from bpmnd.storage.tail import Append, Drop, Tail, Truncate, Written
from bpmnd.storage.walk import Torn
from bpmnd.storage.writer import Channel, Writer

SEGMENT_SIZE = 64 << 20

Post = Callable[[Callable[[], None]], None]


@final
@dataclass(frozen=True, slots=True)
class Appended:
    """All that was queued up to `ticket` is on disk.

    When `generation` is no longer the log's, `index` may have been superseded since: ignore it.
    `hard_state` is the one that was made durable with it, if one was.
    """

    index: int
    term: int
    generation: int
    ticket: int
    hard_state: HardState | None


@final
@dataclass(frozen=True, slots=True)
class AppendFailed:
    """A write or a sync failed. It is never tried again, and nothing after it was written."""

    error: StorageError


@final
@dataclass(frozen=True, slots=True)
class Sealed:
    """A segment that will not change, and the entries of it that count."""

    number: int
    previous: Position
    last: Position
    places: tuple[BatchPlace, ...]

    @property
    def first_index(self) -> int:
        return self.previous.index + 1


@final
class Log:
    """Entries on disk. Owned by one actor; only its writer blocks on the disk.

    Indexes up to `last_index` are queued or written, up to `synced_index` they are on disk.
    """

    def __init__(
        self,
        disk: Disk,
        directory: Path,
        recovered: Recovered,
        hard_state: HardState,
        tail: Tail,
        writer: Writer,
        post: Post,
        then: Callable[[Appended | AppendFailed], None],
    ) -> None:
        self._disk = disk
        self._directory = directory
        self._table = recovered.table
        self._oldest_segment = recovered.oldest_segment
        self._segment = recovered.segment
        self._writer = writer
        self._then = then
        self._channel = Channel(tail, post, self._written, self._failed)
        self._cuts: list[tuple[int, int]] = []
        self._closed = False
        self.error: StorageError | None = None
        self.torn: Torn | None = recovered.torn
        self.hard_state = hard_state
        self.last_index = recovered.last.index
        self.last_term = recovered.last.term
        self.synced = recovered.last
        self.generation = 0
        self.ticket = 0

    @staticmethod
    def exists(disk: Disk, directory: Path) -> bool:
        return "mark" in disk.names(directory)

    @staticmethod
    def create(disk: Disk, directory: Path, base: Position = ORIGIN) -> None:
        """Make an empty log that begins after `base`. The mark comes last: with it the log exists."""
        disk.make_directory(directory)
        VoteFile.create(disk, directory)
        MarkFile.create(disk, directory, Mark(0, base))

    @staticmethod
    def open(
        disk: Disk,
        directory: Path,
        *,
        writer: Writer,
        post: Post,
        then: Callable[[Appended | AppendFailed], None],
        segment_size: int = SEGMENT_SIZE,
    ) -> "Log":
        """Read and check the log (blocking), cut a torn tail, make sure that the rest is on disk.

        Completions go to `then`, called by way of `post`: `loop.call_soon_threadsafe` in production.
        Raises `DamageError` where synced bytes are not what was written.
        """
        recovered = recover(disk, directory, segment_size)
        hard_state = read_vote(disk, directory)
        tail = Tail(
            disk,
            directory,
            segment_size=segment_size,
            segment=recovered.segment,
            offset=recovered.offset,
            sequence=recovered.sequence,
            position=recovered.last,
            helper=writer.helper,
        )
        return Log(disk, directory, recovered, hard_state, tail, writer, post, then)

    @property
    def first_index(self) -> int:
        """The first entry that is kept, one after the last if none is."""
        return self._table.base.index + 1

    @property
    def base(self) -> Position:
        """What the first entry follows."""
        return self._table.base

    @property
    def synced_index(self) -> int:
        return self.synced.index

    @property
    def last_hash(self) -> bytes:
        """The chain hash of the last synced entry: it is computed by the writer."""
        return self.synced.hash

    @property
    def size_bytes(self) -> int:
        """What the entries kept take on disk."""
        return sum(place.size for place in self._table.places())

    def append(
        self, entries: Sequence[tuple[int, int, int, bytes]], hard_state: HardState | None = None
    ) -> int:
        """Queue entries `(index, term, kind, payload)` that follow the last, and a hard state.

        Returns the ticket that `Appended` will carry when both are on disk.
        """
        self._check_open()
        if entries:
            first, last = entries[0], entries[-1]
            assert first[0] == self.last_index + 1, f"entry {first[0]} after {self.last_index}"
            if last[1] != self.last_term:
                for index, term, _, _ in entries:
                    self._table.terms.add(index, term)
            self.last_index, self.last_term = last[0], last[1]
        if hard_state is not None:
            self.hard_state = hard_state
        self.ticket = ticket = self.ticket + 1
        self._writer.put(
            self._channel, Append(entries, hard_state, ticket, self.generation, self.synced.index)
        )
        return ticket

    def truncate(self, after_index: int, *, commit: int) -> int:
        """Queue the removal of all entries after an index, which is never below the commit."""
        self._check_open()
        assert self.base.index <= after_index < self.last_index, (
            f"cut after {after_index} of {self.last_index}"
        )
        assert commit <= after_index, f"cut after {after_index}, below commit {commit}"
        self._table.cut(after_index)
        self.generation += 1
        self._cuts.append((self.generation, after_index))
        self.last_index, self.last_term = after_index, self._table.terms.at(after_index)
        if after_index < self.synced.index:
            self.synced = Position(after_index, self.last_term, self.hash_at(after_index))
        known = self.synced if self.synced.index == after_index else None
        self.ticket = ticket = self.ticket + 1
        self._writer.put(self._channel, Truncate(after_index, known, ticket, self.generation))
        return ticket

    def entries(self, from_index: int, to_index: int | None = None) -> Iterator[Entry]:
        """The synced entries from an index on, checked as they are read.

        May be consumed in another thread; an error of the disk comes out of the iteration.
        """
        if not self.first_index <= from_index <= self.synced.index + 1:
            raise MissingError(f"{self._directory} keeps entries {self.first_index} to {self.synced.index}")
        last = self.synced.index if to_index is None else min(to_index, self.synced.index)
        places = [place for place in self._table.places(from_index) if place.first <= last]
        return _up_to(last, entries_in(self._disk, self._directory, places, from_index, None))

    def term_at(self, index: int) -> int | None:
        """The term of an entry, of the one before the first too; None if it is not here."""
        if not self._table.base.index <= index <= self.last_index:
            return None
        return self._table.terms.at(index)

    def hash_at(self, index: int) -> bytes:
        """The chain hash of a synced entry. Inside a write batch of several it is read from the disk."""
        if index == self.synced.index:
            return self.synced.hash
        return hash_in(self._disk, self._directory, self._table, index)

    def batch_end(self, up_to_index: int) -> Position | None:
        """The last entry at or below an index that ends a write batch: its hash is known without reading."""
        place = self._table.last_end(up_to_index)
        if place is None:
            return None
        return Position(place.last, self._table.terms.at(place.last), place.hash)

    def sealed(self, up_to_index: int) -> tuple[Sealed, ...]:
        """The segments that are wholly at or below an index, oldest first; never the one in use."""
        by_segment: dict[int, list[BatchPlace]] = {}
        for place in self._table.places():
            if place.segment < self._segment:
                by_segment.setdefault(place.segment, []).append(place)
        found: list[Sealed] = []
        previous = self._table.base
        for number, places in by_segment.items():
            index = places[-1].last
            if index > up_to_index:
                break
            last = Position(index, self._table.terms.at(index), self.hash_at(index))
            found.append(Sealed(number, previous, last, tuple(places)))
            previous = last
        return tuple(found)

    def drop(self, sealed: Sequence[Sealed]) -> None:
        """Forget the oldest segments and have them deleted."""
        if not sealed:
            return
        self._check_open()
        newest = sealed[-1]
        assert newest.number < self._segment, f"{newest} is in use"
        self._table.drop(newest.last)
        # With them go those behind them in which everything is superseded.
        oldest = self._table.first_segment or self._segment
        numbers = range(self._oldest_segment, oldest)
        self._oldest_segment = oldest
        self._writer.put(self._channel, Drop(numbers))

    def trim(self, up_to_index: int) -> None:
        """Delete the segments that are wholly at or below an index."""
        self.drop(self.sealed(up_to_index))

    def close(self) -> None:
        """Write all that is queued and close (blocking)."""
        if not self._closed:
            self._closed = True
            self._writer.finish(self._channel)

    def _check_open(self) -> None:
        if self.error is not None:
            raise ClosedError(f"an earlier write of {self._directory} failed") from self.error
        if self._closed:
            raise ClosedError(f"{self._directory} is closed")

    def _written(self, written: Written) -> None:
        """Take in what the writer reports. What a later truncation has superseded does not count."""
        place, position = written.place, written.position
        if self._cuts:
            self._cuts = [cut for cut in self._cuts if cut[0] > written.generation]
        if place is not None:
            self._segment = place.segment
            last = min((after for _, after in self._cuts), default=place.last)
            if last < place.last:
                place = place._replace(last=last)
            if place.first <= place.last:
                self._table.add(place)
            if not self._cuts:
                self.synced = position
            elif place.first <= place.last:
                self.synced = Position(place.last, self._table.terms.at(place.last), self.hash_at(place.last))
        hard_state = written.hard_state
        self._then(Appended(position.index, position.term, written.generation, written.ticket, hard_state))

    def _failed(self, error: StorageError) -> None:
        self.error = error
        self._then(AppendFailed(error))


def _up_to(last: int, entries: Iterator[Entry]) -> Iterator[Entry]:
    for entry in entries:
        if entry.index > last:
            return
        yield entry
