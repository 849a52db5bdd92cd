"""Reading a log from its beginning, batch by batch, up to where it ends, is torn or damaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bpmnd.storage.batch import HEADER_SIZE, PAGE, BadBatch, Header, header_of, terms_of
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import ENTRY_HEADER_SIZE, Position, chain, entries_of
from bpmnd.storage.errors import DamageError, MissingError
from bpmnd.storage.mark import Mark
from bpmnd.storage.segment import (
    NOTHING,
    Batch,
    Evidence,
    evidence_from,
    read_batch,
    segment_numbers,
    segment_path,
)
from bpmnd.storage.table import BatchPlace, Table, hash_in


@final
@dataclass(frozen=True, slots=True)
class Torn:
    """A write batch that never finished was found and cut."""

    file: Path
    offset: int
    index: int

    def __str__(self) -> str:
        return f"torn write of entry {self.index} at byte {self.offset} of {self.file}"


@final
class Walk:
    """One walk over the batches of a log. Reads only.

    Afterwards `segment` and `offset` say where the whole batches end, and `bad` why, None for zeros.
    """

    def __init__(self, disk: Disk, directory: Path, mark: Mark) -> None:
        self._disk = disk
        self._directory = directory
        self._mark = mark
        self.leftovers, self.numbers = _kept(disk, directory, segment_numbers(disk, directory))
        """The segments that were to go when the log was trimmed, and those it consists of."""
        self.table = Table(mark.position)
        self.sequence = 0
        self.last = mark.position
        self.segment = self.numbers[0] if self.numbers else 0
        self.offset = 0
        self.bad: BadBatch | None = None

    def batches(self) -> Iterator[tuple[BatchPlace, Batch]]:
        """All whole batches that continue one another."""
        for number in self.numbers:
            if self.segment < number - 1 and self.segment:
                return
            file = self._disk.open(segment_path(self._directory, number))
            try:
                offset = 0
                while (found := read_batch(file, offset)) is not None:
                    self.bad = found if isinstance(found, BadBatch) else self._misfit(found)
                    if offset or not self.sequence or self.bad is None or self.bad.kind != "misfit":
                        self.segment, self.offset = number, offset
                    if self.bad is not None or isinstance(found, BadBatch):
                        return
                    yield self._take(number, found), found
                    offset = self.offset = found.end
            finally:
                file.close()
            if offset == 0:
                return

    def _misfit(self, batch: Batch) -> BadBatch | None:
        """Why a whole batch cannot follow what was read so far."""
        header = batch.header
        if self.sequence == 0 and 1 < header.sequence <= self._mark.sequence + 1:
            return None  # The log was trimmed: it begins wherever this batch begins.
        if self.sequence == 0 and header.sequence == 1 <= self._mark.sequence:
            return None  # What it began after stood in a mark that has moved on.
        if header.sequence != self.sequence + 1:
            return BadBatch("misfit", f"batch {header.sequence} stands where {self.sequence + 1} belongs")
        if header.first > self.last.index + 1:
            return BadBatch("misfit", f"entry {header.first} stands where {self.last.index + 1} belongs")
        if header.first <= self.last.index and batch.offset:
            return BadBatch("chain", f"entry {header.first} is there twice")
        try:
            before = self.last.hash
            if header.first <= self.last.index:
                before = hash_in(self._disk, self._directory, self.table, header.first - 1)
        except MissingError:
            return BadBatch("chain", f"supersedes from entry {header.first}, before the log begins")
        return None if header.previous_hash == before else BadBatch("chain", "does not continue the chain")

    def _take(self, number: int, batch: Batch) -> BatchPlace:
        header, trailer = batch.header, batch.trailer
        if self.sequence == 0:
            base = Position(header.first - 1, header.previous_term, header.previous_hash)
            self.table = Table(base)
        self.sequence = header.sequence
        self.last = Position(trailer.last, trailer.term, trailer.hash)
        place = BatchPlace(
            header.first,
            trailer.last,
            trailer.last,
            trailer.hash,
            header.sequence,
            number,
            batch.offset,
            header.batch_size,
        )
        if place.first <= self.table.last_index:
            self.table.cut(place.first - 1)
        self.table.add(place)
        for index, term in terms_of(header, trailer, batch.data):
            self.table.terms.add(index, term)
        return place

    def finish(self) -> Torn | None:
        """What ends the log: nothing, a torn write, or damage, which is raised. See docs/log-format.md."""
        expected = self.sequence + 1
        evidence = self._evidence(expected)
        known = max(self._mark.sequence, evidence.synced)
        path = segment_path(self._directory, self.segment) if self.numbers else self._directory
        index = self.last.index + 1

        if known >= expected:
            kind, what = self._verdict(evidence)
            raise self._damage(kind, f"{what}, but batch {known} was synced")
        if self.bad is not None and self.bad.kind in ("chain", "misfit"):
            raise self._damage("chain", self.bad.what)
        if evidence.trailer:
            kind, what = self._verdict(evidence)
            raise self._damage(kind, f"{what}, but its trailer is there")
        return Torn(path, self.offset, index) if evidence.dirty else None

    def _verdict(self, evidence: Evidence) -> tuple[str, str]:
        """What happened to the batch that is not where it belongs, in one word and in a sentence."""
        if self.bad is not None and self.bad.kind in ("header", "body", "trailer", "chain"):
            return self.bad.kind, self.bad.what
        what = self.bad.what if self.bad is not None else "nothing is here"
        if evidence.trailer:
            return "swapped", what
        return ("dropped" if evidence.synced else "truncated"), what

    def _evidence(self, sequence: int) -> Evidence:
        evidence = NOTHING
        for number in self.numbers:
            if number >= self.segment:
                file = self._disk.open(segment_path(self._directory, number))
                try:
                    start = self.offset if number == self.segment else 0
                    evidence |= evidence_from(file, start, sequence)
                finally:
                    file.close()
        return evidence

    def check_mark(self) -> None:
        """The batch that the mark names must be the one that is there."""
        mark = self._mark
        for place in reversed(self.table.places()):
            if place.sequence == mark.sequence and place.hash != mark.position.hash:
                path = segment_path(self._directory, place.segment)
                raise DamageError(
                    "chain", path, place.end, place.offset, "the mark has another hash for this"
                )
            if place.sequence <= mark.sequence:
                return

    def _damage(self, kind: str, what: str) -> DamageError:
        """The damage at the place where the walk ended, down to the entry if it can be told."""
        path = segment_path(self._directory, self.segment) if self.numbers else self._directory
        index, offset = self.last.index + 1, self.offset
        if kind == "body":
            file = self._disk.open(path)
            try:
                header = header_of(file.read(PAGE, offset))
                assert header is not None, "a batch with a bad body has a good header"
                index, offset = _first_bad_entry(header, file.read(header.batch_size, offset), offset)
            finally:
                file.close()
        return DamageError(kind, path, index, offset, what)


def _kept(disk: Disk, directory: Path, numbers: list[int]) -> tuple[list[int], list[int]]:
    """Where the log begins: in the first of the segments whose first entry is the lowest.

    Before that there may be some whose entries are all superseded: what they followed was trimmed.
    """
    begin, lowest = 0, 0
    for at, number in enumerate(numbers):
        file = disk.open(segment_path(directory, number))
        try:
            header = header_of(file.read(PAGE, 0))
        finally:
            file.close()
        if header is None:
            break  # Prepared, torn or damaged, which the walk will tell.
        if not at or header.first < lowest:
            begin, lowest = at, header.first
    return numbers[:begin], numbers[begin:]


def _first_bad_entry(header: Header, data: bytes, start: int) -> tuple[int, int]:
    """The entry whose hash is wrong in a batch whose header is good, and its offset."""
    body = data[HEADER_SIZE : HEADER_SIZE + header.body_size]
    before, index, offset = header.previous_hash, header.first, 0
    while len(body) - offset >= ENTRY_HEADER_SIZE:
        _, entry = next(entries_of(body[offset:]))
        whole = len(entry.payload) == int.from_bytes(body[offset : offset + 4], "little")
        before = chain(before, entry.index, entry.term, entry.kind, entry.payload)
        if not whole or before != entry.hash or entry.index != index:
            break
        index, offset = index + 1, offset + ENTRY_HEADER_SIZE + len(entry.payload)
    index = min(index, header.first + max(header.entry_count, 1) - 1)  # Else it is in the zeros after them.
    return index, start + HEADER_SIZE + offset
