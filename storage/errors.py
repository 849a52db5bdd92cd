"""What the disk can do to us."""

from pathlib import Path
from typing import final


class StorageError(Exception):
    """The disk failed or holds what cannot be used."""


@final
class FullError(StorageError):
    """The disk has no room left."""


@final
class ClosedError(StorageError):
    """The log was closed, or an earlier write of it failed."""


@final
class GapError(StorageError):
    """Two parts of a partition's storage do not meet."""


@final
class MissingError(StorageError):
    """An entry was asked for that is not kept here."""


@final
class DamageError(StorageError):
    """Bytes that were synced are not what was written. Never cut, never skipped.

    `kind` is one word: header, body, trailer, hash (bytes were altered), dropped, swapped, truncated, chain
    (of another history), mark, vote, archive, checkpoint, state (not what the others make of the same log).
    """

    def __init__(self, kind: str, file: Path, index: int | None, offset: int | None, what: str) -> None:
        place = f"{file}"
        if offset is not None:
            place += f" at byte {offset}"
        if index is not None:
            place += f", entry {index}"
        super().__init__(f"{place}: {what}")
        self.kind = kind
        self.file = file
        self.index = index
        self.offset = offset
        self.what = what
