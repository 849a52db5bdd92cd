import asyncio
from typing import Any

import aiohttp
import pytest

from bpmnd.bpmn.commands import CancelProcessInstance, ClientCommand, CreateProcessInstance, Origin
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import Accepted, Outcome, ProcessInstanceCreated, Rejected, RejectionType
from tests.gateway.fakes import FakeCluster, FakePartition
from tests.gateway.wire import RawConnection, eventually

PATH = "/v2/process-instances"
KEY = first_key(1) + 9


def created(command: ClientCommand) -> Outcome:
    """As an engine that knows every process and ends every instance."""
    assert isinstance(command, CreateProcessInstance)
    return ProcessInstanceCreated(
        KEY, first_key(1) + 1, "order", 3, "<default>", command.tags, command.business_id, command.variables
    )


@pytest.fixture
def partition(cluster: FakeCluster) -> FakePartition:
    partition = cluster.all[0]
    partition.outcome = created
    return partition


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ({"processDefinitionId": "p"}, CreateProcessInstance("p")),
        ({"processDefinitionId": "p", "processDefinitionVersion": 2}, CreateProcessInstance("p", 2)),
        ({"processDefinitionKey": str(KEY)}, CreateProcessInstance(definition_key=KEY)),
        (
            {"processDefinitionId": "p", "variables": {"a": {"b": 1}}},
            CreateProcessInstance("p", variables={"a": b'{"b": 1}'}),
        ),
        ({"processDefinitionId": "p", "tenantId": "<default>"}, CreateProcessInstance("p")),
        ({"processDefinitionId": "p", "tenantId": ""}, CreateProcessInstance("p")),
        ({"processDefinitionId": "p", "tags": ["a", "b:1"]}, CreateProcessInstance("p", tags=("a", "b:1"))),
        ({"processDefinitionId": "p", "businessId": "b"}, CreateProcessInstance("p", business_id="b")),
        (
            {"processDefinitionId": "p", "startInstructions": [{"elementId": "x"}, {"elementId": "y"}]},
            CreateProcessInstance("p", start_elements=("x", "y")),
        ),
        (
            {
                "processDefinitionId": "p",
                "runtimeInstructions": [{"type": "TERMINATE_PROCESS_INSTANCE", "afterElementId": "x"}],
            },
            CreateProcessInstance("p", terminate_after=("x",)),
        ),
        (
            {"processDefinitionId": "p", "awaitCompletion": True, "fetchVariables": ["a"]},
            CreateProcessInstance("p", await_result=True, fetch_variables=("a",)),
        ),
        (
            {
                "processDefinitionId": "p",
                "variables": None,
                "tags": None,
                "businessId": None,
                "operationReference": 1,
            },
            CreateProcessInstance("p", origin=Origin(1)),
        ),
    ],
)
async def test_a_creation_becomes_its_command(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    body: dict[str, Any],
    command: CreateProcessInstance,
) -> None:
    async with client.post(PATH, json=body) as response:
        assert response.status == 200
    assert partition.commands == [command]


