"""The database as the exporter writes to it."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import msgspec
from sqlalchemy import Table, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bpmnd.actors.exporters.postgresql.migrating import migrate
from bpmnd.actors.exporters.postgresql.rows import Change, changes_of, collapsed, moment, text
from bpmnd.actors.exporters.postgresql.tables import RECORDS
from bpmnd.actors.exporters.records import Record

_CONNECT_SECONDS: Final = 10
_POSITION: Final = ("partition", "entry", "number")
_DATA_ERRORS: Final = ("22", "54")
"""Classes of SQLSTATE: it is what was sent, and would be so each time."""
_ESCAPE: Final = re.compile(
    r"\\\\"  # a backslash itself
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair of surrogates
    r"|\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})"  # what PostgreSQL has no place for
)
_INSERT_RECORDS: Final = (
    insert(RECORDS)
    .from_select(
        [column.name for column in RECORDS.c],
        select(*(func.unnest(bindparam(column.name, type_=ARRAY(column.type))) for column in RECORDS.c)),
    )
    .on_conflict_do_nothing(index_elements=_POSITION)
)
"""A column at a time, which costs less than half of a row at a time."""


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
            json_serializer=_json,
        ).execution_options(schema_translate_map={None: schema})

    async def open(self) -> None:
        """Raises OSError and SQLAlchemyError."""
        await migrate(self._engine, self._schema)

    async def write(self, records: Sequence[Record]) -> None:
        """Returns when all is committed. Raises OSError and SQLAlchemyError."""
        try:
            await self._write(records)
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None) or ""
            if not state.startswith(_DATA_ERRORS):
                raise
            for record in records:
                await self._write_with_care(record)

    async def close(self) -> None:
        await self._engine.dispose()

    async def _write_with_care(self, record: Record) -> None:
        """A record with a value that PostgreSQL has no place for must not hold up all others."""
        try:
            await self._write((record,))
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None) or ""
            if not state.startswith(_DATA_ERRORS):
                raise
            spared = msgspec.structs.replace(record, value={"unreadable": _json(record.value)})
            async with self._engine.begin() as connection:
                await self._insert_records(connection, (spared,))

    async def _write(self, records: Sequence[Record]) -> None:
        async with self._engine.begin() as connection:
            await self._insert_records(connection, records)
            await self._change(connection, records)

    async def _insert_records(self, connection: AsyncConnection, records: Sequence[Record]) -> None:
        if self._keeps_records:
            rows = [_row_of(record) for record in records]
            columns = {name: [row[name] for row in rows] for name in rows[0]}
            await connection.execute(_INSERT_RECORDS, columns)

    async def _change(self, connection: AsyncConnection, records: Sequence[Record]) -> None:
        partition = records[0].partition_id
        changes = collapsed(change for record in records for change in changes_of(record))
        alike: dict[tuple[Table, tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
        for change in changes:
            alike[change.table, tuple(sorted(change.columns))].append(_entity_row(partition, change))
        for (table, columns), rows in alike.items():
            await connection.execute(_upsert(table, columns), rows)


def _upsert(table: Table, columns: Sequence[str]) -> Insert:
    """Only what is newer than what is there, and only what it says."""
    statement = insert(table)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={name: new[name] for name in (*columns, "entry", "number")},
        where=tuple_(table.c.entry, table.c.number) < tuple_(new.entry, new.number),
    )


def _entity_row(partition: int, change: Change) -> dict[str, Any]:
    entry, number = change.position
    return {"key": change.key, "partition": partition, "entry": entry, "number": number, **change.columns}


def _row_of(record: Record) -> dict[str, Any]:
    instance: str | None = record.value.get("processInstanceKey")
    return {
        "partition": record.partition_id,
        "entry": record.position[0],
        "number": record.position[1],
        "time": moment(record.time),
        "value_type": record.value_type,
        "intent": record.intent,
        "key": int(record.key) if record.key else None,
        "process_instance_key": int(instance) if instance else None,
        "value": record.value,
        "cause": text(record.cause),
        "hash": bytes.fromhex(record.hash) if record.hash else None,
        "asked_by": text(record.user),
        "operation_reference": record.operation_reference,
    }


def _json(value: Mapping[str, Any]) -> str:
    """JSON as PostgreSQL can keep it: without characters that its text cannot have."""
    written = msgspec.json.encode(value).decode()
    return _ESCAPE.sub(_kept, written) if "\\u" in written else written


def _kept(found: re.Match[str]) -> str:
    escape = found[0]
    return escape if len(escape) != len("\\u0000") else "\\ufffd"
