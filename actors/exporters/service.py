"""The exporters of a node, as the node has them.

It tells their processes what is committed, hears how far they are, and has the partitions that it leads keep
that. Without exporters there is none of this.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, final

import msgspec

from bpmnd.actors.beside.lag import Lag
from bpmnd.actors.clock import Clock, Scheduler, Timer
from bpmnd.actors.exporters.pipe import (
    Alive,
    Configure,
    Drop,
    Exported,
    Failing,
    Follow,
    FromExporter,
    Gap,
    Recovered,
)
from bpmnd.actors.hosted import HostedPartition
from bpmnd.actors.partition import PartitionActor
from bpmnd.bpmn.commands import AcknowledgeExport, NoteExportGap
from bpmnd.bpmn.processors.exports import position_of
from bpmnd.bpmn.state.deployed import ExporterPosition

_logger = logging.getLogger(__name__)
TELL_SECONDS: Final = 0.2
KEEP_SECONDS: Final = 1.0
"""So often at most a partition keeps the position of an exporter: each time is an entry of its log."""
_SILENT_SECONDS_MAX: Final = 10.0
"""Beyond the time that the exporter has for each call: then its process hangs, and is begun anew."""


@dataclass(frozen=True, slots=True)
class ExporterSpec:
    """An exporter as it is configured."""

    name: str
    factory: str
    """`module:Class`."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The exporter's own."""
    value_types: tuple[str, ...] = ()
    """Empty: all."""
    begins_now: bool = False
    """Whether it is to have only what comes after it was first seen, not all that is kept."""
    batch_records: int = 1000
    seconds_max: float = 60.0
    """So long each call may take."""


class Channel(Protocol):
    """The way to the process of an exporter."""

    restarts: int

    def send(self, message: msgspec.Struct) -> None:
        """What is sent while it is not there is lost: when it comes, it is told all anew."""

    def kill(self) -> None:
        """End the process; another one begins."""


@final
class Standing:
    """How far an exporter is with one partition."""

    __slots__ = (
        "failing",
        "failures",
        "is_led",
        "kept_at",
        "lag",
        "lost",
        "mark",
        "position",
        "records",
        "told",
    )

    def __init__(self) -> None:
        self.told: Follow | None = None
        self.is_led = False
        self.lag = Lag()
        self.position = 0
        self.mark = 0
        self.records = 0
        self.kept_at = 0.0
        self.failing: str | None = None
        self.failures = 0
        self.lost = 0
        """Entries that it never got."""

    @property
    def behind(self) -> int:
        """Entries that it does not have yet."""
        return self.lag.entries


@final
class ExporterOnNode:
    """One exporter. Lives on the event loop."""

    def __init__(
        self,
        spec: ExporterSpec,
        data_directory: Path,
        hosted: Mapping[int, HostedPartition],
        scheduler: Scheduler,
        clock: Clock,
        channel: Channel,
    ) -> None:
        self.spec: Final = spec
        self.standings: dict[int, Standing] = {}
        self._data_directory = data_directory
        self._hosted = hosted
        self._scheduler = scheduler
        self._clock = clock
        self._channel = channel
        self._heard_at = clock.monotonic()
        self._timer: Timer | None = None
        self._stopped = False

    @property
    def restarts(self) -> int:
        return self._channel.restarts

    def start(self) -> None:
        """Begin to tell what is committed."""
        self.tell()
        if not self._stopped:
            self._timer = self._scheduler.call_later(TELL_SECONDS, self.start)

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def began(self) -> None:
        """Its process is new, and knows nothing."""
        spec = self.spec
        self._heard_at = self._clock.monotonic()
        self._channel.send(
            Configure(
                str(self._data_directory),
                spec.name,
                spec.factory,
                dict(spec.settings),
                spec.value_types,
                spec.batch_records,
                spec.seconds_max,
            )
        )
        for standing in self.standings.values():
            standing.told = None
        self.tell()

    def tell(self) -> None:
        """Tell what is new, and have the partitions keep what is."""
        for partition, hosted in self._hosted.items():
            if hosted.actor is not None:
                self._look_at(partition, hosted.actor)
        for partition in self.standings.keys() - self._hosted.keys():
            del self.standings[partition]
            self._channel.send(Drop(partition))
        self._look_whether_it_lives()

    def _look_at(self, partition: int, actor: PartitionActor) -> None:
        committed, machine = actor.mending.position(), actor.machine
        if committed is None or committed.index == 0 or machine is None:
            return
        standing = self.standings.get(partition)
        if standing is None:
            standing = self.standings[partition] = Standing()
        kept = position_of(machine.state, self.spec.name)
        leads = actor.leads
        if kept is None and self.spec.begins_now:
            if leads:
                actor.submit_internal(AcknowledgeExport(self.spec.name, committed.index, 0))
            return
        kept = kept or ExporterPosition(self.spec.name, 0, 0)
        if leads != standing.is_led:
            standing.is_led = leads
            standing.position = standing.mark = 0
            standing.failing = None
            standing.lag = Lag()
        actor.is_exported(self.spec.name, kept.position)
        follow = Follow(
            partition, committed.index, committed.term, committed.hash, leads, kept.position, kept.mark
        )
        if follow != standing.told:
            standing.told = follow
            self._channel.send(follow)
        now = self._clock.monotonic()
        if leads:
            standing.lag.tell(committed.index, now)
        is_new = standing.position > kept.position or standing.mark > kept.mark
        if leads and is_new and now - standing.kept_at >= KEEP_SECONDS:
            standing.kept_at = now
            actor.submit_internal(AcknowledgeExport(self.spec.name, standing.position, standing.mark))

    def heard(self, message: FromExporter) -> None:
        """What its process says."""
        self._heard_at = self._clock.monotonic()
        if isinstance(message, Alive):
            return
        standing = self.standings.get(message.partition)
        if standing is None:
            return
        match message:
            case Exported(_, at, position, mark, records):
                standing.lag.reach(at, self._heard_at)
                standing.position, standing.mark, standing.records = position, mark, records
            case Failing(_, reason):
                standing.failing = reason
                standing.failures += 1
            case Recovered():
                standing.failing = None
            case Gap(partition, after, to):
                standing.lost += to - after
                _logger.error(
                    "exporter %s: lost the entries %d to %d of partition %d, which are not kept any more",
                    self.spec.name,
                    after + 1,
                    to,
                    partition,
                )
                hosted = self._hosted.get(partition)
                if hosted is not None and hosted.actor is not None:
                    hosted.actor.submit_internal(NoteExportGap(self.spec.name, to))

    def behind_seconds(self, partition: int) -> float:
        """How long ago the first entry that it does not have was told to it; 0 if it has all."""
        standing = self.standings.get(partition)
        return 0.0 if standing is None else standing.lag.seconds(self._clock.monotonic())

    def _look_whether_it_lives(self) -> None:
        silent = self._clock.monotonic() - self._heard_at
        if silent > self.spec.seconds_max + _SILENT_SECONDS_MAX:
            _logger.error("exporter %s: its process does nothing any more, and is begun anew", self.spec.name)
            self._heard_at = self._clock.monotonic()
            self._channel.kill()
