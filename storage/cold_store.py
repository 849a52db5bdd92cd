"""What a store of rows can do, and one in memory."""

import heapq
from collections.abc import Mapping, Sequence
from typing import Protocol, final

from bpmnd.storage.entry import Position

# Keys that begin with this byte are the store's own.
RESERVED = b"\0"

Row = tuple[bytes, bytes | None]


class ColdStore(Protocol):
    """Rows at a position; what is written shows when it is committed, all at once."""

    def get(self, key: bytes) -> bytes | None: ...

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]: ...

    def write(self, batch: Sequence[Row]) -> None: ...

    def commit(self, position: Position, meta: Mapping[str, bytes] | None = None) -> None: ...

    def abandon(self) -> None: ...

    def position(self) -> Position | None: ...

    def meta(self, name: str) -> bytes | None: ...

    def close(self) -> None: ...


@final
class MemoryStore:
    """The same in memory. `reopened` is what is left after a crash."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}
        self._written: dict[bytes, bytes | None] = {}
        self._meta: dict[str, bytes] = {}
        self._position: Position | None = None

    def get(self, key: bytes) -> bytes | None:
        return self._rows.get(key)

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        keys = heapq.nsmallest(limit, (key for key in self._rows if start <= key < stop))
        return [(key, self._rows[key]) for key in keys]

    def write(self, batch: Sequence[Row]) -> None:
        assert not any(key.startswith(RESERVED) for key, _ in batch), "a key of the store's own"
        self._written.update(batch)

    def abandon(self) -> None:
        self._written.clear()

    def commit(self, position: Position, meta: Mapping[str, bytes] | None = None) -> None:
        for key, value in self._written.items():
            if value is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = value
        self._written.clear()
        self._meta.update(meta or {})
        self._position = position

    def position(self) -> Position | None:
        return self._position

    def meta(self, name: str) -> bytes | None:
        return self._meta.get(name)

    def reopened(self) -> "MemoryStore":
        """A store with what was committed."""
        store = MemoryStore()
        store._rows, store._meta, store._position = dict(self._rows), dict(self._meta), self._position
        return store

    def close(self) -> None:
        self._written.clear()
