"""Sealed segments below the checkpoint go to the archive, compressed, and then leave the log."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import final

from bpmnd.actors.clock import Clock, Scheduler
from bpmnd.storage.archive import Archive, ArchiveRetention
from bpmnd.storage.errors import DamageError
from bpmnd.storage.log import Log, Sealed

_logger = logging.getLogger(__name__)


@final
class Archiving:
    """Archives what one log no longer needs, in the scheduler's threads, and drops what is beyond retention.

    A failure loses nothing: the segments stay in the log, and the next checkpoint tries again. Of damage that
    comes to light `damaged` is told.
    """

    def __init__(
        self,
        archive: Archive,
        log: Log,
        log_directory: Path,
        retention: ArchiveRetention,
        scheduler: Scheduler,
        clock: Clock,
        damaged: Callable[[DamageError], None] = lambda error: None,
    ) -> None:
        self._archive = archive
        self._log = log
        self._log_directory = log_directory
        self._retention = retention
        self._scheduler = scheduler
        self._clock = clock
        self._damaged = damaged
        self._busy = False
        self._closed = False
        self.projected: int | None = None
        """Up to where a history has read the entries; None: nobody does."""
        self.failure: BaseException | None = None

    def up_to(self, index: int) -> None:
        """A checkpoint has everything up to `index`, flushed."""
        if self._busy or self._closed:
            return
        sealed = self._log.sealed(index)
        if not sealed:
            return
        self._busy = True
        at = self._clock.wall_ms() // 1000
        needed_after = self.projected

        def work() -> tuple[Sealed, ...]:
            for segment in sealed:
                self._archive.store(self._log_directory, segment, at=at)
            self._archive.retain(self._retention, now=at, needed_after=needed_after)
            return sealed

        self._scheduler.run_blocking(work, self._done)

    def close(self) -> None:
        """The log is about to be closed: leave it alone."""
        self._closed = True

    @property
    def busy(self) -> bool:
        return self._busy

    def _done(self, sealed: tuple[Sealed, ...] | None, error: BaseException | None) -> None:
        self._busy = False
        self.failure = error
        if error is not None:
            _logger.error("cannot archive %s", self._log_directory, exc_info=error)
            if isinstance(error, DamageError):
                self._damaged(error)
        elif sealed is not None and not self._closed:
            self._log.drop(sealed)
