"""The disk as the log sees it: few calls, so that a simulator can stand in for it."""

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, final

from bpmnd.storage.errors import FullError, StorageError

_ZEROS = bytes(1 << 20)


class File(Protocol):
    """An open file. Every call may raise `StorageError`."""

    def write(self, buffers: Sequence[bytes], offset: int, *, durable: bool) -> None:
        """Write all of it; `durable` returns only when it is on disk."""
        ...

    def read(self, size: int, offset: int) -> bytes:
        """Read up to `size` bytes: fewer only at the end of the file."""
        ...

    def size(self) -> int: ...

    def truncate(self, size: int) -> None: ...

    def sync(self) -> None: ...

    def close(self) -> None: ...


class Write(NamedTuple):
    """Bytes that are to go to a place of a file."""

    file: File
    data: bytes
    offset: int


class Disk(Protocol):
    """A file system. Every call may raise `StorageError`."""

    def create(self, path: Path, size: int) -> File:
        """A new file of zeros, written out (not a hole, not merely allocated) but not yet synced."""
        ...

    def open(self, path: Path, *, writable: bool = False) -> File: ...

    def names(self, directory: Path) -> list[str]:
        """The names in a directory, sorted; none if there is no such directory."""
        ...

    def rename(self, old: Path, new: Path) -> None: ...

    def remove(self, path: Path) -> None: ...

    def make_directory(self, path: Path) -> None:
        """Make it and its parents, synced; one that is there is fine."""
        ...

    def remove_directory(self, path: Path) -> None:
        """Remove a directory that is empty."""
        ...

    def sync_directory(self, path: Path) -> None: ...

    def free_bytes(self, path: Path) -> int:
        """What can still be written where `path` is."""
        ...


@final
class RealFile:
    """A file descriptor."""

    def __init__(self, path: Path, flags: int) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, flags | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise _ours(error, "open", path) from error

    def fileno(self) -> int:
        return self._descriptor

    def write_error(self, error: OSError, size: int, offset: int) -> StorageError:
        """What a write that failed like this means."""
        return _ours(error, f"write {size} bytes at {offset}", self._path)

    def reserve(self, size: int) -> None:
        """Have the room, in few pieces, before anything is written: a full disk says so here."""
        try:
            os.posix_fallocate(self._descriptor, 0, size)
        except OSError as error:
            raise _ours(error, f"reserve {size} bytes for", self._path) from error

    def write(self, buffers: Sequence[bytes], offset: int, *, durable: bool) -> None:
        flags = os.RWF_DSYNC if durable else 0
        size = sum(map(len, buffers))
        try:
            written = os.pwritev(self._descriptor, buffers, offset, flags)
            if written != size:
                self._write_rest(b"".join(buffers)[written:], offset + written, flags)
        except OSError as error:
            raise self.write_error(error, size, offset) from error

    def _write_rest(self, rest: bytes, offset: int, flags: int) -> None:
        """The kernel may take a long write in parts."""
        while rest:
            written = os.pwritev(self._descriptor, [rest], offset, flags)
            if written == 0:
                raise StorageError(f"cannot write {len(rest)} bytes at {offset} of {self._path}")
            rest, offset = rest[written:], offset + written

    def read(self, size: int, offset: int) -> bytes:
        try:
            data = os.pread(self._descriptor, size, offset)
            while 0 < len(data) < size:
                more = os.pread(self._descriptor, size - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise _ours(error, f"read {size} bytes at {offset}", self._path) from error
        return data

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def truncate(self, size: int) -> None:
        try:
            os.ftruncate(self._descriptor, size)
        except OSError as error:
            raise _ours(error, f"truncate to {size}", self._path) from error

    def sync(self) -> None:
        """Bring the file to the disk, and let go of it in the page cache.

        A file written in large pieces is cached in large folios, and Linux then takes a small synced write
        for one of the whole folio: 1 MiB for 4 KiB. What is read in anew comes in small pages.
        """
        try:
            os.fsync(self._descriptor)
            if stat.S_ISREG(os.fstat(self._descriptor).st_mode):
                os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError as error:
            raise _ours(error, "sync", self._path) from error

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


@final
class RealDisk:
    """The operating system's file system."""

    def create(self, path: Path, size: int) -> File:
        file = RealFile(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if size:
            file.reserve(size)
        for offset in range(0, size, len(_ZEROS)):
            chunk = min(len(_ZEROS), size - offset)
            file.write([_ZEROS if chunk == len(_ZEROS) else bytes(chunk)], offset, durable=False)
        return file

    def open(self, path: Path, *, writable: bool = False) -> File:
        return RealFile(path, os.O_RDWR if writable else os.O_RDONLY)

    def names(self, directory: Path) -> list[str]:
        try:
            return sorted(os.listdir(directory))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _ours(error, "list", directory) from error

    def rename(self, old: Path, new: Path) -> None:
        try:
            os.rename(old, new)
        except OSError as error:
            raise _ours(error, f"rename to {new}", old) from error

    def remove(self, path: Path) -> None:
        try:
            os.unlink(path)
        except OSError as error:
            raise _ours(error, "remove", path) from error

    def make_directory(self, path: Path) -> None:
        if path.is_dir():
            return
        self.make_directory(path.parent)
        try:
            os.mkdir(path)
        except FileExistsError:
            return
        except OSError as error:
            raise _ours(error, "make directory", path) from error
        self.sync_directory(path.parent)

    def remove_directory(self, path: Path) -> None:
        try:
            os.rmdir(path)
        except OSError as error:
            raise _ours(error, "remove directory", path) from error

    def sync_directory(self, path: Path) -> None:
        directory = RealFile(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            directory.sync()
        finally:
            directory.close()

    def free_bytes(self, path: Path) -> int:
        try:
            found = os.statvfs(path)
        except OSError as error:
            raise _ours(error, "ask for the free space at", path) from error
        return found.f_bavail * found.f_frsize


def replace_file(disk: Disk, path: Path, data: bytes) -> None:
    """Put `data` at `path`, whole or not at all, and durable."""
    made = path.with_name(path.name + ".new")
    file = disk.create(made, 0)
    try:
        file.write([data], 0, durable=False)
        file.sync()
    finally:
        file.close()
    disk.rename(made, path)
    disk.sync_directory(path.parent)


def read_file(disk: Disk, path: Path) -> bytes:
    """The whole of a small file."""
    file = disk.open(path)
    try:
        return file.read(file.size(), 0)
    finally:
        file.close()


def _ours(error: OSError, doing: str, path: Path) -> StorageError:
    what = f"cannot {doing} {path}: {error.strerror}"
    return FullError(what) if error.errno in (errno.ENOSPC, errno.EDQUOT) else StorageError(what)
