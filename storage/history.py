"""The history of one partition replica: tables of what happened, in one SQLite file, and how they are read.

Keys are the primary keys of the tables, so rows stand in the order in which things began. What a definition
says of all its instances stands once, in `definitions` and `elements`. Enumerations are small numbers, rising
with the alphabet; moments are milliseconds. No table is ever migrated: another version of the schema is built
anew from the log.
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

SCHEMA_VERSION: Final = 5
Value: TypeAlias = int | str | bytes | None
Row: TypeAlias = tuple[Value, ...]
Gone: TypeAlias = tuple[int, list[tuple[int, int, int, int]]]
"""The key of an instance that was deleted; of its element instances: definition, element, state, how many."""

TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "definitions": (
        "key INTEGER PRIMARY KEY",
        "process_id TEXT NOT NULL",
        "version INTEGER NOT NULL",
        "version_tag TEXT",
        "name TEXT",
        "resource_name TEXT NOT NULL",
        "tenant_id TEXT NOT NULL",
        "deployment_key INTEGER NOT NULL",
        "has_start_form INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "content BLOB NOT NULL",
    ),
    "elements": (
        "key INTEGER PRIMARY KEY",  # A number of its own: made here, not in the log.
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_id TEXT NOT NULL",
        "type INTEGER NOT NULL",
        "name TEXT",
        "headers TEXT NOT NULL",
        "active INTEGER NOT NULL",
        "completed INTEGER NOT NULL",
        "terminated INTEGER NOT NULL",
    ),
    "instances": (
        "key INTEGER PRIMARY KEY",
        "definition_key INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "start INTEGER NOT NULL",
        "end INTEGER",
        "incidents INTEGER NOT NULL",
        "parent_key INTEGER",
        "parent_element_key INTEGER",
        "root_key INTEGER",
        "tags TEXT",
        "business_id TEXT",
        "flows BLOB",
    ),
    "element_instances": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER NOT NULL",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "scope_key INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "start INTEGER NOT NULL",
        "end INTEGER",
        "incidents INTEGER NOT NULL",
        "incident_key INTEGER",
    ),
    "jobs": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER NOT NULL",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_key INTEGER NOT NULL",
        "type TEXT NOT NULL",
        "kind INTEGER NOT NULL",
        "listens_to INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "retries INTEGER NOT NULL",
        "created INTEGER NOT NULL",
        "updated INTEGER NOT NULL",
        "ended INTEGER",
        "deadline INTEGER",
        "worker TEXT NOT NULL",
        "error_code TEXT",
        "error_message TEXT",
    ),
    "variables": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER NOT NULL",
        "scope_key INTEGER NOT NULL",
        "name TEXT NOT NULL",
        "value TEXT NOT NULL",
    ),
    "incidents": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER NOT NULL",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_key INTEGER NOT NULL",
        "job_key INTEGER",
        "type INTEGER NOT NULL",
        "message TEXT NOT NULL",
        "message_hash INTEGER NOT NULL",
        "created INTEGER NOT NULL",
        "state INTEGER NOT NULL",
    ),
    "requirements": (
        "key INTEGER PRIMARY KEY",
        "requirements_id TEXT NOT NULL",
        "name TEXT NOT NULL",
        "version INTEGER NOT NULL",
        "resource_name TEXT NOT NULL",
        "tenant_id TEXT NOT NULL",
    ),
    "decisions": (
        "key INTEGER PRIMARY KEY",
        "decision_id TEXT NOT NULL",
        "name TEXT NOT NULL",
        "version INTEGER NOT NULL",
        "requirements_key INTEGER NOT NULL",
        "tenant_id TEXT NOT NULL",
    ),
    "decision_instances": (
        "key INTEGER PRIMARY KEY",  # Its place in the log.
        "instance_key INTEGER",
        "definition_key INTEGER",
        "element_key INTEGER",
        "evaluation_key INTEGER NOT NULL",
        "number INTEGER NOT NULL",
        "decision_key INTEGER NOT NULL",
        "decision_id TEXT NOT NULL",
        "name TEXT NOT NULL",
        "version INTEGER NOT NULL",
        "type INTEGER NOT NULL",
        "root_decision_key INTEGER NOT NULL",
        "requirements_key INTEGER",
        "tenant_id TEXT NOT NULL",
        "state INTEGER NOT NULL",
        "time INTEGER NOT NULL",
        "failure TEXT",
        "result TEXT NOT NULL",
        "inputs TEXT NOT NULL",
        "rules TEXT NOT NULL",
    ),
    "user_tasks": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER NOT NULL",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_key INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "created INTEGER NOT NULL",
        "completed INTEGER",
        "assignee TEXT",
        "candidate_groups TEXT NOT NULL",
        "candidate_users TEXT NOT NULL",
        "due INTEGER",
        "follow_up INTEGER",
        "priority INTEGER NOT NULL",
        "form_key INTEGER",
        "external_form TEXT",
    ),
    "subscriptions": (
        "key INTEGER PRIMARY KEY",
        "instance_key INTEGER",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_key INTEGER",
        "name TEXT NOT NULL",
        "correlation_key TEXT",
        "interrupting INTEGER NOT NULL",
        "state INTEGER NOT NULL",
        "updated INTEGER NOT NULL",
    ),
    "correlations": (
        "key INTEGER PRIMARY KEY",  # Its place in the log.
        "subscription_key INTEGER NOT NULL",
        "message_key INTEGER NOT NULL",
        "instance_key INTEGER NOT NULL",
        "definition_key INTEGER NOT NULL",
        "element INTEGER NOT NULL",
        "element_key INTEGER",
        "name TEXT NOT NULL",
        "correlation_key TEXT",
        "time INTEGER NOT NULL",
    ),
}
"""Table -> columns. The order is that of the rows which are written."""

_INDEXES: Final = (
    "CREATE UNIQUE INDEX definitions_id ON definitions (process_id, tenant_id, version)",
    "CREATE UNIQUE INDEX elements_place ON elements (definition_key, element)",
    "CREATE INDEX elements_id ON elements (element_id)",
    "CREATE INDEX instances_definition ON instances (definition_key)",
    "CREATE INDEX instances_live ON instances (state) WHERE state = 0",
    "CREATE INDEX instances_live_of ON instances (state, definition_key) WHERE state = 0",
    "CREATE INDEX instances_failing ON instances (incidents) WHERE incidents > 0",
    "CREATE INDEX instances_terminated ON instances (state) WHERE state = 2",
    "CREATE INDEX instances_start ON instances (start)",
    'CREATE INDEX instances_end ON instances ("end")',
    "CREATE INDEX instances_business ON instances (business_id) WHERE business_id IS NOT NULL",
    "CREATE INDEX instances_parent ON instances (parent_key) WHERE parent_key IS NOT NULL",
    "CREATE INDEX elements_of_instance ON element_instances (instance_key)",
    "CREATE INDEX elements_live ON element_instances (definition_key, element) WHERE state = 0",
    "CREATE INDEX elements_failing ON element_instances (incidents) WHERE incidents > 0",
    "CREATE INDEX jobs_of_instance ON jobs (instance_key)",
    "CREATE INDEX jobs_open ON jobs (type) WHERE ended IS NULL",
    "CREATE INDEX jobs_created ON jobs (state, type) WHERE state = 2",
    "CREATE INDEX jobs_failed ON jobs (state) WHERE state = 4",
    "CREATE INDEX variables_of_instance ON variables (instance_key)",
    "CREATE INDEX variables_value ON variables (name, substr(value, 1, 40))",
    "CREATE INDEX incidents_of_instance ON incidents (instance_key)",
    "CREATE INDEX incidents_state ON incidents (state)",
    "CREATE INDEX incidents_hash ON incidents (message_hash)",
    "CREATE INDEX decisions_of_instance ON decision_instances (instance_key) WHERE instance_key IS NOT NULL",
    "CREATE INDEX decisions_evaluation ON decision_instances (evaluation_key)",
    "CREATE INDEX decisions_definition ON decision_instances (decision_key)",
    "CREATE INDEX decisions_failed ON decision_instances (state) WHERE state = 1",
    "CREATE INDEX user_tasks_of_instance ON user_tasks (instance_key)",
    "CREATE INDEX user_tasks_created ON user_tasks (state) WHERE state = 5",
    "CREATE INDEX user_tasks_assignee ON user_tasks (assignee) WHERE assignee IS NOT NULL",
    "CREATE INDEX subscriptions_of_instance ON subscriptions (instance_key)",
    "CREATE INDEX correlations_of_instance ON correlations (instance_key)",
)
_META: Final = (
    "CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL,"
    ' "index" INTEGER NOT NULL, term INTEGER NOT NULL, hash BLOB NOT NULL, time INTEGER NOT NULL,'
    " begins_after INTEGER NOT NULL)"
)
OF_INSTANCE: Final = (
    "element_instances",
    "jobs",
    "variables",
    "incidents",
    "decision_instances",
    "user_tasks",
    "subscriptions",
    "correlations",
)
"""Tables whose rows go with their process instance."""
_BUSY_SECONDS: Final = 10.0
_CACHE_KIB: Final = 64 << 10
_READ_CACHE_KIB: Final = 16 << 10
_MMAP_BYTES: Final = 1 << 30
_STEPS_PER_CHECK: Final = 100_000
_SUFFIXES: Final = ("", "-wal", "-shm")


class HistoryError(StorageError):
    """The file of a history cannot be used."""


class TooSlowError(Exception):
    """A query took longer than it may."""


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
                self._connection.execute(_META)
                for table, columns in TABLES.items():
                    quoted = [f'"{name}" {kind}' for name, _, kind in (c.partition(" ") for c in columns)]
                    self._connection.execute(f"CREATE TABLE {table} ({', '.join(quoted)})")
                for index in _INDEXES:
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

    def write(self, rows: Mapping[str, Iterable[Row]], progress: Progress) -> None:
        """Put rows in, or in the place of those with the same key. Inside of a transaction."""
        for table, some in rows.items():
            self._connection.executemany(self._replace[table], some)
        self._note(progress)

    def drop_ended(self, before: int, limit: int) -> list[Gone]:
        """Delete process instances that ended before a moment, with all that is theirs: at most so many, the
        oldest first. Inside of a transaction."""
        execute = self._connection.execute
        keys = execute(
            'SELECT key FROM instances WHERE "end" < ? ORDER BY "end", key LIMIT ?', (before, limit)
        ).fetchall()
        gone: list[Gone] = []
        for (key,) in keys:
            counts = execute(
                "SELECT definition_key, element, state, count(*) FROM element_instances"
                " WHERE instance_key = ? GROUP BY definition_key, element, state",
                (key,),
            ).fetchall()
            gone.append((key, counts))
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
        """What a query of our own finds: how its columns look is known where it is made."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise TooSlowError("the query took too long") from None
            raise

    def close(self) -> None:
        self._connection.close()

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
