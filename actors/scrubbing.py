"""Reads what lies still on the disk of a node, a little at a time: damage is found before it is needed.

One replica after the other: its checkpoint, its archive, its log. What nobody has asked for in a year may be
gone by the time that somebody does, and then perhaps on all replicas.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, final

from bpmnd.actors.clock import Scheduler, Timer
from bpmnd.actors.hosted import HostedPartition
from bpmnd.actors.partition import PartitionActor
from bpmnd.storage.errors import DamageError, StorageError
from bpmnd.storage.layout import SCRUBBED
from bpmnd.storage.scrub import scrub_archive, scrub_log

_logger = logging.getLogger(__name__)

PIECE_BYTES: Final = 64 << 10
"""Read in one go, in a thread: it holds the interpreter for a millisecond or two."""
_RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class ScrubPolicy:
    """When all that lies still is read, and how fast. A round begins so long after the end of the last."""

    first_after_seconds: float = 3600.0
    every_seconds: float = 24 * 3600.0
    bytes_per_second: int = 2 << 20
    """0: never."""


@final
class _Part:
    """Something that is read from its beginning to its end."""

    def __init__(
        self,
        actor: PartitionActor,
        name: str,
        begin: Callable[[], Iterator[int]],
        *,
        is_written_to: bool = False,
    ) -> None:
        self.actor: Final = actor
        self.name: Final = name
        self.begin: Final = begin
        self.pieces: Iterator[int] | None = None
        self._is_written_to = is_written_to
        self._failed_before = False

    def is_doubtful(self, error: StorageError) -> bool:
        """Whether to look again before this is believed: what is written meanwhile can be taken for damage,
        and what is read be gone."""
        first, self._failed_before = not self._failed_before, True
        return first and (self._is_written_to or not isinstance(error, DamageError))

    def read(self) -> tuple[int, bool]:
        """Read some more (blocking): how many bytes, and whether there is more. Raises StorageError."""
        if self.pieces is None:
            self.pieces = self.begin()
        size = 0
        for piece in self.pieces:
            size += piece
            if size >= PIECE_BYTES:
                return size, True
        return size, False


@final
class Scrubbing:
    """The rounds of one node. What is found, `PartitionActor.found_damaged` is told."""

    def __init__(
        self, hosted: Mapping[int, HostedPartition], policy: ScrubPolicy, scheduler: Scheduler
    ) -> None:
        self._hosted = hosted
        self._policy = policy
        self._scheduler = scheduler
        self._timer: Timer | None = None
        self._stopped = False
        self._waiting: list[_Part] = []
        """Of this round, the next one last."""
        self.rounds = 0
        self.bytes_read = 0

    def start(self) -> None:
        if self._policy.bytes_per_second:
            self._after(self._policy.first_after_seconds, self._begin)

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _after(self, seconds: float, then: Callable[[], None]) -> None:
        if not self._stopped:
            self._timer = self._scheduler.call_later(seconds, then)

    def _begin(self) -> None:
        actors = [hosted.actor for _, hosted in sorted(self._hosted.items())]
        parts = [part for actor in actors if actor is not None for part in _parts_of(actor)]
        self._waiting = parts[::-1]
        self._next()

    def _next(self) -> None:
        """Read on, or wait for the next round."""
        while self._waiting and self._waiting[-1].actor.stopped:
            self._leave(self._waiting.pop())
        if not self._waiting:
            self.rounds += 1
            self._after(self._policy.every_seconds, self._begin)
            return
        part = self._waiting[-1]
        self._scheduler.run_blocking(part.read, lambda done, error: self._have_read(part, done, error))

    def _have_read(self, part: _Part, done: tuple[int, bool] | None, error: BaseException | None) -> None:
        if self._stopped:
            return
        if done is None:
            self._failed(part, error or AssertionError("neither read nor failed"))
            return
        size, has_more = done
        self.bytes_read += size
        if not has_more:
            self._waiting.pop()
        self._after(size / self._policy.bytes_per_second, self._next)

    def _failed(self, part: _Part, error: BaseException) -> None:
        part.pieces = None
        if not isinstance(error, StorageError):
            raise error
        if not part.is_doubtful(error):
            self._waiting.pop()
            if isinstance(error, DamageError):
                part.actor.found_damaged(error)
            else:
                _logger.info("partition %d: cannot look at the %s: %s", part.actor.id, part.name, error)
        self._after(_RETRY_SECONDS, self._next)

    def _leave(self, part: _Part) -> None:
        """What it holds open is of no use any more."""
        pieces, part.pieces = part.pieces, None
        close = getattr(pieces, "close", None)
        if close is not None:
            self._scheduler.run_blocking(close, lambda _, error: None)


def _parts_of(actor: PartitionActor) -> list[_Part]:
    files, store = actor.replica.files, actor.replica.store
    disk, directory = files.disk, files.directory
    return [
        _Part(actor, "checkpoint", lambda: store.scan(directory / SCRUBBED)),
        _Part(actor, "archive", lambda: scrub_archive(disk, directory)),
        _Part(actor, "log", lambda: scrub_log(disk, directory), is_written_to=True),
    ]
