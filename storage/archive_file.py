"""One file of the archive: the entries of a sealed segment in compressed blocks. See docs/log-format.md."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, final

import zstandard

from bpmnd.storage.disk import Disk, File
from bpmnd.storage.entry import Entry, Position, chain
from bpmnd.storage.errors import DamageError

_MAGIC = b"BPMNDARC"
_VERSION = 1
_HEADER = struct.Struct("<8sHHIQQQQ32s32sQ")
_BLOCK = struct.Struct("<IIQI32sI")
_RECORD = struct.Struct("<IIQQ")  # payload size, kind, index, term
_CRC = struct.Struct("<I")
HEADER_SIZE = _HEADER.size + _CRC.size
BLOCK_HEADER_SIZE = _BLOCK.size + _CRC.size

_BLOCK_RAW = 1 << 20
# A block that states more than this is refused unread. One entry may fill a block of its own.
BLOCK_RAW_MAX = 256 << 20


@final
@dataclass(frozen=True, slots=True)
class ArchiveHeader:
    """What a file of the archive holds: the entries after `previous` up to `last`."""

    previous: Position
    last: Position
    stored_at: int


class _Block(NamedTuple):
    size: int
    raw_size: int
    first: int
    entry_count: int
    last_hash: bytes
    crc: int


def write_archive(
    file: File, entries: Iterable[Entry], previous: Position, stored_at: int, level: int
) -> ArchiveHeader:
    """Fill an empty file. The header comes last; the caller syncs and renames."""
    compressor = zstandard.ZstdCompressor(level=level, write_content_size=True, write_checksum=True)
    offset, raw, count = HEADER_SIZE, bytearray(), 0
    last = previous

    def put_block() -> None:
        nonlocal offset, raw, count
        data = compressor.compress(bytes(raw))
        first = last.index - count + 1
        head = _BLOCK.pack(len(data), len(raw), first, count, last.hash, zlib.crc32(data))
        file.write([head, _CRC.pack(zlib.crc32(head)), data], offset, durable=False)
        offset, raw, count = offset + BLOCK_HEADER_SIZE + len(data), bytearray(), 0

    for entry in entries:
        if raw and len(raw) + len(entry.payload) > _BLOCK_RAW:
            put_block()
        raw += _RECORD.pack(len(entry.payload), entry.kind, entry.index, entry.term)
        raw += entry.payload
        count += 1
        last = Position(entry.index, entry.term, entry.hash)
    if raw:
        put_block()
    header = ArchiveHeader(previous, last, stored_at)
    file.write([_pack_header(header)], 0, durable=False)
    return header


def read_header(disk: Disk, path: Path) -> ArchiveHeader:
    file = disk.open(path)
    try:
        return _unpack_header(path, file.read(HEADER_SIZE, 0))
    finally:
        file.close()


def read_archive(disk: Disk, path: Path, from_index: int) -> Iterator[Entry]:
    """The entries from an index on, with the chain checked from block to block."""
    file = disk.open(path)
    try:
        header = _unpack_header(path, file.read(HEADER_SIZE, 0))
        before, index, offset = header.previous.hash, header.previous.index, HEADER_SIZE
        while index < header.last.index:
            block = _read_block_header(file, path, offset, index + 1)
            last = block.first + block.entry_count - 1
            if last >= from_index:
                for entry in _block_entries(file, path, offset, block, before):
                    if entry.index >= from_index:
                        yield entry
            before, index, offset = block.last_hash, last, offset + BLOCK_HEADER_SIZE + block.size
        if before != header.last.hash:
            raise DamageError("chain", path, index, offset, "the last hash is not the header's")
    finally:
        file.close()


def _read_block_header(file: File, path: Path, offset: int, index: int) -> _Block:
    head = file.read(BLOCK_HEADER_SIZE, offset)
    if len(head) < BLOCK_HEADER_SIZE:
        raise DamageError("truncated", path, index, offset, "the file ends here")
    if zlib.crc32(head[: _BLOCK.size]) != _CRC.unpack_from(head, _BLOCK.size)[0]:
        raise DamageError("archive", path, index, offset, "the checksum of the block's header is wrong")
    block = _Block._make(_BLOCK.unpack_from(head))
    if block.first != index or block.entry_count == 0:
        kind = "dropped" if block.first > index else "swapped"
        raise DamageError(kind, path, index, offset, f"entry {block.first} stands here")
    return block


def _block_entries(file: File, path: Path, offset: int, block: _Block, before: bytes) -> Iterator[Entry]:
    raw = _raw(file, path, offset, block)
    at, index = 0, block.first
    while at + _RECORD.size <= len(raw):
        size, kind, found, term = _RECORD.unpack_from(raw, at)
        if found != index:
            indexes = _indexes(raw[at:])
            what = "swapped" if index in indexes else "dropped"
            raise DamageError(what, path, index, offset, f"entry {found} stands where {index} belongs")
        at += _RECORD.size
        payload = raw[at : at + size]
        before = chain(before, index, term, kind, payload)
        yield Entry(index, term, kind, payload, before)
        at, index = at + size, index + 1
    if at != len(raw) or index != block.first + block.entry_count:
        raise DamageError("archive", path, index, offset, "the block holds other entries than it says")
    if before != block.last_hash:
        what = f"the chain of entries {block.first} to {index - 1} does not end in the block's hash"
        raise DamageError("hash", path, block.first, offset, what)


def _raw(file: File, path: Path, offset: int, block: _Block) -> bytes:
    """The block's content. A frame that states its size is believed by zstandard: so look first."""
    data = file.read(block.size, offset + BLOCK_HEADER_SIZE)
    if len(data) < block.size:
        raise DamageError("truncated", path, block.first, offset, "the file ends inside a block")
    if zlib.crc32(data) != block.crc:
        raise DamageError("archive", path, block.first, offset, "the checksum of the block is wrong")
    try:
        stated = zstandard.get_frame_parameters(data).content_size
        if stated != block.raw_size or stated > BLOCK_RAW_MAX:
            what = f"the block states {stated} bytes, {block.raw_size} in its header"
            raise DamageError("archive", path, block.first, offset, what)
        return zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError as error:
        raise DamageError("archive", path, block.first, offset, str(error)) from error


def _indexes(raw: bytes) -> set[int]:
    found: set[int] = set()
    at = 0
    while at + _RECORD.size <= len(raw):
        size, _, index, _ = _RECORD.unpack_from(raw, at)
        found.add(index)
        at += _RECORD.size + size
    return found


def _pack_header(header: ArchiveHeader) -> bytes:
    previous, last = header.previous, header.last
    head = _HEADER.pack(
        _MAGIC,
        _VERSION,
        0,
        0,
        previous.index,
        last.index,
        previous.term,
        last.term,
        previous.hash,
        last.hash,
        header.stored_at,
    )
    return head + _CRC.pack(zlib.crc32(head))


def _unpack_header(path: Path, head: bytes) -> ArchiveHeader:
    good = len(head) == HEADER_SIZE and head[:8] == _MAGIC
    if not good or zlib.crc32(head[: _HEADER.size]) != _CRC.unpack_from(head, _HEADER.size)[0]:
        raise DamageError("archive", path, None, 0, "no good archive header")
    _, version, _, _, before, index, before_term, term, before_hash, hash, stored_at = _HEADER.unpack_from(
        head
    )
    if version != _VERSION:
        raise DamageError("archive", path, None, 8, f"version {version} is not known to this build")
    return ArchiveHeader(Position(before, before_term, before_hash), Position(index, term, hash), stored_at)
