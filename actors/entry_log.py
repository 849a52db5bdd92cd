"""A replica's log as its Raft member reads it: the newest entries from memory, older ones from the disk."""

from collections.abc import Sequence
from typing import Final, final

from bpmnd.cluster.raft import Entry, EntryKind, HardState
from bpmnd.storage.entry import HardState as StoredState
from bpmnd.storage.log import Log

RECENT_BYTES_MAX: Final = 8 << 20


@final
class EntryLog:
    """What `Ready` asks to be stored goes through here to the log, and stays in memory for a while.

    In memory are all entries that the disk does not have yet, and of the others the newest, up to
    `recent_bytes_max` bytes: what followers still need and what is about to be applied is mostly there.
    """

    def __init__(self, log: Log, *, recent_bytes_max: int = RECENT_BYTES_MAX) -> None:
        self.log: Final = log
        self._recent: dict[int, Entry] = {}
        self._oldest = log.last_index + 1
        self._bytes = 0
        self._bytes_max = recent_bytes_max

    @property
    def first_index(self) -> int:
        return self.log.first_index

    @property
    def last_index(self) -> int:
        """The last entry that is queued for the disk or on it."""
        return self.log.last_index

    @property
    def recent_bytes(self) -> int:
        """Of the payloads in memory."""
        return self._bytes

    def term_at(self, index: int) -> int | None:
        return self.log.term_at(index)

    def entries(self, start: int, stop: int, bytes_max: int) -> Sequence[Entry]:
        """Entries from `start` up to but without `stop`: at least one, and no more than `bytes_max` bytes."""
        found: list[Entry] = []
        size = 0
        recent = self._recent
        for index in range(start, stop):
            entry = recent.get(index)
            if entry is None:
                if found:
                    break  # Cannot be: what is recent has no holes. What comes next is read by the next call.
                return self._from_disk(start, stop, bytes_max)
            size += len(entry.payload)
            if found and size > bytes_max:
                break
            found.append(entry)
        return found

    def _from_disk(self, start: int, stop: int, bytes_max: int) -> list[Entry]:
        found: list[Entry] = []
        size = 0
        for stored in self.log.entries(start, min(stop, self._oldest) - 1):
            size += len(stored.payload)
            if found and size > bytes_max:
                break
            found.append(Entry(stored.index, stored.term, EntryKind(stored.kind), stored.payload))
        assert found, f"entry {start} was asked for, but the log ends at {self.last_index}"
        return found

    def store(self, hard_state: HardState | None, entries: Sequence[Entry]) -> int:
        """Queue what is to be made durable; the ticket that the log's completion will carry.

        Entries that the log has at these indexes already are superseded: the caller knows that they are not
        committed.
        """
        log = self.log
        if entries and entries[0].index <= log.last_index:
            self._cut(entries[0].index - 1)
        for entry in entries:
            self._recent[entry.index] = entry
            self._bytes += len(entry.payload)
        if self._bytes > self._bytes_max:
            self._forget()
        rows = [(entry.index, entry.term, int(entry.kind), entry.payload) for entry in entries]
        return log.append(rows, None if hard_state is None else stored_state(hard_state))

    def _cut(self, after: int) -> None:
        for index in range(max(after + 1, self._oldest), self.log.last_index + 1):
            self._bytes -= len(self._recent.pop(index).payload)
        self._oldest = min(self._oldest, after + 1)
        self.log.truncate(after, commit=after)

    def _forget(self) -> None:
        """Let go of the oldest entries, of those that the disk has."""
        synced = self.log.synced_index
        while self._bytes > self._bytes_max and self._oldest <= synced:
            self._bytes -= len(self._recent.pop(self._oldest).payload)
            self._oldest += 1


def stored_state(state: HardState) -> StoredState:
    """Raft's hard state as the log stores it."""
    return StoredState(state.term, state.vote or None)


def raft_state(state: StoredState) -> HardState:
    return HardState(state.term, state.voted_for or 0)
