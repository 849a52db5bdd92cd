import aiohttp
import pytest

from bpmnd.bpmn.commands import (
    EvaluateDecision,
    EvaluateExpression,
    ReadDecision,
    ReadDecisionRequirements,
)
from bpmnd.bpmn.dmn.results import (
    DecisionFailure,
    EvaluatedDecision,
    EvaluatedInput,
    EvaluatedOutput,
    MatchedRule,
)
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import (
    DecisionEvaluated,
    DecisionRead,
    DeployedDecision,
    DeployedRequirements,
    DeploymentCreated,
    ExpressionEvaluated,
    Rejected,
    RejectionType,
    RequirementsRead,
)
from tests.gateway.fakes import FakePartition
from tests.gateway.test_deployments import form

PATH = "/v2/decision-definitions/evaluation"
DECISION = DeployedDecision(8, "d", "The D", 3, 7, "drg")
RULE = MatchedRule("r", 1, (EvaluatedOutput("o", "Out", b'"a"'),))
TREE = (
    EvaluatedDecision(9, "base", "Base", 1, "LITERAL_EXPRESSION", b"2"),
    EvaluatedDecision(
        8, "d", "The D", 3, "DECISION_TABLE", b'"a"', (EvaluatedInput("i", "In", b"2"),), (RULE,)
    ),
)
EVALUATED = DecisionEvaluated(50, DECISION, "<default>", b'"a"', TREE, None)


