"""The log as Raft sees it: what the disk has reported, and above it what is in memory."""

from collections import deque
from typing import Final, final

from bpmnd.cluster.raft.messages import Entry, EntryId, EntryKind, HardState
from bpmnd.cluster.raft.storage import Storage

_TERM_RUNS_MAX: Final = 64


@final
class _Write:
    """What one Ready gave to the disk, until the disk reports it."""

    __slots__ = ("first_index", "hard_state", "last_index", "number")

    def __init__(self, number: int, first_index: int, last_index: int, hard_state: HardState) -> None:
        self.number = number
        self.first_index = first_index
        self.last_index = last_index
        self.hard_state = hard_state


@final
class Log:
    """Entries up to `stable` are read from the storage; those above are kept here until they are on disk.

    An entry is identified by its index and term, but a report of the disk is not: entries may be overwritten
    by others and those by the first again, all of them still on their way to the disk. So writes are
    numbered, and a report vouches for what no later write overwrites.
    """

    def __init__(self, storage: Storage, committed: int) -> None:
        self.storage = storage
        self.committed = committed
        self.last_index = 0
        self.last_term = 0
        self.stable = 0
        self._entries: list[Entry] = []
        self._offered = 0
        self._writes: deque[_Write] = deque()
        self._runs: list[tuple[int, int]] = []
        self.reload()

    def reload(self) -> None:
        """The storage has another log now: nothing in memory is true any more."""
        self.last_index = self.stable = self._offered = self.storage.last_index
        self.last_term = self._term_on_disk(self.last_index)
        self._entries.clear()
        # The terms of the end of the log, as (first index, term): nearly all that is ever asked for.
        self._runs = [(self.last_index, self.last_term)]

    @property
    def first_index(self) -> int:
        return self.storage.first_index

    @property
    def last(self) -> EntryId:
        return EntryId(self.last_term, self.last_index)

    @property
    def last_on_disk(self) -> EntryId:
        term = self.term_at(self.stable)
        assert term is not None, f"no term at {self.stable}, where the log on disk ends"
        return EntryId(term, self.stable)

    @property
    def has_entries_to_offer(self) -> bool:
        return self._offered < self.last_index

    def term_at(self, index: int) -> int | None:
        """`None` where the log has no such entry, or not any more."""
        if index > self.last_index:
            return None
        runs = self._runs
        position = len(runs) - 1
        while position >= 0:
            first, term = runs[position]
            if index >= first:
                return term
            position -= 1
        return self.storage.term_at(index)

    def append(self, entry: Entry) -> None:
        """`entry` follows the last one."""
        assert entry.index == self.last_index + 1, f"{entry.index} does not follow {self.last_index}"
        self._entries.append(entry)
        self.last_index = entry.index
        if entry.term != self.last_term:
            self.last_term = entry.term
            self._runs.append((entry.index, entry.term))
            if len(self._runs) > _TERM_RUNS_MAX:
                del self._runs[0]

    def merge(self, previous_index: int, entries: tuple[Entry, ...]) -> int | None:
        """Take in what a leader sent to follow `previous_index`, which must match; from where the log is new.

        Entries that are there already stay: the message may be older than what came after it (Raft, §5.3).
        """
        if entries and previous_index == self.last_index:
            for entry in entries:
                self.append(entry)
            return entries[0].index
        for position, entry in enumerate(entries):
            if self.term_at(entry.index) != entry.term:
                self._cut_from(entry.index)
                for new in entries[position:]:
                    self.append(new)
                return entry.index
        return None

    def entries(self, start: int, bytes_max: int) -> tuple[Entry, ...]:
        """From `start` to the end, at least one, fewer when their payloads would pass `bytes_max`."""
        if start > self.last_index:
            return ()
        if start > self.stable:
            return self._in_memory(start, bytes_max)
        found = tuple(self.storage.entries(start, self.stable + 1, bytes_max))
        assert found, f"the storage has no entry {start}, but its log goes on to {self.stable}"
        if found[-1].index == self.stable < self.last_index:
            left = bytes_max - sum(len(entry.payload) for entry in found)
            if len(self._entries[0].payload) <= left:
                found += self._in_memory(self.stable + 1, left)
        return found

    def offer(self, number: int, hard_state: HardState) -> tuple[Entry, ...]:
        """The entries to write with Ready `number`, each handed out once."""
        offered = self._entries[self._offered - self.stable :]
        self._writes.append(_Write(number, self._offered + 1, self.last_index, hard_state))
        self._offered = self.last_index
        return tuple(offered)

    def persisted(self, number: int) -> HardState | None:
        """The disk has the write of Ready `number` and those before: the hard state that is on it now."""
        writes = self._writes
        newest: _Write | None = None
        while writes and writes[0].number <= number:
            newest = writes.popleft()
        if newest is None:
            return None
        stable = min(newest.last_index, self._offered)
        for write in writes:
            stable = min(stable, write.first_index - 1)
        if stable > self.stable:
            del self._entries[: stable - self.stable]
            self.stable = stable
        return newest.hard_state

    def conflict_before(self, index: int, term: int) -> tuple[int, int]:
        """The last entry at or before `index` whose term is not beyond `term`, as (index, term).

        Another log whose entry at `index` has `term` cannot match this one between the two. The term is 0
        where it is not known.
        """
        index = min(index, self.last_index)
        while index > 0:
            own = self.term_at(index)
            if own is None:
                return index, 0
            if own <= term:
                return index, own
            index -= 1
        return 0, 0

    def changes_between(self, start: int, stop: int, bytes_max: int) -> list[int]:
        """The indexes of configuration entries in [start, stop)."""
        found: list[int] = []
        while start < stop:
            entries = self.entries(start, bytes_max)
            found += [e.index for e in entries if e.kind is EntryKind.CONFIGURATION and e.index < stop]
            start = entries[-1].index + 1
        return found

    def _in_memory(self, start: int, bytes_max: int) -> tuple[Entry, ...]:
        entries = self._entries
        first = start - self.stable - 1
        if first == len(entries) - 1:
            return (entries[first],)
        size = 0
        for position in range(first, len(entries)):
            size += len(entries[position].payload)
            if size > bytes_max and position > first:
                return tuple(entries[first:position])
        return tuple(entries[first:])

    def _cut_from(self, index: int) -> None:
        assert index > self.committed, f"entry {index} conflicts, but {self.committed} are committed"
        if index <= self.stable:
            self.stable = index - 1
            self._entries.clear()
        else:
            del self._entries[index - self.stable - 1 :]
        self._offered = min(self._offered, index - 1)
        runs = self._runs
        while runs and runs[-1][0] >= index:
            runs.pop()
        self.last_index = index - 1
        if not runs:
            runs.append((self.last_index, self._term_on_disk(self.last_index)))
        self.last_term = runs[-1][1]

    def _term_on_disk(self, index: int) -> int:
        term = self.storage.term_at(index)
        assert term is not None, f"the storage has no term at {index}, where its log ends"
        return term
