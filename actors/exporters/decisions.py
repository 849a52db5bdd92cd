"""Records of decisions: deployed, and evaluated with their whole trees."""

from typing import Final

import msgspec

from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn import events
from bpmnd.bpmn.dmn import EvaluatedDecision

DecisionEvent = (
    events.DecisionRequirementsCreated
    | events.DecisionCreated
    | events.DecisionEvaluated
    | events.DecisionEvaluationFailed
)
Evaluation = events.DecisionEvaluated | events.DecisionEvaluationFailed

_NULL: Final = b"null"


def of_deployed(event: events.DecisionRequirementsCreated | events.DecisionCreated) -> Value:
    match event:
        case events.DecisionRequirementsCreated():
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
        case events.DecisionCreated():
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


def of_evaluation(event: Evaluation) -> Value:
    value: Value = {
        "decisionKey": str(event.decision_key),
        "tenantId": event.tenant_id,
        "evaluatedDecisions": [_decision(one) for one in event.decisions],
    }
    if isinstance(event, events.DecisionEvaluated):
        return {**value, "decisionOutput": msgspec.Raw(event.output)}
    value |= {"failedDecisionId": event.failed_decision_id, "evaluationFailureMessage": event.message}
    return {**value, "decisionOutput": msgspec.Raw(_NULL)}


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
