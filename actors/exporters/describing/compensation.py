"""What can be compensated, and what is."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, json_values
from bpmnd.bpmn.events import (
    CompensationSubscriptionCompleted,
    CompensationSubscriptionCreated,
    CompensationSubscriptionDeleted,
    CompensationSubscriptionTriggered,
    CompensationVariablesKept,
)


@describes
def compensation_subscription_created(event: CompensationSubscriptionCreated, places: Places) -> Value:
    value = places.at_element(event.instance_key, event.activity_key, event.activity)
    return {**value, "compensableActivityScopeKey": str(event.scope_key)}


@describes
def compensation_variables_kept(event: CompensationVariablesKept, places: Places) -> Value:
    return {**places.in_instance(event.instance_key), "variables": json_values(event.variables)}


@describes
def compensation_subscription_triggered(event: CompensationSubscriptionTriggered, places: Places) -> Value:
    value = {**places.in_instance(event.instance_key), "throwEventInstanceKey": str(event.throw_key)}
    if event.handler_key:
        value["compensationHandlerInstanceKey"] = str(event.handler_key)
    return value


@describes
def compensation_subscription_over(
    event: CompensationSubscriptionCompleted | CompensationSubscriptionDeleted, places: Places
) -> Value:
    return places.in_instance(event.instance_key)
