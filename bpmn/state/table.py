"""A small table that stands in memory whole: definitions, continuations, channels."""

from collections.abc import Iterator
from typing import Generic, TypeVar, final

import msgspec

from bpmnd.bpmn.state.changes import Row, key_bytes, prefix_end
from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.journal import Journal

V = TypeVar("V")
_LOAD_MAX = 1024


@final
class Table(Generic[V]):
    """Records by number. For things whose count does not grow with the number of live instances."""

    __slots__ = ("_changed", "_decoder", "_encoder", "items", "prefix")

    def __init__(self, prefix: bytes, record: type[V], store: ColdStore) -> None:
        self.items: dict[int, V] = {}
        self.prefix = prefix
        self._encoder = msgspec.msgpack.Encoder(order="deterministic")
        self._decoder = msgspec.msgpack.Decoder(record)
        self._changed: dict[int, None] = {}
        self._load(store)

    def _load(self, store: ColdStore) -> None:
        start, stop = self.prefix, prefix_end(self.prefix)
        while rows := store.range(start, stop, _LOAD_MAX):
            for key, value in rows:
                self.items[int.from_bytes(key[len(self.prefix) :], "big")] = self._decoder.decode(value)
            start = rows[-1][0] + b"\0"

    def get(self, key: int) -> V | None:
        return self.items.get(key)

    def put(self, key: int, record: V, journal: Journal) -> None:
        journal.put(self.items, key, record)
        journal.put(self._changed, key, None)

    def remove(self, key: int, journal: Journal) -> None:
        journal.drop(self.items, key)
        journal.put(self._changed, key, None)

    def row(self, key: bytes) -> bytes | None:
        """What the store would have under a row key if it stood at this moment."""
        record = self.items.get(int.from_bytes(key[len(self.prefix) :], "big"))
        return None if record is None else self._encoder.encode(record)

    def capture(self) -> Iterator[Row]:
        """The rows that changed since the last capture. Read them before the next turn."""
        changed, self._changed = self._changed, {}
        for key in changed:
            record = self.items.get(key)
            row = None if record is None else self._encoder.encode(record)
            yield key_bytes(self.prefix, key), row
