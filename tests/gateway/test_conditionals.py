"""The evaluation of conditional start events: from the request to the command, and back."""

from typing import Any

import aiohttp
import pytest

from bpmnd.bpmn.commands import EvaluateConditionals
from bpmnd.bpmn.outcomes import ConditionalsEvaluated, Rejected, RejectionType
from tests.gateway.fakes import FakePartition

EVALUATION = "/v2/conditionals/evaluation"
NOBODY = ConditionalsEvaluated(7, "<default>", ())
TWO = ConditionalsEvaluated(7, "<default>", ((1, 2), (1, 3)))
KEY = 2**51 + 5


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ({"variables": {"a": [1, 2]}}, EvaluateConditionals({"a": b"[1, 2]"})),
        ({"variables": {}, "tenantId": "<default>"}, EvaluateConditionals({})),
        ({"variables": {}, "processDefinitionKey": str(KEY)}, EvaluateConditionals({}, KEY)),
    ],
)
async def test_a_request_becomes_a_command(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    body: dict[str, Any],
    command: EvaluateConditionals,
) -> None:
    partition.outcome = NOBODY
    async with client.post(EVALUATION, json=body) as response:
        assert response.status == 200
    assert partition.commands == [command]


async def test_the_instances_that_were_started_are_the_answer(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = TWO
    async with client.post(EVALUATION, json={"variables": {}}) as response:
        assert await response.json() == {
            "conditionalEvaluationKey": "7",
            "tenantId": "<default>",
            "processInstances": [
                {"processDefinitionKey": "1", "processInstanceKey": "2"},
                {"processDefinitionKey": "1", "processInstanceKey": "3"},
            ],
        }


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "No variables provided."),
        (
            {"variables": {}, "tenantId": "other"},
            "Expected to handle request Evaluate Conditional with tenant identifier 'other',"
            " but multi-tenancy is disabled",
        ),
        ({"variables": {}, "processDefinitionKey": "x"}, "processDefinitionKey"),
    ],
)
async def test_what_is_wrong_is_told(
    client: aiohttp.ClientSession, partition: FakePartition, body: dict[str, Any], detail: str
) -> None:
    async with client.post(EVALUATION, json=body) as response:
        assert response.status == 400
        assert detail in (await response.json())["detail"]
    assert partition.commands == []


async def test_a_definition_that_is_not_there_is_a_404(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = Rejected(RejectionType.NOT_FOUND, "none found")
    body: dict[str, Any] = {"variables": {}, "processDefinitionKey": str(KEY)}
    async with client.post(EVALUATION, json=body) as response:
        assert response.status == 404
