"""Decisions: what is deployed, and what was evaluated."""

import aiohttp
import pytest

from tests.gateway.schemas import API_FILE, ApiDescription
from tests.gateway.search.conftest import Played, ask


@pytest.mark.skipif(not API_FILE.exists(), reason=f"{API_FILE} is not here")
async def test_every_read_has_the_shape_of_the_description(
    client: aiohttp.ClientSession, played: Played
) -> None:
    description = ApiDescription(API_FILE)
    for operation, method, path in (
        ("searchDecisionDefinitions", "POST", "/decision-definitions/search"),
        ("searchDecisionRequirements", "POST", "/decision-requirements/search"),
        ("searchDecisionInstances", "POST", "/decision-instances/search"),
        ("getDecisionInstance", "GET", f"/decision-instances/{played.evaluations[0]}-2"),
    ):
        status, answer = await ask(client, method, path)
        assert description.complaints(operation, status, "application/json", answer) == [], operation
        assert "items" not in answer or answer["items"], f"{operation} finds nothing to look at"


async def test_each_decision_of_an_evaluation_is_found(client: aiohttp.ClientSession, played: Played) -> None:
    key, failed = played.evaluations
    wanted = {"filter": {"decisionEvaluationKey": str(key)}}
    _, answer = await ask(client, "POST", "/decision-instances/search", wanted)
    assert [
        (item["decisionEvaluationInstanceKey"], item["decisionDefinitionId"], item["result"], item["state"])
        for item in answer["items"]
    ] == [(f"{key}-1", "base", "4", "EVALUATED"), (f"{key}-2", "grade", '"low"', "EVALUATED")]
    assert answer["items"][0]["rootDecisionDefinitionKey"] == answer["items"][1]["decisionDefinitionKey"]

    wanted_failed = {"filter": {"state": "FAILED"}}
    _, answer = await ask(client, "POST", "/decision-instances/search", wanted_failed)
    (item,) = answer["items"]
    assert item["decisionEvaluationKey"] == str(failed)
    assert item["evaluationFailure"]


async def test_one_is_told_with_its_inputs_and_rules(client: aiohttp.ClientSession, played: Played) -> None:
    _, answer = await ask(client, "GET", f"/decision-instances/{played.evaluations[0]}-2")
    assert [one["inputValue"] for one in answer["evaluatedInputs"]] == ["4"]
    (rule,) = answer["matchedRules"]
    assert (rule["ruleIndex"], [one["outputValue"] for one in rule["evaluatedOutputs"]]) == (1, ['"low"'])


async def test_definitions_are_found_with_their_requirements(client: aiohttp.ClientSession) -> None:
    wanted = {"filter": {"decisionRequirementsName": "drg", "isLatestVersion": True}}
    _, answer = await ask(client, "POST", "/decision-definitions/search", wanted)
    assert [item["decisionDefinitionId"] for item in answer["items"]] == ["base", "grade", "strict"]


@pytest.mark.parametrize(("name", "status"), [("5-1", 404), ("5", 400), ("a-b", 400)])
async def test_one_that_is_not_there_is_told_so(
    client: aiohttp.ClientSession, name: str, status: int
) -> None:
    assert (await ask(client, "GET", f"/decision-instances/{name}"))[0] == status
