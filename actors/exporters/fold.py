"""The fold of a partition that stands behind its records, at one position, and how it is kept."""

import logging
from collections.abc import Container
from pathlib import Path
from typing import Final, final

import msgspec

from bpmnd.actors.exporters.entries import CommittedEntries
from bpmnd.actors.exporters.names import EVENT_NAMES
from bpmnd.actors.exporters.protocol import Exporter, RemembersRecords
from bpmnd.actors.exporters.records import Record, Records
from bpmnd.actors.exporters.snapshots import Snapshot, read_snapshot, snapshot_of, write_snapshot
from bpmnd.bpmn.codec import Frame, decode_frame
from bpmnd.bpmn.events import Event, ExporterAcknowledged, StateSampled
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import Entry
from bpmnd.storage.follow import LogFollower

_logger = logging.getLogger(__name__)
BOOKKEEPING: Final = frozenset[type[Event]]({ExporterAcknowledged, StateSampled})
"""What replicas and exporters note for themselves: neither exported nor acknowledged, for each
acknowledgement would make another."""
_UNTOLD: Final = frozenset(EVENT_NAMES[event] for event in BOOKKEEPING)


@final
class Fold:
    """Begins at the newest snapshot that is of use, else at the first entry that is kept. Blocking."""

    def __init__(
        self,
        disk: Disk,
        directory: Path,
        path: Path,
        partition_id: int,
        wanted: Container[str],
        acknowledged: int,
        rememberer: Exporter,
    ) -> None:
        """A snapshot beyond what is `acknowledged` is of no use: records after that are wanted still.

        Raises StorageError.
        """
        self._path = path
        self._rememberer = rememberer if isinstance(rememberer, RemembersRecords) else None
        self._records = Records(partition_id, wanted)
        begins = LogFollower(disk, directory).begin()
        snapshot = read_snapshot(path)
        position = begins
        if snapshot is not None and snapshot.index <= acknowledged and self._recall(snapshot):
            # What was dropped since is missing, but what it knew of definitions is not.
            position = max(snapshot.position, begins, key=lambda known: known.index)
        self.begins_after = begins.index
        self.entries = CommittedEntries(disk, directory, position)
        self._snapshot: Snapshot | None = None

    @property
    def index(self) -> int:
        """The last entry that was taken in."""
        return self.entries.position.index

    def past(self, entry: Entry, frame: Frame) -> None:
        """Take in an entry whose records were acknowledged before."""
        if self._rememberer is None:
            self._records.note(frame)
            return
        for record in self.records(entry, frame):
            self._rememberer.remember(record)

    def records(self, entry: Entry, frame: Frame) -> list[Record]:
        """Take in an entry, with its records."""
        made = self._records.of(entry.index, frame, entry.hash)
        return [record for record in made if (record.value_type, record.intent) not in _UNTOLD]

    def note_snapshot(self) -> None:
        """Remember how all stands now, to be kept once the partition knows that so much is acknowledged."""
        if self._snapshot is None:
            exporter = None if self._rememberer is None else self._rememberer.memory()
            self._snapshot = snapshot_of(self.entries.position, self._records.memory(), exporter)

    def keep_snapshot(self, acknowledged: int) -> bool:
        """Whether there was one to be written."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.index > acknowledged:
            return False
        self._snapshot = None
        try:
            write_snapshot(self._path, snapshot)
        except OSError as error:
            _logger.warning("cannot write %s, which only costs time later: %s", self._path, error)
        return True

    def close(self) -> None:
        self.entries.close()

    def _recall(self, snapshot: Snapshot) -> bool:
        if (self._rememberer is None) != (snapshot.exporter is None):
            return False
        try:
            self._records.recall(snapshot.instances)
        except msgspec.DecodeError as error:
            _logger.warning("%s is of another build, and not used: %s", self._path, error)
            return False
        if self._rememberer is not None and snapshot.exporter is not None:
            self._rememberer.recall(snapshot.exporter)
        return True


def frame_of(entry: Entry) -> Frame | None:
    """What the partition has decided; None for an entry of Raft. Raises CodecError."""
    return decode_frame(entry.payload) if entry.kind == EntryKind.COMMAND else None


def is_bookkeeping(frame: Frame) -> bool:
    """There is nothing in it to be acknowledged."""
    return all(type(event) in BOOKKEEPING for event in frame.events)
