"""Every search over three partitions finds what a walk over all events finds."""

import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.registry import CollectorRegistry

from bpmnd.gateway.server import Gateway
from tests.actors.history.bodies import NAMES, filter_of, sort_of
from tests.actors.history.comparing import Item, ordered
from tests.actors.history.histories import LocalHistory, frames_of, write_history
from tests.actors.history.naive import Naive
from tests.actors.history.world import CHANGED, MODELS, live
from tests.bpmn.test_partitions import Cluster
from tests.gateway.fakes import FakeCluster
from tests.gateway.schemas import API_FILE, ApiDescription

PARTITIONS = 3
STEPS = 400
SEARCHES = 50
_OPERATIONS = {
    "process-instances": "searchProcessInstances",
    "element-instances": "searchElementInstances",
    "jobs": "searchJobs",
    "incidents": "searchIncidents",
    "variables": "searchVariables",
    "user-tasks": "searchUserTasks",
    "decision-requirements": "searchDecisionRequirements",
    "decision-definitions": "searchDecisionDefinitions",
    "decision-instances": "searchDecisionInstances",
    "message-subscriptions": "searchMessageSubscriptions",
    "correlated-message-subscriptions": "searchCorrelatedMessageSubscriptions",
    "audit-logs": "searchAuditLogs",
}
_DEPLOYED = {"decision-requirements", "decision-definitions"}


@pytest.fixture(scope="module", params=[1, 6])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Naive, Path]:
    """What happened at random, once as a naive model, once as files."""
    chance = random.Random(request.param)
    cluster = Cluster(PARTITIONS)
    cluster.deploy(*MODELS)
    cluster.deploy(*CHANGED)
    live(cluster, chance, STEPS)
    naive, directory = Naive(), tmp_path_factory.mktemp("history")
    for partition, frames in frames_of(cluster).items():
        naive.take(partition, frames)
        write_history(directory / f"{partition}.sqlite", partition, frames)
    return naive, directory


@pytest.fixture
async def client(played: tuple[Naive, Path]) -> AsyncIterator[aiohttp.ClientSession]:
    history = LocalHistory({n: played[1] / f"{n}.sqlite" for n in range(1, PARTITIONS + 1)})
    gateway = Gateway(FakeCluster(PARTITIONS), CollectorRegistry(), history)
    port = await gateway.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await gateway.stop(drain_s=1)
    history.close()


async def search(client: aiohttp.ClientSession, path: str, body: Item) -> Any:
    async with client.post(f"/v2/{path}/search", json=body) as response:
        answer = await response.json()
        assert response.status == 200, (body, answer)
        return answer


def test_the_world_has_all_that_is_searched_for(played: tuple[Naive, Path]) -> None:
    for path, items in played[0].entities().items():
        assert len(items) >= (2 if path in _DEPLOYED else 10), path
    states = {job["state"] for job in played[0].jobs.values()}
    assert states >= {"COMPLETED", "CREATED", "FAILED", "ERROR_THROWN"}, states
    states = {task["state"] for task in played[0].user_tasks.values()}
    assert states >= {"CREATED", "COMPLETED", "CANCELED"}, states
    assert {one["state"] for one in played[0].evaluations.values()} == {"EVALUATED", "FAILED"}
    operations = played[0].operations.values()
    assert {one["actorId"] for one in operations} == {None, "ann", "bob"}
    assert len({(one["entityType"], one["operationType"]) for one in operations}) >= 12


@pytest.mark.parametrize("path", NAMES)
async def test_a_search_finds_what_a_walk_over_the_events_finds(
    played: tuple[Naive, Path], client: aiohttp.ClientSession, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bpmnd.gateway.search.searching.FAR", 10)  # So offsets are both near and far.
    naive, items = played[0], played[0].entities()[path]
    chance = random.Random(path)
    found_any = 0
    for _ in range(SEARCHES):
        wanted, sort = filter_of(path, list(items.values()), chance), sort_of(path, chance)
        fitting = {key: item for key, item in items.items() if naive.fits(path, item, wanted)}
        expected = ordered(fitting, sort)
        limit, offset = chance.randint(1, 30), chance.choice((0, 0, 3, 17))

        body: Item = {"filter": wanted, "sort": sort, "page": {"from": offset, "limit": limit}}
        answer = await search(client, path, body)

        assert answer["items"] == expected[offset : offset + limit], json.dumps(body)
        assert answer["page"]["totalItems"] == len(expected), json.dumps(body)
        assert not answer["page"]["hasMoreTotalItems"]
        found_any += bool(expected)
    assert found_any > SEARCHES // 4, "the filters fit nothing"


@pytest.mark.parametrize("path", NAMES)
async def test_pages_forward_and_back_are_the_whole_in_order(
    played: tuple[Naive, Path], client: aiohttp.ClientSession, path: str
) -> None:
    items = played[0].entities()[path]
    chance = random.Random(path)
    for _ in range(6):
        sort, limit = sort_of(path, chance), chance.randint(3, 40)
        expected = ordered(items, sort)
        pages = [await search(client, path, {"sort": sort, "page": {"limit": limit}})]
        while pages[-1]["items"]:
            after = {"limit": limit, "after": pages[-1]["page"]["endCursor"]}
            pages.append(await search(client, path, {"sort": sort, "page": after}))
        assert [item for page in pages for item in page["items"]] == expected, sort

        start = pages[-2]["page"]["startCursor"]
        before = await search(client, path, {"sort": sort, "page": {"limit": limit, "before": start}})
        at = (len(pages) - 2) * limit
        assert before["items"] == expected[max(at - limit, 0) : at], sort


@pytest.mark.skipif(not API_FILE.exists(), reason=f"{API_FILE} is not here")
@pytest.mark.parametrize("path", NAMES)
async def test_answers_have_the_shape_of_the_description(client: aiohttp.ClientSession, path: str) -> None:
    answer = await search(client, path, {"page": {"limit": 10_000}})
    description = ApiDescription(API_FILE)
    assert description.complaints(_OPERATIONS[path], 200, "application/json", answer) == []
