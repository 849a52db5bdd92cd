"""What an exporter's process knows of a partition, kept on the node so that it need not read all again."""

import contextlib
import os
import zlib
from pathlib import Path
from typing import Final

import msgspec

from bpmnd.storage.entry import Position

_MAGIC: Final = b"BPMNDEXP"
_VERSION: Final = 1
"""The next one whenever records are folded otherwise."""


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """What was known after the entry at `index`."""

    version: int
    index: int
    term: int
    hash: bytes
    instances: bytes
    exporter: bytes | None
    """What the exporter itself remembers, if it does."""

    @property
    def position(self) -> Position:
        return Position(self.index, self.term, self.hash)


def snapshot_of(position: Position, instances: bytes, exporter: bytes | None) -> Snapshot:
    return Snapshot(_VERSION, position.index, position.term, position.hash, instances, exporter)


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Replace the file at once, or not at all. It need not outlive a power failure: it can be made again."""
    data = msgspec.msgpack.encode(snapshot)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(".new")
    made.write_bytes(_MAGIC + zlib.crc32(data).to_bytes(4, "little") + data)
    os.replace(made, path)


def read_snapshot(path: Path) -> Snapshot | None:
    """None if there is none of this build, or it is not as it was written."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        content = path.read_bytes()
        data = content[len(_MAGIC) + 4 :]
        checksum = int.from_bytes(content[len(_MAGIC) : len(_MAGIC) + 4], "little")
        if content.startswith(_MAGIC) and zlib.crc32(data) == checksum:
            snapshot = msgspec.msgpack.decode(data, type=Snapshot)
            return snapshot if snapshot.version == _VERSION else None
    return None
