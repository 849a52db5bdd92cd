"""The checkpoint store in memory, with the order and the crashes of the real one."""

import bisect
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

from bpmnd.storage.cold_store import RESERVED, Row
from bpmnd.storage.entry import Position

_SUM_BITS: Final = 128


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


@final
class SimulatedStore:
    """An open store. What was written and not committed goes with the process."""

    def __init__(self, kept: KeptRows, committed: Callable[[Position, int], None]) -> None:
        self._kept = kept
        self._committed = committed
        self._written: dict[bytes, bytes | None] = {}

    def get(self, key: bytes) -> bytes | None:
        return self._kept.rows.get(key)

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return self._kept.rows.range(start, stop, limit)

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

    def close(self) -> None:
        self._written.clear()
