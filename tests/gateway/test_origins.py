"""Who asks, as a proxy in front says it, goes with what people and their tools ask for."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from prometheus_client.registry import CollectorRegistry

from bpmnd.bpmn.commands import Attributed, DoOnce, Origin
from bpmnd.bpmn.keys import first_key
from bpmnd.gateway.server import Gateway
from tests.gateway.fakes import FakeCluster, FakePartition

HEADER = "X-Forwarded-User"
KEY = first_key(1) + 5
LISTENER = {"id": "a", "type": "t", "eventTypes": ["all"]}


@pytest.fixture
async def gateway(cluster: FakeCluster, registry: CollectorRegistry) -> AsyncIterator[Gateway]:
    gateway = Gateway(cluster, registry, user_header=HEADER)
    yield gateway
    await gateway.stop(drain_s=1)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "process-instances", {"processDefinitionId": "p"}),
        ("POST", f"process-instances/{KEY}/cancellation", None),
        ("POST", f"process-instances/{KEY}/modification", {"activateInstructions": [{"elementId": "a"}]}),
        (
            "POST",
            f"process-instances/{KEY}/migration",
            {
                "targetProcessDefinitionKey": str(KEY),
                "mappingInstructions": [{"sourceElementId": "a", "targetElementId": "b"}],
            },
        ),
        ("PUT", f"element-instances/{KEY}/variables", {"variables": {"a": 1}}),
        ("POST", f"element-instances/ad-hoc-activities/{KEY}/activation", {"elements": [{"elementId": "a"}]}),
        ("POST", f"incidents/{KEY}/resolution", None),
        ("PATCH", f"jobs/{KEY}", {"changeset": {"retries": 3}}),
        ("POST", f"user-tasks/{KEY}/assignment", {"assignee": "bob"}),
        ("DELETE", f"user-tasks/{KEY}/assignee", None),
        ("PATCH", f"user-tasks/{KEY}", {"changeset": {"priority": 3}}),
        ("POST", f"user-tasks/{KEY}/completion", None),
        ("POST", f"resources/{KEY}/deletion", None),
        ("POST", "messages/publication", {"name": "m", "correlationKey": "1", "timeToLive": 0}),
        ("POST", "messages/correlation", {"name": "m", "correlationKey": "1"}),
        ("POST", "signals/broadcast", {"signalName": "s"}),
        ("POST", "conditionals/evaluation", {"variables": {"a": 1}}),
        ("POST", "decision-definitions/evaluation", {"decisionDefinitionId": "d"}),
        ("POST", "global-task-listeners", LISTENER),
        ("PUT", "global-task-listeners/a", {name: LISTENER[name] for name in ("type", "eventTypes")}),
        ("DELETE", "global-task-listeners/a", None),
    ],
)
async def test_what_people_ask_for_carries_their_name(
    client: aiohttp.ClientSession, partition: FakePartition, method: str, path: str, body: Any
) -> None:
    await client.request(method, f"/v2/{path}", json=body, headers={HEADER: "ann"})

    (command,) = partition.commands
    assert isinstance(command, Attributed)
    assert command.origin == Origin(user="ann")


async def test_a_deployment_carries_the_name_of_who_deploys(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    form = aiohttp.FormData()
    form.add_field("resources", b"<definitions/>", filename="a.bpmn")
    await client.post("/v2/deployments", data=form, headers={HEADER: "ann"})
    (command,) = partition.commands
    assert isinstance(command, Attributed)
    assert command.origin.user == "ann"


async def test_what_the_client_calls_its_request_goes_along(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    path, body = f"/v2/incidents/{KEY}/resolution", {"operationReference": 7}
    await client.post(path, json=body, headers={HEADER: "ann"})
    (command,) = partition.commands
    assert isinstance(command, Attributed)
    assert command.origin == Origin(7, "ann")


async def test_the_work_of_workers_carries_no_name(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    await client.post(f"/v2/jobs/{KEY}/completion", headers={HEADER: "ann"})
    (command,) = partition.commands
    assert not isinstance(command, Attributed)


async def test_idempotency_keys_of_two_users_are_two_keys(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    for user in ("ann", "bob"):
        headers = {HEADER: user, "Idempotency-Key": "k"}
        await client.post(f"/v2/process-instances/{KEY}/cancellation", headers=headers)
    scopes = {command.id.scope for command in partition.commands if isinstance(command, DoOnce)}
    assert scopes == {f"<default>\n{user}\nCancelProcessInstance" for user in ("ann", "bob")}


@pytest.mark.parametrize("headers", [{}, {HEADER: ""}])
async def test_without_a_name_nobody_is_known(
    client: aiohttp.ClientSession, partition: FakePartition, headers: dict[str, str]
) -> None:
    await client.post(f"/v2/incidents/{KEY}/resolution", headers=headers)
    (command,) = partition.commands
    assert isinstance(command, Attributed)
    assert command.origin == Origin()


@pytest.mark.parametrize(
    "headers",
    [
        [(HEADER, "ann"), (HEADER, "bob")],
        [(HEADER, "a\tb")],
        [(HEADER, "x" * 257)],
    ],
)
async def test_what_is_no_name_is_refused(
    client: aiohttp.ClientSession, partition: FakePartition, headers: list[tuple[str, str]]
) -> None:
    async with client.post(f"/v2/incidents/{KEY}/resolution", headers=headers) as response:
        assert response.status == 400
        assert HEADER in (await response.json())["detail"]
    assert partition.commands == []


async def test_who_asks_is_told_who_that_is(client: aiohttp.ClientSession) -> None:
    names: list[str] = []
    for headers in ({}, {HEADER: "ann"}):
        async with client.get("/v2/authentication/me", headers=headers) as response:
            names.append((await response.json())["username"])
    assert names == ["anonymous", "ann"]


async def test_a_header_that_the_operator_has_not_named_says_nothing(
    cluster: FakeCluster, partition: FakePartition
) -> None:
    gateway = Gateway(cluster, CollectorRegistry())
    port = await gateway.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        await client.post(f"/v2/incidents/{KEY}/resolution", headers={HEADER: "ann"})
    await gateway.stop(drain_s=1)
    (command,) = partition.commands
    assert isinstance(command, Attributed)
    assert command.origin == Origin()
