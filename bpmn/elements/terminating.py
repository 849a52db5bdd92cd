"""How an element instance is terminated: from the outermost scope inwards to announce it, from the innermost
outwards to do it."""

from heapq import nsmallest
from typing import Final

from msgspec.structs import replace

from bpmnd.bpmn.elements import calls, compensation
from bpmnd.bpmn.elements.ending import cancel_timers, note_end, resolve_incidents, start_next
from bpmnd.bpmn.elements.scopes import after_interruption, begin_here, complete_scope_if_done, is_shut_to
from bpmnd.bpmn.elements.subscriptions import unsubscribe
from bpmnd.bpmn.elements.task_changes import cancel as cancel_task
from bpmnd.bpmn.events import ElementTerminated, ElementTerminating, JobCanceled
from bpmnd.bpmn.model.graph import Process
from bpmnd.bpmn.outcomes import Rejected, RejectionType
from bpmnd.bpmn.state.records import TERMINATING, ElementInstance, ProcessInstance
from bpmnd.bpmn.steps import ActivateElement, CheckJoins, TerminateChildren, TerminateElement
from bpmnd.bpmn.turn import Turn

_TERMINATED_AT_ONCE: Final = 100
"""Element instances of a scope whose termination is scheduled together: what a turn leaves over is written
down, and must not be all of them again and again."""


def terminate(turn: Turn, step: TerminateElement) -> None:
    """Begin to terminate an element instance, and end it at once if nothing in it is active."""
    instance = turn.state.instances.get(step.instance_key)
    record = instance.elements.get(step.key) if instance is not None else None
    if instance is None or record is None:
        return
    if record.state is not TERMINATING:
        turn.emit(ElementTerminating(step.key, instance.key, record.element))
        if record.job_key:
            turn.emit(JobCanceled(record.job_key, instance.key))
        cancel_timers(turn, instance, step.key)
        if instance.subscriptions or instance.signals or instance.conditions:
            unsubscribe(turn, instance, step.key)
        resolve_incidents(turn, instance, step.key)
        task = instance.user_task_of(step.key) if instance.user_tasks else None
        if task is not None:
            cancel_task(turn, instance, task)
            return
    elif instance.user_tasks and instance.user_task_of(step.key) is not None:
        return  # Its listeners are at work.
    called = instance.called.get(step.key)
    if called is not None:
        turn.schedule(TerminateElement(called, called))
        return
    if step.key not in instance.children:
        _terminated(turn, instance, instance.elements[step.key])
        return
    terminate_children(turn, TerminateChildren(instance.key, step.key))


def terminate_children(turn: Turn, step: TerminateChildren) -> None:
    """Begin to terminate some of the element instances in a scope, and then the others."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None or step.key not in instance.children:
        return
    behind = (child.key for child in instance.children_in(step.key) if child.key > step.after)
    keys = nsmallest(_TERMINATED_AT_ONCE, behind)
    for key in keys:
        turn.schedule(TerminateElement(instance.key, key))
    if len(keys) == _TERMINATED_AT_ONCE:
        turn.schedule(replace(step, after=keys[-1]))


def _terminated(turn: Turn, instance: ProcessInstance, record: ElementInstance) -> None:
    """End an element instance, then the scope that waited for it, or go on with what interrupted it."""
    trigger = instance.triggers.get(record.key)
    process = turn.executable_of(instance)
    element = process.elements[record.element]
    resolve_incidents(turn, instance, record.key)
    if isinstance(element, Process):
        compensation.forget_all(turn, instance)
        note_end(turn, instance)
        _answer_terminated(turn, instance)
    elif instance.compensations:
        compensation.forget(turn, instance, record.key)
    turn.emit(ElementTerminated(record.key, instance.key, record.element))
    if isinstance(element, Process):
        start_next(turn, instance)
        if instance.parent is not None:
            calls.terminated(turn, instance.parent)
        return
    if process.joins:
        turn.schedule(CheckJoins(instance.key, record.scope_key))
    scope = instance.elements[record.scope_key]
    if scope.state is not TERMINATING and instance.compensations:
        compensation.handler_ended(turn, instance, record.key)
    if scope.state is TERMINATING:
        if scope.key not in instance.children:
            turn.schedule(TerminateElement(instance.key, scope.key))
    elif record.element in instance.terminate_after:
        turn.schedule(TerminateElement(instance.key, instance.key))
    elif is_shut_to(instance, scope.key, record.element):
        after_interruption(turn, instance, scope.key)
    elif trigger is not None:
        event, variables = trigger.boundary_event, trigger.variables
        begin_here(turn, ActivateElement(instance.key, scope.key, event, variables=variables))
    else:
        complete_scope_if_done(turn, instance, scope.key)


def _answer_terminated(turn: Turn, instance: ProcessInstance) -> None:
    """Tell the request that awaits a result which will never come."""
    if instance.awaited is not None:
        reason = (
            f"Expected to await the result of the process instance with key '{instance.key}',"
            " but it was terminated"
        )
        turn.answer(instance.awaited.request, Rejected(RejectionType.INVALID_STATE, reason))
