"""The room on the disk: below a watermark new work is refused, so that what goes on can come to its end."""

import logging
from pathlib import Path
from typing import Final, final

from bpmnd.actors.clock import Scheduler
from bpmnd.storage.disk import Disk
from bpmnd.storage.errors import StorageError

_logger = logging.getLogger(__name__)
_CHECK_SECONDS: Final = 1.0
_WARN_FACTOR: Final = 4


@final
class DiskSpace:
    """Looks at the free space every second. Warns when it is below four times `free_min` bytes; below
    `free_min` it is short, until there is room again."""

    def __init__(self, disk: Disk, path: Path, free_min: int, scheduler: Scheduler) -> None:
        self._disk = disk
        self._path = path
        self.free_min = free_min
        self._scheduler = scheduler
        self._stopped = False
        self._warned = False
        self.free = free_min * _WARN_FACTOR
        self.is_short = False

    def watch(self) -> None:
        if self._stopped:
            return
        try:
            self.free = self._disk.free_bytes(self._path)
        except StorageError:
            _logger.exception("the free space of %s is unknown", self._path)
        self._judge()
        self._scheduler.call_later(_CHECK_SECONDS, self.watch)

    def stop(self) -> None:
        self._stopped = True

    def _judge(self) -> None:
        is_short = self.free < self.free_min
        is_low = self.free < _WARN_FACTOR * self.free_min
        if is_short and not self.is_short:
            _logger.error("only %d bytes are free at %s: new work is refused", self.free, self._path)
        elif is_low and not self._warned:
            _logger.warning(
                "%d bytes are free at %s; below %d new work is refused",
                self.free,
                self._path,
                self.free_min,
            )
        elif self.is_short and not is_short:
            _logger.info("there is room again at %s: new work is taken", self._path)
        self.is_short, self._warned = is_short, is_low
