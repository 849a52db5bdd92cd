"""User tasks: which command a request becomes, and what is refused before it is one."""

from typing import Any

import aiohttp
import pytest

from bpmnd.bpmn.commands import AssignUserTask, ClientCommand, CompleteUserTask, DoOnce, UpdateUserTask
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import Rejected, RejectionType
from bpmnd.bpmn.user_tasks import TaskChanges
from tests.gateway.fakes import FakePartition

KEY = first_key(1) + 5
TASK = f"/v2/user-tasks/{KEY}"
NOTHING = (
    'No update data provided. Provide at least an "action" or a non-null value for a supported attribute in'
    ' the "changeset".'
)


def change(**changeset: Any) -> dict[str, Any]:
    return {"changeset": changeset}


@pytest.mark.parametrize(
    ("method", "path", "body", "command"),
    [
        ("POST", "/assignment", {"assignee": "ann"}, AssignUserTask(KEY, "ann")),
        ("POST", "/assignment", {"assignee": "ann", "allowOverride": None}, AssignUserTask(KEY, "ann")),
        (
            "POST",
            "/assignment",
            {"assignee": "ann", "allowOverride": False, "action": "claim"},
            AssignUserTask(KEY, "ann", False, "claim"),
        ),
        ("DELETE", "/assignee", None, AssignUserTask(KEY, "", action="unassign")),
        ("PATCH", "", {"action": "look"}, UpdateUserTask(KEY, TaskChanges(), "look")),
        ("PATCH", "", change(priority=0, other=1), UpdateUserTask(KEY, TaskChanges(priority=0))),
        (
            "PATCH",
            "",
            change(
                candidateUsers=[],
                candidateGroups=["a"],
                dueDate="",
                followUpDate="2024-02-29T10:00:00.5+01:00",
            ),
            UpdateUserTask(
                KEY,
                TaskChanges(
                    candidate_users=(),
                    candidate_groups=("a",),
                    due_date="",
                    follow_up_date="2024-02-29T10:00:00.5+01:00",
                ),
            ),
        ),
        ("POST", "/completion", None, CompleteUserTask(KEY)),
        (
            "POST",
            "/completion",
            {"variables": {"a": [1]}, "action": "finish"},
            CompleteUserTask(KEY, {"a": b"[1]"}, "finish"),
        ),
    ],
)
async def test_a_request_becomes_its_command(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    method: str,
    path: str,
    body: Any,
    command: ClientCommand,
) -> None:
    async with client.request(method, TASK + path, json=body) as response:
        assert (response.status, await response.read()) == (204, b"")
    assert partition.commands == [command]


@pytest.mark.parametrize(
    ("method", "path", "body", "detail"),
    [
        ("POST", "/assignment", {}, "No assignee provided"),
        ("POST", "/assignment", {"assignee": ""}, "No assignee provided"),
        ("PATCH", "", None, NOTHING),
        ("PATCH", "", {}, NOTHING),
        ("PATCH", "", change(other=1, priority=None), NOTHING),
        (
            "PATCH",
            "",
            change(priority=101),
            "The value for priority is '101' but must be within the [0,100] range.",
        ),
        (
            "PATCH",
            "",
            change(dueDate="2024-02-30T10:00:00Z"),
            "The provided due date '2024-02-30T10:00:00Z' cannot be parsed as a date according to RFC 3339,"
            " section 5.6.",
        ),
        (
            "PATCH",
            "",
            change(followUpDate="x"),
            "The provided follow-up date 'x' cannot be parsed as a date according to RFC 3339, section 5.6.",
        ),
    ],
)
async def test_what_is_not_acceptable_is_refused(
    client: aiohttp.ClientSession, partition: FakePartition, method: str, path: str, body: Any, detail: str
) -> None:
    async with client.request(method, TASK + path, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"], problem["detail"]) == (400, "INVALID_ARGUMENT", detail)
    assert partition.commands == []


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("POST", "assignment", {"assignee": "ann"}, "ASSIGN"),
        ("POST", "assignment", {"assignee": "ann", "allowOverride": False}, "CLAIM"),
        ("DELETE", "assignee", None, "ASSIGN"),
        ("POST", "completion", None, "COMPLETE"),
    ],
)
async def test_a_key_of_no_partition_is_not_found(
    client: aiohttp.ClientSession, method: str, path: str, body: Any, name: str
) -> None:
    async with client.request(method, f"/v2/user-tasks/99/{path}", json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (404, "NOT_FOUND")
    assert problem["detail"] == (
        f"Command '{name}' rejected with code 'NOT_FOUND': Expected to {name.lower()} user task"
        " with key '99', but no such user task was found"
    )


async def test_a_change_that_is_denied_is_a_409(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = Rejected(RejectionType.INVALID_STATE, "denied: 'no'")
    async with client.post(f"{TASK}/completion") as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (409, "INVALID_STATE")
    assert problem["detail"] == "Command 'COMPLETE' rejected with code 'INVALID_STATE': denied: 'no'"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/completion", {}), ("DELETE", "/assignee", None), ("PATCH", "", {"action": "look"})],
)
async def test_with_an_idempotency_key_it_is_done_once(
    client: aiohttp.ClientSession, partition: FakePartition, method: str, path: str, body: Any
) -> None:
    headers = {"Idempotency-Key": "k"}
    async with client.request(method, TASK + path, json=body, headers=headers) as response:
        assert response.status == 204
    (command,) = partition.commands
    assert isinstance(command, DoOnce)


@pytest.mark.parametrize("path", ["completion", "assignment"])
async def test_an_unknown_property_is_refused(client: aiohttp.ClientSession, path: str) -> None:
    async with client.post(f"{TASK}/{path}", json={"assignee": "a", "colour": "red"}) as response:
        assert (response.status, (await response.json())["title"]) == (400, "Bad Request")
