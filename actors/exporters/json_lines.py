"""The exporter to files: one record a line, as `bpmnd log export` prints it."""

import asyncio
import fcntl
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, final

import msgspec

from bpmnd.actors.exporters.protocol import Source
from bpmnd.actors.exporters.records import Record
from bpmnd.actors.exporters.settings import settings_as

_encode: Final = msgspec.json.Encoder().encode
_TAIL: Final = 1 << 16


class JsonLinesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    directory: str = ""
    """Empty: `exporters/NAME` in the data directory."""
    file_mib: float = 100
    """A file that has become so large is left, and another begun,"""
    file_hours: float = 24
    """or one whose first record is so old, by the time of the log."""


@final
class JsonLinesExporter:
    """Files `PARTITION-ENTRY.jsonl`, each named after the entry that it begins with.

    What is acknowledged is on disk. A line that a crash has torn is cut off, and what is in the files already
    is not written again: in the files of one node nothing is twice.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings_as(JsonLinesSettings, settings)
        self._files: _Files | None = None
        self._source: Source | None = None

    async def open(self, source: Source) -> None:
        directory = Path(self._settings.directory or source.directory)
        self._source = source
        self._files = _Files(
            directory,
            source.partition_id,
            int(self._settings.file_mib * (1 << 20)),
            timedelta(hours=self._settings.file_hours),
        )
        await asyncio.to_thread(self._files.open)

    async def export(self, records: Sequence[Record]) -> None:
        assert self._files is not None, "it is opened first"
        assert self._source is not None, "it is opened first"
        await asyncio.to_thread(self._files.write, records)
        self._source.acknowledge(records[-1].position[0])

    async def close(self) -> None:
        if self._files is not None:
            self._files.close()


class _Line(msgspec.Struct):
    """What is to be known of a line that was written."""

    position: tuple[int, int]
    time: str


_decode: Final = msgspec.json.Decoder(_Line).decode


@final
class _Files:
    """The files of one partition. Blocking."""

    def __init__(self, directory: Path, partition_id: int, size_max: int, age_max: timedelta) -> None:
        self._directory = directory
        self._partition_id = partition_id
        self._size_max = size_max
        self._age_max = age_max
        self._descriptor: int | None = None
        self._lock: int | None = None
        self._size = 0
        self._began: datetime | None = None
        """Log time of the first record of the file."""
        self._last = (0, 0)
        """Position of the last record that is in a file."""

    def open(self) -> None:
        """Find the newest file, and where it ends. Raises OSError, also while another process has the files:
        that of a node that was killed may be at its last batch still."""
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{self._partition_id}.lock"
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(f"another process writes to {self._directory}") from None
        found = sorted(self._directory.glob(f"{self._partition_id}-*.jsonl"))
        for path in reversed(found):
            self._open(path)
            if self._size:
                return
            self._leave()  # It had nothing but a torn line.
            path.unlink()

    def write(self, records: Sequence[Record]) -> None:
        """Returns when all is on disk. Raises OSError."""
        new = [record for record in records if record.position > self._last]
        lines: list[bytes] = []
        size = 0
        for record in new:
            line = _encode(record) + b"\n"
            if self._descriptor is None or self._is_full(size + len(line), record):
                self._append(lines)
                lines, size = [], 0
                self._begin(record)
            lines.append(line)
            size += len(line)
        self._append(lines)
        if new:
            self._last = new[-1].position

    def close(self) -> None:
        self._leave()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _leave(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self, path: Path) -> None:
        descriptor = self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        content_end = _end_of_lines(descriptor)
        if content_end < os.fstat(descriptor).st_size:
            os.ftruncate(descriptor, content_end)
        os.fsync(descriptor)  # It may have been written, but not synced, before a crash.
        self._size = content_end
        if content_end:
            first = _decode(_first_line(descriptor))
            self._began = datetime.fromisoformat(first.time)
            self._last = _decode(_last_line(descriptor, content_end)).position

    def _is_full(self, more: int, record: Record) -> bool:
        if self._size + more > self._size_max and self._size + more > 0:
            return True
        return self._began is not None and datetime.fromisoformat(record.time) - self._began >= self._age_max

    def _begin(self, record: Record) -> None:
        self._leave()
        index, number = record.position
        path = self._directory / f"{self._partition_id}-{index:020d}-{number:06d}.jsonl"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o640)
        self._size = 0
        self._began = datetime.fromisoformat(record.time)
        directory = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _append(self, lines: Sequence[bytes]) -> None:
        if not lines:
            return
        assert self._descriptor is not None, "a file is begun first"
        data = b"".join(lines)
        while data:
            written = os.pwrite(self._descriptor, data, self._size)
            self._size += written
            data = data[written:]
        os.fdatasync(self._descriptor)


def _end_of_lines(descriptor: int) -> int:
    """Where the last whole line ends."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(end - _TAIL, 0)
        at = os.pread(descriptor, end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _first_line(descriptor: int) -> bytes:
    line, offset = b"", 0
    while b"\n" not in line:
        line += os.pread(descriptor, _TAIL, offset)
        offset += _TAIL
    return line[: line.index(b"\n")]


def _last_line(descriptor: int, end: int) -> bytes:
    """The line that ends there."""
    tail, start = b"", end - 1
    while start:
        size = min(_TAIL, start)
        start -= size
        tail = os.pread(descriptor, size, start) + tail
        if (at := tail.rfind(b"\n")) >= 0:
            return tail[at + 1 :]
    return tail
