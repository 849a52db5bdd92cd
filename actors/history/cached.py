"""The rows of one table in memory: those that have changed, and of the others as many as there is room for.

The rows that change stand here until `take` hands them out to be written; those that are not in memory come
from the source, which has what was written before.
"""

from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, TypeVar, cast, final

import msgspec

from bpmnd.storage.history import Row, Value

_as_tuple: Final = msgspec.structs.astuple


class RowSource(Protocol):
    """Rows that were written before."""

    def get(self, table: str, key: int) -> Row | None: ...

    def find(self, table: str, **equal: Value) -> list[Row]: ...

    def all(self, table: str) -> list[Row]: ...

    def last_key(self, table: str) -> int: ...

    def log_time(self) -> int:
        """That of the last entry which was written."""
        ...


class _Keyed(Protocol):
    key: int


class _OfInstance(Protocol):
    instance_key: int | None


R = TypeVar("R", bound=_Keyed)


@final
class Rows(Generic[R]):
    """The rows of one table that are in memory, and those of them that are to be written."""

    def __init__(self, source: RowSource, table: str, row_type: type[R]) -> None:
        self._source = source
        self.table: Final = table
        self._type: Any = row_type
        self.known: dict[int, R] = {}
        self.changed: dict[int, R] = {}

    def add(self, row: R) -> None:
        self.known[row.key] = self.changed[row.key] = row

    def get(self, key: int) -> R | None:
        """The row, to be looked at."""
        row = self.known.get(key)
        if row is None and key:
            found = self._source.get(self.table, key)
            if found is not None:
                row = self.known[key] = self._type(*found)
        return row

    def change(self, key: int) -> R | None:
        """The row, to be changed."""
        row = self.known.get(key) or self.get(key)
        if row is not None:
            self.changed[key] = row
        return row

    def of_instance(self, instance_key: int) -> list[R]:
        """All of a process instance, by key."""
        for row in self._source.find(self.table, instance_key=instance_key):
            self.get(int(row[0] or 0))
        own = [row for row in self.known.values() if cast(_OfInstance, row).instance_key == instance_key]
        return sorted(own, key=lambda row: row.key)

    def take(self) -> list[Row]:
        rows = [_as_tuple(cast(msgspec.Struct, row)) for row in self.changed.values()]
        self.changed.clear()
        return rows

    def drop(self, is_over: Callable[[R], bool]) -> None:
        """Let go of those that nothing happens to any more."""
        for key in [key for key, row in self.known.items() if is_over(row)]:
            del self.known[key]

    def forget(self, count_max: int) -> None:
        """Keep the newest."""
        assert not self.changed, "what is to be written is kept"
        excess = len(self.known) - count_max
        if excess > 0:
            for key in list(self.known)[:excess]:
                del self.known[key]
