"""Scopes: when they are done, and what interrupts them (BPMN 2.0, §13.3.4 and §13.5.4)."""

from msgspec.structs import replace

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.elements import compensation, loops
from bpmnd.bpmn.elements.subscriptions import unsubscribe
from bpmnd.bpmn.events import (
    ElementActivating,
    EventPartsCleared,
    ScopeInterrupted,
    ScopeReopened,
    TimerCanceled,
)
from bpmnd.bpmn.model.graph import EventSubProcess
from bpmnd.bpmn.model.multiple import is_cancel, thrown_by
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.steps import ActivateElement, CompleteElement, TerminateElement
from bpmnd.bpmn.turn import Turn


def begin_here(turn: Turn, step: ActivateElement) -> None:
    """Begin an element instance at once: no token leads to it, and without it the scope could complete."""
    key = step.key or turn.new_key()
    turn.emit(ElementActivating(key, step.instance_key, step.scope_key, step.element, ()))
    turn.schedule(replace(step, key=key))


def complete_scope_if_done(turn: Turn, instance: ProcessInstance, scope_key: int) -> None:
    """A scope is done when nothing in it is active and no token is left in it (BPMN 2.0, §13.3.4); one with
    items also when all have begun."""
    if scope_key in instance.children or scope_key in instance.tokens:
        return
    if scope_key in instance.loops:
        loops.go_on(turn, instance, scope_key)
        return
    turn.schedule(CompleteElement(instance.key, scope_key))


def is_shut_to(instance: ProcessInstance, scope_key: int, element: int) -> bool:
    """Whether the scope has been interrupted by something else, so that the element has no place there."""
    interruption = instance.interruptions.get(scope_key)
    return interruption is not None and interruption.element != element


def interrupt_scope(
    turn: Turn, instance: ProcessInstance, scope_key: int, element: int, variables: Variables
) -> None:
    """Terminate all that is active in a scope. Then an event sub-process begins there, or, for an end event,
    the scope completes."""
    turn.emit(ScopeInterrupted(scope_key, instance.key, element, variables))
    stop_event_starts(turn, instance, scope_key)
    for child in instance.children_of(scope_key):
        turn.schedule(TerminateElement(instance.key, child.key))
    after_interruption(turn, instance, scope_key)


def cancel_scope(turn: Turn, instance: ProcessInstance, end_key: int) -> None:
    """Terminate all that is active in a transaction but the end event that cancels it. Then what has
    completed in it is compensated."""
    end = instance.elements[end_key]
    turn.emit(ScopeInterrupted(end.scope_key, instance.key, end.element, {}))
    stop_event_starts(turn, instance, end.scope_key)
    for child in instance.children_of(end.scope_key):
        if child.key != end_key:
            turn.schedule(TerminateElement(instance.key, child.key))
    after_interruption(turn, instance, end.scope_key)


def after_interruption(turn: Turn, instance: ProcessInstance, scope_key: int) -> None:
    interruption = instance.interruptions[scope_key]
    by = turn.executable_of(instance).element(interruption.element)
    if is_cancel(thrown_by(by)):
        if instance.children[scope_key] == 1:
            (end,) = instance.children_in(scope_key)
            turn.emit(ScopeReopened(scope_key, instance.key))
            if not compensation.compensate(turn, instance, end.key, -1):
                turn.schedule(CompleteElement(instance.key, end.key))
        return
    if scope_key in instance.children:
        return
    if isinstance(by, EventSubProcess):
        begin_event_sub_process(turn, instance, scope_key, interruption.element, interruption.variables)
    else:
        complete_scope_if_done(turn, instance, scope_key)


def begin_event_sub_process(
    turn: Turn, instance: ProcessInstance, scope_key: int, element: int, variables: Variables
) -> None:
    begin_here(turn, ActivateElement(instance.key, scope_key, element, variables=variables))


def stop_event_starts(turn: Turn, instance: ProcessInstance, scope_key: int) -> None:
    """No event sub-process of the scope is triggered any more."""
    starts = turn.executable_of(instance).element(instance.elements[scope_key].element).event_starts
    if not starts:
        return
    for timer in instance.timers_of(scope_key):
        if timer.element in starts:
            turn.emit(TimerCanceled(timer.key, instance.key))
    unsubscribe(turn, instance, scope_key, starts)
    for element in sorted({each.element for each in instance.occurred.get(scope_key, ())}):
        if element in starts:
            turn.emit(EventPartsCleared(scope_key, instance.key, element))
