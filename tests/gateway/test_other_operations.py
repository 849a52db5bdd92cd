"""Element instances, incidents, cluster: one request each, its command or its answer."""

from typing import Any

import aiohttp
import pytest

from bpmnd.bpmn.commands import ClientCommand, Origin, ResolveIncident, SetVariables
from bpmnd.bpmn.keys import first_key
from tests.gateway.fakes import FakeCluster, FakePartition

KEY = first_key(1) + 5
VARIABLES = f"/v2/element-instances/{KEY}/variables"
RESOLUTION = f"/v2/incidents/{KEY}/resolution"


@pytest.mark.parametrize(
    ("method", "path", "body", "command"),
    [
        ("PUT", VARIABLES, {"variables": {"a": 1}}, SetVariables(KEY, {"a": b"1"})),
        (
            "PUT",
            VARIABLES,
            {"variables": {"a": 1}, "local": True},
            SetVariables(KEY, {"a": b"1"}, local=True),
        ),
        ("PUT", VARIABLES, {"variables": {"a": 1}, "local": None}, SetVariables(KEY, {"a": b"1"})),
        (
            "PUT",
            VARIABLES,
            {"variables": {"a": 1}, "operationReference": 5},
            SetVariables(KEY, {"a": b"1"}, origin=Origin(5)),
        ),
        ("POST", RESOLUTION, None, ResolveIncident(KEY)),
        ("POST", RESOLUTION, {"operationReference": 3}, ResolveIncident(KEY, origin=Origin(3))),
    ],
)
async def test_a_request_becomes_its_command(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    command: ClientCommand,
) -> None:
    async with client.request(method, path, json=body) as response:
        assert response.status == 204
    assert partition.commands == [command]


@pytest.mark.parametrize(
    ("method", "path", "body", "detail"),
    [
        ("PUT", VARIABLES, {}, "No variables provided."),
        ("PUT", VARIABLES, {"variables": {}}, "No variables provided."),
        (
            "PUT",
            VARIABLES,
            {"operationReference": 0},
            "The value for operationReference is '0' but must be > 0. No variables provided.",
        ),
        (
            "POST",
            RESOLUTION,
            {"operationReference": -1},
            "The value for operationReference is '-1' but must be > 0.",
        ),
    ],
)
async def test_what_is_not_acceptable_is_refused(
    client: aiohttp.ClientSession, partition: FakePartition, method: str, path: str, body: Any, detail: str
) -> None:
    async with client.request(method, path, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"], problem["detail"]) == (400, "INVALID_ARGUMENT", detail)
    assert partition.commands == []


@pytest.mark.parametrize(
    ("method", "path", "body", "reason"),
    [
        (
            "PUT",
            "/v2/element-instances/99/variables",
            {"variables": {"a": 1}},
            "Command 'UPDATE' rejected with code 'NOT_FOUND': "
            "Expected to update variables for element with key '99', but no such element was found",
        ),
        (
            "POST",
            "/v2/incidents/99/resolution",
            None,
            "Command 'RESOLVE' rejected with code 'NOT_FOUND': "
            "Expected to resolve incident with key '99', but no such incident was found",
        ),
    ],
)
async def test_a_key_of_no_partition_is_not_found(
    client: aiohttp.ClientSession, method: str, path: str, body: Any, reason: str
) -> None:
    async with client.request(method, path, json=body) as response:
        assert (response.status, (await response.json())["detail"]) == (404, reason)


async def test_the_status_is_204_with_a_leader_and_503_without(
    client: aiohttp.ClientSession, cluster: FakeCluster
) -> None:
    async with client.get("/v2/status") as response:
        assert response.status == 204

    cluster.has_leaders = False
    async with client.get("/v2/status") as response:
        assert (response.status, (await response.json())["title"]) == (503, "Service Unavailable")


async def test_everybody_is_the_same_user_of_the_default_tenant(client: aiohttp.ClientSession) -> None:
    async with client.get("/v2/authentication/me") as response:
        user = await response.json()
    assert [tenant["tenantId"] for tenant in user["tenants"]] == ["<default>"]
