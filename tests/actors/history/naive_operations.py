"""Of operations: who has asked for what, by a walk over the commands of the frames."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from bpmnd.bpmn import commands, events
from bpmnd.bpmn.codec import Frame
from tests.actors.history.comparing import Item

if TYPE_CHECKING:
    from tests.actors.history.naive import Naive

_NOTHING: Final = (
    *("batchOperationKey", "batchOperationType", "agentElementId", "actorId", "jobKey", "userTaskKey"),
    *("processInstanceKey", "rootProcessInstanceKey", "elementInstanceKey", "processDefinitionKey"),
    *("processDefinitionId", "decisionRequirementsId", "decisionRequirementsKey", "decisionDefinitionId"),
    *("decisionDefinitionKey", "decisionEvaluationKey", "deploymentKey", "formKey", "resourceKey"),
    *("relatedEntityKey", "relatedEntityType"),
)
"""What many operations are not about."""


def take(naive: "Naive", partition: int, index: int, frame: Frame, now: str) -> None:
    """A test's frame has one command. An operation is known by its place in the log."""
    ((command, _, _),) = frame.commands
    origin = frame.origins.get(0)
    for number, item in enumerate(_operations(naive, command, frame), 1):
        key = (partition << 51) + (index << 14) + number
        common: Item = {
            **dict.fromkeys(_NOTHING),
            "auditLogKey": str(key),
            "timestamp": now,
            "actorType": "ANONYMOUS",
            "tenantId": "<default>",
            "result": "SUCCESS",
            "category": "DEPLOYED_RESOURCES",
        }
        if origin is not None:
            common |= {"actorId": origin.user, "actorType": "USER"}
        naive.operations[key] = common | item


def _operations(naive: "Naive", command: type[commands.Command], frame: Frame) -> Iterator[Item]:
    first = frame.events[0]
    match command:
        case commands.Deploy:
            for event in frame.events:
                yield from _deployed(event)
        case commands.EvaluateDecision:
            yield _evaluated(naive, first)
        case commands.CreateProcessInstance | commands.CancelProcessInstance:
            key = getattr(first, "instance_key", 0) or getattr(first, "key", 0)
            operation = "CREATE" if command is commands.CreateProcessInstance else "CANCEL"
            name = naive.instances[key]["processDefinitionId"]
            yield {**naive.common(key), **_what(operation, "PROCESS_INSTANCE", key, name)}
        case commands.UpdateJob:
            yield _on(naive.jobs, naive, "UPDATE", "JOB", first)
        case commands.ResolveIncident:
            yield _on(naive.incidents, naive, "RESOLVE", "INCIDENT", first)
        case commands.SetVariables:
            for event in frame.events:
                yield from _set(naive, event)
        case commands.AssignUserTask | commands.UpdateUserTask | commands.CompleteUserTask:
            for event in frame.events:
                yield from _with_task(naive, event)
        case _:
            pass


def _what(operation: str, entity: str, key: int | str, description: str | None) -> Item:
    return {
        "operationType": operation,
        "entityType": entity,
        "entityKey": str(key),
        "entityDescription": description,
    }


def _deployed(event: events.Event) -> Iterator[Item]:
    match event:
        case events.ProcessCreated():
            item = _what("CREATE", "RESOURCE", event.key, event.resource_name)
            item |= {"processDefinitionKey": str(event.key), "processDefinitionId": event.process_id}
        case events.DecisionRequirementsCreated():
            item = _what("CREATE", "RESOURCE", event.key, event.resource_name)
            item |= {"decisionRequirementsKey": str(event.key)}
            item |= {"decisionRequirementsId": event.requirements_id}
        case events.DecisionCreated():
            item = _what("CREATE", "DECISION", event.key, event.name)
            item |= {
                "decisionDefinitionKey": str(event.key),
                "decisionDefinitionId": event.decision_id,
                "decisionRequirementsKey": str(event.requirements_key),
                "decisionRequirementsId": event.requirements_id,
            }
        case _:
            return
    yield {**item, "deploymentKey": str(event.deployment_key)}


def _evaluated(naive: "Naive", event: events.Event) -> Item:
    assert isinstance(event, events.DecisionEvaluated | events.DecisionEvaluationFailed)
    decision = naive.decisions[event.decision_key]
    names = ("decisionDefinitionKey", "decisionDefinitionId", "decisionRequirementsKey")
    return {
        **{name: decision[name] for name in (*names, "decisionRequirementsId")},
        **_what("EVALUATE", "DECISION", event.key, decision["name"]),
        "decisionEvaluationKey": str(event.key),
        "result": "SUCCESS" if isinstance(event, events.DecisionEvaluated) else "FAIL",
    }


def _on(of: Mapping[int, Item], naive: "Naive", operation: str, entity: str, event: events.Event) -> Item:
    key = getattr(event, "key", 0)
    item = of[key]
    return {
        **naive.common(int(item["processInstanceKey"])),
        **_what(operation, entity, key, item.get("type")),
        "elementInstanceKey": item["elementInstanceKey"],
        "jobKey": item["jobKey"],
    }


def _set(naive: "Naive", event: events.Event) -> Iterator[Item]:
    match event:
        case events.VariablesCreated():
            operation = "CREATE"
        case events.VariablesUpdated():
            operation = "UPDATE"
        case _:
            return
    for name in event.variables:
        for item in naive.variables.values():
            if (item["scopeKey"], item["name"]) == (str(event.scope_key), name):
                yield {
                    **naive.common(event.instance_key),
                    **_what(operation, "VARIABLE", item["variableKey"], name),
                    "elementInstanceKey": item["scopeKey"],
                }


def _with_task(naive: "Naive", event: events.Event) -> Iterator[Item]:
    related: Item = {}
    match event:
        case events.UserTaskAssigned():
            assignee = event.attributes.assignee
            operation = "ASSIGN" if assignee else "UNASSIGN"
            if assignee:
                related = {"relatedEntityKey": assignee, "relatedEntityType": "USER"}
        case events.UserTaskUpdated():
            operation = "UPDATE"
        case events.UserTaskCompleted():
            operation = "COMPLETE"
        case _:
            return
    task = naive.user_tasks[event.key]
    yield {
        **naive.common(event.instance_key),
        **_what(operation, "USER_TASK", event.key, None),
        "elementInstanceKey": task["elementInstanceKey"],
        "userTaskKey": str(event.key),
        "category": "USER_TASKS",
        **related,
    }
