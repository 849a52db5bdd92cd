"""Compensation: what has completed is undone by handlers (BPMN 2.0, §10.7 and §13.5.5).

An activity with a compensation boundary event that completes leaves a subscription in its scope, and so does
a sub-process in which there are any. Who throws compensation triggers those of its scope, and waits until all
handlers, which run beside it, have completed.
"""

from collections.abc import Iterator

from bpmnd.bpmn.events import (
    CompensationSubscriptionCompleted,
    CompensationSubscriptionCreated,
    CompensationSubscriptionDeleted,
    CompensationSubscriptionTriggered,
    CompensationVariablesKept,
    ElementActivating,
)
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    CompensationDefinition,
    Element,
    EventSubProcess,
    ExecutableProcess,
    StartEvent,
    SubProcess,
)
from bpmnd.bpmn.state.records import CompensationSubscription, ElementInstance, ProcessInstance
from bpmnd.bpmn.steps import ActivateElement, CompleteElement
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import merge_local


def subscribe(
    turn: Turn,
    process: ExecutableProcess,
    instance: ProcessInstance,
    record: ElementInstance,
    element: Element,
) -> None:
    """Note what an element instance leaves behind to be undone when it completes."""
    if isinstance(element, EventSubProcess) and _undone_by(instance, record.key) is not None:
        forget(turn, instance, record.key)  # What undoes a sub-process is not undone.
        return
    boundary = -1
    if record.scope_key not in instance.loops:  # Of many instances the body is what is compensated.
        boundary = next(
            (index for index in element.boundary_events if _handler_of(process, index) is not None), -1
        )
    handler = _handler_in(process, element)
    holds = isinstance(element, SubProcess | EventSubProcess) or record.key in instance.loops
    if (
        boundary >= 0
        or handler is not None
        or (holds and any(each.scope_key == record.key for each in instance.compensations.values()))
    ):
        key = turn.new_key()
        turn.emit(
            CompensationSubscriptionCreated(
                key, instance.key, record.element, record.key, record.scope_key, boundary
            )
        )
        variables = instance.variables.get(record.key)
        if handler is not None and variables:
            turn.emit(CompensationVariablesKept(key, instance.key, dict(variables)))


def compensate(turn: Turn, instance: ProcessInstance, throw_key: int, activity: int) -> bool:
    """Trigger what stands in the scope of a throw event, or only what `activity` (if not -1) has left.
    Whether there is any handler to wait for."""
    process = turn.executable_of(instance)
    scope_key = instance.elements[throw_key].scope_key
    scopes = [scope_key]
    scope = instance.elements[scope_key]
    if isinstance(process.element(scope.element), EventSubProcess):
        undone = _undone_by(instance, scope_key)
        scopes.append(scope.scope_key if undone is None else undone.activity_key)
    handlers: list[ActivateElement] = []
    for subscription in _waiting_in(instance, *scopes):
        if activity in (-1, subscription.activity):
            _trigger(turn, process, instance, throw_key, subscription, handlers)
    for step in handlers:
        turn.schedule(step)
    if not handlers:
        _end(turn, instance, throw_key)
    return bool(handlers)


def _trigger(
    turn: Turn,
    process: ExecutableProcess,
    instance: ProcessInstance,
    throw_key: int,
    subscription: CompensationSubscription,
    handlers: list[ActivateElement],
) -> None:
    """Let the handler begin beside the throw event, and those of what was inside: once all of them are known,
    the `handlers` go on."""
    boundary = subscription.boundary_event
    own = _handler_in(process, process.element(subscription.activity))
    handler = _handler_of(process, boundary) if boundary >= 0 else own
    scope_key = instance.elements[throw_key].scope_key
    handler_key = 0
    if handler is not None:
        if boundary >= 0:
            boundary_key = turn.new_key()
            turn.emit(ElementActivating(boundary_key, instance.key, scope_key, boundary, ()))
            turn.schedule(ActivateElement(instance.key, scope_key, boundary, key=boundary_key))
        handler_key = turn.new_key()
        turn.emit(ElementActivating(handler_key, instance.key, scope_key, handler, ()))
        handlers.append(ActivateElement(instance.key, scope_key, handler, key=handler_key))
    turn.emit(CompensationSubscriptionTriggered(subscription.key, instance.key, throw_key, handler_key))
    if handler_key:
        merge_local(turn, instance, handler_key, subscription.variables)
    if handler is not None and handler == own:
        return  # It decides what of the inside is undone.
    for inner in _waiting_in(instance, subscription.activity_key):
        _trigger(turn, process, instance, throw_key, inner, handlers)


def handler_ended(turn: Turn, instance: ProcessInstance, handler_key: int) -> None:
    """If the element instance that has ended was a handler, it is done; with the last the throw event is."""
    done = _undone_by(instance, handler_key)
    if done is None:
        return
    throw_key = done.throw_key
    process = turn.executable_of(instance)
    if _handler_in(process, process.element(done.activity)) is not None:
        forget(turn, instance, done.activity_key)  # What it has not undone stays.
    turn.emit(CompensationSubscriptionCompleted(done.key, instance.key))
    if not any(each.throw_key == throw_key and each.handler_key for each in instance.compensations.values()):
        _end(turn, instance, throw_key)
        turn.schedule(CompleteElement(instance.key, throw_key))


def _end(turn: Turn, instance: ProcessInstance, throw_key: int) -> None:
    """What was triggered without a handler of its own is done, too."""
    for each in list(instance.compensations.values()):
        if each.throw_key == throw_key:
            turn.emit(CompensationSubscriptionCompleted(each.key, instance.key))


def forget(turn: Turn, instance: ProcessInstance, key: int) -> None:
    """An element instance has been terminated: what it was to undo stays, and nothing inside is undone."""
    for each in list(instance.compensations.values()):
        if each.key not in instance.compensations:
            continue
        if each.throw_key == key or each.scope_key == key:
            turn.emit(CompensationSubscriptionDeleted(each.key, instance.key))
            forget(turn, instance, each.activity_key)


def forget_all(turn: Turn, instance: ProcessInstance) -> None:
    for key in list(instance.compensations):
        turn.emit(CompensationSubscriptionDeleted(key, instance.key))


def _waiting_in(instance: ProcessInstance, *scope_keys: int) -> Iterator[CompensationSubscription]:
    for key in sorted(instance.compensations):
        subscription = instance.compensations.get(key)
        if subscription is not None and subscription.scope_key in scope_keys and not subscription.throw_key:
            yield subscription


def _undone_by(instance: ProcessInstance, handler_key: int) -> CompensationSubscription | None:
    """What a handler undoes, if the element instance is one."""
    return next((each for each in instance.compensations.values() if each.handler_key == handler_key), None)


def _handler_in(process: ExecutableProcess, element: Element) -> int | None:
    """The event sub-process in a sub-process that undoes it."""
    for index in element.event_starts:
        start = process.elements[index]
        assert isinstance(start, StartEvent), f"{start} triggers nothing"
        if isinstance(start.trigger, CompensationDefinition):
            return start.scope
    return None


def _handler_of(process: ExecutableProcess, boundary_event: int) -> int | None:
    boundary = process.elements[boundary_event]
    assert isinstance(boundary, BoundaryEvent), f"{boundary_event} is no boundary event"
    trigger = boundary.trigger
    return trigger.target if isinstance(trigger, CompensationDefinition) else None
