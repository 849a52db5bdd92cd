"""The writing end of a log: makes write batches of what is queued, and knows where they go.

One round at a time: `take` begins it and `written` ends it, once its batch is on disk. Whoever does a round
owns the tail for as long. All of it may block on the disk, but what `is_quick` says does not.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import NamedTuple, final

from bpmnd.storage.batch import BODY_MAX, batch_size, encode
from bpmnd.storage.disk import Disk, File, Write
from bpmnd.storage.entry import ENTRY_HEADER_SIZE, HardState, Position, chain, entry_header
from bpmnd.storage.errors import StorageError
from bpmnd.storage.mark import Mark, MarkFile, VoteFile
from bpmnd.storage.segment import make_segment, segment_path
from bpmnd.storage.table import BatchPlace

Helper = Callable[[Callable[[], File | None]], "Future[File | None]"]

# Queued appends are merged into one write batch up to this many bytes of payload.
_MERGE_MAX = 4 << 20
# More than that takes long to hash.
_QUICK_MAX = 256 << 10
MARK_LAG_MAX = 16
"""So many batches may be written, at most, before the mark is synced once more."""


class Append(NamedTuple):
    """Write these entries, and this hard state before them."""

    entries: Sequence[tuple[int, int, int, bytes]]
    hard_state: HardState | None
    ticket: int
    generation: int
    confirmed: int


class Truncate(NamedTuple):
    """What comes next supersedes all after this index. `known` if its sync was already reported."""

    after: int
    known: Position | None
    ticket: int
    generation: int


class Drop(NamedTuple):
    """Delete the segments of these numbers."""

    numbers: Sequence[int]


Job = Append | Truncate | Drop


class Round(NamedTuple):
    """Jobs that were taken, and the batch they need to have written, if they need one."""

    batch: Write | None
    place: BatchPlace | None
    position: Position
    ticket: int
    generation: int
    hard_state: HardState | None


class Written(NamedTuple):
    """What was taken in a round is on disk."""

    place: BatchPlace | None
    position: Position
    ticket: int
    generation: int
    hard_state: HardState | None


@final
class Tail:
    """Appends write batches to the last segment and begins new ones."""

    def __init__(
        self,
        disk: Disk,
        directory: Path,
        *,
        segment_size: int,
        segment: int,
        offset: int,
        sequence: int,
        position: Position,
        helper: Helper,
    ) -> None:
        self._disk = disk
        self._directory = directory
        self._segment_size = segment_size
        self._segment = segment
        self._offset = offset
        self._sequence = sequence
        self._index = position.index
        self._term = position.term
        self._hash = position.hash
        self._synced_index = position.index
        self._supersedes = False
        self._recent: deque[Position] = deque()
        self._helper = helper
        self._spare: Future[File | None] | None = None
        self._seal: Future[File | None] | None = None
        self._file = disk.open(segment_path(directory, segment), writable=True)
        self._size = self._file.size()
        self._mark_file = MarkFile.open(disk, directory)
        self._vote_file = VoteFile.open(disk, directory)
        self._mark = Mark(sequence, position)
        self._marked = True
        self._mark_synced = sequence
        """The last batch of which the mark on disk is known to tell."""

    def is_quick(self, jobs: deque[Job]) -> bool:
        """Whether all that is queued is appended by one write into the segment in use, and nothing else."""
        if self._supersedes or self._spare_is_due:
            return False
        size = 0
        for job in jobs:
            if type(job) is not Append or job.hard_state is not None:
                return False
            for entry in job.entries:
                size += ENTRY_HEADER_SIZE + len(entry[3])
        return 0 < size <= _QUICK_MAX and self._offset + batch_size(size) <= self._size

    def take(self, jobs: deque[Job]) -> Round | None:
        """Begin with the first job, with as many appends after it as go into one write batch."""
        entries: list[tuple[int, int, int, bytes]] = []
        hard_state: HardState | None = None
        size, ticket, generation = 0, 0, 0
        while jobs:
            match jobs[0]:
                case Append() as job:
                    size += sum(len(entry[3]) for entry in job.entries)
                    if entries and size > _MERGE_MAX:
                        break
                    entries += job.entries
                    hard_state = job.hard_state or hard_state
                    ticket, generation = job.ticket, job.generation
                    self._forget_recent(job.confirmed)
                case Truncate() as job:
                    if ticket:
                        break
                    self._rewind(job)
                    ticket, generation = job.ticket, job.generation
                case Drop(numbers):
                    if ticket:
                        break
                    self._delete(numbers)
            jobs.popleft()
        if not ticket:
            return None
        if hard_state is not None:
            self._vote_file.write(hard_state)
        if not entries and not self._supersedes:
            return Round(None, None, self._mark.position, ticket, generation, hard_state)
        batch, place = self._batch(entries)
        position = Position(self._index, self._term, self._hash)
        return Round(batch, place, position, ticket, generation, hard_state)

    def written(self, taken: Round) -> Written:
        """The batch of a round is on disk."""
        if taken.place is not None:
            self._synced_index = taken.position.index
            self._mark = Mark(taken.place.sequence, taken.position)
            self._marked = False
        return Written(taken.place, taken.position, taken.ticket, taken.generation, taken.hard_state)

    @property
    def mark_lag(self) -> int:
        """So many batches the mark on disk is behind, should the power fail."""
        return self._mark.sequence - self._mark_synced

    def write_mark(self) -> None:
        """Note the last batch as synced: the end of the process does not take that back, a power failure may,
        of the last `MARK_LAG_MAX` batches."""
        if self.mark_lag >= MARK_LAG_MAX:
            self.sync_mark()
        elif not self._marked:
            self._mark_file.write(self._mark, durable=False)
            self._marked = True

    def sync_mark(self) -> None:
        """The same, for good."""
        if self.mark_lag:
            self._mark_file.write(self._mark, durable=True)
            self._marked = True
            self._mark_synced = self._mark.sequence

    def next_mark(self) -> tuple[Write, int]:
        """The mark for someone else to write durably, and what to tell `mark_synced` then."""
        return self._mark_file.next_write(self._mark), self._mark.sequence

    def mark_synced(self, sequence: int) -> None:
        """The next mark is on disk; no other was written meanwhile."""
        self._mark_file.synced()
        self._mark_synced = sequence

    def _batch(self, entries: Sequence[tuple[int, int, int, bytes]]) -> tuple[Write, BatchPlace]:
        first, index, term, before = self._index + 1, self._index, self._term, self._hash
        parts: list[bytes] = []
        for index, term, kind, payload in entries:
            before = chain(before, index, term, kind, payload)
            parts += (entry_header(index, term, kind, len(payload), before), payload)
            self._recent.append(Position(index, term, before))
        assert index == self._index + len(entries), f"{len(entries)} entries to {index} after {self._index}"

        body = b"".join(parts)
        assert len(body) <= BODY_MAX, f"a body of {len(body)} bytes"
        data = encode(
            count=len(entries),
            sequence=self._sequence + 1,
            first=first,
            synced_index=self._synced_index,
            previous_term=self._term,
            previous_hash=self._hash,
            last=index,
            term=term,
            hash=before,
            body=body,
        )
        if self._offset == 0 and len(data) > self._size:
            self._replace(len(data))
        elif self._offset + len(data) > self._size or (self._supersedes and self._offset):
            self._roll(len(data))
        write = Write(self._file, data, self._offset)
        place = BatchPlace(
            first, index, index, before, self._sequence + 1, self._segment, self._offset, len(data)
        )
        self._sequence += 1
        self._offset += len(data)
        self._index, self._term, self._hash = index, term, before
        self._supersedes = False
        return write, place

    def _rewind(self, job: Truncate) -> None:
        while self._recent and self._recent[-1].index > job.after:
            self._recent.pop()
        at = job.known or self._recent[-1]
        assert at.index == job.after, f"cut after {job.after}, but only {at} is known"
        self._index, self._term, self._hash = at.index, at.term, at.hash
        self._supersedes = True

    def _forget_recent(self, confirmed: int) -> None:
        recent = self._recent
        while recent and recent[0].index <= confirmed:
            recent.popleft()

    def _roll(self, size: int) -> None:
        """Go on in the next segment. The one left is cut to what it holds, in the background."""
        number = self._segment + 1
        file = None
        if self._spare is not None:
            spare, self._spare = self._spare, None
            with contextlib.suppress(StorageError):  # There may be room by now; if not, making it says so.
                file = spare.result()
        if file is None or size > self._segment_size:
            if file is not None:
                file.close()
            file = make_segment(self._disk, self._directory, number, max(size, self._segment_size))
        self._settle_seal()
        self._seal = self._helper(partial(_seal, self._file, self._offset))
        self._file, self._size, self._segment, self._offset = file, file.size(), number, 0

    def _replace(self, size: int) -> None:
        """Make the segment, still empty, large enough: an empty one between others would read as the end."""
        self._file.close()
        self._file = make_segment(self._disk, self._directory, self._segment, size)
        self._size = size

    @property
    def _spare_is_due(self) -> bool:
        return self._spare is None and self._offset * 2 >= self._size

    def prepare(self) -> None:
        """Have the next segment made while this one fills."""
        if self._spare_is_due:
            make = partial(make_segment, self._disk, self._directory, self._segment + 1, self._segment_size)
            self._spare = self._helper(make)

    def _delete(self, numbers: Sequence[int]) -> None:
        """Oldest first, each with its sync, so that a crash leaves no gap."""
        assert all(number < self._segment for number in numbers), f"drop {numbers} of {self._segment}"
        # What is left must begin within what the mark knows of, the older slot, too, which may be far behind.
        self._mark_file.write_both(self._mark)
        self._marked = True
        self._mark_synced = self._mark.sequence
        self._settle_seal()
        for number in numbers:
            self._disk.remove(segment_path(self._directory, number))
            self._disk.sync_directory(self._directory)

    def _settle_seal(self) -> None:
        if self._seal is not None:
            self._seal.result()
            self._seal = None

    def close(self) -> None:
        """Close all files. What was reported as written stays written."""
        try:
            self._settle_seal()
            spare = self._spare.result() if self._spare is not None else None
            if spare is not None:
                spare.close()
            self.sync_mark()
        finally:
            self._file.close()
            self._mark_file.close()
            self._vote_file.close()


def _seal(file: File, size: int) -> None:
    try:
        file.truncate(size)
        file.sync()
    finally:
        file.close()
