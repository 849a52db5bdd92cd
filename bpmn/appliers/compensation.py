"""Appliers of what can be undone, and is."""

from msgspec.structs import replace

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    CompensationSubscriptionCompleted,
    CompensationSubscriptionCreated,
    CompensationSubscriptionDeleted,
    CompensationSubscriptionTriggered,
    CompensationVariablesKept,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import CompensationSubscription, size_of


@applies(CompensationSubscriptionCreated)
def compensation_subscription_created(state: State, event: CompensationSubscriptionCreated) -> None:
    instance = state.touch(event.instance_key)
    subscription = CompensationSubscription(
        event.key, event.activity, event.activity_key, event.scope_key, event.boundary_event
    )
    state.journal.put(instance.compensations, event.key, subscription)


@applies(CompensationVariablesKept)
def compensation_variables_kept(state: State, event: CompensationVariablesKept) -> None:
    instance = state.touch(event.instance_key)
    kept = replace(instance.compensations[event.key], variables=event.variables)
    state.journal.put(instance.compensations, event.key, kept)
    state.journal.assign(instance, "size", instance.size + size_of(event.variables))


@applies(CompensationSubscriptionTriggered)
def compensation_subscription_triggered(state: State, event: CompensationSubscriptionTriggered) -> None:
    """The variables that were kept are those of the handler now."""
    instance = state.touch(event.instance_key)
    subscription = instance.compensations[event.key]
    assert not subscription.throw_key, f"{event}, but {subscription}"
    triggered = replace(subscription, throw_key=event.throw_key, handler_key=event.handler_key, variables={})
    state.journal.put(instance.compensations, event.key, triggered)
    if subscription.variables:
        state.journal.assign(instance, "size", instance.size - size_of(subscription.variables))


@applies(CompensationSubscriptionCompleted)
def compensation_subscription_completed(state: State, event: CompensationSubscriptionCompleted) -> None:
    _drop(state, event)


@applies(CompensationSubscriptionDeleted)
def compensation_subscription_deleted(state: State, event: CompensationSubscriptionDeleted) -> None:
    _drop(state, event)


def _drop(state: State, event: CompensationSubscriptionCompleted | CompensationSubscriptionDeleted) -> None:
    instance = state.touch(event.instance_key)
    gone = state.journal.drop(instance.compensations, event.key)
    if gone.variables:
        state.journal.assign(instance, "size", instance.size - size_of(gone.variables))
