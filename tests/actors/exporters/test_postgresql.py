"""The exporter to PostgreSQL, on a real server: each record once, and the rows that they add up to."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bpmnd.actors.exporters.postgresql.exporter import PostgresqlExporter
from bpmnd.actors.exporters.postgresql.migrating import migrate
from bpmnd.actors.exporters.records import Record, Records
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CompleteJob,
    CompleteUserTask,
    FailJob,
    ResolveIncident,
    UpdateJob,
)
from bpmnd.bpmn.events import IncidentCreated, UserTaskCreated
from tests.actors.exporters.test_json_lines import Partition
from tests.bpmn.playground import END, ONE_TASK, START, Playground, path, process
from tests.postgresql import PostgresqlServer, server_binaries

BINARIES = server_binaries()
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(BINARIES is None, reason="PostgreSQL's server is not installed"),
]
USER_TASK = process(
    START + '<userTask id="sign"><extensionElements><zeebe:userTask/>'
    '<zeebe:assignmentDefinition assignee="ada" candidateGroups="lawyers, notaries"/>'
    '<zeebe:taskSchedule dueDate="2026-12-01T10:00:00+01:00"/></extensionElements></userTask>'
    + END
    + path("start", "sign", "end"),
    process_id="contract",
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    assert BINARIES is not None
    with PostgresqlServer(BINARIES) as server:
        yield server


@pytest.fixture
async def engine(server: PostgresqlServer) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(server.url.replace("postgresql", "postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA IF EXISTS bpmnd CASCADE"))
    yield engine
    await engine.dispose()


async def rows(engine: AsyncEngine, statement: str) -> list[tuple[Any, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


class Receiving(Partition):
    """Waits for what is acknowledged, or raises what has failed."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))
        self._happened = asyncio.Event()
        self.failure: Exception | None = None

    def acknowledge(self, position: int, mark: int = 0) -> None:
        super().acknowledge(position, mark)
        self._happened.set()

    def failed(self, error: Exception) -> None:
        self.failure = error
        self._happened.set()

    async def has_acknowledged(self) -> None:
        """Something, since this was asked for the last time."""
        async with asyncio.timeout(30):
            await self._happened.wait()
        self._happened.clear()
        if self.failure is not None:
            raise self.failure


async def export(server: PostgresqlServer, *batches: Sequence[Record], **settings: Any) -> Partition:
    exporter = PostgresqlExporter({"url": server.url, **settings})
    partition = Receiving()
    await exporter.open(partition)
    try:
        for records in batches:
            await exporter.export(records)
            await partition.has_acknowledged()
    finally:
        await exporter.close()
    return partition


def records_of(playground: Playground) -> list[Record]:
    records = Records(1)
    return [
        record
        for index, frame in enumerate(playground.frames, 1)
        for record in records.of(index, decode_frame(frame), b"\1" * 32)
    ]


def life() -> list[Record]:
    """Two instances: one is worked on, with an incident; the other is cancelled."""
    playground = Playground()
    playground.deploy(ONE_TASK)
    playground.create({"text": b'"a"'})
    cancelled = playground.create()
    (job, _) = playground.jobs("work")
    playground.do(FailJob(job.key, 0, 0, "no paper", {}))
    (incident,) = playground.happened(IncidentCreated)
    playground.do(UpdateJob(job.key, retries=1))
    playground.do(ResolveIncident(incident.key))
    (again,) = playground.jobs("work")
    playground.do(CompleteJob(again.key, {}))
    playground.do(CancelProcessInstance(cancelled))
    return records_of(playground)


async def test_each_record_is_a_row_as_it_was(server: PostgresqlServer, engine: AsyncEngine) -> None:
    records = life()
    partition = await export(server, records[:7], records[7:])
    assert partition.acknowledged == [records[6].position[0], records[-1].position[0]]
    found = await rows(
        engine, "SELECT entry, number, value_type, intent, key, value FROM bpmnd.records ORDER BY 1, 2"
    )
    assert found == [
        (
            *record.position,
            record.value_type,
            record.intent,
            int(record.key) if record.key else None,
            msgspec.json.decode(msgspec.json.encode(record.value)),
        )
        for record in records
    ]


