"""The store below the state, as the state needs it."""

from typing import Protocol


class ColdStore(Protocol):
    """Sorted bytes on disk. Holds the state as it was at the position of the last readable checkpoint."""

    def get(self, key: bytes) -> bytes | None: ...

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """The first `limit` rows with start <= key < stop, in order of their keys."""
        ...


class EmptyStore:
    """The store of a partition that has no checkpoint yet."""

    def get(self, key: bytes) -> bytes | None:
        return None

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return []
