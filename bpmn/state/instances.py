"""The table of process instances: those in memory over those in the store."""

from collections.abc import Iterator
from typing import final

from bpmnd.bpmn.state.blocks import give_back_room
from bpmnd.bpmn.state.changes import FRESH, PRESENT, REMOVED, Change, Row, key_bytes
from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.owners import Owners
from bpmnd.bpmn.state.records import ProcessInstance, decode_instance, encode_instance

INSTANCES = b"i"
_BLOCK_SHIFT = 12


@final
class Instances:
    """Process instances by key, faulted in when they are asked for and evicted when they are idle.

    `touch` is the one way to an instance that an applier may change: it marks the instance as changed, and
    encodes it first when a capture has not come to it yet (copy on update).
    """

    __slots__ = ("_capturing", "_changed", "_evictable", "_flushing", "_live", "_owners", "_rows", "_store")

    def __init__(self, store: ColdStore, owners: Owners) -> None:
        self._store = store
        self._owners = owners
        self._live: dict[int, dict[int, ProcessInstance]] = {}
        self._changed: dict[int, Change] = {}
        self._flushing: dict[int, Change] = {}
        self._capturing: dict[int, None] = {}
        self._rows: list[Row] = []
        self._evictable: dict[int, None] = {}

    def get(self, key: int) -> ProcessInstance | None:
        """The instance, to be read only."""
        block = self._live.get(key >> _BLOCK_SHIFT)
        if block is not None and (instance := block.get(key)) is not None:
            return instance
        return self._fault_in(key)

    def touch(self, key: int, journal: Journal) -> ProcessInstance:
        """The instance, to be changed; it must exist."""
        block = self._live.get(key >> _BLOCK_SHIFT)
        instance = None if block is None else block.get(key)
        if instance is None:
            instance = self._fault_in(key)
            assert instance is not None, f"no process instance {key}"
        if key not in self._changed:
            if key in self._capturing:
                self._capture(key)
            journal.put(self._changed, key, PRESENT)
        return instance

    def add(self, instance: ProcessInstance, journal: Journal) -> None:
        key = instance.key
        assert key not in self._changed, f"{key} is there already"
        number = key >> _BLOCK_SHIFT
        block = self._live.get(number)
        if block is None:
            block = self._live[number] = {}
        journal.put(block, key, instance)
        journal.put(self._changed, key, FRESH)

    def remove(self, key: int, journal: Journal) -> None:
        """Drop a touched instance."""
        journal.drop(self._live[key >> _BLOCK_SHIFT], key)
        if self._changed[key] is FRESH:
            journal.drop(self._changed, key)
        else:
            journal.put(self._changed, key, REMOVED)

    def _fault_in(self, key: int) -> ProcessInstance | None:
        if key < 0 or (self._changed.get(key) or self._flushing.get(key)) is REMOVED:
            return None
        row = self._store.get(key_bytes(INSTANCES, key))
        if row is None:
            return None
        instance = decode_instance(row)
        self._live.setdefault(key >> _BLOCK_SHIFT, {})[key] = instance
        self._evictable[key] = None
        self._owners.faulted_in(key, instance.owned_keys())
        return instance

    def row(self, key: bytes) -> bytes | None:
        """What the store would have under a row key if it stood at this moment."""
        number = int.from_bytes(key[len(INSTANCES) :], "big")
        block = self._live.get(number >> _BLOCK_SHIFT)
        if block is not None and (instance := block.get(number)) is not None:
            return encode_instance(instance)
        is_removed = (self._changed.get(number) or self._flushing.get(number)) is Change.REMOVED
        return None if is_removed else self._store.get(key)

    def count_in_memory(self) -> int:
        return sum(len(block) for block in self._live.values())

    def begin_capture(self) -> None:
        assert not self._flushing, "two captures at once of the instances"
        self._flushing, self._changed = self._changed, {}
        for key, change in self._flushing.items():
            if change is REMOVED:
                self._rows.append((key_bytes(INSTANCES, key), None))
            else:
                self._capturing[key] = None

    def _capture(self, key: int) -> None:
        del self._capturing[key]
        instance = self._live[key >> _BLOCK_SHIFT][key]
        self._rows.append((key_bytes(INSTANCES, key), encode_instance(instance)))

    def capture(self) -> Iterator[Row]:
        """The rows of the capture, first those made in passing. They may be read in slices between turns."""
        while self._rows or self._capturing:
            if not self._rows:
                self._capture(next(iter(self._capturing)))
            yield self._rows.pop()

    def readable(self, in_memory_max: int) -> None:
        """The store has what was captured. What has not changed since may leave the memory."""
        for key, change in self._flushing.items():
            if change is REMOVED:
                self._evictable.pop(key, None)
            elif key not in self._changed:
                self._evictable[key] = None
        self._flushing = {}
        give_back_room(self._live)
        self._evict(self.count_in_memory() - in_memory_max)

    def _evict(self, count: int) -> None:
        for key in list(self._evictable):
            if count <= 0:
                return
            del self._evictable[key]
            number = key >> _BLOCK_SHIFT
            block = self._live.get(number)
            if block is None or key not in block or key in self._changed:
                continue  # Ended or changed since; a changed one comes back here with the next checkpoint.
            instance = block.pop(key)
            if not block:
                del self._live[number]
            self._owners.evicted(instance.owned_keys())
            count -= 1
