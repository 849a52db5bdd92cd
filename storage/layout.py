"""What lies in the directory of a partition replica."""

from pathlib import Path
from typing import Final

from bpmnd.storage.disk import Disk, read_file, replace_file

LOG: Final = "log"
ARCHIVE: Final = "archive"
CHECKPOINT: Final = "checkpoint"
"""The checkpoint that the replica began with. Another one, got from a peer, has a number behind this."""
_CURRENT: Final = "current"
DAMAGED: Final = "damaged"
"""What was put aside when it was found damaged, for people."""
FROZEN: Final = "frozen"
"""A copy of the checkpoint while another replica fetches it."""
SCRUBBED: Final = "scrubbed"
"""A copy of the checkpoint while it is read to see whether it is whole."""
_STAGED: Final = ".staged"
"""Beside a checkpoint, under its name and this, is the file that its next commit will bring in."""


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
        if not name.startswith(CHECKPOINT) or name in (current, current + _STAGED):
            continue
        if name.endswith(_STAGED):
            disk.remove(directory / name)
        else:
            remove_directory(disk, directory / name)


def empty_directory(disk: Disk, directory: Path) -> None:
    """Remove the files in a directory that has nothing else."""
    for name in disk.names(directory):
        disk.remove(directory / name)


def remove_directory(disk: Disk, directory: Path) -> None:
    """Remove a directory that has nothing but files, if it is there."""
    if directory.name in disk.names(directory.parent):
        empty_directory(disk, directory)
        disk.remove_directory(directory)
