"""Tables that may grow without end: the store has them, memory only what the store does not have yet.

A `Series` keeps its records in groups, in the order of their keys, and finds the next one from any key on
without looking at those before it: whoever waits for a message, and the messages that wait.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final, Generic, TypeVar, final

import msgspec

from bpmnd.bpmn.state.changes import Row, prefix_end
from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.journal import Journal

V = TypeVar("V")

_LOOK: Final = 8
_LOOK_MAX: Final = 1024


def prefix_free(text: str) -> bytes:
    """Bytes of which none begins with another's."""
    encoded = text.encode()
    return len(encoded).to_bytes(4, "big") + encoded


def split_prefix_free(encoded: bytes) -> tuple[str, bytes]:
    """The text that `prefix_free` has encoded, and what follows it."""
    end = 4 + int.from_bytes(encoded[:4], "big")
    return encoded[4:end].decode(), encoded[end:]


class ColdTable(Generic[V]):
    """Records by their keys. They are frozen: what a capture has to write stays as it is."""

    __slots__ = ("_changed", "_decoder", "_encoder", "_flushing", "_fresh", "_scanned", "_store", "prefix")

    def __init__(self, prefix: bytes, record: type[V], store: ColdStore) -> None:
        self.prefix = prefix
        self._store = store
        self._encoder = msgspec.msgpack.Encoder(order="deterministic")
        self._decoder = msgspec.msgpack.Decoder(record)
        # Key -> record, or None where there is none any more.
        self._changed: dict[bytes, V | None] = {}
        self._flushing: dict[bytes, V | None] = {}
        self._fresh: dict[bytes, None] = {}
        """Those of the changed that the store cannot have: they may go without leaving a tombstone."""
        self._scanned: tuple[int, list[bytes]] = (0, [])
        """The number of a walk, and what was in memory when it began."""

    def get(self, key: bytes) -> V | None:
        if key in self._changed:
            return self._changed[key]
        if key in self._flushing:
            return self._flushing[key]
        row = self._store.get(self.prefix + key)
        return None if row is None else self._decoder.decode(row)

    def put(self, key: bytes, record: V, journal: Journal, *, is_new: bool = False) -> None:
        if is_new and key not in self._changed and key not in self._flushing:
            journal.put(self._fresh, key, None)
        journal.put(self._changed, key, record)

    def remove(self, key: bytes, journal: Journal) -> None:
        """Take out a record that is there."""
        if key in self._fresh:
            journal.drop(self._fresh, key)
            journal.drop(self._changed, key)
        else:
            journal.put(self._changed, key, None)

    def walk(self, number: int, start: bytes, count: int) -> tuple[list[tuple[bytes, V]], bytes | None]:
        """Up to so many records from a key on, in the order of their keys, and where to go on; None at the
        end. What is put in while walk `number` is under way may be missed."""
        if self._scanned[0] != number:
            self._scanned = number, sorted({**self._changed, **self._flushing})
        known = self._scanned[1]
        begin, stop = self.prefix + start, prefix_end(self.prefix)
        rows = self._store.range(begin, stop, count)
        stored = {key[len(self.prefix) :]: row for key, row in rows}
        position = bisect_left(known, start)
        keys = sorted({*stored, *known[position : position + count]})[:count]
        found: list[tuple[bytes, V]] = []
        for key in keys:
            if key in stored and key not in self._changed and key not in self._flushing:
                found.append((key, self._decoder.decode(stored[key])))
            elif (record := self.get(key)) is not None:
                found.append((key, record))
        if len(keys) < count:
            self._scanned = 0, []
            return found, None
        return found, keys[-1] + b"\0"

    def in_memory(self, key: bytes) -> V | None:
        """The record, if the store does not have it yet."""
        return self._changed[key] if key in self._changed else self._flushing.get(key)

    def row(self, key: bytes) -> bytes | None:
        """What the store would have under a row key if it stood at this moment."""
        name = key[len(self.prefix) :]
        for changes in (self._changed, self._flushing):
            if name in changes:
                record = changes[name]
                return None if record is None else self._encoder.encode(record)
        return self._store.get(key)

    def count_in_memory(self) -> int:
        return len(self._changed) + len(self._flushing)

    def capture(self) -> Iterator[Row]:
        """What changed since the last capture, as rows, while new changes are gathered apart."""
        assert not self._flushing, f"two captures at once of {self.prefix!r}"
        self._flushing, self._changed, self._fresh = self._changed, {}, {}
        return self._rows(self._flushing)

    def _rows(self, changes: dict[bytes, V | None]) -> Iterator[Row]:
        for key, record in changes.items():
            yield self.prefix + key, None if record is None else self._encoder.encode(record)

    def readable(self) -> None:
        """The store has what was captured: forget it here."""
        self._flushing = {}


