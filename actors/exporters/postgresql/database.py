"""The database as the exporter writes to it."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final, final

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import msgspec
from sqlalchemy import Table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bpmnd.actors.exporters.postgresql.migrating import migrate
from bpmnd.actors.exporters.postgresql.rows import changes_of, collapsed, moment, text
from bpmnd.actors.exporters.postgresql.statements import (
    ENTITY_COLUMNS,
    NOTHING,
    by_column,
    has_lists,
    insert_new,
    upsert,
)
from bpmnd.actors.exporters.postgresql.tables import RECORDS
from bpmnd.actors.exporters.records import Record

_CONNECT_SECONDS: Final = 10
_RECORD_COLUMNS: Final = tuple(RECORDS.c.keys())
_DATA_ERRORS: Final = ("22", "54")
"""Classes of SQLSTATE: it is what was sent, and would be so each time."""
_THERE: Final = "23505"
"""SQLSTATE of a key that is there already."""
_ESCAPE: Final = re.compile(
    r"\\\\"  # a backslash itself
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair of surrogates
    r"|\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})"  # what PostgreSQL has no place for
)


class _Way(Enum):
    """How records are written. A copy costs half as much, but fails if one of them is there already."""

    COPY = auto()
    INSERT = auto()


@final
class Database:
    """One connection, made when it is opened."""

    def __init__(self, url: str, password: str | None, schema: str, *, keeps_records: bool) -> None:
        address = make_url(url).set(drivername="postgresql+asyncpg")
        if password is not None:
            address = address.set(password=password)
        self._schema = schema
        self._keeps_records = keeps_records
        self._engine = create_async_engine(
            address,
            pool_size=1,
            max_overflow=1,
            pool_pre_ping=True,
            connect_args={"timeout": _CONNECT_SECONDS},
            json_serializer=str,  # What is written is JSON already.
        ).execution_options(schema_translate_map={None: schema})

    async def open(self) -> None:
        """Raises OSError and SQLAlchemyError."""
        await migrate(self._engine, self._schema)

    async def write(self, records: Sequence[Record]) -> None:
        """Returns when all is committed. Raises OSError, SQLAlchemyError and PostgresError.

        Some records may be there: they come again after a crash, or another node has led meanwhile.
        """
        state = ""
        for way in _Way:
            try:
                await self._write(records, way)
            except (DBAPIError, asyncpg.PostgresError) as error:
                state = _state_of(error)
                if state != _THERE and not state.startswith(_DATA_ERRORS):
                    raise
            else:
                return
        for record in records:
            await self._write_with_care(record)

    async def close(self) -> None:
        await self._engine.dispose()

    async def _write_with_care(self, record: Record) -> None:
        """A record with a value that PostgreSQL has no place for must not hold up all others."""
        try:
            await self._write((record,), _Way.INSERT)
        except DBAPIError as error:
            if not _state_of(error).startswith(_DATA_ERRORS):
                raise
            spared = msgspec.structs.replace(record, value={"unreadable": _json(record.value)})
            async with self._engine.begin() as connection:
                await self._add(connection, (spared,), _Way.INSERT)

    async def _write(self, records: Sequence[Record], way: _Way) -> None:
        async with self._engine.begin() as connection:
            if self._keeps_records:
                await self._add(connection, records, way)
            await self._change(connection, records)

    async def _add(self, connection: AsyncConnection, records: Sequence[Record], way: _Way) -> None:
        rows = [_row_of(record) for record in records]
        if way is _Way.INSERT:
            await connection.execute(insert_new(RECORDS, _RECORD_COLUMNS), by_column(_RECORD_COLUMNS, rows))
            return
        await connection.execute(NOTHING)  # The transaction begins with its first statement.
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.copy_records_to_table(
            RECORDS.name, schema_name=self._schema, columns=_RECORD_COLUMNS, records=rows
        )

    async def _change(self, connection: AsyncConnection, records: Sequence[Record]) -> None:
        partition = records[0].partition_id
        changes = collapsed(change for record in records for change in changes_of(record))
        alike: dict[tuple[Table, tuple[str, ...]], list[tuple[Any, ...]]] = defaultdict(list)
        for table, key, position, columns in changes:
            names = tuple(sorted(columns))
            alike[table, names].append((key, partition, *position, *(columns[name] for name in names)))
        for (table, names), rows in alike.items():
            everything = (*ENTITY_COLUMNS, *names)
            parameters: Any = (
                [dict(zip(everything, row, strict=True)) for row in rows]
                if has_lists(table, names)
                else by_column(everything, rows)
            )
            await connection.execute(upsert(table, names), parameters)


def _state_of(error: DBAPIError | asyncpg.PostgresError) -> str:
    """The SQLSTATE."""
    return getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None) or ""


def _row_of(record: Record) -> tuple[Any, ...]:
    """As `RECORDS` has its columns."""
    value = record.value
    instance: str | None = value.get("processInstanceKey")
    return (
        record.partition_id,
        *record.position,
        moment(record.time),
        record.value_type,
        record.intent,
        int(record.key) if record.key else None,
        int(instance) if instance else None,
        _json(value),
        text(record.cause),
        bytes.fromhex(record.hash) if record.hash else None,
        text(record.user),
        record.operation_reference,
    )


def _json(value: Mapping[str, Any]) -> str:
    """JSON as PostgreSQL can keep it: without characters that its text cannot have."""
    written = msgspec.json.encode(value).decode()
    return _ESCAPE.sub(_kept, written) if "\\u" in written else written


def _kept(found: re.Match[str]) -> str:
    escape = found[0]
    return escape if len(escape) != len("\\u0000") else "\\ufffd"
