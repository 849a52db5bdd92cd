"""Records of decisions: deployed, and evaluated with their whole trees."""

from typing import Final

import msgspec

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.dmn import EvaluatedDecision
from bpmnd.bpmn.events import (
    DecisionCreated,
    DecisionEvaluated,
    DecisionEvaluationFailed,
    DecisionRequirementsCreated,
)

_NULL: Final = b"null"


@describes
def decision_requirements_created(event: DecisionRequirementsCreated, places: Places) -> Value:
    return {
        "decisionRequirementsKey": str(event.key),
        "decisionRequirementsId": event.requirements_id,
        "decisionRequirementsName": event.name,
        "decisionRequirementsVersion": event.version,
        "namespace": event.namespace,
        "resourceName": event.resource_name,
        "checksum": event.checksum.hex(),
        "deploymentKey": str(event.deployment_key),
        "tenantId": event.tenant_id,
        "resource": event.content,
    }


@describes
def decision_created(event: DecisionCreated, places: Places) -> Value:
    return {
        "decisionKey": str(event.key),
        "decisionId": event.decision_id,
        "decisionName": event.name,
        "version": event.version,
        "versionTag": event.version_tag or None,
        "decisionRequirementsKey": str(event.requirements_key),
        "decisionRequirementsId": event.requirements_id,
        "deploymentKey": str(event.deployment_key),
        "tenantId": event.tenant_id,
    }


@describes
def decision_evaluated(event: DecisionEvaluated, places: Places) -> Value:
    return {**_evaluation(event, places), "decisionOutput": msgspec.Raw(event.output)}


@describes
def decision_evaluation_failed(event: DecisionEvaluationFailed, places: Places) -> Value:
    return {
        **_evaluation(event, places),
        "failedDecisionId": event.failed_decision_id,
        "evaluationFailureMessage": event.message,
        "decisionOutput": msgspec.Raw(_NULL),
    }


def _evaluation(event: DecisionEvaluated | DecisionEvaluationFailed, places: Places) -> Value:
    """One that no process instance has asked for is nowhere."""
    value: Value = {}
    if event.instance_key:
        value = places.at_element(event.instance_key, event.element_instance_key, event.element)
    return value | {
        "decisionKey": str(event.decision_key),
        "tenantId": event.tenant_id,
        "evaluatedDecisions": [_decision(one) for one in event.decisions],
    }


def _decision(one: EvaluatedDecision) -> Value:
    return {
        "decisionKey": str(one.key),
        "decisionId": one.decision_id,
        "decisionName": one.name,
        "decisionVersion": one.version,
        "decisionType": one.type,
        "decisionOutput": msgspec.Raw(one.output),
        "evaluatedInputs": [
            {"inputId": clause.id, "inputName": clause.name, "inputValue": msgspec.Raw(clause.value)}
            for clause in one.inputs
        ],
        "matchedRules": [
            {
                "ruleId": rule.id,
                "ruleIndex": rule.index,
                "evaluatedOutputs": [
                    {
                        "outputId": output.id,
                        "outputName": output.name,
                        "outputValue": msgspec.Raw(output.value),
                    }
                    for output in rule.outputs
                ],
            }
            for rule in one.rules
        ],
    }
