"""What lies in the directory of a partition replica."""

from pathlib import Path
from typing import Final

from bpmnd.storage.disk import Disk, read_file, replace_file

LOG: Final = "log"
ARCHIVE: Final = "archive"
CHECKPOINT: Final = "checkpoint"
"""The checkpoint that the replica began with. Another one, got from a peer, has a number behind this."""
_CURRENT: Final = "current"


def checkpoint_directory(disk: Disk, directory: Path) -> Path:
    """The checkpoint that counts."""
    if _CURRENT not in disk.names(directory):
        return directory / CHECKPOINT
    return directory / read_file(disk, directory / _CURRENT).decode()


def next_checkpoint_directory(disk: Disk, directory: Path) -> Path:
    """Where another one may be put together."""
    _, _, number = checkpoint_directory(disk, directory).name.partition("-")
    return directory / f"{CHECKPOINT}-{int(number or 0) + 1}"


def switch_checkpoint(disk: Disk, directory: Path, checkpoint: Path) -> None:
    """Let another checkpoint count from now on: one small file is replaced, whole or not at all."""
    disk.sync_directory(checkpoint)
    replace_file(disk, directory / _CURRENT, checkpoint.name.encode())


def remove_old_checkpoints(disk: Disk, directory: Path) -> None:
    """Remove the checkpoints that do not count, also those that never came to be whole."""
    current = checkpoint_directory(disk, directory).name
    for name in disk.names(directory):
        if name != current and (name == CHECKPOINT or name.startswith(f"{CHECKPOINT}-")):
            empty_directory(disk, directory / name)
            disk.remove_directory(directory / name)


def empty_directory(disk: Disk, directory: Path) -> None:
    """Remove the files in a directory that has nothing else."""
    for name in disk.names(directory):
        disk.remove(directory / name)


_DIRECTORIES: Final = (LOG, ARCHIVE, "damaged", "frozen")


def remove_tree(disk: Disk, directory: Path) -> None:
    """Remove a replica that does not exist any more, with all that is left of it."""
    for name in disk.names(directory):
        if name in _DIRECTORIES or name == CHECKPOINT or name.startswith(f"{CHECKPOINT}-"):
            empty_directory(disk, directory / name)
            disk.remove_directory(directory / name)
        else:
            disk.remove(directory / name)
    disk.remove_directory(directory)
    disk.sync_directory(directory.parent)