@final
class Series(ColdTable[V]):
    """Records by group and entry, in the order of their entries. No group begins with another."""

    __slots__ = ("_gone", "_order")

    def __init__(self, prefix: bytes, record: type[V], store: ColdStore) -> None:
        super().__init__(prefix, record, store)
        self._order: dict[bytes, list[bytes]] = {}
        """Group -> keys of what is in memory, and of what an undone turn had put there."""
        self._gone: dict[bytes, tuple[bytes, bytes]] = {}
        """Group -> a stretch of the store of which nothing is left."""

    def put_in(
        self, group: bytes, entry: bytes, record: V, journal: Journal, *, is_new: bool = False
    ) -> None:
        key = group + entry
        if not is_new:
            journal.removed(self, (group, key))  # An undo gives back what the store has.
        self.put(key, record, journal, is_new=is_new)
        self._arrange(group, key)

    def remove_from(self, group: bytes, entry: bytes, journal: Journal) -> None:
        """Take out a record that is there."""
        key = group + entry
        journal.removed(self, (group, key))
        self.remove(key, journal)
        if self.in_memory(key) is None:
            self._disarrange(group, key)

    def restore(self, entry: tuple[bytes, bytes]) -> None:
        """The turn that took it out, or put something else there, was undone."""
        group, key = entry
        self._gone.pop(group, None)
        if self.in_memory(key) is not None:
            self._arrange(group, key)

    def next(self, group: bytes, start: bytes = b"") -> tuple[bytes, V] | None:
        """The first entry of the group from `start` on."""
        stored = self._next_stored(group, group + start)
        keys = self._order.get(group, [])
        position = bisect_left(keys, group + start)
        while position < len(keys) and (stored is None or keys[position] < stored[0]):
            key = keys[position]
            record = self.in_memory(key)
            if record is not None:
                return key[len(group) :], record
            del keys[position]
        return None if stored is None else (stored[0][len(group) :], stored[1])

    def _next_stored(self, group: bytes, start: bytes) -> tuple[bytes, V] | None:
        """The next record that only the store has."""
        stop, look = prefix_end(self.prefix + group), _LOOK
        gone_from, gone_to = self._gone.get(group, (b"", b""))
        if gone_from <= start < gone_to:
            start = gone_to
        else:
            gone_from = start
        begin = self.prefix + start
        while True:
            rows = self._store.range(begin, stop, look)
            for row_key, row in rows:
                key = row_key[len(self.prefix) :]
                if key not in self._changed and key not in self._flushing:
                    return key, self._decoder.decode(row)
            if len(rows) < look:
                return None
            begin = rows[-1][0] + b"\0"
            self._gone[group] = gone_from, begin[len(self.prefix) :]
            look = min(4 * look, _LOOK_MAX)

    def _arrange(self, group: bytes, key: bytes) -> None:
        keys = self._order.setdefault(group, [])
        position = bisect_left(keys, key)
        if position == len(keys) or keys[position] != key:
            insort(keys, key)

    def _disarrange(self, group: bytes, key: bytes) -> None:
        keys = self._order.get(group, [])
        position = bisect_left(keys, key)
        if position < len(keys) and keys[position] == key:
            del keys[position]
            if not keys:
                del self._order[group]

    def readable(self) -> None:
        super().readable()
        self._gone = {}
        changed = self._changed
        self._order = {
            group: left
            for group, keys in self._order.items()
            if (left := [key for key in keys if changed.get(key) is not None])
        }
