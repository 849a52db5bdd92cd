"""Of user tasks: whose they are, and how far, by a walk over the events."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from bpmnd.bpmn import events
from bpmnd.bpmn.user_tasks import TaskAttributes
from tests.actors.history.comparing import Item, holds

if TYPE_CHECKING:
    from tests.actors.history.naive import Naive


def take(naive: "Naive", event: events.Event, now: str) -> None:
    match event:
        case events.UserTaskCreating():
            instance = naive.instances[event.instance_key]
            element_id = naive.element_id(event.instance_key, event.element)
            naive.user_tasks[event.key] = {
                **naive.common(event.instance_key),
                "userTaskKey": str(event.key),
                "elementInstanceKey": str(event.element_instance_key),
                "processDefinitionVersion": instance["processDefinitionVersion"],
                "processName": instance["processDefinitionName"],
                "elementId": element_id,
                "name": None,
                "state": "CREATING",
                "creationDate": now,
                "completionDate": None,
                "formKey": str(event.form_key) if event.form_key else None,
                "externalFormReference": event.external_form_reference or None,
                "customHeaders": {},
                "tags": instance["tags"],
                **_shown(event.attributes),
            }
        case events.UserTaskCreated() | events.UserTaskAssigned() | events.UserTaskUpdated():
            naive.user_tasks[event.key] |= {"state": "CREATED", **_shown(event.attributes)}
        case events.UserTaskAssigning():
            naive.user_tasks[event.key]["state"] = "ASSIGNING"
        case events.UserTaskUpdating():
            naive.user_tasks[event.key]["state"] = "UPDATING"
        case events.UserTaskCompleting():
            naive.user_tasks[event.key]["state"] = "COMPLETING"
        case events.UserTaskCanceling():
            naive.user_tasks[event.key]["state"] = "CANCELING"
        case events.UserTaskCompleted() | events.UserTaskCanceled():
            state = "COMPLETED" if isinstance(event, events.UserTaskCompleted) else "CANCELED"
            ended = {"state": state, "completionDate": now}
            naive.user_tasks[event.key] |= {**ended, **_shown(event.attributes)}
        case _:
            pass


def fits(naive: "Naive", item: Item, name: str, wanted: Any) -> bool | None:
    """What only tasks can be filtered by; None for any other field."""
    match name:
        case "tags":
            return set(wanted) <= set(item["tags"])
        case "candidateGroup":
            return _one_of(item["candidateGroups"], wanted)
        case "candidateUser":
            return _one_of(item["candidateUsers"], wanted)
        case "processInstanceVariables":
            return _has(naive, item["processInstanceKey"], wanted)
        case "localVariables":
            return _has(naive, item["elementInstanceKey"], wanted)
        case _:
            return None


def _one_of(candidates: list[str], wanted: Any) -> bool:
    """One of them is such; what is denied is so of all."""
    if not isinstance(wanted, dict):
        return wanted in candidates
    for operator, value in cast(Item, wanted).items():
        if operator == "$exists":
            fitting = bool(candidates) is value
        elif operator in ("$neq", "$notIn"):
            fitting = all(holds(one, {operator: value}) for one in candidates)
        else:
            fitting = any(holds(one, {operator: value}) for one in candidates)
        if not fitting:
            return False
    return True


def _has(naive: "Naive", scope_key: str, wanted: list[Item]) -> bool:
    own = [one for one in naive.variables.values() if one["scopeKey"] == scope_key]
    return all(
        any(one["name"] == each["name"] and holds(one["value"], each["value"]) for one in own)
        for each in wanted
    )


def _shown(attributes: TaskAttributes) -> Item:
    return {
        "assignee": attributes.assignee or None,
        "candidateGroups": list(attributes.candidate_groups),
        "candidateUsers": list(attributes.candidate_users),
        "dueDate": _moment(attributes.due_date),
        "followUpDate": _moment(attributes.follow_up_date),
        "priority": attributes.priority,
    }


def _moment(text: str) -> str | None:
    """In UTC, as all moments are shown."""
    if not text:
        return None
    shown = datetime.fromisoformat(text).isoformat(timespec="milliseconds")
    return shown.replace("+00:00", "Z")
