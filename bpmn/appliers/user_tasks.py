"""Appliers of user tasks, and of the listeners to all of them."""

from typing import TypeAlias

from msgspec.structs import replace

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    GlobalListenerCreated,
    GlobalListenerDeleted,
    GlobalListenerUpdated,
    UserTaskAssigned,
    UserTaskAssigning,
    UserTaskCanceled,
    UserTaskCanceling,
    UserTaskCompleted,
    UserTaskCompleting,
    UserTaskCorrected,
    UserTaskCreated,
    UserTaskCreating,
    UserTaskDenied,
    UserTaskUpdated,
    UserTaskUpdating,
)
from bpmnd.bpmn.model.graph import ListenerEvent
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import TaskTransition, UserTask
from bpmnd.bpmn.user_tasks import TaskAttributes

_Event: TypeAlias = (
    UserTaskCreated
    | UserTaskAssigning
    | UserTaskAssigned
    | UserTaskUpdating
    | UserTaskUpdated
    | UserTaskCompleting
    | UserTaskCompleted
    | UserTaskCanceling
    | UserTaskCanceled
    | UserTaskCorrected
    | UserTaskDenied
)


@applies(UserTaskCreating)
def user_task_creating(state: State, event: UserTaskCreating) -> None:
    task = UserTask(
        event.key,
        event.element_instance_key,
        state.last_time,
        event.attributes,
        event.form_key,
        event.external_form_reference,
        TaskTransition(ListenerEvent.CREATING, event.attributes, "", "", 0, {}),
    )
    instance = state.touch(event.instance_key)
    state.journal.put(instance.user_tasks, event.key, task)
    state.journal.put(instance.user_task_keys, event.element_instance_key, event.key)
    state.owners.add(event.key, event.instance_key, state.journal)


@applies(UserTaskCreated)
def user_task_created(state: State, event: UserTaskCreated) -> None:
    _stand(state, event, event.attributes)


@applies(UserTaskAssigning)
def user_task_assigning(state: State, event: UserTaskAssigning) -> None:
    task = _task(state, event)
    attributes = replace(task.attributes, assignee=event.assignee)
    transition = TaskTransition(
        ListenerEvent.ASSIGNING, attributes, event.action, event.user, event.request, {}
    )
    _put(state, event, replace(task, transition=transition))


@applies(UserTaskAssigned)
def user_task_assigned(state: State, event: UserTaskAssigned) -> None:
    _stand(state, event, event.attributes)


@applies(UserTaskUpdating)
def user_task_updating(state: State, event: UserTaskUpdating) -> None:
    transition = TaskTransition(
        ListenerEvent.UPDATING, event.attributes, event.action, event.user, event.request, {}
    )
    _put(state, event, replace(_task(state, event), transition=transition))


@applies(UserTaskUpdated)
def user_task_updated(state: State, event: UserTaskUpdated) -> None:
    _stand(state, event, event.attributes)


@applies(UserTaskCompleting)
def user_task_completing(state: State, event: UserTaskCompleting) -> None:
    task = _task(state, event)
    transition = TaskTransition(
        ListenerEvent.COMPLETING, task.attributes, event.action, event.user, event.request, event.variables
    )
    _put(state, event, replace(task, transition=transition))


@applies(UserTaskCanceling)
def user_task_canceling(state: State, event: UserTaskCanceling) -> None:
    task = _task(state, event)
    transition = TaskTransition(ListenerEvent.CANCELING, task.attributes, "", "", 0, {})
    _put(state, event, replace(task, transition=transition))


@applies(UserTaskCompleted)
def user_task_completed(state: State, event: UserTaskCompleted) -> None:
    _drop(state, event)


@applies(UserTaskCanceled)
def user_task_canceled(state: State, event: UserTaskCanceled) -> None:
    _drop(state, event)


@applies(UserTaskCorrected)
def user_task_corrected(state: State, event: UserTaskCorrected) -> None:
    """Only the change that waits becomes another one."""
    task = _task(state, event)
    assert task.transition is not None, f"{event}, but {task} is not changing"
    _put(state, event, replace(task, transition=replace(task.transition, attributes=event.attributes)))


@applies(UserTaskDenied)
def user_task_denied(state: State, event: UserTaskDenied) -> None:
    _put(state, event, replace(_task(state, event), transition=None))


@applies(GlobalListenerCreated)
def global_listener_created(state: State, event: GlobalListenerCreated) -> None:
    state.global_listeners.put(event.key, event.listener, state.journal)


@applies(GlobalListenerUpdated)
def global_listener_updated(state: State, event: GlobalListenerUpdated) -> None:
    state.global_listeners.put(event.key, event.listener, state.journal)


@applies(GlobalListenerDeleted)
def global_listener_deleted(state: State, event: GlobalListenerDeleted) -> None:
    """A change that still waits for it passes it over."""
    state.global_listeners.remove(event.key, state.journal)


def _task(state: State, event: _Event) -> UserTask:
    return state.touch(event.instance_key).user_tasks[event.key]


def _stand(state: State, event: _Event, attributes: TaskAttributes) -> None:
    _put(state, event, replace(_task(state, event), attributes=attributes, transition=None))


def _put(state: State, event: _Event, task: UserTask) -> None:
    state.journal.put(state.touch(event.instance_key).user_tasks, event.key, task)


def _drop(state: State, event: _Event) -> None:
    instance = state.touch(event.instance_key)
    task = state.journal.drop(instance.user_tasks, event.key)
    state.journal.drop(instance.user_task_keys, task.element_instance_key)
    state.owners.remove(event.key, state.journal)
