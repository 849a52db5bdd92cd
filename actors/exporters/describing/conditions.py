"""Conditional events, and conditions that were evaluated."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, json_values
from bpmnd.bpmn.events import (
    ConditionalEvaluated,
    ConditionalStartSubscriptionCreated,
    ConditionalStartSubscriptionDeleted,
    ConditionalSubscriptionCreated,
    ConditionalSubscriptionDeleted,
    ConditionalSubscriptionTriggered,
)


@describes
def conditional_subscription_created(event: ConditionalSubscriptionCreated, places: Places) -> Value:
    return places.at_element(event.instance_key, event.element_instance_key, event.element)


@describes
def conditional_subscription_over(
    event: ConditionalSubscriptionTriggered | ConditionalSubscriptionDeleted, places: Places
) -> Value:
    return places.in_instance(event.instance_key)


@describes
def conditional_start_subscription_created(
    event: ConditionalStartSubscriptionCreated, places: Places
) -> Value:
    return places.process(event.definition_key, event.tenant_id)


@describes
def conditional_start_subscription_deleted(
    event: ConditionalStartSubscriptionDeleted, places: Places
) -> Value:
    return {}


@describes
def conditional_evaluated(event: ConditionalEvaluated, places: Places) -> Value:
    value: Value = {"tenantId": event.tenant_id, "variables": json_values(event.variables)}
    if event.definition_key:
        value["processDefinitionKey"] = str(event.definition_key)
    return value
