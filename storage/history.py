"""The history of one partition replica: tables of what happened, in one SQLite file, written and read.

What the tables are says `storage/history_schema.py`.
"""

import sqlite3
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, final

from bpmnd.storage.entry import ORIGIN, Position
from bpmnd.storage.errors import StorageError
from bpmnd.storage.history_schema import INDEXES, META, OF_INSTANCE, SCHEMA_VERSION, TABLES

Value: TypeAlias = int | str | bytes | None
Row: TypeAlias = tuple[Value, ...]
Gone: TypeAlias = tuple[int, list[tuple[int, int, int, int]]]
"""The key of an instance that was deleted; of it (element 0) and of its element instances: definition,
element, state, how many."""

_BUSY_SECONDS: Final = 10.0
_CACHE_KIB: Final = 64 << 10
_READ_CACHE_KIB: Final = 16 << 10
_MMAP_BYTES: Final = 1 << 30
ANSWER_SIZE_MAX: Final = 16 << 20
"""Bytes that a query may find, more or less: texts count with their characters, all else with eight."""
_ROW_SIZE: Final = 48
_STEPS_PER_CHECK: Final = 100_000
_SUFFIXES: Final = ("", "-wal", "-shm")


class HistoryError(StorageError):
    """The file of a history cannot be used."""


class TooSlowError(Exception):
    """A query took longer than it may."""


class TooLargeError(Exception):
    """A query found more than may be in memory, or go to another node, at once."""


@final
@dataclass(frozen=True, slots=True)
class Progress:
    """How far a history has come: a position of the log, and its time."""

    position: Position = ORIGIN
    time: int = 0
    begins_after: int = 0
    """The last entry that it knows nothing of: 0, unless the log is not kept from its beginning."""


