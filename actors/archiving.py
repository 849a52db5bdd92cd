"""Sealed segments below the checkpoint go to the archive, compressed, and then leave the log."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, final

from bpmnd.actors.clock import Clock, Scheduler
from bpmnd.storage.archive import Archive, ArchiveRetention, Hold
from bpmnd.storage.errors import DamageError
from bpmnd.storage.log import Log, Sealed

_logger = logging.getLogger(__name__)
_WARN_AT: Final = (0.1, 0.5, 0.9)


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
        self.exported: dict[str, int] = {}
        """Up to where each exporter has them."""
        self.held: dict[str, float] = {}
        """Which part of what is kept longer for an exporter is used: beyond 1 what it needs is dropped."""
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
        retention = self._retention
        exporters = [
            Hold(name, after, retention.held_seconds, retention.held_size)
            for name, after in self.exported.items()
        ]
        holds = list(exporters)
        if self.projected is not None:
            holds.append(Hold("history", self.projected, None, None))

        def work() -> tuple[tuple[Sealed, ...], dict[str, float]]:
            for segment in sealed:
                self._archive.store(self._log_directory, segment, at=at)
            used = self._archive.used(retention, now=at, holds=exporters)
            self._archive.retain(retention, now=at, holds=holds)
            return sealed, used

        self._scheduler.run_blocking(work, self._done)

    def close(self) -> None:
        """The log is about to be closed: leave it alone."""
        self._closed = True

    @property
    def busy(self) -> bool:
        return self._busy

    def _done(
        self, done: tuple[tuple[Sealed, ...], dict[str, float]] | None, error: BaseException | None
    ) -> None:
        self._busy = False
        self.failure = error
        if error is not None:
            _logger.error("cannot archive %s", self._log_directory, exc_info=error)
            if isinstance(error, DamageError):
                self._damaged(error)
        elif done is not None and not self._closed:
            sealed, used = done
            self._warn_of(used)
            self._log.drop(sealed)

    def _warn_of(self, used: dict[str, float]) -> None:
        """Before anything is lost to an exporter, so that somebody can see to it."""
        for name, part in used.items():
            before = self.held.get(name, 0.0)
            if part > 1.0:
                _logger.error("%s: dropped what exporter %s has not acknowledged", self._log_directory, name)
            elif any(before < step <= part for step in _WARN_AT):
                _logger.warning(
                    "%s: exporter %s holds the archive, and %.0f %% of what is kept for it is used; then it"
                    " loses what it has not acknowledged",
                    self._log_directory,
                    name,
                    100 * part,
                )
        self.held = used
