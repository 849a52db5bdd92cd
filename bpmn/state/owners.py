"""Which process instance a key belongs to: element instances, jobs, timers and incidents are found by it."""

from collections.abc import Iterable, Iterator
from typing import final

from bpmnd.bpmn.state.blocks import give_back_room
from bpmnd.bpmn.state.changes import Row, key_bytes
from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.journal import Journal

OWNERS = b"o"
_BLOCK_SHIFT = 12
_REMOVED = 0


@final
class Owners:
    """Key -> process instance key. Entries of instances in memory are in memory, in blocks of 4096 keys:
    one dictionary of millions would stall the partition each time it grows."""

    __slots__ = ("_changed", "_flushing", "_live", "_store")

    def __init__(self, store: ColdStore) -> None:
        self._store = store
        self._live: dict[int, dict[int, int]] = {}
        # Key -> owner; negative when the store cannot have the key yet (it may go without a tombstone).
        self._changed: dict[int, int] = {}
        self._flushing: dict[int, int] = {}

    def get(self, key: int) -> int | None:
        block = self._live.get(key >> _BLOCK_SHIFT)
        if block is not None and (owner := block.get(key)) is not None:
            return owner
        if key < 0 or self._changed.get(key, self._flushing.get(key)) == _REMOVED:
            return None
        row = self._store.get(key_bytes(OWNERS, key))
        return None if row is None else int.from_bytes(row, "big")

    def add(self, key: int, owner: int, journal: Journal) -> None:
        journal.put(self._block(key), key, owner)
        known = key in self._changed or key in self._flushing
        journal.put(self._changed, key, owner if known else -owner)

    def remove(self, key: int, journal: Journal) -> None:
        journal.drop(self._live[key >> _BLOCK_SHIFT], key)
        if self._changed.get(key, _REMOVED) < 0:
            journal.drop(self._changed, key)
        else:
            journal.put(self._changed, key, _REMOVED)

    def row(self, key: bytes) -> bytes | None:
        """What the store would have under a row key if it stood at this moment."""
        owner = self.get(int.from_bytes(key[len(OWNERS) :], "big"))
        return None if owner is None else owner.to_bytes(8, "big")

    def faulted_in(self, owner: int, keys: Iterable[int]) -> None:
        """The instance `owner` is in memory again, and so are its keys."""
        for key in keys:
            self._block(key)[key] = owner

    def evicted(self, keys: Iterable[int]) -> None:
        for key in keys:
            number = key >> _BLOCK_SHIFT
            block = self._live[number]
            del block[key]
            if not block:
                del self._live[number]

    def _block(self, key: int) -> dict[int, int]:
        number = key >> _BLOCK_SHIFT
        block = self._live.get(number)
        if block is None:
            block = self._live[number] = {}
        return block

    def capture(self) -> Iterator[Row]:
        assert not self._flushing, "two captures at once of the owners"
        self._flushing, self._changed = self._changed, {}
        return self._rows(self._flushing)

    def _rows(self, changes: dict[int, int]) -> Iterator[Row]:
        for key, owner in changes.items():
            yield key_bytes(OWNERS, key), None if owner == _REMOVED else abs(owner).to_bytes(8, "big")

    def readable(self) -> None:
        self._flushing = {}
        give_back_room(self._live)
