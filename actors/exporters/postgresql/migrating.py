"""Brings the tables to what this build needs, by the migrations that come with it."""

import asyncio
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

_LOCK: Final = 0x62706D6E64  # "bpmnd"
_alone = asyncio.Lock()
"""Alembic keeps its context in a place that all of a process share."""


async def migrate(engine: AsyncEngine, schema: str, to: str = "head") -> None:
    """All or nothing; whoever else comes, from whichever node, waits. Raises SQLAlchemyError."""
    async with _alone, engine.begin() as connection:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
        await connection.execute(text(f'SET LOCAL search_path TO "{schema}"'))
        await connection.run_sync(_upgrade, schema, to)


def _upgrade(connection: Connection, schema: str, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", "bpmnd.actors.exporters.postgresql:migrations")
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, to)
