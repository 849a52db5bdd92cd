"""What people do with user tasks."""

from bpmnd.bpmn.commands import AssignUserTask, CompleteUserTask, UpdateUserTask
from bpmnd.bpmn.elements import task_changes
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.state.records import ProcessInstance, UserTask
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.user_tasks import with_changes
from bpmnd.bpmn.variables import oversize


def assign(turn: Turn, command: AssignUserTask) -> Outcome | None:
    """Answers at once, or when the listeners have worked. So do the others."""
    verb = "assign" if command.allow_override else "claim"
    found = _task_to(turn, command.key, verb)
    if isinstance(found, Rejected):
        return found
    instance, task = found
    if not command.allow_override and task.attributes.assignee not in ("", command.assignee):
        return Rejected(
            RejectionType.INVALID_STATE,
            f"Expected to claim user task with key '{command.key}', but it has already been assigned",
        )
    done = task_changes.assign(turn, instance, task, command.assignee, command.action, command.origin.user)
    return Accepted() if done else None


def update(turn: Turn, command: UpdateUserTask) -> Outcome | None:
    found = _task_to(turn, command.key, "update")
    if isinstance(found, Rejected):
        return found
    instance, task = found
    after = with_changes(task.attributes, command.changes)
    done = task_changes.update(turn, instance, task, after, command.action, command.origin.user)
    return Accepted() if done else None


def complete(turn: Turn, command: CompleteUserTask) -> Outcome | None:
    found = _task_to(turn, command.key, "complete")
    if isinstance(found, Rejected):
        return found
    instance, task = found
    too_large = oversize(instance, task.element_instance_key, command.variables)
    if too_large is not None:
        return Rejected(RejectionType.INVALID_ARGUMENT, too_large)
    done = task_changes.complete(turn, instance, task, command.variables, command.action, command.origin.user)
    return Accepted() if done else None


def _task_to(turn: Turn, key: int, verb: str) -> tuple[ProcessInstance, UserTask] | Rejected:
    instance = turn.state.owner_of(key)
    task = instance.user_tasks.get(key) if instance is not None else None
    if instance is None or task is None:
        return Rejected(
            RejectionType.NOT_FOUND,
            f"Expected to {verb} user task with key '{key}', but no such user task was found",
        )
    if task.transition is not None:
        return Rejected(
            RejectionType.INVALID_STATE,
            f"Expected to {verb} user task with key '{key}', but it is in state '{task.transition.event}'",
        )
    return instance, task
