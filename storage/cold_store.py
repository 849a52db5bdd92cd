"""What a store of rows can do, and one in memory."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, final

from bpmnd.storage.entry import Position
from bpmnd.storage.errors import StorageError

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

    def freeze(self, directory: Path) -> None:
        """Make a copy of what is committed, as files in a directory that does not exist yet (blocking)."""

    def verify(self) -> int:
        """Read every row with its checksum (blocking); how many there are. Raises `DamageError`."""
        ...

    def scan(self, aside: Path) -> Iterator[int]:
        """The same piece by piece, of a copy that is made at `aside` and removed at the end (blocking): how
        many bytes each piece had. It may go on in another thread than before. Raises `DamageError`."""
        ...

    def close(self) -> None: ...


class Stores(Protocol):
    """Where cold stores come from."""

    def open(self, path: Path) -> ColdStore:
        """Open the store in a directory, or make it (blocking). Raises StorageError."""
        ...

    def position(self, path: Path) -> Position | None:
        """The position of a store that nobody has open (blocking). Raises StorageError for what is none."""
        ...


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

    def freeze(self, directory: Path) -> None:
        raise StorageError("a store in memory has no files to copy")

    def verify(self) -> int:
        return len(self._rows)

    def scan(self, aside: Path) -> Iterator[int]:
        yield from map(len, list(self._rows.values()))

    def reopened(self) -> "MemoryStore":
        """A store with what was committed."""
        store = MemoryStore()
        store._rows, store._meta, store._position = dict(self._rows), dict(self._meta), self._position
        return store

    def close(self) -> None:
        self._written.clear()
