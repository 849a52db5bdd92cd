"""The projection of one partition replica: follows its log to where the node says, and keeps the rows."""

import logging
from collections import deque
from pathlib import Path
from typing import Final, final

import msgspec

from bpmnd.actors.history.folding import fold, fold_operations
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn.codec import decode_frame
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import Position
from bpmnd.storage.follow import LogFollower
from bpmnd.storage.history import HistoryError, HistoryWriter, Progress

_logger = logging.getLogger(__name__)
EVENTS_MAX: Final = 20_000
"""After so many events a transaction ends, if it can,"""
SIZE_MAX: Final = 16 << 20
"""or after entries of so many bytes: all that becomes of them is in memory until then."""
_DROPPED_MAX: Final = 200
_POSITIONS_MAX: Final = 1000


class ProjectionSettings(msgspec.Struct, frozen=True, gc=False):
    keep_ms: int = 0
    """Process instances are dropped so long after their end, by the time of the log; 0: never."""
    events_max: int = EVENTS_MAX
    size_max: int = SIZE_MAX


@final
class _Work:
    """What has been folded and is not written."""

    __slots__ = ("events", "size")

    def __init__(self) -> None:
        self.events = 0
        self.size = 0


@final
class Projection:
    """Owns the file of a history. Blocking; one step after the other."""

    def __init__(
        self, partition_id: int, disk: Disk, directory: Path, path: Path, settings: ProjectionSettings
    ) -> None:
        self._partition_id = partition_id
        self._settings = settings
        self._follower = LogFollower(disk, directory)
        self._path = path
        self._told: deque[Position] = deque()
        self._newest: Position | None = None
        """What was told last: up to there it goes when it is made anew, also if nothing more happens."""
        self._writer = self._open_writer()
        progress = self._writer.progress()
        if progress is None:
            progress = self._begin_anew("there is none yet")
        self.progress: Progress = progress
        self._tables = Tables(partition_id, self._writer)
        self._is_checked = False
        self._drops = settings.keep_ms > 0
        self.rebuilds = 0

    def _open_writer(self) -> HistoryWriter:
        """A file that is no database is none of ours, or damaged: either way it is made anew."""
        try:
            return HistoryWriter(self._path)
        except HistoryError as error:
            _logger.warning("partition %d: history is made anew: %s", self._partition_id, error)
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            return HistoryWriter(self._path)

    def tell(self, position: Position) -> None:
        """All up to there is committed, and on disk here."""
        self._newest = position
        if len(self._told) >= _POSITIONS_MAX:
            # So far behind it goes to the newest; looked up anew, each entry on the way counts by itself.
            self._told.clear()
            self._follower.close()
        self._told.append(position)

    def step(self) -> bool:
        """Do one transaction; whether there was anything to do. Raises StorageError and CodecError.

        After an error it can be tried again: what was not written does not count.
        """
        if not self._path.exists():
            self.rebuild("its file was taken away")
        while self._told and self._told[0].index <= self.progress.position.index:
            self._check(self._told.popleft())
        if not self._told:
            return self._drops and self._drop_old()
        try:
            self._advance()
        except BaseException:
            self._begin_where_it_stands()
            raise
        return True

    def _begin_where_it_stands(self) -> None:
        """What was folded since does not count."""
        stored = self._writer.progress()
        if stored is not None:
            self.progress = stored
        self._tables = Tables(self._partition_id, self._writer)

    def rebuild(self, why: str) -> None:
        """Begin from the first entry that is kept."""
        self._told = deque([self._newest] if self._newest is not None else [])
        self.rebuilds += 1
        self.progress = self._begin_anew(why)
        self._tables = Tables(self._partition_id, self._writer)
        self._follower.close()

    def close(self) -> None:
        self._follower.close()
        self._writer.close()

    def _begin_anew(self, why: str) -> Progress:
        begins_after = self._follower.begin()
        _logger.info(
            "partition %d: history begins after entry %d: %s", self._partition_id, begins_after.index, why
        )
        self._writer.begin_anew(begins_after)
        return Progress(begins_after, 0, begins_after.index)

    def _check(self, told: Position) -> None:
        """What was told first must be what the rows were made of."""
        stored = self.progress.position
        if told.index == stored.index and told.hash != stored.hash:
            self.rebuild("it was of another log")
        elif not self._is_checked and told.index < stored.index and self._follower.end() < stored.index:
            self.rebuild("it knew more than the log")
        self._is_checked = True

    def _advance(self) -> None:
        """Take what is new, in one transaction; a long way in several, where each entry counts by itself."""
        position = self.progress.position
        whole = self._follower.goes_on_from(position)
        target = self._told.popleft() if whole else self._told.pop()
        if not whole:
            self._told.clear()
        work = _Work()
        position, time = self._apply(position, target, self.progress.time, whole, work)
        while whole and self._told and not self._is_enough(work):
            position, time = self._apply(position, self._told.popleft(), time, whole, work)
        self._write(position, time)

    def _is_enough(self, work: _Work) -> bool:
        return work.events >= self._settings.events_max or work.size >= self._settings.size_max

    def _apply(
        self, after: Position, to: Position, time: int, whole: bool, work: _Work
    ) -> tuple[Position, int]:
        position = after
        for entry in self._follower.entries(after, to):
            position = Position(entry.index, entry.term, entry.hash)
            if entry.kind == EntryKind.COMMAND:
                frame = decode_frame(entry.payload)
                time = frame.time
                fold(self._tables, entry.index, time, frame.events)
                fold_operations(self._tables, frame)
                work.events += len(frame.events)
                work.size += len(entry.payload)
                if not whole and entry.index < to.index and self._is_enough(work):
                    self._write(position, time)
                    work.events = work.size = 0
        return position, time

    def _write(self, position: Position, time: int) -> None:
        progress = Progress(position, time, self.progress.begins_after)
        with self._writer.transaction():
            self._check_alone()
            self._writer.write(self._tables.take(), self._tables.take_expired(), progress)
            if self._settings.keep_ms:
                self._drop(time, progress)
        self._tables.forget()
        self.progress = progress

    def _check_alone(self) -> None:
        """The projector of a node that was killed may be at its last transaction still."""
        stored = self._writer.progress()
        if stored is None or stored.position != self.progress.position:
            raise HistoryError(f"another projector has written to {self._path}")

    def _drop_old(self) -> bool:
        """Nothing else is to do: go on to drop what is too old. Whether there may be more."""
        with self._writer.transaction():
            self._check_alone()
            self._drop(self.progress.time, self.progress)
        self._tables.forget()
        return self._drops

    def _drop(self, time: int, progress: Progress) -> None:
        gone = self._writer.drop_ended(time - self._settings.keep_ms, _DROPPED_MAX)
        self._drops = len(gone) == _DROPPED_MAX
        self._tables.gone(gone)
        self._writer.write(self._tables.take(), {}, progress)
