"""An ordered index over the cold store, of which only a bounded head and what is new stand in memory.

Activatable jobs of one type, and everything that falls due, are such indexes: sets of numbers read from
the smallest on. Members in memory: all entries below `_cold_from`, and every entry that the store does not
have readably yet. So the smallest entry is in memory, or right at `_cold_from` in the store.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import final

from bpmnd.bpmn.state.changes import FRESH, PRESENT, REMOVED, Change, Row, key_bytes, prefix_end
from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.journal import Journal

_LOAD_MAX = 1024
_SLACK = 1024


@final
class OrderedIndex:
    """A set of non-negative numbers of `width` bytes, under a row prefix of its own."""

    __slots__ = ("_changed", "_cold_from", "_flushing", "_heap", "_members", "_prefix", "_width")

    def __init__(self, prefix: bytes, width: int, *, in_store: bool) -> None:
        self._prefix = prefix
        self._width = width
        self._members: dict[int, None] = {}
        self._heap: list[int] = []
        self._changed: dict[int, Change] = {}
        self._flushing: dict[int, Change] = {}
        self._cold_from: int | None = 0 if in_store else None

    def add(self, entry: int, journal: Journal) -> None:
        assert entry not in self._members, f"{entry} is already in the index {self._prefix!r}"
        known = entry in self._changed or entry in self._flushing
        journal.put(self._changed, entry, PRESENT if known else FRESH)
        journal.put(self._members, entry, None)
        heappush(self._heap, entry)

    def remove(self, entry: int, journal: Journal) -> None:
        if entry not in self._members:
            # It is cold. Take it in first: an undo then brings it back to memory, whatever was loaded since.
            self._members[entry] = None
        del self._members[entry]
        journal.removed(self, entry)
        if self._changed.get(entry) is FRESH:
            journal.drop(self._changed, entry)
        else:
            journal.put(self._changed, entry, REMOVED)

    def restore(self, entry: int) -> None:
        self._members[entry] = None
        heappush(self._heap, entry)

    def first(self, store: ColdStore) -> int | None:
        """The smallest entry."""
        while True:
            heap = self._heap
            while heap and heap[0] not in self._members:
                heappop(heap)
            if self._cold_from is None or (heap and heap[0] < self._cold_from):
                return heap[0] if heap else None
            self._load(store)

    def take_first(self, count: int, store: ColdStore) -> list[int]:
        """The `count` smallest entries; they stay in the index."""
        taken: list[int] = []
        while len(taken) < count:
            entry = self.first(store)
            if entry is None:
                break
            heappop(self._heap)
            if not taken or entry != taken[-1]:  # An undone removal may have left it in the heap twice.
                taken.append(entry)
        for entry in taken:
            heappush(self._heap, entry)
        return taken

    def _load(self, store: ColdStore) -> None:
        assert self._cold_from is not None
        start = key_bytes(self._prefix, self._cold_from, self._width)
        rows = store.range(start, prefix_end(self._prefix), _LOAD_MAX)
        for key, _ in rows:
            entry = int.from_bytes(key[len(self._prefix) :], "big")
            if entry not in self._members and not self._is_removed(entry):
                self.restore(entry)
        if len(rows) < _LOAD_MAX:
            self._cold_from = None
        else:
            self._cold_from = int.from_bytes(rows[-1][0][len(self._prefix) :], "big") + 1

    def _is_removed(self, entry: int) -> bool:
        change = self._changed.get(entry) or self._flushing.get(entry)
        return change is REMOVED

    def row(self, key: bytes, store: ColdStore) -> bytes | None:
        """What the store would have under a row key if it stood at this moment."""
        entry = int.from_bytes(key[len(self._prefix) :], "big")
        if entry in self._members:
            return b""
        return None if self._is_removed(entry) else store.get(key)

    def capture(self) -> Iterator[Row]:
        """What changed since the last capture, as rows, while new changes are gathered apart."""
        assert not self._flushing, f"two captures at once of {self._prefix!r}"
        self._flushing, self._changed = self._changed, {}
        return self._rows(self._flushing)

    def _rows(self, changes: dict[int, Change]) -> Iterator[Row]:
        for entry, change in changes.items():
            yield key_bytes(self._prefix, entry, self._width), None if change is REMOVED else b""

    def readable(self, head_max: int) -> None:
        """The store has what was captured: forget it here, and keep no more than a head in memory."""
        self._flushing = {}
        if len(self._members) > 2 * head_max + _SLACK:
            self._evict(head_max)
        if len(self._heap) > 2 * len(self._members) + _SLACK:
            self._heap = list(self._members)
            heapify(self._heap)

    def _evict(self, head_max: int) -> None:
        ordered = sorted(self._members)
        cut = ordered[head_max]
        clean = [entry for entry in ordered[head_max:] if entry not in self._changed]
        for entry in clean:
            del self._members[entry]
        if clean:
            self._cold_from = cut if self._cold_from is None else min(cut, self._cold_from)

    def is_idle(self) -> bool:
        """Nothing in memory that the store would not give back: the index itself may be forgotten."""
        return not (self._members or self._changed or self._flushing)
