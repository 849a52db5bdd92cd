"""The process of one exporter, beside its node: a delivery for each partition that has a replica here."""

import asyncio
import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast, final

from bpmnd.actors.beside.pipe import Unpacking, packed
from bpmnd.actors.exporters.bounded import StillRunning, end
from bpmnd.actors.exporters.delivery import Delivery, DeliverySettings
from bpmnd.actors.exporters.names import VALUE_TYPES
from bpmnd.actors.exporters.pipe import (
    Alive,
    Configure,
    Drop,
    Follow,
    FromExporter,
    ToExporter,
    decode_to_exporter,
)
from bpmnd.actors.exporters.protocol import Exporter, Factory
from bpmnd.storage.disk import Disk

_logger = logging.getLogger(__name__)
_CHUNK: Final = 1 << 16
_ALIVE_SECONDS: Final = 1.0


def exporter_directory(data_directory: Path, exporter: str) -> Path:
    """Where an exporter has its files on this node."""
    return data_directory / "exporters" / exporter


def worker_command(exporter: str) -> tuple[str, ...]:
    """The name is only for people who look at the processes: what it is to do, it is told."""
    return (sys.executable, "-m", "bpmnd.exporter", exporter)


def made_by(factory: str, settings: Mapping[str, Any]) -> Exporter:
    """An exporter by `module:Class`. Raises ValueError for what is not there, or wrong with the settings."""
    module, _, name = factory.partition(":")
    try:
        make = cast(Factory, getattr(importlib.import_module(module), name))
    except (ImportError, AttributeError) as error:
        raise ValueError(f"there is no exporter '{factory}': {error}") from None
    return make(settings)


@final
class Worker:
    """Hears on one descriptor what is committed, and says on another how far it is."""

    def __init__(self, disk: Disk, sink: int) -> None:
        self._disk = disk
        self._sink = sink
        self._configured: Configure | None = None
        self._deliveries: dict[int, Delivery] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._died: BaseException | None = None
        self._ended = asyncio.Event()

    async def run(self, source: int) -> None:
        """Work until the other end is closed. Raises StillRunning for an exporter that nothing can stop."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_CHUNK)
        pipe = os.fdopen(source, "rb", closefd=False)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        listening = asyncio.ensure_future(self._listen(reader))
        alive = asyncio.ensure_future(self._say_that_it_lives())
        ended = asyncio.ensure_future(self._ended.wait())
        await asyncio.wait({listening, ended, alive}, return_when=asyncio.FIRST_COMPLETED)
        for task in (listening, ended, alive):
            task.cancel()
        await asyncio.gather(*(self._stop(partition) for partition in list(self._running)))
        if self._died is not None:
            raise self._died

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        incoming = Unpacking()
        while data := await reader.read(_CHUNK):
            for message in incoming.feed(data):
                await self._received(decode_to_exporter(message))

    async def _received(self, message: ToExporter) -> None:
        match message:
            case Configure():
                assert self._configured is None, "configured twice"
                self._configured = message
            case Follow(partition):
                if partition not in self._deliveries:
                    self._begin(partition)
                self._deliveries[partition].told(message)
                if partition not in self._running:
                    self._start(partition)
            case Drop(partition):
                await self._stop(partition)
                self._deliveries.pop(partition, None)
                own = self._own_directory / f"{partition}.snapshot"
                own.unlink(missing_ok=True)

    def _begin(self, partition: int) -> None:
        configured = self._configured
        assert configured is not None, "it is configured first"
        settings = DeliverySettings(
            self._disk,
            Path(configured.data_directory) / "partitions" / str(partition),
            self._own_directory,
            configured.name,
            frozenset(configured.value_types) or VALUE_TYPES,
            configured.batch_records,
            configured.seconds_max,
        )
        self._deliveries[partition] = Delivery(
            partition, settings, lambda: made_by(configured.factory, configured.settings), self._say
        )

    def _start(self, partition: int) -> None:
        task = self._running[partition] = asyncio.create_task(self._deliveries[partition].run())
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._died = error
            self._ended.set()

    async def _stop(self, partition: int) -> None:
        task = self._running.pop(partition, None)
        if task is not None and not task.done():
            try:
                await end(task, f"partition {partition}")
            except StillRunning as error:
                self._died = error

    @property
    def _own_directory(self) -> Path:
        assert self._configured is not None, "it is configured first"
        return exporter_directory(Path(self._configured.data_directory), self._configured.name)

    async def _say_that_it_lives(self) -> None:
        while True:
            self._say(Alive())
            await asyncio.sleep(_ALIVE_SECONDS)

    def _say(self, message: FromExporter) -> None:
        data = packed(message)
        with contextlib.suppress(BrokenPipeError):  # The node is gone: what it cannot hear it will ask again.
            while data:
                data = data[os.write(self._sink, data) :]
