"""The projector: the process beside a node that keeps the histories of its replicas.

It hears on one pipe what is committed, and says on another how far each history has come. When the node is
gone, its pipe ends, and so does the projector. Whatever it dies of, it begins again where its files stand.
"""

import logging
import os
import select
import sys
from pathlib import Path
from typing import Final, TypeAlias, final

import msgspec

from bpmnd.actors.beside.pipe import Unpacking, packed
from bpmnd.actors.history.projection import Projection, ProjectionSettings
from bpmnd.bpmn.codec import CodecError
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import StorageError
from bpmnd.storage.follow import ChainError
from bpmnd.storage.history import remove_history

_logger = logging.getLogger(__name__)
_CHUNK: Final = 1 << 16
_PAUSE_SECONDS: Final = 1.0
"""After so long it looks again for what has failed, and whether its files are still there."""
_TRIES: Final = 3
"""So often in a row the log may not continue the history before that is made anew."""


class Follow(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=1):
    """All of a partition up to this position is committed, and on disk here."""

    partition: int
    index: int
    term: int
    hash: bytes


class Drop(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=2):
    """There is no replica of the partition here any more: delete its history."""

    partition: int


class Projected(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=1):
    """The history of a partition has come to an entry."""

    partition: int
    index: int
    rebuilds: int


class Stuck(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=2):
    """The history of a partition does not go on, for a reason that people have to know."""

    partition: int
    reason: str


ToProjector: TypeAlias = Follow | Drop
FromProjector: TypeAlias = Projected | Stuck

decode_to_projector: Final = msgspec.msgpack.Decoder(ToProjector).decode
decode_from_projector: Final = msgspec.msgpack.Decoder(FromProjector).decode


def history_path(data_directory: Path, partition: int) -> Path:
    """The file of a partition's history."""
    return data_directory / "history" / f"{partition}.sqlite"


def projector_command(data_directory: str, keep_ms: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "bpmnd.projector", data_directory, str(keep_ms))


def partition_directory(data_directory: Path, partition: int) -> Path:
    return data_directory / "partitions" / str(partition)


@final
class Projector:
    """Turns between the partitions; a partition that fails is tried again after a while."""

    def __init__(
        self, data_directory: Path, settings: ProjectionSettings, disk: Disk, source: int, sink: int
    ) -> None:
        """`source` and `sink` are the descriptors of the pipes."""
        self._directory = data_directory
        self._settings = settings
        self._disk = disk
        self._source = source
        self._sink = sink
        self._incoming = Unpacking()
        self._projections: dict[int, Projection] = {}
        self._told: dict[int, Position] = {}
        self._failures: dict[int, int] = {}
        self._reported: dict[int, int] = {}
        self._reasons: dict[int, str] = {}

    def run(self) -> None:
        """Work until the other end is closed."""
        busy = True
        while self._listen(0.0 if busy else _PAUSE_SECONDS):
            busy = False
            for partition in list(self._told):
                busy = self._advance(partition) or busy
        for projection in self._projections.values():
            projection.close()

    def _listen(self, seconds_max: float) -> bool:
        """Take in what was sent, and wait for it if there is nothing else to do; False at the end."""
        while select.select([self._source], [], [], seconds_max)[0]:
            data = os.read(self._source, _CHUNK)
            if not data:
                return False
            for message in self._incoming.feed(data):
                self._received(decode_to_projector(message))
            seconds_max = 0.0
        return True

    def _received(self, message: ToProjector) -> None:
        match message:
            case Follow(partition, index, term, hash):
                position = Position(index, term, hash)
                self._told[partition] = position
                if partition in self._projections:
                    self._projections[partition].tell(position)
            case Drop(partition):
                self._told.pop(partition, None)
                self._failures.pop(partition, None)
                projection = self._projections.pop(partition, None)
                if projection is not None:
                    projection.close()
                remove_history(history_path(self._directory, partition))

    def _advance(self, partition: int) -> bool:
        """Whether there may be more to do at once."""
        try:
            projection = self._projections.get(partition)
            if projection is None:
                projection = self._open(partition)
            busy = projection.step()
        except ChainError as error:
            return self._failed(partition, error, rebuilds=True)
        except (StorageError, CodecError) as error:
            return self._failed(partition, error, rebuilds=False)
        self._failures.pop(partition, None)
        if self._reasons.pop(partition, None) is not None:
            self._reported.pop(partition, None)
        self._report(partition, projection)
        return busy

    def _open(self, partition: int) -> Projection:
        projection = self._projections[partition] = Projection(
            partition,
            self._disk,
            partition_directory(self._directory, partition),
            history_path(self._directory, partition),
            self._settings,
        )
        projection.tell(self._told[partition])
        return projection

    def _failed(self, partition: int, error: Exception, *, rebuilds: bool) -> bool:
        count = self._failures[partition] = self._failures.get(partition, 0) + 1
        projection = self._projections.get(partition)
        if projection is not None:
            if rebuilds and count >= _TRIES:
                projection.rebuild(str(error))
            projection.tell(self._told[partition])
            if rebuilds:
                return True
        reason = str(error) or type(error).__name__
        if self._reasons.get(partition) != reason:
            self._reasons[partition] = reason
            _logger.error("partition %d: history does not go on: %s", partition, reason)
            self._send(Stuck(partition, reason))
        return False

    def _report(self, partition: int, projection: Projection) -> None:
        index = projection.progress.position.index
        if self._reported.get(partition) != index:
            self._reported[partition] = index
            self._send(Projected(partition, index, projection.rebuilds))

    def _send(self, message: FromProjector) -> None:
        data = packed(message)
        while data:
            data = data[os.write(self._sink, data) :]
