"""Records of user tasks: who did what, what it was before and what it is after."""

from typing import Final, TypeAlias

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, json_values
from bpmnd.bpmn import events
from bpmnd.bpmn.user_tasks import TaskAttributes

UserTaskEvent: TypeAlias = (
    events.UserTaskCreating
    | events.UserTaskCreated
    | events.UserTaskAssigning
    | events.UserTaskAssigned
    | events.UserTaskUpdating
    | events.UserTaskUpdated
    | events.UserTaskCompleting
    | events.UserTaskCompleted
    | events.UserTaskCanceling
    | events.UserTaskCanceled
    | events.UserTaskCorrected
    | events.UserTaskDenied
)
_WITH_BOTH: Final = (
    events.UserTaskAssigned,
    events.UserTaskUpdating,
    events.UserTaskUpdated,
    events.UserTaskCompleted,
    events.UserTaskCorrected,
)
_BY_USERS: Final = (
    events.UserTaskAssigning,
    events.UserTaskAssigned,
    events.UserTaskUpdating,
    events.UserTaskUpdated,
    events.UserTaskCompleting,
    events.UserTaskCompleted,
)


@describes
def user_task_changed(event: UserTaskEvent, places: Places) -> Value:
    """What stands `before` are attributes that have changed; the others are as they are after."""
    value = places.at_known(event.instance_key, event.element_instance_key)
    value["userTaskKey"] = str(event.key)
    match event:
        case events.UserTaskCreating():
            if event.form_key:
                value["formKey"] = str(event.form_key)
            if event.external_form_reference:
                value["externalFormReference"] = event.external_form_reference
            value |= _of(event.attributes)
        case events.UserTaskCreated() | events.UserTaskCanceled():
            value |= _of(event.attributes)
        case events.UserTaskAssigning():
            value |= {"assignee": event.assignee, "before": {"assignee": event.before}}
        case events.UserTaskCompleting():
            value["variables"] = json_values(event.variables)
        case events.UserTaskCompleted():
            value["variables"] = json_values(event.variables)
        case events.UserTaskDenied():
            value |= {"denied": event.denied, "deniedReason": event.reason}
        case _:
            pass
    if isinstance(event, _WITH_BOTH):
        before = _of(event.before)
        value |= {**_of(event.attributes), "changedAttributes": event.changed}
        value["before"] = {name: before[name] for name in event.changed}
    if isinstance(event, _BY_USERS):
        value |= {"action": event.action, "user": event.user or None}
    return value


def _of(attributes: TaskAttributes) -> Value:
    return {
        "assignee": attributes.assignee,
        "candidateGroupsList": attributes.candidate_groups,
        "candidateUsersList": attributes.candidate_users,
        "dueDate": attributes.due_date,
        "followUpDate": attributes.follow_up_date,
        "priority": attributes.priority,
    }


@describes
def global_listener_changed(
    event: events.GlobalListenerCreated | events.GlobalListenerUpdated, places: Places
) -> Value:
    listener = event.listener
    return {
        "id": listener.id,
        "type": listener.type,
        "eventTypes": listener.event_types,
        "retries": listener.retries,
        "afterNonGlobal": listener.after_non_global,
        "priority": listener.priority,
        "user": event.user or None,
    }


@describes
def global_listener_deleted(event: events.GlobalListenerDeleted, places: Places) -> Value:
    return {"id": event.id, "user": event.user or None}
