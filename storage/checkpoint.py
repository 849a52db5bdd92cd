"""The checkpoint store: rows as they stood at one position of the log. See docs/checkpoint.md."""

import heapq
import shutil
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, final

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    Checkpoint,
    DBCompressionType,
    IngestExternalFileOptions,
    Options,
    Rdict,
    ReadOptions,
    SstFileWriter,
)

from bpmnd.storage.cold_store import RESERVED, Row
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError, StorageError

T = TypeVar("T")

_POSITION_KEY = RESERVED + b"position"
_META_PREFIX = RESERVED + b"meta/"
_META_STOP = RESERVED + b"meta0"
_POSITION = struct.Struct("<QQ32sI")

_USER_START = b"\1"

_SLICE = 512
_PIECE_BYTES = 64 << 10
_SCAN_CACHE = 1 << 20
_PAUSE_SECONDS = 0.00005


def pause() -> None:
    """Let the event loop have the interpreter: sleeping for no time would not."""
    time.sleep(_PAUSE_SECONDS)


@final
class CheckpointStore:
    """Rows in RocksDB. Reads from any thread; `write` and `commit` from one, not the event loop's.

    A checkpoint is one sorted file, made beside the store and taken in by one atomic step.
    """

    def __init__(
        self, path: Path, *, cache_bytes: int = 32 << 20, between: Callable[[], None] = pause
    ) -> None:
        self._path = path
        self._staged = path.with_name(path.name + ".staged")
        self._options = _options(cache_bytes)
        self._between = between
        self._runs: list[list[Row]] = []
        _create(path, self._options)
        self._staged.unlink(missing_ok=True)
        self._rows = _guard(path, lambda: Rdict(str(path), self._options))
        try:
            self._position = self._read_position()
        except BaseException:
            self._rows.close()
            raise

    def get(self, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._rows.get(key)
        except Exception as error:
            raise _ours(self._path, error) from error
        return value

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` rows from `start` on, up to but without `stop`, by key."""
        found: list[tuple[bytes, bytes]] = []
        options = ReadOptions()
        options.set_iterate_upper_bound(stop)
        try:
            rows = self._rows.iter(options)
            rows.seek(max(start, _USER_START))
            while len(found) < limit and rows.valid():
                found.append((rows.key(), rows.value()))
                rows.next()
            rows.status()
        except Exception as error:
            raise _ours(self._path, error) from error
        return found

    def write(self, batch: Sequence[Row]) -> None:
        """Add rows to the coming checkpoint, None for a row to delete; a later one wins over an earlier."""
        assert not any(key.startswith(RESERVED) for key, _ in batch), "a key of the store's own"
        self._runs.append(_sorted(batch))

    def abandon(self) -> None:
        """Forget what was written since the last commit."""
        self._runs.clear()

    def commit(self, position: Position, meta: Mapping[str, bytes] | None = None) -> None:
        """Make the rows written since the last commit, and the position, readable and durable at once."""
        own: list[Row] = [(_META_PREFIX + name.encode(), value) for name, value in (meta or {}).items()]
        own.append((_POSITION_KEY, _pack_position(position)))
        runs, self._runs = [*self._runs, _sorted(own)], []
        try:
            self._make_file(runs)
            self._between()
            self._rows.ingest_external_file([str(self._staged)], _ingestion())
        except Exception as error:
            raise _ours(self._path, error) from error
        self._position = position
        self._between()
        self._staged.unlink(missing_ok=True)  # Its other name: the store has it by link.

    def _make_file(self, runs: list[list[Row]]) -> None:
        """Write the staged file, pausing so that the event loop never waits for long."""
        self._staged.unlink(missing_ok=True)
        file = SstFileWriter(self._options)
        file.open(str(self._staged))
        for number, (key, value) in enumerate(_merged(runs), 1):
            if value is None:
                del file[key]
            else:
                file[key] = value
            if number % _SLICE == 0:
                self._between()
        file.finish()

    def position(self) -> Position | None:
        """Where the log stood when the rows were as they are; None before the first checkpoint."""
        return self._position

    def meta(self, name: str) -> bytes | None:
        return self.get(_META_PREFIX + name.encode())

    def freeze(self, directory: Path) -> None:
        """Make a copy of what is committed at a place that does not exist yet: by links, so in no time."""
        _guard(directory, lambda: Checkpoint(self._rows).create_checkpoint(str(directory)))

    def verify(self) -> int:
        """Read every row with its checksum; how many there are. Raises `DamageError`."""
        return _count(self._path, self._rows)

    def scan(self, aside: Path) -> Iterator[int]:
        """Read every row with its checksum, piece by piece, from a copy by links: what compaction does
        meanwhile is no matter. How many bytes each piece had. Raises `DamageError`."""
        shutil.rmtree(aside, ignore_errors=True)
        self.freeze(aside)
        options = _options(_SCAN_CACHE)
        try:
            rows = _guard(
                self._path, lambda: Rdict(str(aside), options, access_type=AccessType.read_only(False))
            )
            try:
                yield from _pieces(self._path, rows, self._between)
            finally:
                rows.close()
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self._path.iterdir())

    def close(self) -> None:
        self._rows.close()

    def _read_position(self) -> Position | None:
        value = self.get(_POSITION_KEY)
        return None if value is None else _unpack_position(self._path, value)


@final
class CheckpointStores:
    """Opens checkpoints of RocksDB."""

    def open(self, path: Path) -> CheckpointStore:
        return CheckpointStore(path)

    def position(self, path: Path) -> Position | None:
        """The position of a checkpoint that nobody has open. Raises StorageError for what is none."""
        options = _options(1 << 20)
        rows = _guard(path, lambda: Rdict(str(path), options, access_type=AccessType.read_only(False)))
        try:
            value = rows.get(_POSITION_KEY)
            return None if value is None else _unpack_position(path, value)
        finally:
            rows.close()


def verify_checkpoint(path: Path) -> int:
    """Read every row of a store that no one has open for writing. Raises `DamageError`."""
    options = _options(1 << 20)
    rows = _guard(path, lambda: Rdict(str(path), options, access_type=AccessType.read_only(False)))
    try:
        return _count(path, rows)
    finally:
        rows.close()


def _count(path: Path, rows: Rdict) -> int:
    """Read all rows. Their iterator ends at a bad block as at the end; only its status tells."""
    options = ReadOptions()
    options.set_verify_checksums(True)
    count = 0
    try:
        row = rows.iter(options)
        row.seek_to_first()
        while row.valid():
            count += 1
            row.next()
        row.status()
    except Exception as error:
        raise _ours(path, error) from error
    return count


def _pieces(path: Path, rows: Rdict, between: Callable[[], None]) -> Iterator[int]:
    """Read all rows; the bytes of each piece."""
    options = ReadOptions()
    options.set_verify_checksums(True)
    after: bytes | None = b""
    while after is not None:
        between()
        size, after = _piece(path, rows, options, after)
        yield size


def _piece(path: Path, rows: Rdict, options: ReadOptions, after: bytes) -> tuple[int, bytes | None]:
    """Read some rows after a key: their bytes, and the last key; None when there is no more."""
    size, count = 0, 0
    last: bytes | None = None
    try:
        row = rows.iter(options)
        row.seek(after + b"\0" if after else b"")
        while row.valid() and size < _PIECE_BYTES and count < _SLICE:
            last = key = row.key()
            size += len(key) + len(row.value())
            count += 1
            row.next()
        row.status()
    except Exception as error:
        raise _ours(path, error) from error
    return size, last


def _create(path: Path, options: Options) -> None:
    """Make an empty store, whole or not at all."""
    if (path / "CURRENT").exists():
        return
    disk = RealDisk()
    disk.make_directory(path.parent)
    made = path.with_name(path.name + ".new")
    if made.exists():
        shutil.rmtree(made)
    _guard(made, lambda: Rdict(str(made), options)).close()
    for name in disk.names(made):
        file = disk.open(made / name)
        file.sync()
        file.close()
    disk.sync_directory(made)
    disk.rename(made, path)
    disk.sync_directory(path.parent)


def _options(cache_bytes: int) -> Options:
    table = BlockBasedOptions()
    table.set_block_cache(Cache(cache_bytes))
    table.set_block_size(8 << 10)
    table.set_bloom_filter(10, block_based=False)
    table.set_format_version(5)
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(table)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_bottommost_compression_type(DBCompressionType.zstd())
    options.set_level_compaction_dynamic_level_bytes(True)
    options.set_write_buffer_size(1 << 20)
    options.set_max_background_jobs(2)
    options.set_bytes_per_sync(1 << 20)
    options.set_max_open_files(256)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(1 << 20)
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)
    options.set_paranoid_checks(True)
    return options


def _ingestion() -> IngestExternalFileOptions:
    options = IngestExternalFileOptions()
    options.set_move_files(True)
    return options


def _sorted(batch: Sequence[Row]) -> list[Row]:
    """The rows by key, for each key the last one."""
    return sorted(dict(batch).items())


def _merged(runs: list[list[Row]]) -> Iterator[Row]:
    """All rows by key. Of those with one key the last run's."""
    tagged = [[(key, -number, value) for key, value in run] for number, run in enumerate(runs)]
    before: bytes | None = None
    for key, _, value in heapq.merge(*tagged, key=_key_and_age):
        if key != before:
            before = key
            yield key, value


def _key_and_age(row: tuple[bytes, int, bytes | None]) -> tuple[bytes, int]:
    return row[0], row[1]


def _pack_position(position: Position) -> bytes:
    fields = struct.pack("<QQ32s", position.index, position.term, position.hash)
    return fields + zlib.crc32(fields).to_bytes(4, "little")


def _unpack_position(path: Path, value: bytes) -> Position:
    if len(value) != _POSITION.size or zlib.crc32(value[:-4]).to_bytes(4, "little") != value[-4:]:
        raise DamageError("checkpoint", path, None, None, "the position's checksum is wrong")
    index, term, hash, _ = _POSITION.unpack(value)
    return Position(index, term, hash)


def _guard(path: Path, call: Callable[[], T]) -> T:
    try:
        return call()
    except Exception as error:
        raise _ours(path, error) from error


def _ours(path: Path, error: Exception) -> StorageError:
    """RocksDB's errors come as bare `Exception` with the status in the text."""
    text = str(error)
    if "Corruption" in text or "checksum" in text:
        return DamageError("checkpoint", path, None, None, text)
    return StorageError(f"{path}: {text}")
