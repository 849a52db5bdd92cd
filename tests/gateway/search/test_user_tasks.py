"""User tasks as a team finds them."""

from typing import Any

import aiohttp
import pytest

from tests.gateway.schemas import API_FILE, ApiDescription
from tests.gateway.search.conftest import Played, ask

SEARCH = "/user-tasks/search"


async def tasks(client: aiohttp.ClientSession, **filter: Any) -> list[str]:
    """Whose tasks are found."""
    status, answer = await ask(
        client, "POST", SEARCH, {"filter": filter, "sort": [{"field": "creationDate"}]}
    )
    assert status == 200, answer
    return [str(item["assignee"]) for item in answer["items"]]


@pytest.mark.skipif(not API_FILE.exists(), reason=f"{API_FILE} is not here")
async def test_a_task_has_the_shape_of_the_description(client: aiohttp.ClientSession) -> None:
    description = ApiDescription(API_FILE)
    _, answer = await ask(client, "POST", SEARCH, {})
    assert description.complaints("searchUserTasks", 200, "application/json", answer) == []
    key = answer["items"][0]["userTaskKey"]
    _, task = await ask(client, "GET", f"/user-tasks/{key}")
    assert description.complaints("getUserTask", 200, "application/json", task) == []
    assert task == answer["items"][0]
    assert (task["name"], task["state"], task["dueDate"]) == (
        "Approve",
        "CREATED",
        "2030-01-01T00:00:00.000Z",
    )
    assert (task["candidateGroups"], task["candidateUsers"]) == (["sales", "hr"], [])


async def test_tasks_are_found_by_who_may_work_on_them(client: aiohttp.ClientSession) -> None:
    assert await tasks(client) == ["ann", "bob"]
    assert await tasks(client, assignee="ann") == ["ann"]
    assert await tasks(client, assignee={"$neq": "ann"}) == ["bob"]
    assert await tasks(client, candidateGroup="hr", state="CREATED") == ["ann", "bob"]
    assert await tasks(client, candidateGroup={"$like": "s*"}) == ["ann", "bob"]
    assert await tasks(client, candidateGroup={"$neq": "hr"}) == []
    assert await tasks(client, candidateUser={"$exists": True}) == []
    assert await tasks(client, candidateUser={"$exists": False}) == ["ann", "bob"]
    assert await tasks(client, dueDate={"$lt": "2029-01-01T00:00:00Z"}) == []
    assert await tasks(client, elementId="approve", name={"$like": "Appr*"}) == ["ann", "bob"]


async def test_tasks_are_found_by_variables_of_the_instance_and_their_own(
    client: aiohttp.ClientSession,
) -> None:
    assert await tasks(client, processInstanceVariables=[{"name": "who", "value": '"bob"'}]) == ["bob"]
    assert await tasks(client, processInstanceVariables=[{"name": "level", "value": "1"}]) == []
    assert await tasks(client, localVariables=[{"name": "level", "value": "1"}]) == ["ann", "bob"]


async def test_a_task_sees_the_variables_of_its_scopes_the_inner_ones_first(
    client: aiohttp.ClientSession, played: Played
) -> None:
    wanted = {"filter": {"processInstanceKey": str(played.tasks[1])}}
    _, answer = await ask(client, "POST", SEARCH, wanted)
    key = answer["items"][0]["userTaskKey"]

    by_name = {"sort": [{"field": "name"}, {"field": "value"}]}
    _, every = await ask(client, "POST", f"/user-tasks/{key}/variables/search", by_name)
    _, seen = await ask(client, "POST", f"/user-tasks/{key}/effective-variables/search", by_name)

    assert [(item["name"], item["value"]) for item in every["items"]] == [
        ("level", "0"),
        ("level", "1"),
        ("who", '"bob"'),
    ]
    assert [(item["name"], item["value"]) for item in seen["items"]] == [("level", "1"), ("who", '"bob"')]


async def test_a_task_that_is_not_there_is_a_404(client: aiohttp.ClientSession) -> None:
    for path in ("", "/variables/search", "/effective-variables/search"):
        method = "POST" if path else "GET"
        assert (await ask(client, method, f"/user-tasks/7{path}"))[0] == 404
