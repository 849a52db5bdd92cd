"""Decisions: evaluated with the whole tree of what they require, and read as they were deployed."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import DoOnce, EvaluateDecision, ReadDecision, ReadDecisionRequirements
from bpmnd.bpmn.dmn.results import EvaluatedDecision
from bpmnd.bpmn.outcomes import DecisionEvaluated, DecisionRead, RequirementsRead
from bpmnd.gateway.answers import Answer, answer, ok
from bpmnd.gateway.bodies import Body, RawVariables, json_body, variables_of
from bpmnd.gateway.errors import invalid_argument, not_found, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.keys import key_in_body, key_in_path
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.slots import outcome_by_id
from bpmnd.gateway.submission import Submissions
from bpmnd.gateway.tenants import check_tenant

_XML = "text/xml"
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


class _Definition(msgspec.Struct, frozen=True, rename="camel"):
    decision_definition_id: str
    decision_definition_key: str
    decision_requirements_id: str
    decision_requirements_key: str
    decision_requirements_name: str
    decision_requirements_version: int
    name: str
    tenant_id: str
    version: int


class _Requirements(msgspec.Struct, frozen=True, rename="camel"):
    decision_requirements_id: str
    decision_requirements_key: str
    decision_requirements_name: str
    resource_name: str
    tenant_id: str
    version: int


_EVALUATION = msgspec.json.Decoder(_Evaluation)


@final
class DecisionOperations:
    """The operations of the tags "Decision definition" and "Decision requirements", but for searches."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        decision = "/decision-definitions/{decisionDefinitionKey}"
        requirements = "/decision-requirements/{decisionRequirementsKey}"
        return (
            Route("POST", "/decision-definitions/evaluation", "evaluateDecision", self.evaluate),
            Route("GET", decision, "getDecisionDefinition", self.get),
            Route("GET", f"{decision}/xml", "getDecisionDefinitionXML", self.xml),
            Route("GET", requirements, "getDecisionRequirements", self.get_requirements),
            Route("GET", f"{requirements}/xml", "getDecisionRequirementsXML", self.requirements_xml),
        )

    async def evaluate(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Evaluate a decision: 200 also if that fails, with the reason in the result."""
        command = with_id(request, _command_of(await json_body(request, _EVALUATION)))
        if isinstance(command, DoOnce):
            outcome = await outcome_by_id(self._submissions, self._cluster, command)
        else:  # Every partition has every decision.
            anywhere = self._cluster.for_creation
            outcome = await self._submissions.outcome_of(command, anywhere(), anywhere)
        match outcome:
            case DecisionEvaluated() as evaluated:
                return ok(msgspec.json.encode(_result_of(evaluated)))
            case _:
                raise unexpected("EVALUATE", outcome)

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        read = await self._decision(arguments[0])
        decision, requirements = read.decision, read.requirements
        shown = _Definition(
            decision_definition_id=decision.decision_id,
            decision_definition_key=str(decision.key),
            decision_requirements_id=decision.requirements_id,
            decision_requirements_key=str(decision.requirements_key),
            decision_requirements_name=requirements.requirements.name,
            decision_requirements_version=requirements.requirements.version,
            name=decision.name,
            tenant_id=requirements.tenant_id,
            version=decision.version,
        )
        return ok(msgspec.json.encode(shown))

    async def xml(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """The file that the decision came in."""
        return answer(200, (await self._decision(arguments[0])).requirements.content, _XML)

    async def get_requirements(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        read = await self._requirements(arguments[0])
        shown = _Requirements(
            decision_requirements_id=read.requirements.requirements_id,
            decision_requirements_key=str(read.requirements.key),
            decision_requirements_name=read.requirements.name,
            resource_name=read.requirements.resource_name,
            tenant_id=read.tenant_id,
            version=read.requirements.version,
        )
        return ok(msgspec.json.encode(shown))

    async def requirements_xml(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        return answer(200, (await self._requirements(arguments[0])).content, _XML)

    async def _decision(self, text: str) -> DecisionRead:
        key = key_in_path(text, "decisionDefinitionKey")
        partition = self._cluster.owner_of(key)
        if partition is None:
            raise not_found("READ", f"Decision definition with key '{key}' not found")
        match await self._submissions.outcome_of(ReadDecision(key), partition):
            case DecisionRead() as read:
                return read
            case outcome:
                raise unexpected("READ", outcome)

    async def _requirements(self, text: str) -> RequirementsRead:
        key = key_in_path(text, "decisionRequirementsKey")
        partition = self._cluster.owner_of(key)
        if partition is None:
            raise not_found("READ", f"Decision requirements with key '{key}' not found")
        match await self._submissions.outcome_of(ReadDecisionRequirements(key), partition):
            case RequirementsRead() as read:
                return read
            case outcome:
                raise unexpected("READ", outcome)


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
