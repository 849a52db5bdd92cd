"""Entries of the log and the hash that chains them."""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import msgspec

_LINK = struct.Struct("<32sQQI")  # hash before, index, term, kind
_ENTRY = struct.Struct("<IIQQ32s")  # payload size, kind, index, term, hash
ENTRY_HEADER_SIZE = _ENTRY.size
_AT_ONCE = 2047
_PIECES_MAX = 16
"""For more than 2047 bytes hashlib lets go of the interpreter's lock. To get it back from a busy event loop
may take milliseconds, to hash some pieces takes microseconds."""


@final
class Entry(msgspec.Struct, frozen=True, gc=False):
    """An entry as the log has it."""

    index: int
    term: int
    kind: int
    payload: bytes
    hash: bytes


@final
@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log and all that came before it, by its hash."""

    index: int
    term: int
    hash: bytes


ORIGIN = Position(0, 0, bytes(32))


@final
@dataclass(frozen=True, slots=True)
class HardState:
    """What Raft must never forget: its term, and for whom it voted in it."""

    term: int = 0
    voted_for: int | None = None


def chain(before: bytes, index: int, term: int, kind: int, payload: bytes) -> bytes:
    """The chain hash of an entry that follows the one with the hash `before`."""
    link = hashlib.sha256(_LINK.pack(before, index, term, kind))
    size = len(payload)
    if size <= _AT_ONCE or size > _PIECES_MAX * _AT_ONCE:
        link.update(payload)
    else:
        view = memoryview(payload)
        for start in range(0, size, _AT_ONCE):
            link.update(view[start : start + _AT_ONCE])
    return link.digest()


def entry_header(index: int, term: int, kind: int, size: int, hash: bytes) -> bytes:
    return _ENTRY.pack(size, kind, index, term, hash)


def entries_of(body: bytes) -> Iterator[tuple[int, Entry]]:
    """The entries of a body whose checksum is right, each with its offset in it."""
    offset = 0
    while offset < len(body):
        size, kind, index, term, hash = _ENTRY.unpack_from(body, offset)
        start = offset + ENTRY_HEADER_SIZE
        yield offset, Entry(index, term, kind, body[start : start + size], hash)
        offset = start + size