async def test_whatever_comes_again_in_whatever_batches_changes_nothing(
    server: PostgresqlServer, engine: AsyncEngine
) -> None:
    records = life()
    statements = [
        f"SELECT * FROM bpmnd.{table} ORDER BY 1, 2, 3"
        for table in ("records", "process_instances", "jobs", "incidents", "user_tasks")
    ]
    await export(server, records)
    once = [await rows(engine, statement) for statement in statements]
    for size in (1, 3, 10):
        for start in (2, len(records) // 2):
            rest = records[start:]
            await export(server, *[rest[at : at + size] for at in range(0, len(rest), size)])
    assert [await rows(engine, statement) for statement in statements] == once


async def test_two_nodes_that_write_the_same_at_once_write_it_once(
    server: PostgresqlServer, engine: AsyncEngine
) -> None:
    """As when the leader has changed, and the old one does not know it yet."""
    records, nodes = life(), [PostgresqlExporter({"url": server.url}) for _ in range(2)]
    for exporter in nodes:
        await exporter.open(Receiving())
    await asyncio.gather(*(exporter.export(records) for exporter in nodes))
    for exporter in nodes:
        await exporter.close()
    found = await rows(engine, "SELECT entry, number FROM bpmnd.records ORDER BY 1, 2")
    assert found == [record.position for record in records]
    states = await rows(engine, "SELECT state FROM bpmnd.process_instances ORDER BY key")
    assert states == [("COMPLETED",), ("TERMINATED",)]


async def test_what_is_new_is_written_with_what_is_there_already(
    server: PostgresqlServer, engine: AsyncEngine
) -> None:
    """A batch in which only some come again is not left out, nor written in part."""
    records = life()
    await export(server, records[:3])
    await export(server, records)
    found = await rows(engine, "SELECT entry, number FROM bpmnd.records ORDER BY 1, 2")
    assert found == [record.position for record in records]


async def test_what_comes_while_the_server_writes_is_acknowledged_in_order(
    server: PostgresqlServer, engine: AsyncEngine
) -> None:
    records, partition = life(), Receiving()
    exporter = PostgresqlExporter({"url": server.url})
    await exporter.open(partition)
    for one in records:
        await exporter.export([one])
    while partition.acknowledged[-1] != records[-1].position[0]:
        await partition.has_acknowledged()
    await exporter.close()
    assert partition.acknowledged == sorted(partition.acknowledged)
    assert len(partition.acknowledged) < len(records), "what has waited is one transaction"
    found = await rows(engine, "SELECT entry, number FROM bpmnd.records ORDER BY 1, 2")
    assert found == [record.position for record in records]


async def test_what_is_not_written_is_not_acknowledged(server: PostgresqlServer, engine: AsyncEngine) -> None:
    """The exporter is begun anew then, and gets it again."""
    records, partition = life(), Receiving()
    exporter = PostgresqlExporter({"url": server.url})
    await exporter.open(partition)
    await exporter.export(records[:5])
    await partition.has_acknowledged()
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE bpmnd.jobs"))
    await exporter.export(records[5:])
    with pytest.raises(DBAPIError, match="jobs"):
        await partition.has_acknowledged()
    with pytest.raises(DBAPIError, match="jobs"):
        await exporter.export(records[5:])
    await exporter.close()
    assert partition.acknowledged == [records[4].position[0]]
    assert await rows(engine, "SELECT count(*) FROM bpmnd.records") == [(5,)]


async def test_rows_are_what_the_records_add_up_to(server: PostgresqlServer, engine: AsyncEngine) -> None:
    records = life()
    await export(server, *[[record] for record in records])
    assert await rows(
        engine,
        "SELECT process_id, version, state, ended_at >= started_at FROM bpmnd.process_instances ORDER BY key",
    ) == [("process", 1, "COMPLETED", True), ("process", 1, "TERMINATED", True)]
    assert await rows(
        engine, "SELECT element_id, type, state, worker, retries, error_message FROM bpmnd.jobs ORDER BY key"
    ) == [
        ("work", "work", "COMPLETED", "worker", 1, "no paper"),
        ("work", "work", "CANCELED", "worker", 3, None),
    ]
    assert await rows(
        engine,
        "SELECT element_id, error_type, error_message, state, job_key IS NOT NULL FROM bpmnd.incidents",
    ) == [("work", "JOB_NO_RETRIES", "no paper", "RESOLVED", True)]


async def test_user_tasks_have_their_people_and_dates(server: PostgresqlServer, engine: AsyncEngine) -> None:
    playground = Playground()
    playground.deploy(USER_TASK)
    playground.create(process_id="contract")
    (task,) = playground.happened(UserTaskCreated)
    playground.do(CompleteUserTask(task.key))
    await export(server, records_of(playground))
    assert await rows(
        engine,
        "SELECT element_id, assignee, candidate_groups, due_at = '2026-12-01T09:00:00Z', state"
        " FROM bpmnd.user_tasks",
    ) == [("sign", "ada", ["lawyers", "notaries"], True, "COMPLETED")]


async def test_an_assignee_that_is_taken_away_is_gone(server: PostgresqlServer, engine: AsyncEngine) -> None:
    def task(index: int, intent: str, assignee: str) -> Record:
        value = {"userTaskKey": "9", "assignee": assignee, "candidateGroupsList": ["g"]}
        return Record((index, 1), "2026-11-26T10:00:00.000Z", 1, "USER_TASK", intent, "9", value)

    await export(server, [task(1, "CREATED", "ada")], [task(2, "ASSIGNED", "")], [task(1, "CREATED", "ada")])
    assert await rows(engine, "SELECT assignee, entry FROM bpmnd.user_tasks") == [(None, 2)]


async def test_nodes_that_come_at_once_make_the_tables_once(
    server: PostgresqlServer, engine: AsyncEngine
) -> None:
    records = life()
    await asyncio.gather(*(export(server, records) for _ in range(4)))
    assert await rows(engine, "SELECT count(*) FROM bpmnd.records") == [(len(records),)]
    assert await rows(engine, "SELECT version_num FROM bpmnd.alembic_version") == [("0002",)]


async def test_what_postgresql_has_no_place_for_holds_nothing_up(
    server: PostgresqlServer, engine: AsyncEngine
) -> None:
    def variable(index: int, value: bytes) -> Record:
        fields = {"name": "a\0b", "value": msgspec.Raw(value), "processInstanceKey": "5"}
        return Record((index, 1), "2026-11-26T10:00:00.000Z", 1, "VARIABLE", "CREATED", "9", fields)

    hostile = (rb'"a\u0000b\ud83d\ude00\ud83d \\u0000"', b"1e999999", b"1.50")
    partition = await export(server, [variable(index, value) for index, value in enumerate(hostile, 1)])
    assert partition.acknowledged == [3]
    found = await rows(engine, "SELECT value FROM bpmnd.records ORDER BY entry")
    assert found[0][0]["value"] == "a\ufffdb\U0001f600\ufffd \\u0000"
    assert '"value":1e999999' in found[1][0]["unreadable"]
    assert found[2][0] == {"name": "a\ufffdb", "value": 1.5, "processInstanceKey": "5"}


async def test_tables_without_records_are_kept_as_well(server: PostgresqlServer, engine: AsyncEngine) -> None:
    await export(server, life(), records=False)
    assert await rows(engine, "SELECT count(*) FROM bpmnd.records") == [(0,)]
    assert await rows(engine, "SELECT count(*) FROM bpmnd.jobs") == [(2,)]


async def test_tables_of_an_earlier_build_are_brought_up_to_date_with_what_is_in_them(
    server: PostgresqlServer, engine: AsyncEngine
) -> None:
    for_schema = engine.execution_options(schema_translate_map={None: "bpmnd"})
    await migrate(for_schema, "bpmnd", "0001")
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO bpmnd.records VALUES"
                " (1, 1, 1, now(), 'JOB', 'CREATED', 7, 8, '{}', 'JOB/COMPLETE', NULL)"
            )
        )
    later = Record((2, 1), "2026-11-26T10:00:00.000Z", 1, "JOB", "COMPLETED", "7", {}, user="ada")
    later = msgspec.structs.replace(later, operation_reference=5)
    await export(server, [later])
    assert await rows(
        engine, "SELECT entry, asked_by, operation_reference FROM bpmnd.records ORDER BY entry"
    ) == [(1, None, None), (2, "ada", 5)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "url"),
        ({"url": "mysql://x"}, "expected postgresql://"),
        ({"url": "postgresql://x", "schema": "a; drop"}, "schema"),
        ({"url": "postgresql://x", "shema": "a"}, "the nearest is 'schema'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PostgresqlExporter(settings)


def test_the_migrations_make_the_tables_that_are_written_to(server: PostgresqlServer) -> None:
    """Alembic itself finds nothing to be changed."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import MetaData

    from bpmnd.actors.exporters.postgresql.tables import METADATA

    wanted = MetaData(schema="compared")
    for table in METADATA.tables.values():
        table.to_metadata(wanted, schema="compared")

    def is_compared(name: str | None, kind: str, parents: object) -> bool:
        return kind != "schema" or name == "compared"

    async def compare() -> list[Any]:
        address = server.url.replace("postgresql", "postgresql+asyncpg")
        engine = create_async_engine(address).execution_options(schema_translate_map={None: "compared"})
        await migrate(engine, "compared")
        async with engine.connect() as connection:
            found: list[Any] = await connection.run_sync(
                lambda sync: compare_metadata(
                    MigrationContext.configure(
                        sync,
                        opts={
                            "include_schemas": True,
                            "include_name": is_compared,
                        },
                    ),
                    wanted,
                )
            )
        await engine.dispose()
        return found

    differences = [one for one in asyncio.run(compare()) if "index" not in str(one[0])]
    assert [one for one in differences if "alembic_version" not in str(one)] == []
