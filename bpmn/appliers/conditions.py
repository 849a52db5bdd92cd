"""Appliers of what waits for conditions."""

from bpmnd.bpmn.appliers.multiple import forget_part
from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    ConditionalSubscriptionCreated,
    ConditionalSubscriptionDeleted,
    ConditionalSubscriptionTriggered,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import ConditionalSubscription


@applies(ConditionalSubscriptionCreated)
def conditional_subscription_created(state: State, event: ConditionalSubscriptionCreated) -> None:
    instance = state.touch(event.instance_key)
    subscription = ConditionalSubscription(event.key, event.element_instance_key, event.element)
    state.journal.put(instance.conditions, event.key, subscription)


@applies(ConditionalSubscriptionTriggered)
def conditional_subscription_triggered(state: State, event: ConditionalSubscriptionTriggered) -> None:
    """What comes of it has events of its own; this is for the audit."""


@applies(ConditionalSubscriptionDeleted)
def conditional_subscription_deleted(state: State, event: ConditionalSubscriptionDeleted) -> None:
    instance = state.touch(event.instance_key)
    state.journal.drop(instance.conditions, event.key)
    forget_part(state.journal, instance, event.key)
