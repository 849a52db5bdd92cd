"""The trail of a process instance out of archive and log, also when its rows were dropped long ago.

Where it begins is found by its key: keys rise with the log. From there on the entries are gone through up to
its end; those that do not name it are not even decoded. What a definition is called is known by the history.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final, final

import msgspec

from bpmnd.actors.exporters.lines import line_of
from bpmnd.actors.exporters.records import Records
from bpmnd.actors.exporters.trail import Trail
from bpmnd.actors.history.queries import Found, Scalar, TrailOf
from bpmnd.actors.history.reading import HistoryFile
from bpmnd.bpmn import events
from bpmnd.bpmn.codec import Frame, decode_frame, decode_head
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.archive import Archive, ArchiveFile
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import Entry, Position
from bpmnd.storage.follow import LogFollower
from bpmnd.storage.history import HistoryReader, TooSlowError
from bpmnd.storage.layout import ARCHIVE

SECONDS_MAX: Final = 6.0
BYTES_MAX: Final = 4 << 20
"""Records of a page; one more is never cut."""
_KEYS_MAX: Final = 32
"""Looking for more keys than this in an entry takes longer than to decode it."""
_WORK_SECONDS: Final = 0.002
_REST_SECONDS: Final = 0.001
"""Between two pieces of work others get their turn: the interpreter does one thing at a time."""


def read_trail(
    disk: Disk,
    directory: Path,
    file: HistoryFile,
    partition_id: int,
    query: TrailOf,
    *,
    seconds_max: float = SECONDS_MAX,
) -> tuple[int, Found]:
    """The entry that the history had come to, which is committed, and the records up to there.

    Blocking. Raises StorageError, CodecError, and TooSlowError.
    """
    progress, _ = file.read(lambda reader: None)
    follower = LogFollower(disk, directory)
    try:
        begin = _begin(Archive(disk, directory / ARCHIVE), query.instance_key) or follower.begin()
        entries = _unhurried(follower.entries(begin, progress.position), time.monotonic() + seconds_max)
        return progress.position.index, _Page(file, partition_id, query).read(entries)
    finally:
        follower.close()


@final
class _Page:
    """One page of a trail, as far as it was read."""

    def __init__(self, file: HistoryFile, partition_id: int, query: TrailOf) -> None:
        self._file = file
        self._query = query
        self._records = Records(partition_id)
        self._trail = Trail(query.instance_key, with_called=query.with_called)
        self._definitions: set[int] = set()

    def read(self, entries: Iterator[Entry]) -> Found:
        """What was before a record is known only to who has read from the beginning: so each page does."""
        rows: list[tuple[Scalar, ...]] = []
        size = 0
        for entry in entries:
            if entry.kind != EntryKind.COMMAND or not self._may_concern(entry.payload):
                continue
            frame = decode_frame(entry.payload)
            self._know_definitions(frame)
            for record in self._trail.of(self._records.of(entry.index, frame, entry.hash)):
                if record.position <= self._query.after:
                    continue
                if len(rows) >= self._query.limit or size > BYTES_MAX:
                    return Found(rows, len(rows), is_more=True)
                text = msgspec.json.encode(record).decode()
                size += len(text)
                rows.append((*record.position, text, line_of(record)))
            if self._trail.is_over:
                break
        return Found(rows, len(rows))

    def _may_concern(self, payload: bytes) -> bool:
        """Whether one of the keys stands in it. MessagePack has such large numbers in eight bytes."""
        keys = self._trail.keys
        return len(keys) > _KEYS_MAX or any(b"\xcf" + key.to_bytes(8, "big") in payload for key in keys)

    def _know_definitions(self, frame: Frame) -> None:
        for event in frame.events:
            key = getattr(event, "definition_key", 0)
            if key and key not in self._definitions:
                self._definitions.add(key)
                _, known = self._file.read(partial(_definition, key=key))
                if known is not None:
                    self._records.note(Frame(0, 0, (), (known,)))


def _definition(reader: HistoryReader, key: int) -> events.ProcessCreated | None:
    """A definition as it was deployed, as far as records tell of it."""
    rows = reader.rows(
        "SELECT deployment_key, process_id, version, coalesce(version_tag, ''), resource_name, tenant_id,"
        " content FROM definitions WHERE key = ?",
        (key,),
    )
    if not rows:
        return None
    deployment_key, process_id, version, version_tag, resource_name, tenant_id, content = rows[0]
    elements = reader.rows(
        "SELECT element_id FROM elements WHERE definition_key = ? ORDER BY element", (key,)
    )
    return events.ProcessCreated(
        key,
        deployment_key,
        process_id,
        version,
        version_tag,
        resource_name,
        b"",
        tenant_id,
        tuple(element_id for (element_id,) in elements),
        content,
    )


def _begin(archive: Archive, key: int) -> Position | None:
    """A position before an instance was created, and not far before; None if that is where the log begins."""
    files = archive.files()
    before = bisect_left(files, key, key=lambda file: _first_key(archive, file))
    if not before:
        return None
    return archive.header(files[before - 1]).previous


def _first_key(archive: Archive, file: ArchiveFile) -> int:
    """The last key that was given out when the first frame of a file was made, or the next after it."""
    for entry in archive.entries(file.first_index):
        if entry.kind == EntryKind.COMMAND:
            return decode_head(entry.payload).last_key
    return 1 << 63


def _unhurried(entries: Iterator[Entry], deadline: float) -> Iterator[Entry]:
    """The same, with a rest now and then, and an end if it takes too long."""
    rest_at = time.monotonic() + _WORK_SECONDS
    for entry in entries:
        now = time.monotonic()
        if now > deadline:
            raise TooSlowError("it takes too long to read: `bpmnd log export --instance` takes its time")
        if now > rest_at:
            time.sleep(_REST_SECONDS)
            rest_at = time.monotonic() + _WORK_SECONDS
        yield entry