async def test_a_decision_is_evaluated_by_its_id(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = EVALUATED
    body = {"decisionDefinitionId": "d", "variables": {"x": 1}}
    async with client.post(PATH, json=body) as response:
        assert response.status == 200
    assert partition.commands == [EvaluateDecision("d", variables={"x": b"1"})]


async def test_a_decision_is_evaluated_by_its_key(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = EVALUATED
    async with client.post(PATH, json={"decisionDefinitionKey": "8"}) as response:
        assert response.status == 200
    assert partition.commands == [EvaluateDecision(decision_key=8)]


async def test_the_whole_tree_is_told(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    partition.outcome = EVALUATED
    async with client.post(PATH, json={"decisionDefinitionId": "d"}) as response:
        result = await response.json()
    base, top = result.pop("evaluatedDecisions")
    assert result == {
        "decisionDefinitionId": "d",
        "decisionDefinitionKey": "8",
        "decisionDefinitionName": "The D",
        "decisionDefinitionVersion": 3,
        "decisionRequirementsId": "drg",
        "decisionRequirementsKey": "7",
        "decisionEvaluationKey": "50",
        "decisionInstanceKey": "50",
        "tenantId": "<default>",
        "output": '"a"',
        "failedDecisionDefinitionId": None,
        "failureMessage": None,
    }
    assert base["decisionEvaluationInstanceKey"] == "50-1"
    assert top == {
        "decisionDefinitionId": "d",
        "decisionDefinitionKey": "8",
        "decisionDefinitionName": "The D",
        "decisionDefinitionType": "DECISION_TABLE",
        "decisionDefinitionVersion": 3,
        "decisionEvaluationInstanceKey": "50-2",
        "tenantId": "<default>",
        "output": '"a"',
        "evaluatedInputs": [{"inputId": "i", "inputName": "In", "inputValue": "2"}],
        "matchedRules": [
            {
                "ruleId": "r",
                "ruleIndex": 1,
                "evaluatedOutputs": [
                    {
                        "outputId": "o",
                        "outputName": "Out",
                        "outputValue": '"a"',
                        "ruleId": "r",
                        "ruleIndex": 1,
                    }
                ],
            }
        ],
    }


async def test_a_failure_is_a_result(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    failure = DecisionFailure("base", "Expected …")
    partition.outcome = DecisionEvaluated(50, DECISION, "<default>", b"null", TREE[:1], failure)
    async with client.post(PATH, json={"decisionDefinitionId": "d"}) as response:
        result = await response.json()
        assert response.status == 200
    assert (result["output"], result["failedDecisionDefinitionId"]) == ("null", "base")
    assert result["failureMessage"] == "Expected …"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "At least one of [decisionDefinitionId, decisionDefinitionKey] is required."),
        (
            {"decisionDefinitionId": "d", "decisionDefinitionKey": "8"},
            "Only one of [decisionDefinitionId, decisionDefinitionKey] is allowed.",
        ),
    ],
)
async def test_a_decision_is_named_in_one_way(
    client: aiohttp.ClientSession, partition: FakePartition, body: dict[str, str], detail: str
) -> None:
    async with client.post(PATH, json=body) as response:
        assert response.status == 400
        assert (await response.json())["detail"] == detail
    assert partition.commands == []


async def test_an_unknown_decision_is_a_404(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    partition.outcome = Rejected(RejectionType.NOT_FOUND, "no decision found for id 'x'")
    async with client.post(PATH, json={"decisionDefinitionId": "x"}) as response:
        assert response.status == 404
        assert "no decision found for id 'x'" in (await response.json())["detail"]


async def test_deployed_decisions_are_listed(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    requirements = DeployedRequirements(7, "drg", "Graph", 2, "a.dmn")
    partition.outcome = DeploymentCreated(5, "<default>", (), (DECISION,), (requirements,))
    async with client.post("/v2/deployments", data=form(("resources", "a.dmn", b"<a/>"))) as response:
        decision, graph = (await response.json())["deployments"]
    assert decision["decisionDefinition"] == {
        "decisionDefinitionId": "d",
        "version": 3,
        "name": "The D",
        "tenantId": "<default>",
        "decisionRequirementsId": "drg",
        "decisionDefinitionKey": "8",
        "decisionRequirementsKey": "7",
    }
    assert graph["decisionRequirements"] == {
        "decisionRequirementsId": "drg",
        "decisionRequirementsName": "Graph",
        "version": 2,
        "resourceName": "a.dmn",
        "tenantId": "<default>",
        "decisionRequirementsKey": "7",
    }
    assert decision["processDefinition"] is graph["decisionDefinition"] is None


READ = RequirementsRead(DeployedRequirements(7, "drg", "Graph", 2, "a.dmn"), "<default>", b"<a/>")
GRAPH = {
    "decisionRequirementsId": "drg",
    "decisionRequirementsKey": "7",
    "decisionRequirementsName": "Graph",
    "resourceName": "a.dmn",
    "tenantId": "<default>",
    "version": 2,
}


async def test_a_decision_is_read(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    key = first_key(1) + 8
    partition.outcome = DecisionRead(DECISION, READ)
    async with client.get(f"/v2/decision-definitions/{key}") as response:
        assert await response.json() == {
            "decisionDefinitionId": "d",
            "decisionDefinitionKey": "8",
            "decisionRequirementsId": "drg",
            "decisionRequirementsKey": "7",
            "decisionRequirementsName": "Graph",
            "decisionRequirementsVersion": 2,
            "name": "The D",
            "tenantId": "<default>",
            "version": 3,
        }
    async with client.get(f"/v2/decision-definitions/{key}/xml") as response:
        assert (response.content_type, await response.read()) == ("text/xml", b"<a/>")
    assert partition.commands == [ReadDecision(key)] * 2


async def test_a_graph_is_read(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    key = first_key(1) + 7
    partition.outcome = READ
    async with client.get(f"/v2/decision-requirements/{key}") as response:
        assert await response.json() == GRAPH
    async with client.get(f"/v2/decision-requirements/{key}/xml") as response:
        assert (response.content_type, await response.read()) == ("text/xml", b"<a/>")
    assert partition.commands == [ReadDecisionRequirements(key)] * 2


async def test_a_key_of_no_partition_is_a_404(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    for path in ("decision-definitions", "decision-requirements"):
        async with client.get(f"/v2/{path}/{first_key(99)}/xml") as response:
            assert response.status == 404
    assert partition.commands == []


async def test_an_expression_is_evaluated_with_its_warnings(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = ExpressionEvaluated(b'{"a":1.50}', ("odd",))
    body = {"expression": "=x", "variables": {"x": [1]}}
    async with client.post("/v2/expression/evaluation", json=body) as response:
        assert response.status == 200
        text = await response.text()
    assert text == '{"expression":"=x","result":{"a":1.50},"warnings":[{"message":"odd"}]}'
    assert partition.commands == [EvaluateExpression("=x", {"x": b"[1]"})]


async def test_an_expression_must_be_given(client: aiohttp.ClientSession, partition: FakePartition) -> None:
    async with client.post("/v2/expression/evaluation", json={}) as response:
        assert response.status == 400
        assert "expression" in (await response.json())["detail"]
