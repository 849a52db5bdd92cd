"""The life of a user task: each change begins, waits for the listeners that are to hear of it, and comes to
its end, or one of them denies it."""

from typing import Final

import msgspec

from bpmnd.bpmn.commands import TaskResult, Variables
from bpmnd.bpmn.elements.listeners import call_task_listeners, has_task_listeners
from bpmnd.bpmn.events import (
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
from bpmnd.bpmn.model.graph import ListenerEvent, UserTask
from bpmnd.bpmn.outcomes import Accepted, Rejected, RejectionType
from bpmnd.bpmn.state.records import ProcessInstance, TaskTransition
from bpmnd.bpmn.state.records import UserTask as TaskRecord
from bpmnd.bpmn.steps import CompleteElement, EndTransition, TerminateElement
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.user_tasks import TaskAttributes, TaskChanges, changed, with_changes
from bpmnd.bpmn.variables import merge_local, merge_upwards

_DENIABLE: Final = frozenset({ListenerEvent.ASSIGNING, ListenerEvent.UPDATING, ListenerEvent.COMPLETING})
VERBS: Final = {
    ListenerEvent.CREATING: "create",
    ListenerEvent.ASSIGNING: "assign",
    ListenerEvent.UPDATING: "update",
    ListenerEvent.COMPLETING: "complete",
    ListenerEvent.CANCELING: "cancel",
}


def create(
    turn: Turn,
    instance: ProcessInstance,
    element: UserTask,
    element_instance_key: int,
    attributes: TaskAttributes,
    form_key: int,
    external_form_reference: str,
) -> None:
    key = turn.new_key()
    turn.emit(
        UserTaskCreating(
            key,
            instance.key,
            element_instance_key,
            element.index,
            attributes,
            form_key,
            external_form_reference,
        )
    )
    _call_or_end(turn, instance, key)


def assign(
    turn: Turn, instance: ProcessInstance, task: TaskRecord, assignee: str, action: str, user: str
) -> bool:
    """True if it is done; otherwise the request waits for listeners. So it is with the others."""
    request = turn.request if _is_heard(turn, instance, task, ListenerEvent.ASSIGNING) else 0
    turn.emit(
        UserTaskAssigning(
            task.key,
            instance.key,
            task.element_instance_key,
            task.attributes.assignee,
            assignee,
            action,
            user,
            request,
        )
    )
    return _call_or_end(turn, instance, task.key)


def update(
    turn: Turn, instance: ProcessInstance, task: TaskRecord, after: TaskAttributes, action: str, user: str
) -> bool:
    request = turn.request if _is_heard(turn, instance, task, ListenerEvent.UPDATING) else 0
    before = task.attributes
    turn.emit(
        UserTaskUpdating(
            task.key,
            instance.key,
            task.element_instance_key,
            before,
            after,
            changed(before, after),
            action,
            user,
            request,
        )
    )
    return _call_or_end(turn, instance, task.key)


def complete(
    turn: Turn, instance: ProcessInstance, task: TaskRecord, variables: Variables, action: str, user: str
) -> bool:
    request = turn.request if _is_heard(turn, instance, task, ListenerEvent.COMPLETING) else 0
    turn.emit(
        UserTaskCompleting(
            task.key, instance.key, task.element_instance_key, variables, action, user, request
        )
    )
    return _call_or_end(turn, instance, task.key)


def cancel(turn: Turn, instance: ProcessInstance, task: TaskRecord) -> bool:
    """Its element is being terminated. A change that was under way is over."""
    under_way = task.transition
    turn.emit(UserTaskCanceling(task.key, instance.key, task.element_instance_key))
    if under_way is not None and under_way.request:
        verb = VERBS[ListenerEvent(under_way.event)]
        reason = f"Expected to {verb} user task with key '{task.key}', but it was canceled meanwhile"
        turn.answer(under_way.request, Rejected(RejectionType.INVALID_STATE, reason))
    return _call_or_end(turn, instance, task.key)


def end_transition(turn: Turn, step: EndTransition) -> None:
    """Nobody has anything against the change: it comes to its end."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is not None and step.key in instance.user_tasks:
        _end(turn, instance, step.key)


def why_not(task: TaskRecord, result: TaskResult, variables: Variables) -> str | None:
    """Why a listener must not complete its job like this, if it must not."""
    transition = _transition_of(task)
    if variables:
        return "a task listener cannot set variables"
    if result.denied and transition.event not in _DENIABLE:
        return f"what it has listened to, {transition.event}, cannot be denied"
    if result.denied and result.corrections != TaskChanges():
        return "a change cannot be denied and corrected at once"
    return None


def has_heard(turn: Turn, instance: ProcessInstance, task: TaskRecord, result: TaskResult) -> bool:
    """Do what a listener says. False if it denies the change, which is over then."""
    transition = _transition_of(task)
    if result.denied:
        turn.emit(
            UserTaskDenied(task.key, instance.key, task.element_instance_key, transition.event, result.reason)
        )
        if transition.request:
            turn.answer(transition.request, _denied(task, transition, result.reason))
        return False
    before = transition.attributes
    after = with_changes(before, result.corrections)
    if after != before:
        names = changed(before, after)
        turn.emit(UserTaskCorrected(task.key, instance.key, task.element_instance_key, before, after, names))
    return True


def _denied(task: TaskRecord, transition: TaskTransition, why: str) -> Rejected:
    verb = VERBS[ListenerEvent(transition.event)]
    reason = f"Expected to {verb} user task with key '{task.key}', but a task listener denied it"
    return Rejected(RejectionType.INVALID_STATE, f"{reason}: '{why}'" if why else reason)


def _transition_of(task: TaskRecord) -> TaskTransition:
    assert task.transition is not None, f"a listener to {task}, which is not changing"
    return task.transition


def _element(turn: Turn, instance: ProcessInstance, task: TaskRecord) -> UserTask:
    record = instance.elements[task.element_instance_key]
    element = turn.executable_of(instance).elements[record.element]
    assert isinstance(element, UserTask), f"{task} of {element}"
    return element


def _is_heard(turn: Turn, instance: ProcessInstance, task: TaskRecord, event: ListenerEvent) -> bool:
    return has_task_listeners(turn, _element(turn, instance, task), event)


def _call_or_end(turn: Turn, instance: ProcessInstance, key: int) -> bool:
    """Call those who are to hear of the change that has begun. True if there are none, and it is done."""
    task = instance.user_tasks[key]
    element = _element(turn, instance, task)
    event = ListenerEvent(_transition_of(task).event)
    end = EndTransition(instance.key, key)
    if call_task_listeners(turn, instance, task.element_instance_key, element, event, end):
        return False
    _end(turn, instance, key)
    return True


def _end(turn: Turn, instance: ProcessInstance, key: int) -> None:
    task = instance.user_tasks[key]
    transition = _transition_of(task)
    match ListenerEvent(transition.event):
        case ListenerEvent.CREATING:
            _created(turn, instance, task, transition.attributes)
        case ListenerEvent.ASSIGNING:
            turn.emit(UserTaskAssigned(*_outcome_of(instance, task, transition)))
        case ListenerEvent.UPDATING:
            turn.emit(UserTaskUpdated(*_outcome_of(instance, task, transition)))
        case ListenerEvent.COMPLETING:
            _completed(turn, instance, task, transition)
        case ListenerEvent.CANCELING:
            key = task.element_instance_key
            turn.emit(UserTaskCanceled(task.key, instance.key, key, transition.attributes))
            turn.schedule(TerminateElement(instance.key, key))
        case ListenerEvent.START | ListenerEvent.END:
            raise AssertionError(f"{transition} is none of a user task")
    if transition.request:
        turn.answer(transition.request, Accepted())


def _outcome_of(
    instance: ProcessInstance, task: TaskRecord, transition: TaskTransition
) -> tuple[int, int, int, TaskAttributes, TaskAttributes, tuple[str, ...], str, str]:
    before, after = task.attributes, transition.attributes
    names = changed(before, after)
    key = task.element_instance_key
    return task.key, instance.key, key, before, after, names, transition.action, transition.user


def _created(turn: Turn, instance: ProcessInstance, task: TaskRecord, attributes: TaskAttributes) -> None:
    """A task that has an assignee from the beginning is assigned like any other, if somebody listens."""
    assignee = attributes.assignee
    is_heard = bool(assignee) and _is_heard(turn, instance, task, ListenerEvent.ASSIGNING)
    if is_heard:
        attributes = msgspec.structs.replace(attributes, assignee="")
    turn.emit(UserTaskCreated(task.key, instance.key, task.element_instance_key, attributes))
    if is_heard:
        turn.emit(
            UserTaskAssigning(task.key, instance.key, task.element_instance_key, "", assignee, "", "", 0)
        )
        _call_or_end(turn, instance, task.key)


def _completed(turn: Turn, instance: ProcessInstance, task: TaskRecord, transition: TaskTransition) -> None:
    element = _element(turn, instance, task)
    key = task.element_instance_key
    before, after = task.attributes, transition.attributes
    turn.emit(
        UserTaskCompleted(
            task.key,
            instance.key,
            key,
            before,
            after,
            changed(before, after),
            transition.variables,
            transition.action,
            transition.user,
        )
    )
    merge = merge_local if element.outputs else merge_upwards
    merge(turn, instance, key, transition.variables)
    turn.schedule(CompleteElement(instance.key, key))
