"""Decisions through the official client against a real node: deployed, evaluated, called by a process, and
there again after a SIGKILL."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from camunda_orchestration_sdk import (
    CamundaAsyncClient,
    DecisionEvaluationByID,
    DecisionEvaluationByIdVariables,
    DecisionEvaluationByKey,
    EvaluateDecisionResult,
    ExpressionEvaluationRequest,
    ExpressionEvaluationRequestVariables,
    ProcessCreationById,
    ProcessDefinitionId,
)
from camunda_orchestration_sdk.errors import NotFoundError
from camunda_orchestration_sdk.models import ProcessInstanceCreationInstructionByIdVariables
from camunda_orchestration_sdk.semantic_types import DecisionDefinitionId

from bpmnd.bpmn.events import DecisionEvaluated
from tests.bpmn.dmn.decisions import decision, dmn, needs, table
from tests.bpmn.playground import END, START, path, process
from tests.end_to_end.load import events_of
from tests.nodes import RunningNode

pytestmark = pytest.mark.end_to_end

GRADES = dmn(
    decision("points", "amount / 10", name="Points of a customer")
    + decision(
        "grade",
        table("UNIQUE", ["Points of a customer"], ["grade"], ["< 5", '"silver"'], [">= 5", '"gold"']),
        requires=needs("points"),
    ),
    id="grades",
)
CALLING = process(
    START + '<businessRuleTask id="decide"><extensionElements>'
    '<zeebe:calledDecision decisionId="grade" resultVariable="grade"/></extensionElements></businessRuleTask>'
    + END
    + path("start", "decide", "end"),
    process_id="calling",
)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RunningNode]:
    with RunningNode(tmp_path / "data", "--partitions", "2") as node:
        yield node


async def deploy(sdk: CamundaAsyncClient, directory: Path, **contents: bytes) -> Any:
    files: list[str | Path] = []
    for name, content in contents.items():
        file = directory / name.replace("_", ".")
        file.write_bytes(content)
        files.append(file)
    return await sdk.deploy_resources_from_files(files)


async def grade(sdk: CamundaAsyncClient, amount: int) -> EvaluateDecisionResult:
    return await sdk.evaluate_decision(
        data=DecisionEvaluationByID(
            decision_definition_id=DecisionDefinitionId("grade"),
            variables=DecisionEvaluationByIdVariables.from_dict({"amount": amount}),
        )
    )


async def test_a_decision_lives_through_a_crash(node: RunningNode, tmp_path: Path) -> None:
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address}) as sdk:
        deployment = await deploy(sdk, tmp_path, grades_dmn=GRADES, calling_bpmn=CALLING)
        assert [one.decision_definition_id for one in deployment.decisions] == ["points", "grade"]
        result = await grade(sdk, 30)
        assert (result.output, result.failure_message) == ('"silver"', None)
        assert [one.output for one in result.evaluated_decisions] == ["3", '"silver"']

        assert "<decisionTable" in await sdk.get_decision_definition_xml(result.decision_definition_key)
        graph = await sdk.get_decision_requirements(result.decision_requirements_key)
        assert (graph.decision_requirements_id, graph.version) == ("grades", 1)

        await asyncio.to_thread(node.kill)
        await asyncio.to_thread(node.restart)

        for _ in range(2):  # Each partition once.
            assert (await grade(sdk, 60)).output == '"gold"'
        by_key = DecisionEvaluationByKey(decision_definition_key=result.decision_definition_key)
        assert (await sdk.evaluate_decision(data=by_key)).decision_definition_version == 1
        created = await sdk.create_process_instance(
            data=ProcessCreationById(
                process_definition_id=ProcessDefinitionId("calling"),
                variables=ProcessInstanceCreationInstructionByIdVariables.from_dict({"amount": 70}),
                await_completion=True,
            )
        )
        assert created.variables.to_dict()["grade"] == "gold"
    await asyncio.to_thread(node.terminate)
    evaluated = [event for event in events_of(node.directory) if isinstance(event, DecisionEvaluated)]
    assert [event.output for event in evaluated if event.instance_key] == [b'"gold"']


async def test_an_unknown_decision_and_an_expression(node: RunningNode) -> None:
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address}) as sdk:
        with pytest.raises(NotFoundError):
            await grade(sdk, 1)
        request = ExpressionEvaluationRequest(
            expression="=x * 2", variables=ExpressionEvaluationRequestVariables.from_dict({"x": 21})
        )
        evaluated = await sdk.evaluate_expression(data=request)
        assert (evaluated.result, evaluated.warnings) == (42, [])


async def test_hostile_decisions_end_within_moments_and_others_go_on(
    node: RunningNode, tmp_path: Path
) -> None:
    hostile = dmn(
        decision("grade", "count(for a in 1..9999, b in 1..9999 return [a, b])")
        + decision("power", "2 ** 10000000")
        + decision("pattern", 'matches("' + "a" * 1000 + '", "(a+)+(a+)+b")'),
        id="hostile",
    )
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address}) as sdk:
        await deploy(sdk, tmp_path, hostile_dmn=hostile)
        begin = time.monotonic()
        result = await grade(sdk, 1)
        assert result.failure_message is not None
        assert "more steps than are allowed" in result.failure_message
        assert time.monotonic() - begin < 3
        await deploy(sdk, tmp_path, grades_dmn=GRADES)
        assert (await grade(sdk, 30)).output == '"silver"'
