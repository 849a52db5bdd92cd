"""Appliers of what can be undone, and is."""

from msgspec.structs import replace

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    CompensationSubscriptionCompleted,
    CompensationSubscriptionCreated,
    CompensationSubscriptionDeleted,
    CompensationSubscriptionTriggered,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import CompensationSubscription


@applies(CompensationSubscriptionCreated)
def compensation_subscription_created(state: State, event: CompensationSubscriptionCreated) -> None:
    instance = state.touch(event.instance_key)
    subscription = CompensationSubscription(
        event.key, event.activity, event.activity_key, event.scope_key, event.boundary_event
    )
    state.journal.put(instance.compensations, event.key, subscription)


@applies(CompensationSubscriptionTriggered)
def compensation_subscription_triggered(state: State, event: CompensationSubscriptionTriggered) -> None:
    instance = state.touch(event.instance_key)
    subscription = instance.compensations[event.key]
    assert not subscription.throw_key, f"{event}, but {subscription}"
    triggered = replace(subscription, throw_key=event.throw_key, handler_key=event.handler_key)
    state.journal.put(instance.compensations, event.key, triggered)


@applies(CompensationSubscriptionCompleted)
def compensation_subscription_completed(state: State, event: CompensationSubscriptionCompleted) -> None:
    state.journal.drop(state.touch(event.instance_key).compensations, event.key)


@applies(CompensationSubscriptionDeleted)
def compensation_subscription_deleted(state: State, event: CompensationSubscriptionDeleted) -> None:
    state.journal.drop(state.touch(event.instance_key).compensations, event.key)
