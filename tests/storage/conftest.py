from collections.abc import Callable
from pathlib import Path

import pytest

from bpmnd.storage.disk import Disk
from bpmnd.storage.log import Appended, AppendFailed, Log
from bpmnd.storage.writer import InlineWriter

SEGMENT_SIZE = 8 * 4096


@pytest.fixture
def directory() -> Path:
    """Where the log lies on a disk in memory."""
    return Path("/log")


@pytest.fixture
def writer() -> InlineWriter:
    return InlineWriter()


@pytest.fixture
def completions() -> list[Appended | AppendFailed]:
    """What logs opened by `open_log` reported."""
    return []


@pytest.fixture
def open_log(
    writer: InlineWriter, completions: list[Appended | AppendFailed], directory: Path
) -> Callable[[Disk], Log]:
    """Opens the log on a disk, made if need be, with segments of eight pages."""

    def open_on(disk: Disk) -> Log:
        if not Log.exists(disk, directory):
            Log.create(disk, directory)
        return Log.open(
            disk,
            directory,
            writer=writer,
            post=lambda call: call(),
            then=completions.append,
            segment_size=SEGMENT_SIZE,
        )

    return open_on
