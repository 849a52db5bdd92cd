"""How an entry of the state stands to the store below it, between one checkpoint and the next."""

from enum import IntEnum
from typing import Final, TypeAlias

Row: TypeAlias = tuple[bytes, bytes | None]
"""One row of a checkpoint: key and value, or key and None for a tombstone."""


class Change(IntEnum):
    """What has become of an entry since the last capture.

    FRESH entries cannot be in the store, so that they may go without leaving a tombstone.
    """

    FRESH = 1
    PRESENT = 2
    REMOVED = 3


FRESH: Final = Change.FRESH
PRESENT: Final = Change.PRESENT
REMOVED: Final = Change.REMOVED
# As those of states in `records.py`, names that are quickly read.


def key_bytes(prefix: bytes, key: int, width: int = 8) -> bytes:
    """The row key of a number: big-endian, so that rows stand in numeric order."""
    return prefix + key.to_bytes(width, "big")


def prefix_end(prefix: bytes) -> bytes:
    """The first row key behind all that begin with `prefix`."""
    return prefix[:-1] + bytes([prefix[-1] + 1])
