"""A checkpoint store in one file of a simulated disk, so that a whole cluster lives in memory."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import final

import msgspec

from bpmnd.storage.cold_store import Row
from bpmnd.storage.disk import Disk, read_file, replace_file
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError

_FILE = "rows"


class _Content(msgspec.Struct, frozen=True):
    rows: dict[bytes, bytes]
    meta: dict[str, bytes]
    index: int
    term: int
    hash: bytes


@final
class FileStores:
    """Opens such stores."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def open(self, path: Path) -> "FileStore":
        return FileStore(self._disk, path)

    def position(self, path: Path) -> Position | None:
        return FileStore(self._disk, path).position()


@final
class FileStore:
    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk = disk
        self._path = path
        self._written: dict[bytes, bytes | None] = {}
        self.is_broken = False
        """Reads find what was not written."""
        self.is_hidden_damaged = False
        """Something is not what was written, but only who reads all through comes upon it."""
        disk.make_directory(path)
        self._content: _Content | None = None
        if _FILE in disk.names(path):
            try:
                self._content = msgspec.msgpack.decode(read_file(disk, path / _FILE), type=_Content)
            except msgspec.DecodeError as error:
                raise DamageError("checkpoint", path, None, None, str(error)) from error

    def get(self, key: bytes) -> bytes | None:
        self._check()
        return None if self._content is None else self._content.rows.get(key)

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        self._check()
        rows = {} if self._content is None else self._content.rows
        return [(key, rows[key]) for key in sorted(rows) if start <= key < stop][:limit]

    def write(self, batch: Sequence[Row]) -> None:
        self._written.update(batch)

    def commit(self, position: Position, meta: Mapping[str, bytes] | None = None) -> None:
        rows = {} if self._content is None else dict(self._content.rows)
        for key, value in self._written.items():
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value
        self._written.clear()
        self._content = _Content(rows, dict(meta or {}), position.index, position.term, position.hash)
        replace_file(self._disk, self._path / _FILE, msgspec.msgpack.encode(self._content))

    def abandon(self) -> None:
        self._written.clear()

    def position(self) -> Position | None:
        content = self._content
        return None if content is None else Position(content.index, content.term, content.hash)

    def meta(self, name: str) -> bytes | None:
        return None if self._content is None else self._content.meta.get(name)

    def freeze(self, directory: Path) -> None:
        self._disk.make_directory(directory)
        if self._content is not None:
            replace_file(self._disk, directory / _FILE, msgspec.msgpack.encode(self._content))

    def verify(self) -> int:
        return 0 if self._content is None else len(self._content.rows)

    def scan(self, aside: Path) -> Iterator[int]:
        for key, value in ({} if self._content is None else self._content.rows).items():
            self.is_broken = self.is_broken or self.is_hidden_damaged
            self._check()
            yield len(key) + len(value)

    def close(self) -> None:
        self._written.clear()

    def _check(self) -> None:
        if self.is_broken:
            raise DamageError("checkpoint", self._path, None, None, "a block has a wrong checksum")
