"""The checkpoint store in memory, with the order and the crashes of the real one."""

import bisect
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, final

import msgspec

from bpmnd.storage.cold_store import RESERVED, Row
from bpmnd.storage.disk import Disk, read_file, replace_file
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError, StorageError

COPY: Final = "rows"
"""The one file of a frozen store."""
_SUM_BITS: Final = 128
_Copy = tuple[list[tuple[bytes, bytes]], dict[str, bytes], tuple[int, int, bytes] | None]


@final
class Rows:
    """Sorted rows with a sum over all of them: equal rows have equal sums, whatever their history."""

    def __init__(self) -> None:
        self.sum = 0
        self._values: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        first = bisect.bisect_left(self._keys, start)
        last = bisect.bisect_left(self._keys, stop, first)
        return [(key, self._values[key]) for key in self._keys[first : min(last, first + limit)]]

    def change(self, rows: Mapping[bytes, bytes | None]) -> None:
        for key, value in rows.items():
            before = self._values.get(key)
            if before == value:
                continue
            if before is not None:
                self.sum -= _number(key, before)
            if value is None:
                del self._values[key]
                del self._keys[bisect.bisect_left(self._keys, key)]
            else:
                self.sum += _number(key, value)
                self._values[key] = value
                if before is None:
                    bisect.insort(self._keys, key)
        self.sum &= (1 << _SUM_BITS) - 1

    def copy(self) -> "Rows":
        made = Rows()
        made.sum, made._values, made._keys = self.sum, dict(self._values), list(self._keys)
        return made

    def differences(self, other: "Rows") -> list[bytes]:
        """The keys under which the two have something else."""
        keys = {*self._keys, *other._keys}
        return sorted(key for key in keys if self.get(key) != other.get(key))


def _number(key: bytes, value: bytes) -> int:
    data = len(key).to_bytes(4, "little") + key + value
    return int.from_bytes(hashlib.blake2b(data, digest_size=_SUM_BITS // 8).digest(), "little")


@final
class KeptRows:
    """What a store has on its disk: changed by a commit alone, whole and at once."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.meta: dict[str, bytes] = {}
        self.position: Position | None = None
        self.damaged: bytes | None = None
        """The key of a row that cannot be read any more."""

    def to_bytes(self) -> bytes:
        rows = self.rows.range(b"", b"\xff", 1 << 40)
        position = self.position
        fields = None if position is None else (position.index, position.term, position.hash)
        data = msgspec.msgpack.encode((rows, self.meta, fields))
        return zlib.crc32(data).to_bytes(4, "little") + data

    @staticmethod
    def from_bytes(path: Path, data: bytes) -> "KeptRows":
        if zlib.crc32(data[4:]).to_bytes(4, "little") != data[:4]:
            raise DamageError("checkpoint", path, None, None, "its checksum is wrong")
        rows, meta, position = msgspec.msgpack.decode(data[4:], type=_Copy)
        made = KeptRows()
        made.rows.change(dict(rows))
        made.meta = meta
        made.position = None if position is None else Position(*position)
        return made


@final
class SimulatedStore:
    """An open store. What was written and not committed goes with the process."""

    def __init__(
        self, disk: Disk, path: Path, kept: KeptRows, committed: Callable[[Position, int], None]
    ) -> None:
        self._disk = disk
        self._path = path
        self._kept = kept
        self._committed = committed
        self._written: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        self._check(key, key + b"\0")
        return self._kept.rows.get(key)

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        found = self._kept.rows.range(start, stop, limit)
        if found:
            self._check(start, found[-1][0] + b"\0")
        return found

    def _check(self, start: bytes, stop: bytes) -> None:
        damaged = self._kept.damaged
        if damaged is not None and start <= damaged < stop:
            raise DamageError("checkpoint", self._path, None, None, "the checksum of a block is wrong")

    def write(self, batch: Sequence[Row]) -> None:
        assert not any(key.startswith(RESERVED) for key, _ in batch), "a key of the store's own"
        self._written.update(batch)

    def abandon(self) -> None:
        self._written.clear()

    def commit(self, position: Position, meta: Mapping[str, bytes] | None = None) -> None:
        self._kept.rows.change(self._written)
        self._written.clear()
        self._kept.meta.update(meta or {})
        self._kept.position = position
        self._committed(position, self._kept.rows.sum)

    def position(self) -> Position | None:
        return self._kept.position

    def meta(self, name: str) -> bytes | None:
        return self._kept.meta.get(name)

    def freeze(self, directory: Path) -> None:
        self._check(b"", b"\xff")
        self._disk.make_directory(directory)
        replace_file(self._disk, directory / COPY, self._kept.to_bytes())

    def verify(self) -> int:
        self._check(b"", b"\xff")
        return len(self._kept.rows.range(b"", b"\xff", 1 << 40))

    def scan(self, aside: Path) -> Iterator[int]:
        """Row by row, as it was when this began; damage is where it is now, also where a row was removed."""
        start = b""
        for key, value in self._kept.rows.range(b"", b"\xff", 1 << 40):
            after = key + b"\0"
            self._check(start, after)
            start = after
            yield len(key) + len(value)
        self._check(start, b"\xff")

    def close(self) -> None:
        self._written.clear()


@final
class SimulatedStores:
    """The stores of one machine, in the directories that its disk has. A copy is a file in a directory."""

    def __init__(
        self, disk: Disk, kept: dict[Path, KeptRows], committed: Callable[[Path, Position, int], None]
    ) -> None:
        self._disk = disk
        self._kept = kept
        self._committed = committed

    def open(self, path: Path) -> SimulatedStore:
        if path.name not in self._disk.names(path.parent):
            self._kept.pop(path, None)  # Removed, with all that was in it.
            self._disk.make_directory(path)
        kept = self._kept.get(path)
        if kept is None:
            kept = self._kept[path] = self._copy(path) or KeptRows()
        return SimulatedStore(
            self._disk, path, kept, lambda position, total: self._committed(path, position, total)
        )

    def position(self, path: Path) -> Position | None:
        copy = self._copy(path)
        if copy is None:
            raise StorageError(f"{path} is no checkpoint")
        return copy.position

    def _copy(self, path: Path) -> KeptRows | None:
        if COPY not in self._disk.names(path):
            return None
        return KeptRows.from_bytes(path, read_file(self._disk, path / COPY))
