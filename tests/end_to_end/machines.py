"""A machine that fails under a node: its disk, its clock, the room on its disk."""

import errno
import shutil
import struct
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, final

from tests.nodes import Place

_SOURCE: Final = Path(__file__).with_name("faults.c")
_FAULTS: Final = struct.Struct("=qiiq")
"""`struct faults` of faults.c."""
_CLOCK: Final = struct.Struct("=q")
_ERRORS: Final = struct.Struct("=ii")
_HOLD_SECONDS_MAX: Final = 1200


class NotPossibleError(Exception):
    """This machine does not allow what is needed, and what that is."""


def compiled(directory: Path) -> Path:
    """The library that lies to a node. Raises NotPossibleError."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotPossibleError("there is no C compiler")
    library = directory / "faults.so"
    command = (compiler, "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", str(library))
    subprocess.run((*command, str(_SOURCE), "-ldl"), check=True, timeout=60)
    return library


@final
class Machine:
    """What one node is told about its clock and its disk, over all its starts."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        file.write_bytes(bytes(_FAULTS.size))
        environment = {"LD_PRELOAD": str(library), "NODE_FAULTS": str(file)}
        environment["BPMND_LOG__IO_URING"] = "false"  # What the kernel does aside, no library sees.
        self.place: Final = Place(environment=environment)

    @property
    def failed(self) -> int:
        """So many calls have failed."""
        count: int = _FAULTS.unpack(self._file.read_bytes())[3]
        return count

    def shift_clock(self, milliseconds: int) -> None:
        """Set the wall clock so much ahead of the true one."""
        self._put(0, _CLOCK.pack(milliseconds))

    def fail_writes(self, error: int = errno.EIO) -> None:
        self._put(_CLOCK.size, _ERRORS.pack(error, 0))

    def fail_syncs(self) -> None:
        self._put(_CLOCK.size, _ERRORS.pack(0, errno.EIO))

    def repair(self) -> None:
        self._put(_CLOCK.size, _ERRORS.pack(0, 0))

    def _put(self, offset: int, data: bytes) -> None:
        """In place: the node has the file mapped."""
        with self._file.open("r+b") as file:
            file.seek(offset)
            file.write(data)


@final
class SmallDisk:
    """A file system of its own for one node. It can be filled up, and made room on again."""

    def __init__(self, path: Path, holder: int) -> None:
        self.place: Final = Place(
            prefix=("nsenter", "--target", str(holder), "--mount"),
            environment={"BPMND_LIMITS__DISK_FREE_MIB": "1"},
        )
        self.outside: Final = Path(f"/proc/{holder}/root") / path.relative_to("/")
        """Where it is to be found by those who are not in the namespace."""
        self._ballast = self.outside / "ballast"

    def fill(self) -> None:
        """Leave not a single block."""
        with self._ballast.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(bytes(1 << 16)):
                pass

    def make_room(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(path: Path, size_mib: int) -> Generator[SmallDisk]:
    """Mount a tmpfs at the path, in a namespace that only its holder and the node see. It is gone at the end.

    Raises NotPossibleError.
    """
    for tool in ("nsenter", "unshare", "mount"):
        if shutil.which(tool) is None:
            raise NotPossibleError(f"there is no `{tool}`")
    path.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size={size_mib}m bpmnd "$0" && touch "$0/mounted"'
    script = f"{mount} && exec sleep {_HOLD_SECONDS_MAX}"
    holder = subprocess.Popen(("unshare", "--mount", "sh", "-c", script, str(path)))
    try:
        disk = SmallDisk(path, holder.pid)
        deadline = time.monotonic() + 5
        while not (disk.outside / "mounted").exists():
            if holder.poll() is not None or time.monotonic() > deadline:
                raise NotPossibleError("a mount namespace with a tmpfs is not allowed")
            time.sleep(0.01)
        yield disk
    finally:
        holder.kill()
        holder.wait()
