"""Global task listeners: which command a request becomes, and what is refused before it is one."""

from typing import Any

import aiohttp
import pytest

from bpmnd.bpmn.commands import (
    CreateGlobalListener,
    DeleteGlobalListener,
    ReadGlobalListener,
    UpdateGlobalListener,
)
from bpmnd.bpmn.outcomes import GlobalListenerRead
from bpmnd.bpmn.user_tasks import GlobalListener
from tests.gateway.fakes import FakeCluster, FakePartition

PATH = "/v2/global-task-listeners"
PLAIN = GlobalListener("l", "check", ("completing",))


async def test_what_is_not_said_of_a_listener_is_usual(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    body = {"id": "l", "type": "check", "eventTypes": ["completing", "completing"]}
    async with client.post(PATH, json=body) as response:
        assert response.status == 201
        assert await response.json() == {
            "id": "l",
            "type": "check",
            "eventTypes": ["completing"],
            "retries": 3,
            "afterNonGlobal": False,
            "priority": 50,
            "source": "API",
        }
    assert partition.commands == [CreateGlobalListener(PLAIN)]


async def test_an_update_takes_the_id_from_the_path(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    body = {"type": "t", "eventTypes": ["all"], "retries": 1, "afterNonGlobal": True, "priority": -5}
    async with client.put(f"{PATH}/a%20b", json=body) as response:
        assert response.status == 200
        assert (await response.json())["priority"] == -5
    listener = GlobalListener("a b", "t", ("all",), 1, after_non_global=True, priority=-5)
    assert partition.commands == [UpdateGlobalListener(listener)]


async def test_a_listener_is_deleted(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    async with client.delete(f"{PATH}/l") as response:
        assert response.status == 204
    assert partition.commands == [DeleteGlobalListener("l")]


async def test_a_listener_is_read(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    partition.outcome = GlobalListenerRead(PLAIN)
    async with client.get(f"{PATH}/l") as response:
        assert response.status == 200
        assert (await response.json())["type"] == "check"
    assert partition.commands == [ReadGlobalListener("l")]


@pytest.mark.parametrize(
    ("body", "title", "detail"),
    [
        ({}, "INVALID_ARGUMENT", "No id provided. No type provided. No eventTypes provided."),
        (
            {"id": "l", "type": "t", "eventTypes": []},
            "INVALID_ARGUMENT",
            "No eventTypes provided.",
        ),
        (
            {"id": "l", "type": "t", "eventTypes": ["all"], "retries": 0},
            "INVALID_ARGUMENT",
            "The value for retries is '0' but must be greater than 0.",
        ),
        (
            {"id": "l" * 1001, "type": "t", "eventTypes": ["all"]},
            "INVALID_ARGUMENT",
            "The value for id is longer than 1000 characters.",
        ),
        (
            {"id": "l", "type": "t", "eventTypes": ["x"]},
            "Bad Request",
            "Unexpected value 'x' for enum field 'eventTypes'. Use any of the following values:"
            " [all, assigning, canceling, completing, creating, updating]",
        ),
    ],
)
async def test_what_is_not_acceptable_is_refused(
    client: aiohttp.ClientSession, cluster: FakeCluster, body: Any, title: str, detail: str
) -> None:
    async with client.post(PATH, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"], problem["detail"]) == (400, title, detail)
    assert cluster.all[0].commands == []
