"""Brings records to PostgreSQL; what comes again changes nothing.

While the server writes a transaction, the next one is made. What comes meanwhile goes into it together.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import msgspec

from bpmnd.actors.exporters.protocol import Source
from bpmnd.actors.exporters.records import Record
from bpmnd.actors.exporters.settings import settings_as

if TYPE_CHECKING:
    from bpmnd.actors.exporters.postgresql.database import Database

_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_WAITING_MAX: Final = 4000
"""Records that may wait; so many, and those of the batch that goes beyond it, are a transaction at most."""
_WRITE_SECONDS_MAX: Final = 60.0
_NEEDED: Final = ("sqlalchemy", "asyncpg", "alembic", "greenlet")


class PostgresqlSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    """`postgresql://USER@HOST:PORT/DATABASE`"""
    password_file: str = ""
    """Where the password stands, if not in the URL."""
    schema: str = "bpmnd"
    """The schema of the tables; it is made if it is not there."""
    records: bool = True
    """Keep all records, not only what they add up to."""


@final
class PostgresqlExporter:
    """One connection for each partition."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings_as(PostgresqlSettings, settings)
        if not _SCHEMA.fullmatch(self._settings.schema):
            raise ValueError(f"schema: {self._settings.schema!r} is no name in lower case")
        if not self._settings.url.startswith(("postgresql://", "postgres://")):
            raise ValueError("url: expected postgresql://USER@HOST:PORT/DATABASE")
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            raise ValueError(f"{', '.join(missing)} is missing: pip install 'bpmnd[postgresql]'")
        self._database: Database | None = None
        self._source: Source | None = None
        self._writer: asyncio.Task[None] | None = None
        self._waiting: list[Record] = []
        self._has_come = asyncio.Event()
        self._is_taken = asyncio.Event()

    async def open(self, source: Source) -> None:
        from bpmnd.actors.exporters.postgresql.database import Database

        settings = self._settings
        password = None
        if settings.password_file:
            password = await asyncio.to_thread(_first_line, Path(settings.password_file))
        self._source = source
        self._database = Database(settings.url, password, settings.schema, keeps_records=settings.records)
        await self._database.open()

    async def export(self, records: Sequence[Record]) -> None:
        """The first batch is written before this returns: so it is seen whether the server takes anything."""
        if self._writer is None:
            await self._write(records)
            self._writer = asyncio.create_task(self._write_what_comes())
            self._writer.add_done_callback(self._ended)
            return
        while len(self._waiting) >= _WAITING_MAX:
            self._is_taken.clear()
            await self._is_taken.wait()
        if self._writer.done():
            self._writer.result()
        self._waiting += records
        self._has_come.set()

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        if self._database is not None:
            await self._database.close()

    async def _write_what_comes(self) -> None:
        while True:
            await self._has_come.wait()
            self._has_come.clear()
            records, self._waiting = self._waiting, []
            self._is_taken.set()
            async with asyncio.timeout(_WRITE_SECONDS_MAX):
                await self._write(records)

    async def _write(self, records: Sequence[Record]) -> None:
        assert self._database is not None, "it is opened first"
        assert self._source is not None, "it is opened first"
        await self._database.write(records)
        self._source.acknowledge(records[-1].position[0])

    def _ended(self, writer: asyncio.Task[None]) -> None:
        self._waiting.clear()
        self._is_taken.set()
        error = None if writer.cancelled() else writer.exception()
        if isinstance(error, Exception):
            assert self._source is not None, "it was opened"
            self._source.failed(error)


def _first_line(path: Path) -> str:
    return path.read_text().partition("\n")[0]
