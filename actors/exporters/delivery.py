"""One partition of an exporter: reads on, hands over, waits for acknowledgements, begins anew after errors.

While another node leads, it only follows what was acknowledged, so that it can take over at once.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Container, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from bpmnd.actors.exporters.backlog import Backlog, Batch
from bpmnd.actors.exporters.bounded import bounded, end
from bpmnd.actors.exporters.fold import Fold, frame_of, is_bookkeeping
from bpmnd.actors.exporters.pipe import Exported, Failing, Follow, FromExporter, Gap, Recovered
from bpmnd.actors.exporters.protocol import Exporter, RemembersRecords
from bpmnd.actors.exporters.records import Record
from bpmnd.bpmn.codec import CodecError
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import Entry, Position
from bpmnd.storage.errors import StorageError
from bpmnd.storage.follow import ChainError

_logger = logging.getLogger(__name__)
_SLICE: Final = 200
"""So many entries at a time; between them others get their turn."""
_PAUSE_SECONDS_MIN: Final = 0.1
_CLOSE_SECONDS_MAX: Final = 4.0
_UNACKNOWLEDGED_BATCHES: Final = 10
_UNACKNOWLEDGED_SIZE: Final = 64 << 20
"""Bytes of entries."""
_CHAIN_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    disk: Disk
    directory: Path
    """Of the partition."""
    own_directory: Path
    """For files of the exporter."""
    exporter: str
    wanted: Container[str]
    batch_records: int = 1000
    seconds_max: float = 60.0
    """So long a call of the exporter may take."""
    pause_seconds_max: float = 30.0
    settle_seconds: float = 10.0
    """What has no records for this exporter is acknowledged after so long."""
    snapshot_seconds: float = 60.0
    snapshot_entries: int = 1000
    """A snapshot is made after so long, if there was so much."""
    calm_seconds: float = 30.0
    """After a task of its own has failed, an exporter is said to go on when it acknowledges something, or if
    nothing has failed for so long."""


@final
class Delivery:
    """Owns the exporter's instance, and the fold behind its records."""

    def __init__(
        self,
        partition_id: int,
        settings: DeliverySettings,
        make: Callable[[], Exporter],
        say: Callable[[FromExporter], None],
    ) -> None:
        self._id = partition_id
        self._settings = settings
        self._make = make
        self._say = say
        self._name = f"{settings.exporter}, partition {partition_id}"
        self._told: Follow | None = None
        self._leads = False
        self._mark = 0
        self._changed = asyncio.Event()
        """Something was told, or acknowledged."""
        self._turned = asyncio.Event()
        """Another node leads now, or this one does."""
        self._fold: Fold | None = None
        self._exporter: Exporter | None = None
        """An instance that was not opened yet."""
        self._backlog = Backlog(0)
        self._given = 0
        """The last entry that the exporter was given."""
        self._unsettled_since: float | None = None
        """Since when there is something to be acknowledged that has no records for this exporter."""
        self._snapshot_at = time.monotonic()
        self._read_since = 0
        """Entries since the last snapshot."""
        self._records = 0
        self._own_failure: Exception | None = None
        self._failed_by_itself = False
        """The last failure was one of a task of its own: what it exports does not tell whether it goes on."""
        self._is_failing = False
        self._pause = _PAUSE_SECONDS_MIN
        self._errors_of_storage = 0
        self._said: Exported | None = None

    @property
    def position(self) -> int:
        return self._backlog.acknowledged

    @property
    def mark(self) -> int:
        return self._mark

    @property
    def settings(self) -> DeliverySettings:
        return self._settings

    def told(self, follow: Follow) -> None:
        """What the node says. The partition may know less than was acknowledged here a moment ago."""
        self._told = follow
        self._backlog.acknowledge(follow.position)
        self._mark = max(self._mark, follow.mark)
        if follow.leads != self._leads:
            self._leads = follow.leads
            self._turned.set()
        if self._fold is not None:
            self._fold.entries.tell(Position(follow.index, follow.term, follow.hash))
        self._changed.set()

    async def run(self) -> None:
        """Until it is cancelled. Raises StillRunning."""
        try:
            await self._run()
        finally:
            self._forget(in_order=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._turn()
                continue
            except (StorageError, CodecError) as error:
                self._forget()
                self._met(error)
            except Exception as error:
                # The code of an exporter is others': whatever it raises, it is begun anew.
                self._failed(error)
                if isinstance(self._exporter, RemembersRecords):
                    self._forget()
                self._exporter = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await self._turned.wait()
            self._pause = min(2 * self._pause, self._settings.pause_seconds_max)

    async def _turn(self) -> None:
        """What is to be done as long as the same node leads."""
        self._turned.clear()
        work = asyncio.ensure_future(self._lead() if self._leads else self._stand_by())
        turned = asyncio.ensure_future(self._turned.wait())
        led = self._leads
        try:
            await asyncio.wait({work, turned}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            turned.cancel()
            if not work.done():
                await end(work, self._name)
                if led and (self._backlog or isinstance(self._exporter, RemembersRecords)):
                    self._forget(in_order=True)  # What is kept here would miss what others do meanwhile.
                if led:
                    self._exporter = None
        if not work.cancelled():
            work.result()

    # While another node leads

    async def _stand_by(self) -> None:
        while True:
            self._changed.clear()
            fold, acknowledged = self._opened(), self.position
            entries = fold.entries.read(_SLICE, acknowledged) if fold.index < acknowledged else []
            self._take_in(fold, entries)
            self._keep_snapshot(fold)
            if entries:
                await asyncio.sleep(0)
            else:
                self._recovered()
                await self._changed.wait()

    # While this node leads

    async def _lead(self) -> None:
        fold = self._opened()
        await self._catch_up(fold)
        exporter = self._exporter = self._exporter or self._make()
        source = _Source(self, self._id)
        self._said = self._own_failure = None
        try:
            await self._call(exporter.open(source), "open")
            for records in self._backlog.batches():
                await self._export(exporter, records)
                self._recovered()
            await self._deliver(fold, exporter)
        finally:
            seconds = min(self._settings.seconds_max, _CLOSE_SECONDS_MAX)
            try:
                await bounded(exporter.close(), seconds, f"close of {self._name}")
            finally:
                source.is_open = False

    async def _catch_up(self, fold: Fold) -> None:
        """Take in what was acknowledged."""
        if fold.begins_after > self.position:
            self._say(Gap(self._id, self.position, fold.begins_after))
            self._backlog.acknowledge(fold.begins_after)
        while fold.index < self.position:
            self._changed.clear()
            entries = fold.entries.read(_SLICE)
            self._take_in(fold, entries)
            if entries:
                await asyncio.sleep(0)
            else:
                await self._changed.wait()

    async def _deliver(self, fold: Fold, exporter: Exporter) -> None:
        """It goes on if it has taken something, or if there is nothing to be taken and it is calm."""
        calm_at = time.monotonic() + self._settings.calm_seconds * self._failed_by_itself
        while True:
            self._changed.clear()
            if self._own_failure is not None:
                failure, self._own_failure = self._own_failure, None
                self._failed_by_itself = True
                raise failure
            self._settle(fold)
            has_room = self._has_room
            entries = fold.entries.read(_SLICE) if has_room else []
            for records in self._take_in(fold, entries):
                await self._export(exporter, records)
                self._recovered()
            self._keep_snapshot(fold)
            if entries:
                await asyncio.sleep(0)
            elif has_room and time.monotonic() >= calm_at:
                self._recovered()
                await self._wait()
            else:
                await self._wait(max(calm_at - time.monotonic(), 0.0) if has_room else None)

    async def _wait(self, seconds: float | None = None) -> None:
        """For something new, for so long at most, or for the moment to acknowledge what has no records."""
        if self._unsettled_since is not None:
            seconds = min(seconds or self._settings.settle_seconds, self._settings.settle_seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    @property
    def _has_room(self) -> bool:
        count_max = _UNACKNOWLEDGED_BATCHES * self._settings.batch_records
        return self._backlog.count < count_max and self._backlog.size < _UNACKNOWLEDGED_SIZE

    async def _export(self, exporter: Exporter, records: Sequence[Record]) -> None:
        if records:
            self._given = records[-1].position[0]
            await self._call(exporter.export(records), "export")

    async def _call(self, work: Coroutine[Any, Any, None], what: str) -> None:
        await bounded(work, self._settings.seconds_max, f"{what} of {self._name}")

    def _take_in(self, fold: Fold, entries: Sequence[Entry]) -> list[list[Record]]:
        """The batches that are to be exported, of whole entries; they are kept until acknowledged."""
        batches: list[Batch] = []
        for entry in entries:
            frame = frame_of(entry)
            if frame is None:
                continue
            if entry.index <= self.position:
                fold.past(entry, frame)
                continue
            made = fold.records(entry, frame)
            if made:
                size = len(entry.payload)
                if not batches or batches[-1].is_full(made, size, self._settings.batch_records):
                    batches.append(Batch())
                batches[-1].add(made, size)
            elif self._unsettled_since is None and not is_bookkeeping(frame):
                self._unsettled_since = time.monotonic()
        for batch in batches:
            self._backlog.add(batch)
        self._errors_of_storage = 0
        self._read_since += len(entries)
        return [batch.records for batch in batches]

    # Acknowledgements

    def acknowledge(self, position: int, mark: int) -> None:
        """As the exporter says."""
        known = max(self._given, self.position)
        if position > known:
            raise ValueError(f"entry {position} was not exported yet; the last one was {known}")
        self._records += self._backlog.acknowledge(position)
        self._mark = max(self._mark, mark)
        if self._failed_by_itself:
            self._recovered()
        if self._fold is not None:
            self._settle(self._fold)
        self._changed.set()

    def own_task_failed(self, error: Exception) -> None:
        self._own_failure = error
        self._changed.set()

    def _settle(self, fold: Fold) -> None:
        """Tell how far all is acknowledged, now and then also of what has no records for this exporter."""
        at = self.position
        if not self._backlog:
            at = max(at, fold.index)
            since, now = self._unsettled_since, time.monotonic()
            if since is not None and now - since >= self._settings.settle_seconds:
                self._backlog.acknowledge(at)
                self._unsettled_since = None
        exported = Exported(self._id, at, self.position, self._mark, self._records)
        if exported != self._said:
            self._said = exported
            self._say(exported)

    # Errors

    def _met(self, error: StorageError | CodecError) -> None:
        """The log cannot be read; at first it is only that a segment has just moved to the archive."""
        self._errors_of_storage += 1
        if isinstance(error, ChainError) and self._errors_of_storage >= _CHAIN_TRIES:
            _logger.warning("%s: all is read anew: %s", self._name, error)
            self._snapshot_path.unlink(missing_ok=True)
        if self._errors_of_storage > 1:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if self._is_failing:
            _logger.warning("%s failed again: %r", self._name, error)
        else:
            _logger.error("%s failed, and is tried again", self._name, exc_info=error)
        self._is_failing = True
        self._say(Failing(self._id, str(error) or type(error).__name__))

    def _recovered(self) -> None:
        self._pause = _PAUSE_SECONDS_MIN
        self._failed_by_itself = False
        if self._is_failing:
            self._is_failing = False
            _logger.warning("%s goes on", self._name)
            self._say(Recovered(self._id))

    # The fold

    @property
    def _snapshot_path(self) -> Path:
        return self._settings.own_directory / f"{self._id}.snapshot"

    def _opened(self) -> Fold:
        if self._fold is None:
            settings, told = self._settings, self._told
            assert told is not None, "a partition begins when it is told of"
            self._exporter = exporter = self._make()
            self._fold = Fold(
                settings.disk,
                settings.directory,
                self._snapshot_path,
                self._id,
                settings.wanted,
                self.position,
                exporter,
            )
            self._fold.entries.tell(Position(told.index, told.term, told.hash))
        return self._fold

    def _forget(self, *, in_order: bool = False) -> None:
        """Begin at the last snapshot again, when there is something to be done."""
        if self._fold is not None:
            if in_order and not self._backlog:
                self._fold.note_snapshot()
                self._fold.keep_snapshot(self._fold.index)
            self._fold.close()
        self._fold = self._exporter = None
        self._backlog = Backlog(self.position)
        self._unsettled_since = None

    def _keep_snapshot(self, fold: Fold) -> None:
        """All that was taken in was handed over."""
        settings, now = self._settings, time.monotonic()
        if self._read_since >= settings.snapshot_entries and (
            now - self._snapshot_at >= settings.snapshot_seconds
        ):
            fold.note_snapshot()
            self._snapshot_at, self._read_since = time.monotonic(), 0
        fold.keep_snapshot(self.position if self._backlog else fold.index)


@final
class _Source:
    """What the exporter knows of the partition, as long as it is open."""

    def __init__(self, delivery: Delivery, partition_id: int) -> None:
        self._delivery = delivery
        self.partition_id = partition_id
        self.is_open = True

    @property
    def exporter(self) -> str:
        return self._delivery.settings.exporter

    @property
    def directory(self) -> Path:
        return self._delivery.settings.own_directory

    @property
    def position(self) -> int:
        return self._delivery.position

    @property
    def mark(self) -> int:
        return self._delivery.mark

    def acknowledge(self, position: int, mark: int = 0) -> None:
        if self.is_open:
            self._delivery.acknowledge(position, mark)

    def failed(self, error: Exception) -> None:
        if self.is_open:
            self._delivery.own_task_failed(error)
