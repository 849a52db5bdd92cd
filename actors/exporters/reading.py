"""Reading a partition's entries from its files alone: archive, then log. Changes nothing, locks nothing."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, final

from bpmnd.actors.exporters.records import Record, Records
from bpmnd.bpmn.codec import decode_frame
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.archive import Archive
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import Entry
from bpmnd.storage.errors import DamageError, StorageError
from bpmnd.storage.layout import ARCHIVE, LOG
from bpmnd.storage.mark import read_mark
from bpmnd.storage.table import Table, entries_in
from bpmnd.storage.walk import Walk

_TRIES: Final = 5
MARK_SECONDS_MAX: Final = 2.0
_MARK_PAUSE_SECONDS: Final = 0.002


def records_in(disk: Disk, directory: Path, partition_id: int, *, running: bool) -> Iterator[Record]:
    """All records of a partition's directory, from the first that is kept.

    Raises StorageError for damage, CodecError for frames that this build does not know.
    """
    records = Records(partition_id)
    for entry in PartitionFiles(disk, directory, running=running).entries():
        if entry.kind == EntryKind.COMMAND:
            yield from records.of(entry.index, decode_frame(entry.payload), entry.hash)


@final
class PartitionFiles:
    """Archive and log of one partition.

    With `running` a node writes to them. Then all is read that was there at the beginning and is on disk: the
    mark tells, which follows each write at once.
    """

    def __init__(
        self, disk: Disk, directory: Path, *, running: bool, mark_seconds_max: float = MARK_SECONDS_MAX
    ) -> None:
        self._disk = disk
        self._log = directory / LOG
        self._archive = Archive(disk, directory / ARCHIVE)
        self._running = running
        self._mark_seconds_max = mark_seconds_max

    def entries(self, from_index: int = 1) -> Iterator[Entry]:
        """All entries that are kept from an index on, in order.

        A running node moves segments to the archive meanwhile: then it is begun again where it stopped.
        """
        next_index = max(from_index, self._archive.head().index + 1)
        tries = _TRIES
        while True:
            try:
                for entry in self._entries_from(next_index):
                    yield entry
                    next_index, tries = entry.index + 1, _TRIES
                return
            except DamageError:
                raise
            except StorageError:
                tries -= 1
                if not self._running or not tries:
                    raise

    def _entries_from(self, from_index: int) -> Iterator[Entry]:
        last, table = self._table()
        if from_index <= table.base.index:
            yield from self._archive.entries(from_index, table.base.index)
        places = [place for place in table.places(from_index) if place.first <= last]
        for entry in entries_in(self._disk, self._log, places, max(from_index, table.base.index + 1), None):
            if entry.index > last:
                return
            yield entry

    def _table(self) -> tuple[int, Table]:
        """Where the entries of the log stand, and the last of them to be read."""
        mark = read_mark(self._disk, self._log)
        walk = Walk(self._disk, self._log, mark)
        for _ in walk.batches():
            pass
        if not self._running or walk.sequence < mark.sequence:
            walk.finish()
            return walk.last.index, walk.table
        deadline = time.monotonic() + self._mark_seconds_max
        while mark.sequence < walk.sequence and time.monotonic() < deadline:
            time.sleep(_MARK_PAUSE_SECONDS)
            mark = read_mark(self._disk, self._log)
        return min(walk.last.index, mark.position.index), walk.table
