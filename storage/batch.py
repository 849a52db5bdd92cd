"""The write batch: what goes to disk in one write. The layout is in docs/log-format.md."""

import struct
import zlib
from dataclasses import dataclass
from typing import NamedTuple, final

from bpmnd.storage.entry import entries_of

PAGE = 4096
VERSION = 1
_HEADER_MAGIC = b"BPMNDLOG"
_TRAILER_MAGIC = b"BPMNDEND"
_HEADER = struct.Struct("<8sHHIQQQQQ32sI")
_TRAILER = struct.Struct("<8sQQQ32sII")
_CRC = struct.Struct("<I")
HEADER_SIZE = _HEADER.size + _CRC.size
TRAILER_SIZE = _TRAILER.size + _CRC.size
BODY_MAX = (1 << 32) - 1
_AT_ONCE = 5 << 10
_PIECES_MAX = 16


class Header(NamedTuple):
    """The head of a write batch."""

    entry_count: int
    sequence: int
    first: int
    synced_sequence: int
    synced_index: int
    previous_term: int
    previous_hash: bytes
    body_size: int
    crc: int

    @property
    def batch_size(self) -> int:
        return batch_size(self.body_size)


class Trailer(NamedTuple):
    """The end of a write batch: it went through."""

    sequence: int
    last: int
    term: int
    hash: bytes
    body_crc: int
    header_crc: int


@final
@dataclass(frozen=True, slots=True)
class BadBatch:
    """Why the bytes at a place are no whole batch. `kind`: header, trailer, body."""

    kind: str
    what: str


def _checksum(data: bytes) -> int:
    """The crc32, in pieces for which zlib does not let go of the interpreter's lock (see entry.py)."""
    size = len(data)
    if size <= _AT_ONCE or size > _PIECES_MAX * _AT_ONCE:
        return zlib.crc32(data)
    view, crc = memoryview(data), 0
    for start in range(0, size, _AT_ONCE):
        crc = zlib.crc32(view[start : start + _AT_ONCE], crc)
    return crc


def batch_size(body_size: int) -> int:
    """How many bytes a batch with such a body takes on disk."""
    return (HEADER_SIZE + body_size + TRAILER_SIZE + PAGE - 1) // PAGE * PAGE


def encode(
    *,
    count: int,
    sequence: int,
    first: int,
    synced_index: int,
    previous_term: int,
    previous_hash: bytes,
    last: int,
    term: int,
    hash: bytes,
    body: bytes,
) -> bytes:
    """The bytes of a batch."""
    size = len(body)
    padded = body + bytes(batch_size(size) - HEADER_SIZE - size - TRAILER_SIZE)
    head = _HEADER.pack(
        _HEADER_MAGIC,
        VERSION,
        0,
        count,
        sequence,
        first,
        sequence - 1,
        synced_index,
        previous_term,
        previous_hash,
        size,
    )
    head_crc = zlib.crc32(head)
    tail = _TRAILER.pack(_TRAILER_MAGIC, sequence, last, term, hash, _checksum(padded), head_crc)
    return b"".join((head, _CRC.pack(head_crc), padded, tail, _CRC.pack(zlib.crc32(tail))))


def header_of(data: bytes, offset: int = 0) -> Header | None:
    """The header at `offset`, if there is a good one."""
    if data[offset : offset + 8] != _HEADER_MAGIC or len(data) < offset + HEADER_SIZE:
        return None
    (crc,) = _CRC.unpack_from(data, offset + _HEADER.size)
    if zlib.crc32(data[offset : offset + _HEADER.size]) != crc:
        return None
    fields = _HEADER.unpack_from(data, offset)
    if fields[1] != VERSION:
        return None
    return Header._make((*fields[3:], crc))


def trailer_of(data: bytes, end: int) -> Trailer | None:
    """The trailer that ends at `end`, if there is a good one."""
    start = end - TRAILER_SIZE
    if start < 0 or data[start : start + 8] != _TRAILER_MAGIC or len(data) < end:
        return None
    (crc,) = _CRC.unpack_from(data, end - _CRC.size)
    if zlib.crc32(data[start : end - _CRC.size]) != crc:
        return None
    return Trailer._make(_TRAILER.unpack_from(data, start)[1:])


def check(header: Header, data: bytes) -> Trailer | BadBatch:
    """Whether the whole batch is in order whose header is `header`."""
    if len(data) < header.batch_size:
        return BadBatch("trailer", f"the file ends inside the batch of {header.batch_size} bytes")
    trailer = trailer_of(data, header.batch_size)
    if trailer is None or trailer.sequence != header.sequence:
        return BadBatch("trailer", "the batch has no good trailer")
    if zlib.crc32(data[HEADER_SIZE : header.batch_size - TRAILER_SIZE]) != trailer.body_crc:
        return BadBatch("body", "the checksum of the body is wrong")
    if trailer.header_crc != header.crc or trailer.last != header.first + header.entry_count - 1:
        return BadBatch("header", "header and trailer are of different batches")
    return trailer


def body_of(header: Header, data: bytes) -> bytes:
    return data[HEADER_SIZE : HEADER_SIZE + header.body_size]


def terms_of(header: Header, trailer: Trailer, data: bytes) -> list[tuple[int, int]]:
    """Where in a whole batch a term begins: (index, term), rising."""
    if header.entry_count == 0:
        return []
    if header.previous_term == trailer.term:
        return [(header.first, trailer.term)]
    terms: list[tuple[int, int]] = []
    for _, entry in entries_of(body_of(header, data)):
        if not terms or terms[-1][1] != entry.term:
            terms.append((entry.index, entry.term))
    return terms
