"""Decisions: evaluated with the whole tree of what they require."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import DoOnce, EvaluateDecision
from bpmnd.bpmn.dmn.results import EvaluatedDecision
from bpmnd.bpmn.outcomes import DecisionEvaluated
from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.bodies import Body, RawVariables, json_body, variables_of
from bpmnd.gateway.errors import invalid_argument, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.keys import key_in_body
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions
from bpmnd.gateway.tenants import check_tenant

_BY = "[decisionDefinitionId, decisionDefinitionKey]"


class _Evaluation(Body, frozen=True):
    decision_definition_id: str | None = None
    decision_definition_key: str | None = None
    variables: RawVariables | None = None
    tenant_id: str | None = None


class _Input(msgspec.Struct, frozen=True, rename="camel"):
    input_id: str
    input_name: str
    input_value: str


class _Output(msgspec.Struct, frozen=True, rename="camel"):
    output_id: str
    output_name: str
    output_value: str
    rule_id: str
    rule_index: int


class _Rule(msgspec.Struct, frozen=True, rename="camel"):
    rule_id: str
    rule_index: int
    evaluated_outputs: list[_Output]


class _Decision(msgspec.Struct, frozen=True, rename="camel"):
    decision_definition_id: str
    decision_definition_key: str
    decision_definition_name: str
    decision_definition_type: str
    decision_definition_version: int
    decision_evaluation_instance_key: str
    tenant_id: str
    output: str
    evaluated_inputs: list[_Input]
    matched_rules: list[_Rule]


class _Result(msgspec.Struct, frozen=True, rename="camel"):
    """`decision_instance_key` is the older name of the evaluation's key."""

    decision_definition_id: str
    decision_definition_key: str
    decision_definition_name: str
    decision_definition_version: int
    decision_requirements_id: str
    decision_requirements_key: str
    decision_evaluation_key: str
    decision_instance_key: str
    tenant_id: str
    output: str
    failed_decision_definition_id: str | None
    failure_message: str | None
    evaluated_decisions: list[_Decision]


_EVALUATION = msgspec.json.Decoder(_Evaluation)


@final
class DecisionOperations:
    """What the tag "Decision definition" has of evaluations."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        return (Route("POST", "/decision-definitions/evaluation", "evaluateDecision", self.evaluate),)

    async def evaluate(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Evaluate a decision: 200 also if that fails, with the reason in the result."""
        command = with_id(request, _command_of(await json_body(request, _EVALUATION)))
        if isinstance(command, DoOnce):
            partition, elsewhere = self._cluster.for_key(command.id.key), None
        else:  # Every partition has every decision.
            partition, elsewhere = self._cluster.for_creation(), self._cluster.for_creation
        match await self._submissions.outcome_of(command, partition, elsewhere):
            case DecisionEvaluated() as evaluated:
                return ok(msgspec.json.encode(_result_of(evaluated)))
            case outcome:
                raise unexpected("EVALUATE", outcome)


def _command_of(body: _Evaluation) -> EvaluateDecision:
    check_tenant(body.tenant_id, "Evaluate Decision")
    variables = variables_of(body.variables)
    match body.decision_definition_id, body.decision_definition_key:
        case None, None:
            raise invalid_argument([f"At least one of {_BY} is required."])
        case str(identifier), None:
            return EvaluateDecision(decision_id=identifier, variables=variables)
        case None, str(key):
            number = key_in_body(key, "decisionDefinitionKey")
            return EvaluateDecision(decision_key=number, variables=variables)
        case _:
            raise invalid_argument([f"Only one of {_BY} is allowed."])


def _result_of(evaluated: DecisionEvaluated) -> _Result:
    decision, failure = evaluated.decision, evaluated.failure
    return _Result(
        decision_definition_id=decision.decision_id,
        decision_definition_key=str(decision.key),
        decision_definition_name=decision.name,
        decision_definition_version=decision.version,
        decision_requirements_id=decision.requirements_id,
        decision_requirements_key=str(decision.requirements_key),
        decision_evaluation_key=str(evaluated.key),
        decision_instance_key=str(evaluated.key),
        tenant_id=evaluated.tenant_id,
        output=evaluated.output.decode(),
        failed_decision_definition_id=failure.decision_id if failure else None,
        failure_message=failure.message if failure else None,
        evaluated_decisions=[
            _decision_of(f"{evaluated.key}-{number}", one, evaluated.tenant_id)
            for number, one in enumerate(evaluated.decisions, 1)
        ],
    )


def _decision_of(instance_key: str, decision: EvaluatedDecision, tenant_id: str) -> _Decision:
    return _Decision(
        decision_definition_id=decision.decision_id,
        decision_definition_key=str(decision.key),
        decision_definition_name=decision.name,
        decision_definition_type=decision.type,
        decision_definition_version=decision.version,
        decision_evaluation_instance_key=instance_key,
        tenant_id=tenant_id,
        output=decision.output.decode(),
        evaluated_inputs=[_Input(one.id, one.name, one.value.decode()) for one in decision.inputs],
        matched_rules=[
            _Rule(
                rule.id,
                rule.index,
                [_Output(one.id, one.name, one.value.decode(), rule.id, rule.index) for one in rule.outputs],
            )
            for rule in decision.rules
        ],
    )
