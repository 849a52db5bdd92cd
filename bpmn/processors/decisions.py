"""Evaluating decisions, for clients and for processes."""

from collections.abc import Callable

from bpmnd.bpmn.commands import EvaluateDecision, ReadDecision, ReadDecisionRequirements, Variables
from bpmnd.bpmn.dmn import DecisionFailure, DecisionResult, evaluate_decision
from bpmnd.bpmn.events import DecisionEvaluated, DecisionEvaluationFailed
from bpmnd.bpmn.feel import MISSING, Value, from_json
from bpmnd.bpmn.outcomes import DecisionEvaluated as Answer
from bpmnd.bpmn.outcomes import (
    DecisionRead,
    DeployedDecision,
    DeployedRequirements,
    Outcome,
    Rejected,
    RejectionType,
    RequirementsRead,
)
from bpmnd.bpmn.state.decisions import DecisionDefinition, DecisionRequirements
from bpmnd.bpmn.turn import Turn

Lookup = Callable[[str], Value]


def lookup_in(variables: Variables) -> Lookup:
    def lookup(name: str) -> Value:
        raw = variables.get(name)
        return MISSING if raw is None else from_json(raw)

    return lookup


def evaluate(turn: Turn, command: EvaluateDecision) -> Outcome:
    """A decision that fails was evaluated as well; the answer says so."""
    definition = _definition(turn, command)
    if isinstance(definition, Rejected):
        return definition
    result = result_of(turn, definition, lookup_in(command.variables))
    key = note(turn, definition, result)
    return Answer(
        key, deployed(definition), definition.tenant_id, result.output, result.decisions, result.failure
    )


def _definition(turn: Turn, command: EvaluateDecision) -> DecisionDefinition | Rejected:
    if command.decision_key:
        found = turn.state.decisions.definitions.get(command.decision_key)
        if found is not None and (
            found.tenant_id != command.tenant_id or turn.state.decisions.is_deleted(found)
        ):
            found = None
        what, name = "key", str(command.decision_key)
    else:
        found = turn.state.decisions.latest_of(command.tenant_id, command.decision_id)
        what, name = "id", command.decision_id
    if found is not None:
        return found
    reason = f"Expected to evaluate decision '{name}', but no decision found for {what} '{name}'"
    return Rejected(RejectionType.NOT_FOUND, reason)


def read(turn: Turn, command: ReadDecision) -> Outcome:
    definition = turn.state.decisions.definitions.get(command.key)
    if definition is None or turn.state.decisions.is_deleted(definition):
        return _not_found(f"Decision definition with key '{command.key}' not found")
    requirements = turn.state.decisions.requirements.items[definition.requirements_key]
    return DecisionRead(deployed(definition), _read(requirements))


def read_requirements(turn: Turn, command: ReadDecisionRequirements) -> Outcome:
    requirements = turn.state.decisions.requirements.get(command.key)
    if requirements is None or turn.state.deleted.get(command.key):
        return _not_found(f"Decision requirements with key '{command.key}' not found")
    return _read(requirements)


def _read(requirements: DecisionRequirements) -> RequirementsRead:
    return RequirementsRead(deployed_requirements(requirements), requirements.tenant_id, requirements.content)


def _not_found(reason: str) -> Rejected:
    return Rejected(RejectionType.NOT_FOUND, reason)


def deployed_requirements(
    requirements: DecisionRequirements, deployment_key: int | None = None
) -> DeployedRequirements:
    return DeployedRequirements(
        requirements.key,
        requirements.requirements_id,
        requirements.name,
        requirements.version,
        requirements.resource_name,
        is_duplicate=deployment_key is not None and requirements.deployment_key != deployment_key,
    )


def deployed(definition: DecisionDefinition, deployment_key: int | None = None) -> DeployedDecision:
    """What clients are told of a decision. It is a duplicate in a deployment other than its own."""
    return DeployedDecision(
        definition.key,
        definition.decision_id,
        definition.name,
        definition.version,
        definition.requirements_key,
        definition.requirements_id,
        is_duplicate=deployment_key is not None and definition.deployment_key != deployment_key,
    )


def result_of(turn: Turn, definition: DecisionDefinition, lookup: Lookup) -> DecisionResult:
    """Evaluate a decision with all that it requires. Nothing is noted of it yet."""
    model = turn.definitions.decisions(definition.requirements_key)
    if model is None or definition.decision_id not in model.nodes:
        reason = (
            f"Expected to evaluate decision '{definition.decision_id}', but it cannot be compiled any more"
        )
        return DecisionResult(b"null", (), DecisionFailure(definition.decision_id, reason))
    return evaluate_decision(model, definition.decision_id, lookup, now_ms=turn.now, spent=turn.spend)


def note(
    turn: Turn,
    definition: DecisionDefinition,
    result: DecisionResult,
    instance_key: int = 0,
    element_instance_key: int = 0,
    element: int = 0,
) -> int:
    """Make the evaluation a fact, with its whole tree; its key."""
    key = turn.new_key()
    place = (key, definition.key, definition.tenant_id, instance_key, element_instance_key, element)
    if result.failure is None:
        turn.emit(DecisionEvaluated(*place, result.output, result.decisions))
    else:
        failure = result.failure
        turn.emit(DecisionEvaluationFailed(*place, failure.decision_id, failure.message, result.decisions))
    return key
