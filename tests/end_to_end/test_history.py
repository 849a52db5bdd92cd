"""Searches on real nodes: with the official client, over kills of the projector and of the node."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from camunda_orchestration_sdk import CamundaAsyncClient

from bpmnd.actors.history.projector import history_path
from bpmnd.storage.history import dump_history
from tests.bpmn.playground import ONE_TASK
from tests.end_to_end.load import Load
from tests.nodes import Place, RunningCluster, RunningNode

pytestmark = pytest.mark.end_to_end

WITH_HISTORY = Place(environment={"BPMND_HISTORY__ENABLED": "true"})
PARTITIONS = 2


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RunningNode]:
    with RunningNode(tmp_path / "data", "--partitions", str(PARTITIONS), place=WITH_HISTORY) as node:
        yield node


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def search(session: aiohttp.ClientSession, node: RunningNode, path: str, body: Any = None) -> Any:
    """Until it is answered: a history that is made anew says 503 meanwhile."""
    async with asyncio.timeout(30):
        while True:
            async with session.post(f"{node.address}/v2/{path}/search", json=body or {}) as response:
                if response.status != 503:
                    assert response.status == 200, await response.text()
                    return await response.json()


def projector_of(node: RunningNode) -> int:
    """The process id of the node's projector."""
    children = Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()
    for child in map(int, children):
        if b"bpmnd.projector" in Path(f"/proc/{child}/cmdline").read_bytes():
            return child
    raise AssertionError(f"node {node.pid} has no projector among {children}")


async def histories_of(node: RunningNode) -> list[dict[str, list[Any]]]:
    """All rows, once the node has stopped in order."""
    assert await asyncio.to_thread(node.terminate) == 0
    return [dump_history(history_path(node.directory, n)) for n in range(1, PARTITIONS + 1)]


async def test_what_was_written_is_found_at_once(session: aiohttp.ClientSession, node: RunningNode) -> None:
    load = Load([node.address], "process", "work")
    await load.deploy(ONE_TASK)
    for number in range(1, 6):
        creation = {"processDefinitionId": "process", "variables": {"n": number}}
        async with session.post(f"{node.address}/v2/process-instances", json=creation) as response:
            key = (await response.json())["processInstanceKey"]
        found = await search(session, node, "process-instances", {"filter": {"processInstanceKey": key}})
        assert [item["processInstanceKey"] for item in found["items"]] == [key]
        assert (await search(session, node, "process-instances"))["page"]["totalItems"] == number


async def test_the_official_client_searches_and_waits_until_it_is_consistent(
    node: RunningNode, tmp_path: Path
) -> None:
    from camunda_orchestration_sdk import (
        IncidentSearchQuery,
        JobActivationRequest,
        JobFailRequest,
        ProcessCreationById,
        ProcessDefinitionId,
        ProcessInstanceSearchQuery,
    )

    file = tmp_path / "process.bpmn"
    file.write_bytes(ONE_TASK)
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address}) as client:
        await client.deploy_resources_from_files([file])
        creation = ProcessCreationById(process_definition_id=ProcessDefinitionId("process"))
        created = await client.create_process_instance(data=creation)
        instance = await client.get_process_instance(created.process_instance_key)
        assert instance.process_definition_id == "process"
        request = JobActivationRequest(
            type_="work", timeout=60_000, max_jobs_to_activate=1, request_timeout=5000
        )
        (job,) = (await client.activate_jobs(data=request)).jobs
        await client.fail_job(job.job_key, data=JobFailRequest(retries=0, error_message="broken"))

        incidents = await client.search_incidents(data=IncidentSearchQuery.from_dict({}))
        (incident,) = incidents.items
        assert (incident.error_message, incident.job_key) == ("broken", job.job_key)
        query = ProcessInstanceSearchQuery.from_dict(
            {"filter": {"hasIncident": True}, "sort": [{"field": "startDate", "order": "DESC"}]}
        )
        failing = await client.search_process_instances(data=query)
        assert [one.process_instance_key for one in failing.items] == [created.process_instance_key]


async def test_killed_at_any_moment_the_rows_are_those_of_a_rebuild(
    session: aiohttp.ClientSession, node: RunningNode
) -> None:
    load = Load([node.address], "process", "work")
    await load.deploy(ONE_TASK)
    for number in range(4):
        work = asyncio.create_task(load.run(1.0))
        await asyncio.sleep(0.4 + 0.1 * number)
        if number % 2:
            os.kill(projector_of(node), signal.SIGKILL)
            await work
        else:
            await asyncio.to_thread(node.kill)
            await asyncio.gather(work, return_exceptions=True)
            await asyncio.to_thread(node.restart)
    await load.work_off()
    total = (await search(session, node, "process-instances"))["page"]["totalItems"]
    assert total > 0

    before = await histories_of(node)
    await asyncio.to_thread(node.restart)
    for partition in range(1, PARTITIONS + 1):
        history_path(node.directory, partition).unlink()
    await asyncio.sleep(1.5)  # It looks for its files once a second.
    assert (await search(session, node, "process-instances"))["page"]["totalItems"] == total
    assert await histories_of(node) == before


async def test_any_node_searches_all_partitions_also_after_a_leader_has_died(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    places: dict[int, Place] = dict.fromkeys((1, 2, 3), WITH_HISTORY)
    with RunningCluster(tmp_path / "cluster", partitions=3, places=places) as cluster:
        load = Load([cluster.nodes[1].address], "process", "work")
        await load.deploy(ONE_TASK)
        keys: set[str] = set()
        for _ in range(9):
            creation = {"processDefinitionId": "process"}
            url = f"{cluster.nodes[1].address}/v2/process-instances"
            async with session.post(url, json=creation) as response:
                keys.add((await response.json())["processInstanceKey"])
        by_date = {"sort": [{"field": "startDate"}], "page": {"limit": 4}}
        for node in cluster.nodes.values():
            whole = await search(session, node, "process-instances")
            assert {item["processInstanceKey"] for item in whole["items"]} == keys
        first = await search(session, cluster.nodes[1], "process-instances", by_date)

        victim = cluster.leader_of(1)
        await asyncio.to_thread(cluster.kill, victim)
        await asyncio.to_thread(cluster.wait_for_leaders)
        other = next(node for number, node in cluster.nodes.items() if number != victim)
        after = {"limit": 100, "after": first["page"]["endCursor"]}
        rest = await search(session, other, "process-instances", {**by_date, "page": after})
        found = [item["processInstanceKey"] for item in (*first["items"], *rest["items"])]
        assert len(found) == 9
        assert set(found) == keys
