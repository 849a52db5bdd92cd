"""A small file of two slots, each under its own checksum: a torn write leaves the other slot."""

import struct
import zlib
from pathlib import Path
from typing import final

from bpmnd.storage.disk import Disk, File, Write, read_file, replace_file
from bpmnd.storage.errors import DamageError

_SLOT = 4096
_HEAD = struct.Struct("<8sQ")
_CRC = struct.Struct("<I")


@final
class SlotFile:
    """Keeps one value of a fixed size."""

    def __init__(self, file: File, magic: bytes, number: int, kept: int) -> None:
        self._file = file
        self._magic = magic
        self._number = number
        self._kept = kept
        """The slot that is on disk, and not written to before the other one is, too."""

    @staticmethod
    def create(disk: Disk, path: Path, magic: bytes, value: bytes) -> None:
        """Make the file with the value in both slots."""
        slot = _slot(magic, 1, value)
        replace_file(disk, path, slot.ljust(_SLOT, b"\0") + slot.ljust(_SLOT, b"\0"))

    @staticmethod
    def open(disk: Disk, path: Path, magic: bytes, size: int) -> tuple["SlotFile", bytes]:
        """The file, and its newest value, which may not be synced: the older slot is."""
        good = _good_slots(disk, path, magic, size)
        (_, kept, _), (number, _, value) = good[0], good[-1]
        return SlotFile(disk.open(path, writable=True), magic, number, kept), value

    def next_write(self, value: bytes) -> Write:
        """What replaces the slot that may be torn. A tear goes back to the last value that was synced."""
        self._number += 1
        return self._slot(value, 1 - self._kept)

    def synced(self) -> None:
        """The next write was made, and is on disk."""
        self._kept = 1 - self._kept

    def write_one(self, value: bytes, *, durable: bool) -> None:
        """Replace the slot that may be torn, with one sync if it is to be durable."""
        write = self.next_write(value)
        self._file.write([write.data], write.offset, durable=durable)
        if durable:
            self.synced()

    def write_both(self, value: bytes) -> None:
        """Replace both slots. Two syncs; after them one damaged slot loses nothing."""
        self._number += 1
        for slot in (1 - self._kept, self._kept):
            write = self._slot(value, slot)
            self._file.write([write.data], write.offset, durable=True)

    def _slot(self, value: bytes, slot: int) -> Write:
        return Write(self._file, _slot(self._magic, self._number, value), slot * _SLOT)

    def close(self) -> None:
        self._file.close()


def read_slots(disk: Disk, path: Path, magic: bytes, size: int) -> tuple[int, bytes]:
    """The number of the newest good slot and its value."""
    number, _, value = _good_slots(disk, path, magic, size)[-1]
    return number, value


def _good_slots(disk: Disk, path: Path, magic: bytes, size: int) -> list[tuple[int, int, bytes]]:
    """The number, place and value of one or two slots, the newest last."""
    kind = path.name
    if kind not in disk.names(path.parent):
        raise DamageError(kind, path, None, None, "the file is missing")
    data = read_file(disk, path)
    found = [_value(data[start : start + _SLOT], magic, size) for start in (0, _SLOT)]
    good = [(value[0], slot, value[1]) for slot, value in enumerate(found) if value is not None]
    if not good:
        raise DamageError(kind, path, None, 0, "neither slot is readable")
    return sorted(good)


def _slot(magic: bytes, number: int, value: bytes) -> bytes:
    slot = _HEAD.pack(magic, number) + value
    return slot + _CRC.pack(zlib.crc32(slot))


def _value(slot: bytes, magic: bytes, size: int) -> tuple[int, bytes] | None:
    end = _HEAD.size + size
    if len(slot) < end + _CRC.size or zlib.crc32(slot[:end]) != _CRC.unpack_from(slot, end)[0]:
        return None
    found, number = _HEAD.unpack_from(slot)
    return (number, slot[_HEAD.size : end]) if found == magic else None
