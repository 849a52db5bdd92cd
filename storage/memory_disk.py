"""A disk in memory that loses what was not synced: for tests and the simulator."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import final

from bpmnd.storage.disk import File
from bpmnd.storage.errors import FullError, StorageError

SECTOR = 512


@final
class _Node:
    """A file's bytes as the kernel shows them, and as the disk has them."""

    def __init__(self) -> None:
        self.live = bytearray()
        self.durable = bytearray()
        self.dirty: set[int] = set()

    def put(self, data: bytes, offset: int) -> range:
        end = offset + len(data)
        if len(self.live) < end:
            self.live.extend(bytes(end - len(self.live)))
        self.live[offset:end] = data
        sectors = range(offset // SECTOR, (end + SECTOR - 1) // SECTOR)
        self.dirty.update(sectors)
        return sectors

    def persist(self, sectors: Sequence[int] | set[int]) -> None:
        for sector in sectors:
            start = sector * SECTOR
            data = self.live[start : start + SECTOR]
            if len(self.durable) < start + len(data):
                self.durable.extend(bytes(start + len(data) - len(self.durable)))
            self.durable[start : start + len(data)] = data
        self.dirty.difference_update(sectors)


@final
class MemoryDisk:
    """Files in memory.

    `crash` gives the disk as it is found after a power failure. `failing` makes every sync fail as the
    kernel does it: the data stays readable, counts as clean and is not on disk. `stopped` makes it fail with
    the data still under way; `syncs_left` says after how many more syncs that happens by itself. `room`
    bounds what `create` may take.
    """

    def __init__(self) -> None:
        self.failing = False
        self.stopped = False
        self.syncs_left: int | None = None
        self.room: int | None = None
        self.syncs = 0
        self._live: dict[Path, _Node] = {}
        self._durable: dict[Path, _Node] = {}
        self._directories: set[Path] = set()

    def create(self, path: Path, size: int) -> File:
        if self.room is not None and size > self.room:
            raise FullError(f"no room for {size} bytes at {path}")
        node = self._live[path] = _Node()
        node.put(bytes(size), 0)
        return _MemoryFile(self, path, node)

    def open(self, path: Path, *, writable: bool = False) -> File:
        if path not in self._live:
            raise StorageError(f"cannot open {path}: no such file")
        return _MemoryFile(self, path, self._live[path])

    def names(self, directory: Path) -> list[str]:
        files = {path.name for path in self._live if _is_in(path, directory)}
        return sorted(files | {path.name for path in self._directories if _is_in(path, directory)})

    def rename(self, old: Path, new: Path) -> None:
        self._live[new] = self._live.pop(self._existing(old))

    def remove(self, path: Path) -> None:
        del self._live[self._existing(path)]

    def make_directory(self, path: Path) -> None:
        while path not in self._directories and path.name:
            self._directories.add(path)
            path = path.parent

    def remove_directory(self, path: Path) -> None:
        if path not in self._directories or self.names(path):
            raise StorageError(f"cannot remove directory {path}: it is not there, or not empty")
        self._directories.discard(path)

    def _existing(self, path: Path) -> Path:
        if path not in self._live:
            raise StorageError(f"there is no {path}")
        return path

    def sync_directory(self, path: Path) -> None:
        self.count_sync()
        for name in [name for name in self._durable if _is_in(name, path)]:
            del self._durable[name]
        self._durable.update((name, node) for name, node in self._live.items() if _is_in(name, path))

    def count_sync(self) -> None:
        """Every sync comes by here, and fails here."""
        self.syncs += 1
        if self.syncs_left is not None:
            self.stopped = self.stopped or self.syncs_left == 0
            self.syncs_left -= 1
        if self.stopped:
            raise StorageError("the power failed")
        if self.failing:
            for node in self._live.values():
                node.dirty.clear()
            raise StorageError("the disk failed")

    def crash(self, keep: Callable[[Path, int], bool] | None = None) -> "MemoryDisk":
        """What a power failure leaves: all that was synced, and those unsynced sectors that `keep` says."""
        left = MemoryDisk()
        left._directories = set(self._directories)
        for path, node in self._durable.items():
            copy = left._live[path] = left._durable[path] = _Node()
            copy.durable = bytearray(node.durable)
            kept = [sector for sector in sorted(node.dirty) if keep is not None and keep(path, sector)]
            for sector in kept:
                start = sector * SECTOR
                data = node.live[start : start + SECTOR]
                if start <= len(copy.durable):
                    copy.durable[start : start + len(data)] = data
            copy.live = bytearray(copy.durable)
        return left

    def killed(self) -> "MemoryDisk":
        """What the end of the process leaves: all of it, but no more of it synced than before."""
        left = MemoryDisk()
        left._live, left._durable, left._directories = self._live, self._durable, self._directories
        return left

    def unsynced(self, path: Path) -> list[int]:
        """The sectors of a file that are not on the disk yet."""
        node = self._live.get(path)
        return [] if node is None else sorted(node.dirty)

    def flip(self, path: Path, offset: int, mask: int) -> None:
        """Damage a byte, here and on the disk."""
        node = self._live[path]
        node.live[offset] ^= mask
        if offset < len(node.durable):
            node.durable[offset] ^= mask

    def bytes_of(self, path: Path) -> bytearray:
        """The bytes of a file, to be damaged."""
        return self._live[path].live

    def paths(self) -> list[Path]:
        """All files, sorted."""
        return sorted(self._live)

    def free_bytes(self, path: Path) -> int:
        return 1 << 40 if self.room is None else self.room


def _is_in(path: Path, directory: Path) -> bool:
    """Paths keep their text, but compare slowly."""
    return os.path.dirname(str(path)) == str(directory)


@final
class _MemoryFile:
    """An open file of a `MemoryDisk`."""

    def __init__(self, disk: MemoryDisk, path: Path, node: _Node) -> None:
        self._disk = disk
        self._path = path
        self._node = node

    def write(self, buffers: Sequence[bytes], offset: int, *, durable: bool) -> None:
        sectors = self._node.put(b"".join(buffers), offset)
        if durable:
            self._disk.count_sync()
            self._node.persist(sectors)

    def read(self, size: int, offset: int) -> bytes:
        return bytes(self._node.live[offset : offset + size])

    def size(self) -> int:
        return len(self._node.live)

    def truncate(self, size: int) -> None:
        node = self._node
        del node.live[size:], node.durable[size:]
        node.put(bytes(max(size - len(node.live), 0)), len(node.live))
        node.dirty = {sector for sector in node.dirty if sector * SECTOR < size}

    def sync(self) -> None:
        self._disk.count_sync()
        node = self._node
        if len(node.dirty) * SECTOR >= len(node.live):
            node.durable[:] = node.live
            node.dirty.clear()
        else:
            node.persist(set(node.dirty))

    def close(self) -> None:
        """Nothing to give back."""
