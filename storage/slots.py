"""A small file of two slots, each under its own checksum: a torn write leaves the other slot."""

import struct
import zlib
from pathlib import Path
from typing import final

from bpmnd.storage.disk import Disk, File, read_file, replace_file
from bpmnd.storage.errors import DamageError

_SLOT = 4096
_HEAD = struct.Struct("<8sQ")
_CRC = struct.Struct("<I")


@final
class SlotFile:
    """Keeps one value of a fixed size."""

    def __init__(self, file: File, magic: bytes, number: int) -> None:
        self._file = file
        self._magic = magic
        self._number = number

    @staticmethod
    def create(disk: Disk, path: Path, magic: bytes, value: bytes) -> None:
        """Make the file with the value in both slots."""
        slot = _slot(magic, 1, value)
        replace_file(disk, path, slot.ljust(_SLOT, b"\0") + slot.ljust(_SLOT, b"\0"))

    @staticmethod
    def open(disk: Disk, path: Path, magic: bytes, size: int) -> tuple["SlotFile", bytes]:
        number, value = read_slots(disk, path, magic, size)
        return SlotFile(disk.open(path, writable=True), magic, number), value

    def write_one(self, value: bytes) -> None:
        """Replace the older slot. One sync; a tear goes back to the value before."""
        self._number += 1
        self._write(value, self._number & 1)

    def write_both(self, value: bytes) -> None:
        """Replace both slots. Two syncs; after them one damaged slot loses nothing."""
        self._number += 1
        self._write(value, self._number & 1)
        self._write(value, 1 - (self._number & 1))

    def _write(self, value: bytes, slot: int) -> None:
        self._file.write([_slot(self._magic, self._number, value)], slot * _SLOT, durable=True)

    def close(self) -> None:
        self._file.close()


def read_slots(disk: Disk, path: Path, magic: bytes, size: int) -> tuple[int, bytes]:
    """The number of the newest good slot and its value."""
    kind = path.name
    if kind not in disk.names(path.parent):
        raise DamageError(kind, path, None, None, "the file is missing")
    data = read_file(disk, path)
    good = [found for slot in (0, _SLOT) if (found := _value(data[slot : slot + _SLOT], magic, size))]
    if not good:
        raise DamageError(kind, path, None, 0, "neither slot is readable")
    return max(good)


def _slot(magic: bytes, number: int, value: bytes) -> bytes:
    slot = _HEAD.pack(magic, number) + value
    return slot + _CRC.pack(zlib.crc32(slot))


def _value(slot: bytes, magic: bytes, size: int) -> tuple[int, bytes] | None:
    end = _HEAD.size + size
    if len(slot) < end + _CRC.size or zlib.crc32(slot[:end]) != _CRC.unpack_from(slot, end)[0]:
        return None
    found, number = _HEAD.unpack_from(slot)
    return (number, slot[_HEAD.size : end]) if found == magic else None