async def test_the_answer_has_keys_as_strings_and_no_variables(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    body = {"processDefinitionId": "p", "variables": {"a": 1}, "tags": ["t"], "businessId": 'b"1'}
    async with client.post(PATH, json=body) as response:
        assert await response.json() == {
            "processDefinitionId": "order",
            "processDefinitionVersion": 3,
            "processDefinitionKey": str(first_key(1) + 1),
            "processInstanceKey": str(KEY),
            "tenantId": "<default>",
            "variables": {},
            "tags": ["t"],
            "businessId": 'b"1',
        }
        assert response.content_type == "application/json"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            {"processDefinitionKey": None},
            "At least one of [processDefinitionId, processDefinitionKey] is required.",
        ),
        (
            {"processDefinitionId": ""},
            "At least one of [processDefinitionId, processDefinitionKey] is required.",
        ),
        (
            {"processDefinitionId": "p", "processDefinitionKey": "1"},
            "Only one of [processDefinitionId, processDefinitionKey] is allowed.",
        ),
        (
            {"processDefinitionId": "p", "tenantId": "other"},
            "Expected to handle request Create Process Instance with tenant identifier 'other', "
            "but multi-tenancy is disabled",
        ),
        (
            {"processDefinitionId": "p", "operationReference": 0},
            "The value for operationReference is '0' but must be > 0.",
        ),
        ({"processDefinitionId": "p", "tags": ["a", "a"]}, "The tags must be unique."),
        (
            {"processDefinitionId": "p", "tags": [f"t{number}" for number in range(11)]},
            "The number of tags is 11 but must be at most 10.",
        ),
        (
            {"processDefinitionId": "p", "businessId": ""},
            "The length of businessId is 0 but must be from 1 to 256 characters.",
        ),
        (
            {"operationReference": -1, "businessId": "x" * 257},
            "The value for operationReference is '-1' but must be > 0. "
            "At least one of [processDefinitionId, processDefinitionKey] is required. "
            "The length of businessId is 257 but must be from 1 to 256 characters.",
        ),
        (
            {"processDefinitionId": "p", "startInstructions": [{"elementId": ""}]},
            "No startInstructions[0].elementId provided.",
        ),
        (
            {"processDefinitionId": "p", "runtimeInstructions": [{"afterElementId": None}]},
            "No runtimeInstructions[0].afterElementId provided.",
        ),
    ],
)
async def test_complaints_are_told_together(
    client: aiohttp.ClientSession, partition: FakePartition, body: dict[str, Any], detail: str
) -> None:
    async with client.post(PATH, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"], problem["detail"]) == (400, "INVALID_ARGUMENT", detail)
    assert partition.commands == []


@pytest.mark.parametrize("tag", ["", "1a", "a b", "ä", "a" * 101, "a\n"])
async def test_a_tag_has_a_pattern(client: aiohttp.ClientSession, partition: FakePartition, tag: str) -> None:
    async with client.post(PATH, json={"processDefinitionId": "p", "tags": [tag]}) as response:
        assert (await response.json())["title"] == "INVALID_ARGUMENT"


async def test_an_unknown_kind_of_instruction_is_refused(client: aiohttp.ClientSession) -> None:
    body = {"processDefinitionId": "p", "runtimeInstructions": [{"type": "JUMP", "afterElementId": "x"}]}
    async with client.post(PATH, json=body) as response:
        assert "[TERMINATE_PROCESS_INSTANCE]" in (await response.json())["detail"]


async def test_creations_go_round_the_partitions() -> None:
    cluster = FakeCluster(3)
    assert [cluster.for_creation().id for _ in range(4)] == [1, 2, 3, 1]


async def test_an_awaited_instance_answers_with_its_variables(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.stall()
    body = {"processDefinitionId": "p", "awaitCompletion": True, "variables": {"a": [1]}}
    creation = asyncio.create_task(client.post(PATH, json=body))
    await eventually(lambda: partition.commands != [])

    partition.resume()

    async with await creation as response:
        assert (await response.json())["variables"] == {"a": [1]}


async def test_an_instance_that_does_not_end_in_time_is_a_504(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.stall()
    body = {"processDefinitionId": "p", "awaitCompletion": True, "requestTimeout": 20}
    async with client.post(PATH, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (504, "Gateway Timeout")
    assert "20 ms" in problem["detail"]


async def test_the_wait_for_a_result_ends_when_the_client_hangs_up(
    port: int, partition: FakePartition
) -> None:
    partition.stall()
    async with RawConnection(port) as connection:
        await connection.post(
            PATH, b'{"processDefinitionId":"p","awaitCompletion":true,"requestTimeout":60000}'
        )
        await eventually(lambda: partition.waiting != [])
    await eventually(partition.waiting[0].cancelled)


async def test_an_unknown_process_is_not_found(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    reason = "Expected to find process definition with process ID 'p', but none found"
    partition.outcome = Rejected(RejectionType.NOT_FOUND, reason)
    async with client.post(PATH, json={"processDefinitionId": "p"}) as response:
        problem = await response.json()
    assert (response.status, problem["detail"]) == (
        404,
        f"Command 'CREATE' rejected with code 'NOT_FOUND': {reason}",
    )


@pytest.mark.parametrize(("body", "reference"), [(None, 0), ({}, 0), ({"operationReference": 7}, 7)])
async def test_a_cancellation_becomes_its_command(
    client: aiohttp.ClientSession, partition: FakePartition, body: dict[str, Any] | None, reference: int
) -> None:
    partition.outcome = Accepted()
    async with client.post(f"{PATH}/{KEY}/cancellation", json=body) as response:
        assert response.status == 204
    assert partition.commands == [CancelProcessInstance(KEY, origin=Origin(reference))]


async def test_cancelling_what_no_partition_has_is_not_found(client: aiohttp.ClientSession) -> None:
    async with client.post(f"{PATH}/99/cancellation") as response:
        problem = await response.json()
    assert response.status == 404
    assert problem["detail"].endswith(
        "Expected to cancel a process instance with key '99', but no such process was found"
    )
