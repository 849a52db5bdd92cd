"""A partition whose log is in memory, and an exporter that does what a test wants."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bpmnd.actors.exporters.delivery import Delivery, DeliverySettings
from bpmnd.actors.exporters.names import VALUE_TYPES
from bpmnd.actors.exporters.pipe import Exported, Follow, FromExporter
from bpmnd.actors.exporters.protocol import Exporter, Source
from bpmnd.actors.exporters.records import Record, Records
from bpmnd.bpmn.codec import decode_frame
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.archive import Archive, ArchiveRetention
from bpmnd.storage.batch import PAGE
from bpmnd.storage.disk import Disk
from bpmnd.storage.log import Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter
from tests.bpmn.playground import ONE_TASK, Playground

DIRECTORY = Path("/partitions/1")
BOOKKEEPING = {("EXPORTER", "ACKNOWLEDGED"), ("STATE_SAMPLE", "TAKEN")}
"""Records that exporters do not get."""


class Written:
    """Frames of a playground in a log of a page an entry and four entries a segment."""

    def __init__(self, disk: Disk | None = None, directory: Path = DIRECTORY) -> None:
        self.disk = disk or MemoryDisk()
        self.directory = directory
        Log.create(self.disk, directory / "log")
        self.log = Log.open(
            self.disk,
            directory / "log",
            writer=InlineWriter(),
            post=lambda call: call(),
            then=lambda _: None,
            segment_size=4 * PAGE,
        )
        self.playground = Playground()
        self.playground.deploy(ONE_TASK)
        self.write()

    def write(self) -> int:
        """What the playground has done since; the last entry."""
        for frame in self.playground.frames[self.log.last_index :]:
            self.log.append([(self.log.last_index + 1, 1, int(EntryKind.COMMAND), frame)])
        return self.log.last_index

    def create(self, count: int = 1) -> int:
        for _ in range(count):
            self.playground.create()
        return self.write()

    def archive(self, up_to: int, *, retention: ArchiveRetention | None = None) -> None:
        archive = Archive(self.disk, self.directory / "archive")
        sealed = self.log.sealed(up_to)
        for segment in sealed:
            archive.store(self.directory / "log", segment, at=0)
        self.log.drop(sealed)
        if retention is not None:
            archive.retain(retention, now=1)

    def records(self) -> list[Record]:
        """All that can ever be exported."""
        records = Records(1)
        return [
            record
            for index, frame in enumerate(self.playground.frames, 1)
            for record in records.of(index, decode_frame(frame), self.log.hash_at(index))
            if (record.value_type, record.intent) not in BOOKKEEPING
        ]


class Receiver:
    """What all instances of an exporter have brought to one place, and how they behave."""

    def __init__(self) -> None:
        self.calls: list[Sequence[Record]] = []
        self.opened = 0
        self.closed = 0
        self.acknowledges = True
        self.before: Callable[[Sequence[Record]], None] = lambda records: None
        self.hangs = False
        self.ignores_cancellation = False
        self.source: Source | None = None

    @property
    def received(self) -> list[Record]:
        return [record for records in self.calls for record in records]

    @property
    def positions(self) -> list[tuple[int, int]]:
        return [record.position for record in self.received]


class Collecting:
    """An exporter to a `Receiver`."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    async def open(self, source: Source) -> None:
        self._receiver.opened += 1
        self._receiver.source = source

    async def export(self, records: Sequence[Record]) -> None:
        receiver = self._receiver
        receiver.before(records)
        while receiver.hangs:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if not receiver.ignores_cancellation:
                    raise
        receiver.calls.append(records)
        if receiver.acknowledges:
            assert receiver.source is not None
            receiver.source.acknowledge(records[-1].position[0])

    async def close(self) -> None:
        self._receiver.closed += 1


class Side:
    """A node's process of an exporter, as far as it is about one partition."""

    def __init__(
        self,
        written: Written,
        directory: Path,
        receiver: Receiver,
        *,
        wanted: Iterable[str] = VALUE_TYPES,
        batch_records: int = 10,
        seconds_max: float = 5.0,
        settle_seconds: float = 10.0,
        snapshot_entries: int = 1,
        make: Callable[[], Exporter] | None = None,
    ) -> None:
        self.written = written
        self.receiver = receiver
        self.said: list[FromExporter] = []
        self._heard = asyncio.Event()
        self._leads = False
        settings = DeliverySettings(
            written.disk,
            written.directory,
            directory,
            "test",
            frozenset(wanted),
            batch_records,
            seconds_max,
            pause_seconds_max=0.1,
            settle_seconds=settle_seconds,
            snapshot_seconds=0.0,
            snapshot_entries=snapshot_entries,
            calm_seconds=0.05,
        )
        self.delivery = Delivery(1, settings, make or (lambda: Collecting(receiver)), self._say)
        self.task: asyncio.Task[None] | None = None

    def tell(self, position: int = 0, mark: int = 0, *, leads: bool = True) -> None:
        """All that is written is committed, and the partition knows of this position."""
        at = self.written.log.synced
        self.delivery.told(Follow(1, at.index, at.term, at.hash, leads, position, mark))
        if self.task is None:
            self.task = asyncio.create_task(self.delivery.run())

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that is said."""
        async with asyncio.timeout(10):
            while not holds():
                self._heard.clear()
                try:
                    async with asyncio.timeout(0.02):
                        await self._heard.wait()
                except TimeoutError:
                    continue

    async def until_all_is_acknowledged(self) -> None:
        last = self.written.log.last_index
        await self.until(lambda: self.at == last)

    @property
    def at(self) -> int:
        return max((said.at for said in self.said if isinstance(said, Exported)), default=0)

    @property
    def position(self) -> int:
        return max((said.position for said in self.said if isinstance(said, Exported)), default=0)

    @property
    def mark(self) -> int:
        return max((said.mark for said in self.said if isinstance(said, Exported)), default=0)

    def heard(self, kind: type[FromExporter]) -> list[FromExporter]:
        return [said for said in self.said if isinstance(said, kind)]

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    def _say(self, message: FromExporter) -> None:
        self.said.append(message)
        self._heard.set()
