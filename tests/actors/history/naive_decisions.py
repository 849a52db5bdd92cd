"""Of decisions: what is deployed, and what was evaluated, by a walk over the events."""

from typing import TYPE_CHECKING

from bpmnd.bpmn import events
from tests.actors.history.comparing import Item

if TYPE_CHECKING:
    from tests.actors.history.naive import Naive


def take(naive: "Naive", event: events.Event, now: str) -> None:
    match event:
        case events.DecisionRequirementsCreated():
            naive.requirements[event.key] = {
                "decisionRequirementsKey": str(event.key),
                "decisionRequirementsId": event.requirements_id,
                "decisionRequirementsName": event.name,
                "version": event.version,
                "resourceName": event.resource_name,
                "tenantId": event.tenant_id,
            }
        case events.DecisionCreated():
            graph = naive.requirements[event.requirements_key]
            naive.decisions[event.key] = {
                "decisionDefinitionKey": str(event.key),
                "decisionDefinitionId": event.decision_id,
                "name": event.name,
                "version": event.version,
                "decisionRequirementsKey": str(event.requirements_key),
                "decisionRequirementsId": event.requirements_id,
                "decisionRequirementsName": graph["decisionRequirementsName"],
                "decisionRequirementsVersion": graph["version"],
                "tenantId": event.tenant_id,
            }
        case events.DecisionEvaluated():
            _evaluated(naive, event, now, None)
        case events.DecisionEvaluationFailed():
            _evaluated(naive, event, now, event.message)
        case _:
            pass


def is_latest(naive: "Naive", item: Item) -> bool:
    """Whether no other version of the decision is higher."""
    same = [
        one for one in naive.decisions.values() if one["decisionDefinitionId"] == item["decisionDefinitionId"]
    ]
    return bool(item["version"] == max(one["version"] for one in same))


def _evaluated(
    naive: "Naive",
    event: events.DecisionEvaluated | events.DecisionEvaluationFailed,
    now: str,
    failure: str | None,
) -> None:
    """An item for each decision of the tree; only the last one can have failed."""
    instance = naive.instances.get(event.instance_key)
    for number, decision in enumerate(event.decisions, 1):
        has_failed = failure is not None and decision is event.decisions[-1]
        naive.evaluations[naive.next_place()] = {
            "decisionEvaluationInstanceKey": f"{event.key}-{number}",
            "decisionEvaluationKey": str(event.key),
            "decisionDefinitionKey": str(decision.key),
            "decisionDefinitionId": decision.decision_id,
            "decisionDefinitionName": decision.name,
            "decisionDefinitionVersion": decision.version,
            "decisionDefinitionType": decision.type,
            "rootDecisionDefinitionKey": str(event.decision_key),
            "evaluationDate": now,
            "evaluationFailure": failure if has_failed else None,
            "state": "FAILED" if has_failed else "EVALUATED",
            "result": decision.output.decode() or "null",
            "elementInstanceKey": str(event.element_instance_key) if instance else None,
            "processInstanceKey": str(event.instance_key) if instance else None,
            "rootProcessInstanceKey": str(event.instance_key) if instance else None,
            "processDefinitionKey": instance["processDefinitionKey"] if instance else None,
            "tenantId": event.tenant_id,
        }
