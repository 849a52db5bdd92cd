"""Exporters of real nodes: whatever is killed under load, nothing is missing, and nothing is there twice."""

import asyncio
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web

from tests.actors.exporters.test_webhook import contract
from tests.bpmn.playground import ONE_TASK
from tests.end_to_end.exports import (
    exporter_process,
    exporters_of,
    kill_exporter,
    lines_in,
    logged,
    place_of,
    rows_in,
    so_far,
    until,
    until_all_is_exported,
)
from tests.end_to_end.load import Load
from tests.judged import JUDGE
from tests.nodes import Place, RunningCluster, RunningNode
from tests.postgresql import PostgresqlServer, server_binaries

BINARIES = server_binaries()
pytestmark = pytest.mark.end_to_end

AWAY_SECONDS: Final = 60.0 if JUDGE else 1.0
TO_FILES: Final = {
    "BPMND_EXPORTERS__FILES__KIND": "json-lines",
    "BPMND_EXPORTERS__FILES__FILE_MIB": "0.2",
    "BPMND_LOG__SEGMENT_MIB": "1",
}


def to_database(server: PostgresqlServer) -> dict[str, str]:
    return {
        "BPMND_EXPORTERS__DATABASE__KIND": "postgresql",
        "BPMND_EXPORTERS__DATABASE__URL": server.url,
    }


@pytest.fixture
def server() -> Iterator[PostgresqlServer]:
    if BINARIES is None:
        pytest.skip("PostgreSQL's server is not installed")
    with PostgresqlServer(BINARIES) as server:
        yield server


async def test_nothing_is_missing_or_doubled_when_database_exporter_and_node_are_stopped(
    server: PostgresqlServer, tmp_path: Path
) -> None:
    place = Place(environment=TO_FILES | to_database(server))
    with RunningNode(tmp_path / "data", "--partitions", "2", place=place) as node:
        load = Load([node.address], "process", "work")
        await load.deploy(ONE_TASK)
        await until_all_is_exported([node], 2)
        async with load.running(creators=2, workers=1):
            await asyncio.to_thread(server.stop)
            await until(
                lambda: all("error" in one for one in exporters_of(node) if one["exporter"] == "database")
            )
            said = await asyncio.to_thread(status_of, node)
            failing = metric(node, 'bpmnd_exporter_failing{exporter="database",partition="1"}')
            await asyncio.sleep(AWAY_SECONDS)
            await asyncio.to_thread(server.start)
            await until(lambda: kill_exporter(node, "database"))
            if JUDGE:
                await until(lambda: kill_exporter(node, "files"))
            await asyncio.to_thread(node.restart)
            await until(lambda: exporter_process(node, "files") != 0)
            await asyncio.sleep(0.5)
        await until_all_is_exported([node], 2)
        assert await asyncio.to_thread(node.terminate) == 0

        assert failing == 1, "while the database was away"
        assert re.search(r"^database +1 .*Connect call failed", said, re.MULTILINE), said
        expected = await asyncio.to_thread(logged, node.directory, (1, 2))
        assert len(load.created) > 100
        lines = lines_in([node.directory / "exporters" / "files"])
        found = {place_of(line): line for line in lines}
        assert len(lines) == len(found), "nothing is twice in the files of one node"
        assert found == so_far(expected, found)
        rows = await rows_in(server)
        assert rows == {place: line["value"] for place, line in so_far(expected, rows).items()}


@pytest.mark.skipif(not JUDGE, reason="BPMND_JUDGE=1 starts a node for it")
async def test_a_webhook_is_told_of_incidents_and_overdue_user_tasks(tmp_path: Path) -> None:
    messages: list[dict[str, Any]] = []

    async def post(request: web.Request) -> web.Response:
        messages.append(await request.json())
        return web.Response(status=204)

    application = web.Application()
    application.add_routes([web.post("/", post)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    environment = {
        "BPMND_EXPORTERS__ALERTS__KIND": "webhook",
        "BPMND_EXPORTERS__ALERTS__URL": f"http://{host}:{port}",
    }
    with RunningNode(tmp_path / "data", place=Place(environment=environment)) as node:
        await until(lambda: len(exporters_of(node)) == 1)  # It is told of what comes from now on.
        load = Load([node.address], "process", "work")
        await load.deploy(contract(datetime.now(UTC) + timedelta(seconds=1)))
        await load.deploy(ONE_TASK.replace(b'type="work"', b'type="=1 + null"'))
        async with aiohttp.ClientSession(f"{node.address}/v2/") as session:
            for process_id in ("contract", "process"):
                creation = {"processDefinitionId": process_id}
                async with session.post("process-instances", json=creation) as answer:
                    assert answer.status == 200
        await until(lambda: len(messages) == 2)
    await runner.cleanup()
    told = {message["type"]: message for message in messages}
    assert told["incident-created"]["bpmnProcessId"] == "process"
    assert told["user-task-overdue"]["elementId"] == "sign"


@pytest.mark.skipif(not JUDGE, reason="BPMND_JUDGE=1 starts a cluster for it")
async def test_a_new_leader_goes_on_where_the_killed_one_was(
    server: PostgresqlServer, tmp_path: Path
) -> None:
    place = Place(environment=to_database(server))
    with RunningCluster(tmp_path, partitions=1, places=dict.fromkeys((1, 2, 3), place)) as cluster:
        load = Load(cluster.addresses, "process", "work")
        await load.deploy(ONE_TASK)
        async with load.running(creators=2, workers=1):
            await asyncio.sleep(1)
            (leader,) = cluster.wait_for_leaders().values()
            await asyncio.to_thread(cluster.kill, leader)
            await asyncio.to_thread(cluster.wait_for_leaders)
            await asyncio.sleep(1)
        await asyncio.to_thread(cluster.start)
        await until_all_is_exported(cluster.nodes.values(), 1)
        await asyncio.to_thread(cluster.terminate)

        logs = [logged(node.directory, (1,)) for node in cluster.nodes.values()]
        expected = max(logs, key=len)
        assert len(load.created) > 20
        assert await rows_in(server) == {place: line["value"] for place, line in expected.items()}


def status_of(node: RunningNode) -> str:
    """What `bpmnd status` prints."""
    command = [
        sys.executable,
        "-m",
        "bpmnd",
        "status",
        "--address",
        node.address,
        "--monitoring",
        node.monitoring,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def metric(node: RunningNode, name: str) -> float:
    with urllib.request.urlopen(f"{node.monitoring}/metrics", timeout=5) as answer:
        found = re.search(f"^{re.escape(name)} (.*)$", answer.read().decode(), re.MULTILINE)
    assert found, f"there is no {name}"
    return float(found[1])
