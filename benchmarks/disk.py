"""What the disk can do by itself: a page written in place and synced, one after the other."""

import os
import time
from pathlib import Path
from typing import Final

from benchmarks.load import Percentiles

_PAGE: Final = 4096
_FILE_SIZE: Final = 4 << 20


def sync_times(directory: Path, count: int = 300) -> Percentiles:
    """Of `count` synced writes of one page each, to a file whose blocks are all there already."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "sync-times"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        os.pwrite(descriptor, bytes(_FILE_SIZE), 0)
        os.fsync(descriptor)
        times: list[float] = []
        for number in range(count):
            page = os.urandom(_PAGE)
            begun = time.perf_counter()
            os.pwrite(descriptor, page, number * _PAGE % _FILE_SIZE)
            os.fdatasync(descriptor)
            times.append((time.perf_counter() - begun) * 1e3)
        return Percentiles.of(times)
    finally:
        os.close(descriptor)
        path.unlink()