@final
class HistoryWriter:
    """The only writer of a file. Blocking."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._replace = {
            table: f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(columns))})"
            for table, columns in TABLES.items()
        }
        with _ours(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        return connection

    def progress(self) -> Progress | None:
        """None for a file without these tables, or with those of another version."""
        with _ours(self._path):
            return progress_of(self._connection)

    def begin_anew(self, begins_after: Position) -> None:
        """Empty tables, that know nothing up to a position."""
        with _ours(self._path):
            self._connection.close()
            remove_history(self._path)
            self._connection = self._open()
            with self.transaction():
                self._connection.execute(META)
                for table, columns in TABLES.items():
                    quoted = [f'"{name}" {kind}' for name, _, kind in (c.partition(" ") for c in columns)]
                    self._connection.execute(f"CREATE TABLE {table} ({', '.join(quoted)})")
                for index in INDEXES:
                    self._connection.execute(index)
                self._note(Progress(begins_after, 0, begins_after.index))

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All that is written inside counts together, or not at all."""
        with _ours(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def write(
        self,
        rows: Mapping[str, Iterable[Row]],
        expired: Mapping[str, tuple[int, list[int]]],
        progress: Progress,
    ) -> None:
        """Put rows in, or in the place of those with the same key; then delete those that have expired: of a
        table the ones before a key, and single ones. Inside of a transaction."""
        for table, some in rows.items():
            self._connection.executemany(self._replace[table], some)
        for table, (first_key, keys) in expired.items():
            self._connection.execute(f"DELETE FROM {table} WHERE key < ?", (first_key,))
            self._connection.executemany(f"DELETE FROM {table} WHERE key = ?", [(key,) for key in keys])
        self._note(progress)

    def drop_ended(self, before: int, limit: int) -> list[Gone]:
        """Delete process instances that ended before a moment, with all that is theirs: at most so many, the
        oldest first. And as many of the operations before it that were of no instance. Inside of a
        transaction."""
        execute = self._connection.execute
        execute(
            "DELETE FROM audit WHERE key IN (SELECT key FROM audit WHERE instance_key IS NULL AND time < ?"
            " ORDER BY time LIMIT ?)",
            (before, limit),
        )
        keys = execute(
            'SELECT key, definition_key, state FROM instances WHERE "end" < ? ORDER BY "end", key LIMIT ?',
            (before, limit),
        ).fetchall()
        gone: list[Gone] = []
        for key, definition_key, state in keys:
            counts = execute(
                "SELECT definition_key, element, state, count(*) FROM element_instances"
                " WHERE instance_key = ? GROUP BY definition_key, element, state",
                (key,),
            ).fetchall()
            gone.append((key, [(definition_key, 0, state, 1), *counts]))
            for table in OF_INSTANCE:
                execute(f"DELETE FROM {table} WHERE instance_key = ?", (key,))
            execute("DELETE FROM instances WHERE key = ?", (key,))
        return gone

    def get(self, table: str, key: int) -> Row | None:
        with _ours(self._path):
            row: Row | None = self._connection.execute(
                f"SELECT * FROM {table} WHERE key = ?", (key,)
            ).fetchone()
            return row

    def find(self, table: str, **equal: Value) -> list[Row]:
        """The rows in which these columns have these values."""
        conditions = " AND ".join(f'"{name}" IS ?' for name in equal)
        with _ours(self._path):
            return self._connection.execute(
                f"SELECT * FROM {table} WHERE {conditions} ORDER BY key", tuple(equal.values())
            ).fetchall()

    def last_key(self, table: str) -> int:
        """The highest key in a table, 0 if it is empty."""
        with _ours(self._path):
            (key,) = self._connection.execute(f"SELECT coalesce(max(key), 0) FROM {table}").fetchone()
            return int(key)

    def log_time(self) -> int:
        progress = self.progress()
        return 0 if progress is None else progress.time

    def all(self, table: str) -> list[Row]:
        with _ours(self._path):
            return self._connection.execute(f"SELECT * FROM {table} ORDER BY key").fetchall()

    def close(self) -> None:
        with _ours(self._path):
            self._connection.close()

    def _note(self, progress: Progress) -> None:
        position = progress.position
        self._connection.execute(
            "INSERT OR REPLACE INTO meta VALUES (1, ?, ?, ?, ?, ?, ?)",
            (
                SCHEMA_VERSION,
                position.index,
                position.term,
                position.hash,
                progress.time,
                progress.begins_after,
            ),
        )


@final
class HistoryReader:
    """Reads a file while it is written. Blocking, for one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._deadline = 0.0
        with _ours(path):
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro",
                uri=True,
                timeout=1.0,
                isolation_level=None,
                check_same_thread=False,
            )
            self._connection.execute(f"PRAGMA cache_size = -{_READ_CACHE_KIB}")
            self._connection.execute(f"PRAGMA mmap_size = {_MMAP_BYTES}")
            self._connection.execute("PRAGMA query_only = ON")
            self._connection.execute("PRAGMA temp_store = MEMORY")
        self._connection.set_progress_handler(self._is_late, _STEPS_PER_CHECK)

    @contextmanager
    def snapshot(self, seconds_max: float) -> Generator[Progress]:
        """All queries inside see the same rows: those of this progress.

        Raises TooSlowError, from the queries too, when it takes longer.
        """
        with _ours(self._path):
            self._deadline = time.monotonic() + seconds_max
            self._connection.execute("BEGIN")
            try:
                progress = progress_of(self._connection)
                if progress is None:
                    raise HistoryError(f"{self._path} has other tables")
                yield progress
            finally:
                self._deadline = 0.0
                self._connection.execute("ROLLBACK")

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """What a query of our own finds: how its columns look is known where it is made.

        Raises TooSlowError, and TooLargeError.
        """
        try:
            return self._limited(self._connection.execute(sql, parameters))
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise TooSlowError("the query took too long") from None
            raise

    def close(self) -> None:
        self._connection.close()

    def _limited(self, cursor: sqlite3.Cursor) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        size = 0
        for row in cursor:
            found.append(row)
            size += _ROW_SIZE
            for value in row:
                size += len(value) if type(value) is str else 8
            if size > ANSWER_SIZE_MAX:
                raise TooLargeError(f"more than {ANSWER_SIZE_MAX >> 20} MiB")
        return found

    def _is_late(self) -> bool:
        return self._deadline > 0 and time.monotonic() > self._deadline


def progress_of(connection: sqlite3.Connection) -> Progress | None:
    try:
        row: Any = connection.execute(
            'SELECT version, "index", term, hash, time, begins_after FROM meta'
        ).fetchone()
    except sqlite3.OperationalError as error:
        if "no such" in str(error):
            return None
        raise
    if row is None or row[0] != SCHEMA_VERSION:
        return None
    _, index, term, hash, at, begins_after = row
    return Progress(Position(index, term, hash), at, begins_after)


def remove_history(path: Path) -> None:
    """Delete a file and what SQLite keeps beside it."""
    with _ours(path):
        for suffix in _SUFFIXES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def dump_history(path: Path) -> dict[str, list[Row]]:
    """All rows of all tables, to compare (blocking)."""
    with _ours(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY key").fetchall() for table in TABLES
        }


@contextmanager
def _ours(path: Path) -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise HistoryError(f"{path}: {error}") from error
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror}") from error
