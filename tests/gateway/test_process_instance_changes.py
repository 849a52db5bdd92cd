from typing import Any

import aiohttp
import pytest

from bpmnd.bpmn.commands import (
    ActivateInstruction,
    AncestorOf,
    MigrateProcessInstance,
    ModifyProcessInstance,
    MoveInstruction,
    Origin,
    TerminateInstruction,
    VariableInstruction,
)
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import Rejected, RejectionType
from tests.gateway.fakes import FakeCluster, FakePartition

KEY = first_key(1) + 9
MODIFICATION = f"/v2/process-instances/{KEY}/modification"
MIGRATION = f"/v2/process-instances/{KEY}/migration"
NOTHING: dict[str, Any] = {}
NOTHINGS: list[Any] = []
BY_ID = {"sourceType": "byId", "sourceElementId": "a"}


@pytest.fixture
def partition(cluster: FakeCluster) -> FakePartition:
    return cluster.all[0]


def moved(ancestor: dict[str, Any]) -> dict[str, Any]:
    instruction = {"sourceElementInstruction": BY_ID, "targetElementId": "b"}
    return {"moveInstructions": [instruction | {"ancestorScopeInstruction": ancestor}]}


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ({}, ModifyProcessInstance(KEY)),
        (
            {"operationReference": 5, "activateInstructions": None},
            ModifyProcessInstance(KEY, origin=Origin(5)),
        ),
        (
            {"activateInstructions": [{"elementId": "a"}, {"elementId": "b", "more": 1}]},
            ModifyProcessInstance(KEY, (ActivateInstruction("a"), ActivateInstruction("b"))),
        ),
        (
            {"activateInstructions": [{"elementId": "a", "ancestorElementInstanceKey": "17"}]},
            ModifyProcessInstance(KEY, (ActivateInstruction("a", ancestor_key=17),)),
        ),
        (
            {"activateInstructions": [{"elementId": "a", "ancestorElementInstanceKey": "-1"}]},
            ModifyProcessInstance(KEY, (ActivateInstruction("a"),)),
        ),
        (
            {
                "activateInstructions": [
                    {
                        "elementId": "a",
                        "variableInstructions": [
                            {"variables": {"x": {"y": 1}}, "scopeId": "s"},
                            {"variables": {"z": None}},
                        ],
                    }
                ]
            },
            ModifyProcessInstance(
                KEY,
                (
                    ActivateInstruction(
                        "a",
                        (
                            VariableInstruction("s", {"x": b'{"y": 1}'}),
                            VariableInstruction("", {"z": b"null"}),
                        ),
                    ),
                ),
            ),
        ),
        (
            {"terminateInstructions": [{"elementInstanceKey": "5"}, {"elementId": "a"}]},
            ModifyProcessInstance(
                KEY, terminations=(TerminateInstruction(5), TerminateInstruction(element_id="a"))
            ),
        ),
        (
            {
                "moveInstructions": [
                    {
                        "sourceElementInstruction": {
                            "sourceType": "byKey",
                            "sourceElementInstanceKey": "7",
                        },
                        "targetElementId": "b",
                        "variableInstructions": [{"variables": {"x": 1}}],
                    }
                ]
            },
            ModifyProcessInstance(
                KEY,
                moves=(MoveInstruction("b", 7, variables=(VariableInstruction("", {"x": b"1"}),)),),
            ),
        ),
        (
            moved({"ancestorScopeType": "direct", "ancestorElementInstanceKey": "3"}),
            ModifyProcessInstance(KEY, moves=(MoveInstruction("b", 0, "a", AncestorOf.NAMED, 3),)),
        ),
        (
            moved({"ancestorScopeType": "inferred"}),
            ModifyProcessInstance(KEY, moves=(MoveInstruction("b", 0, "a", AncestorOf.FOUND),)),
        ),
        (
            moved({"ancestorScopeType": "sourceParent"}),
            ModifyProcessInstance(KEY, moves=(MoveInstruction("b", 0, "a", AncestorOf.SOURCE),)),
        ),
    ],
)
async def test_a_modification_becomes_its_command(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    body: dict[str, Any],
    command: ModifyProcessInstance,
) -> None:
    async with client.post(MODIFICATION, json=body) as response:
        assert (response.status, await response.read()) == (204, b"")
    assert partition.commands == [command]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"operationReference": 0}, "The value for operationReference is '0' but must be > 0."),
        ({"activateInstructions": [NOTHING]}, "No elementId provided."),
        (
            {"activateInstructions": [{"elementId": "a", "variableInstructions": [{"variables": NOTHING}]}]},
            "No variables provided.",
        ),
        (
            {"terminateInstructions": [NOTHING]},
            "At least one of [elementId, elementInstanceKey] is required.",
        ),
        (
            {"terminateInstructions": [{"elementId": "a", "elementInstanceKey": "1"}]},
            "Only one of [elementId, elementInstanceKey] is allowed.",
        ),
        (
            {"moveInstructions": [NOTHING]},
            "No targetElementId provided. No sourceElementInstruction provided.",
        ),
        (
            {
                "moveInstructions": [
                    {"targetElementId": "b", "sourceElementInstruction": {"sourceType": "byKey"}}
                ]
            },
            "No sourceElementInstanceKey provided.",
        ),
        (
            {
                "moveInstructions": [
                    {"targetElementId": "b", "sourceElementInstruction": {"sourceType": "byId"}}
                ]
            },
            "No sourceElementId provided.",
        ),
        (
            {"moveInstructions": [{"targetElementId": "b", "sourceElementInstruction": NOTHING}]},
            "No sourceType provided.",
        ),
        (moved({}), "No ancestorScopeType provided."),
        (moved({"ancestorScopeType": "direct"}), "No ancestorElementInstanceKey provided."),
    ],
)
async def test_what_a_modification_lacks_is_told(
    client: aiohttp.ClientSession, partition: FakePartition, body: dict[str, Any], detail: str
) -> None:
    async with client.post(MODIFICATION, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"], problem["detail"]) == (400, "INVALID_ARGUMENT", detail)
    assert partition.commands == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"unknown": 1}, "[unknown]"),
        ({"terminateInstructions": [{"elementInstanceKey": "x"}]}, "[elementInstanceKey]"),
        (
            {"activateInstructions": [{"elementId": "a", "ancestorElementInstanceKey": "x"}]},
            "[ancestorElementInstanceKey]",
        ),
        (moved({"ancestorScopeType": "other"}), "[direct, inferred, sourceParent]"),
        (
            {
                "moveInstructions": [
                    {"targetElementId": "b", "sourceElementInstruction": {"sourceType": "byName"}}
                ]
            },
            "[byId, byKey]",
        ),
    ],
)
async def test_a_modification_that_cannot_be_read_is_refused(
    client: aiohttp.ClientSession, partition: FakePartition, body: dict[str, Any], words: str
) -> None:
    async with client.post(MODIFICATION, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (400, "Bad Request")
    assert words in problem["detail"]
    assert partition.commands == []


async def test_a_key_of_0_is_a_key_that_nothing_has(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    body = {
        "activateInstructions": [{"elementId": "a", "ancestorElementInstanceKey": "0"}],
        "terminateInstructions": [{"elementInstanceKey": "0"}],
    }
    async with client.post(MODIFICATION, json=body) as response:
        assert response.status == 204
    (command,) = partition.commands
    assert isinstance(command, ModifyProcessInstance)
    assert command.activations[0].ancestor_key < 0
    assert command.terminations[0].key < 0


async def test_a_migration_becomes_its_command(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    body = {
        "targetProcessDefinitionKey": "12",
        "mappingInstructions": [
            {"sourceElementId": "a", "targetElementId": "b"},
            {"sourceElementId": "c", "targetElementId": "c"},
        ],
        "operationReference": 3,
    }
    async with client.post(MIGRATION, json=body) as response:
        assert (response.status, await response.read()) == (204, b"")
    assert partition.commands == [MigrateProcessInstance(KEY, 12, (("a", "b"), ("c", "c")), origin=Origin(3))]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (NOTHING, "No targetProcessDefinitionKey provided. No mappingInstructions provided."),
        (
            {"targetProcessDefinitionKey": "1", "mappingInstructions": NOTHINGS},
            "No mappingInstructions provided.",
        ),
        (
            {"targetProcessDefinitionKey": "1", "mappingInstructions": [NOTHING]},
            "All [sourceElementId, targetElementId] are required.",
        ),
        (
            {
                "targetProcessDefinitionKey": "1",
                "mappingInstructions": [{"sourceElementId": "a", "targetElementId": ""}],
            },
            "All [sourceElementId, targetElementId] are required.",
        ),
    ],
)
async def test_what_a_migration_lacks_is_told(
    client: aiohttp.ClientSession, partition: FakePartition, body: dict[str, Any], detail: str
) -> None:
    async with client.post(MIGRATION, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"], problem["detail"]) == (400, "INVALID_ARGUMENT", detail)
    assert partition.commands == []


@pytest.mark.parametrize("operation", ["modification", "migration"])
async def test_an_instance_that_no_partition_has_is_not_found(
    client: aiohttp.ClientSession, operation: str
) -> None:
    body = {
        "targetProcessDefinitionKey": "1",
        "mappingInstructions": [{"sourceElementId": "a", "targetElementId": "b"}],
    }
    sent = body if operation == "migration" else {}
    async with client.post(f"/v2/process-instances/99/{operation}", json=sent) as response:
        problem = await response.json()
    assert response.status == 404
    assert problem["detail"].endswith("process instance but no process instance found with key '99'")


async def test_a_migration_that_fails_is_a_conflict(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = Rejected(RejectionType.INVALID_STATE, "no mapping")
    body = {
        "targetProcessDefinitionKey": "1",
        "mappingInstructions": [{"sourceElementId": "a", "targetElementId": "b"}],
    }
    async with client.post(MIGRATION, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (409, "INVALID_STATE")
    assert problem["detail"] == "Command 'MIGRATE' rejected with code 'INVALID_STATE': no mapping"
