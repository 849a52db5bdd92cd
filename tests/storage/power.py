"""A disk whose power fails after so many calls that change something."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import final

from bpmnd.storage.disk import File
from bpmnd.storage.errors import StorageError
from bpmnd.storage.memory_disk import MemoryDisk


class PowerFailedError(StorageError):
    """Nothing reaches the disk any more."""


@final
class Failing:
    """`MemoryDisk` up to its `calls`-th change, which is not made any more."""

    def __init__(self, disk: MemoryDisk, calls: int) -> None:
        self.disk = disk
        self.calls = calls

    def count(self) -> None:
        if self.calls == 0:
            raise PowerFailedError("the power failed")
        self.calls -= 1

    def create(self, path: Path, size: int) -> File:
        self.count()
        return _FailingFile(self, self.disk.create(path, size))

    def open(self, path: Path, *, writable: bool = False) -> File:
        return _FailingFile(self, self.disk.open(path, writable=writable))

    def names(self, directory: Path) -> list[str]:
        return self.disk.names(directory)

    def rename(self, old: Path, new: Path) -> None:
        self.count()
        self.disk.rename(old, new)

    def remove(self, path: Path) -> None:
        self.count()
        self.disk.remove(path)

    def make_directory(self, path: Path) -> None:
        self.count()
        self.disk.make_directory(path)

    def remove_directory(self, path: Path) -> None:
        self.count()
        self.disk.remove_directory(path)

    def sync_directory(self, path: Path) -> None:
        self.count()
        self.disk.sync_directory(path)

    def free_bytes(self, path: Path) -> int:
        return self.disk.free_bytes(path)


@final
class _FailingFile:
    def __init__(self, failing: Failing, file: File) -> None:
        self._failing = failing
        self._file = file

    def write(self, buffers: Sequence[bytes], offset: int, *, durable: bool) -> None:
        self._failing.count()
        self._file.write(buffers, offset, durable=durable)

    def read(self, size: int, offset: int) -> bytes:
        return self._file.read(size, offset)

    def size(self) -> int:
        return self._file.size()

    def truncate(self, size: int) -> None:
        self._failing.count()
        self._file.truncate(size)

    def sync(self) -> None:
        self._failing.count()
        self._file.sync()

    def close(self) -> None:
        self._file.close()


def after_every_call(
    before: Callable[[], MemoryDisk], work: Callable[[Failing], object]
) -> list[tuple[str, MemoryDisk]]:
    """What a power failure, or the mere end of the process, leaves of `work` after each of its changes."""
    found: list[tuple[str, MemoryDisk]] = []
    for calls in range(10_000):
        failing = Failing(before(), calls)
        try:
            work(failing)
        except PowerFailedError:
            found.append((f"power failed after {calls} changes", failing.disk.crash()))
            found.append((f"killed after {calls} changes", failing.disk.killed()))
        else:
            assert calls > 0, "nothing was changed at all"
            found.append(("power failed at the end", failing.disk.crash()))
            return found
    raise AssertionError("it does not come to an end")
