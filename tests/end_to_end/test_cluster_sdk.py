"""The official client, unmodified, against every node of a cluster, also while its leaders are killed."""

import asyncio
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest
from camunda_orchestration_sdk import (
    CamundaAsyncClient,
    JobActivationRequest,
    JobCompletionRequest,
    ProcessCreationById,
    ProcessDefinitionId,
)
from camunda_orchestration_sdk.errors import ServiceUnavailableError
from camunda_orchestration_sdk.models import JobCompletionRequestVariables

from bpmnd.bpmn.keys import partition_of
from tests.bpmn.playground import END, START, path, process, task
from tests.end_to_end.load import History, events_of
from tests.end_to_end.replicas import agreed_events
from tests.judged import JUDGE
from tests.nodes import RunningCluster

pytestmark = pytest.mark.end_to_end

MODEL: Final = process(
    START + task("by-hand") + task("tell-customer") + END + path("start", "by-hand", "tell-customer", "end"),
    process_id="sdk",
)
KILLS: Final = 6 if JUDGE else 1
INSTANCES: Final = 12
"""Per kill."""


async def test_the_official_client_works_against_any_node_while_leaders_change(tmp_path: Path) -> None:
    with await asyncio.to_thread(RunningCluster, tmp_path / "cluster") as cluster:
        created: list[int] = []
        async with AsyncExitStack() as stack:
            clients = {
                number: await stack.enter_async_context(
                    CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address})
                )
                for number, node in cluster.nodes.items()
            }
            file = tmp_path / "sdk.bpmn"
            file.write_bytes(MODEL)
            await clients[1].deploy_resources_from_files([file])
            stack.enter_context(_working(cluster.addresses[:2], tmp_path / "workers"))
            for _ in range(KILLS):
                leaders = await asyncio.to_thread(cluster.wait_for_leaders)
                victim = leaders[1]
                others = [client for number, client in clients.items() if number != victim]
                kill = asyncio.create_task(_kill_in_a_moment(cluster, victim))
                created += [await _work_one(others[number % 2]) for number in range(INSTANCES)]
                await kill
                await asyncio.to_thread(cluster.start, victim)
                created.append(await _work_one(clients[victim]))
            await _until_worked(cluster, created)
        assert await asyncio.to_thread(cluster.terminate) == [0, 0, 0]

    history = _history(cluster)
    assert set(created) <= set(history.ended)
    assert set(history.jobs.values()) == {1}
    assert len({partition_of(key) for key in created}) > 1, "each node prefers the partitions it leads"


@contextmanager
def _working(addresses: Sequence[str], log_file: Path) -> Generator[None]:
    """The workers of the order example, a process for each address: one of their job types is used here."""
    with log_file.open("wb") as log:
        processes = [
            subprocess.Popen(
                (sys.executable, "-m", "examples.order.workers", address), stdout=log, stderr=log
            )
            for address in addresses
        ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


async def _until_worked(cluster: RunningCluster, created: Sequence[int]) -> None:
    async with asyncio.timeout(20):
        while True:
            history = await asyncio.to_thread(_history, cluster, running=True)
            if set(created) <= set(history.ended):
                return
            await asyncio.sleep(0.2)


def _history(cluster: RunningCluster, *, running: bool = False) -> History:
    """While it runs: by the log of any one node, which is enough to wait for something."""
    if running:
        return History(events_of(cluster.nodes[1].directory))
    directories = [node.directory for node in cluster.nodes.values()]
    return History(agreed_events(directories, cluster.partitions))


async def _kill_in_a_moment(cluster: RunningCluster, victim: int) -> None:
    await asyncio.sleep(0.3)
    await asyncio.to_thread(cluster.kill, victim)


async def _work_one(client: CamundaAsyncClient) -> int:
    """Create an instance and do its first job; what a 503 has no answer for is done anew."""
    while True:
        try:
            creation = ProcessCreationById(process_definition_id=ProcessDefinitionId("sdk"))
            instance = (await client.create_process_instance(data=creation)).process_instance_key
            request = JobActivationRequest(
                type_="by-hand", timeout=60_000, max_jobs_to_activate=1, request_timeout=5000
            )
            for job in (await client.activate_jobs(data=request)).jobs:
                variables = JobCompletionRequestVariables.from_dict({"by": "hand"})
                await client.complete_job(job.job_key, data=JobCompletionRequest(variables=variables))
                if job.process_instance_key == instance:
                    return int(instance)
        except ServiceUnavailableError:
            await asyncio.sleep(0.1)
