"""Listeners that have worked."""

from bpmnd.bpmn.commands import CompleteJob
from bpmnd.bpmn.elements.listeners import is_of_task
from bpmnd.bpmn.elements.task_changes import has_heard, why_not
from bpmnd.bpmn.events import JobCompleted
from bpmnd.bpmn.model.graph import ListenerEvent
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.state.records import Job, ListenerCall, ProcessInstance
from bpmnd.bpmn.steps import decode_steps
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import merge_local


def complete(
    turn: Turn, command: CompleteJob, instance: ProcessInstance, job: Job, call: ListenerCall
) -> Outcome:
    """The next listener works now, or what has waited goes on."""
    key = job.element_instance_key
    if is_of_task(call):
        return _complete_of_task(turn, command, instance, key, call)
    turn.emit(JobCompleted(job.key, instance.key))
    # Variables are the element's at the start, and of the scope around it at the end.
    scope_key = key if call.event == ListenerEvent.START else instance.elements[key].scope_key
    merge_local(turn, instance, scope_key, command.variables)
    _go_on(turn, call)
    return Accepted()


def _complete_of_task(
    turn: Turn, command: CompleteJob, instance: ProcessInstance, key: int, call: ListenerCall
) -> Outcome:
    task = instance.user_task_of(key)
    assert task is not None, f"{call} to no task of {key}"
    reason = why_not(task, command.task_result, command.variables)
    if reason is not None:
        return Rejected(
            RejectionType.INVALID_ARGUMENT,
            f"Expected to complete job with key '{command.key}', but {reason}",
        )
    turn.emit(JobCompleted(command.key, instance.key))
    if has_heard(turn, instance, task, command.task_result):
        _go_on(turn, call)
    return Accepted()


def _go_on(turn: Turn, call: ListenerCall) -> None:
    for step in decode_steps(call.then):
        turn.schedule(step)
