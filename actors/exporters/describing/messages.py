"""Records of messages and signals, as the partition has them that their correlation key belongs to."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, json_values, moment
from bpmnd.bpmn.events import (
    MessageCorrelated,
    MessageCorrelating,
    MessageExpired,
    MessageNotCorrelated,
    MessagePublished,
    MessageStartEventSubscriptionCorrelated,
    MessageStartEventSubscriptionCreated,
    MessageStartEventSubscriptionDeleted,
    MessageStartPartCorrelated,
    MessageSubscriptionCorrelated,
    MessageSubscriptionCorrelating,
    MessageSubscriptionCreated,
    MessageSubscriptionDeleted,
    MessageSubscriptionMigrated,
    MessageSubscriptionRejected,
    SignalBroadcasted,
    SignalStartEventSubscriptionCreated,
    SignalStartEventSubscriptionDeleted,
)


@describes
def message_published(event: MessagePublished, places: Places) -> Value:
    value = {**_named(event), "messageId": event.message_id, "variables": json_values(event.variables)}
    return {**value, "deadline": moment(event.deadline)} if event.deadline else value


@describes
def message_noted(event: MessageExpired | MessageCorrelating, places: Places) -> Value:
    return _named(event)


@describes
def message_correlated(event: MessageCorrelated, places: Places) -> Value:
    return {"messageKey": str(event.key), "processInstanceKey": str(event.instance_key)}


@describes
def message_not_correlated(event: MessageNotCorrelated, places: Places) -> Value:
    return {"messageKey": str(event.key)}


@describes
def signal_broadcasted(event: SignalBroadcasted, places: Places) -> Value:
    variables = json_values(event.variables)
    return {"signalName": event.name, "tenantId": event.tenant_id, "variables": variables}


@describes
def start_subscription_created(
    event: MessageStartEventSubscriptionCreated | SignalStartEventSubscriptionCreated, places: Places
) -> Value:
    is_message = isinstance(event, MessageStartEventSubscriptionCreated)
    element_id = places.element_id(event.definition_key, event.element)
    return {
        "processDefinitionKey": str(event.definition_key),
        "bpmnProcessId": event.process_id,
        "tenantId": event.tenant_id,
        "messageName" if is_message else "signalName": event.name,
        "startEventId" if is_message else "catchEventId": element_id,
    }


@describes
def start_subscription_deleted(
    event: MessageStartEventSubscriptionDeleted | SignalStartEventSubscriptionDeleted, places: Places
) -> Value:
    return _known_start(event.key, places)


@describes
def start_subscription_correlated(event: MessageStartEventSubscriptionCorrelated, places: Places) -> Value:
    return {
        **_known_start(event.key, places),
        "processInstanceKey": str(event.instance_key),
        "messageKey": str(event.message_key),
        "correlationKey": event.correlation_key,
    }


@describes
def start_part_correlated(event: MessageStartPartCorrelated, places: Places) -> Value:
    return {
        **_known_start(event.key, places),
        "messageKey": str(event.message_key),
        "correlationKey": event.correlation_key,
    }


@describes
def subscription_created(event: MessageSubscriptionCreated, places: Places) -> Value:
    return {**_subscription(event), "interrupting": event.interrupting}


@describes
def subscription_deleted(event: MessageSubscriptionDeleted, places: Places) -> Value:
    return _subscription(event)


@describes
def subscription_migrated(event: MessageSubscriptionMigrated, places: Places) -> Value:
    now = {"bpmnProcessId": event.new_process_id, "interrupting": event.interrupting}
    return {**_subscription(event), **now}


@describes
def subscription_correlated(
    event: MessageSubscriptionCorrelating | MessageSubscriptionCorrelated | MessageSubscriptionRejected,
    places: Places,
) -> Value:
    return {**_subscription(event), "messageKey": str(event.message_key)}


def _named(event: MessagePublished | MessageExpired | MessageCorrelating) -> Value:
    return {"name": event.name, "correlationKey": event.correlation_key, "tenantId": event.tenant_id}


def _known_start(key: int, places: Places) -> Value:
    start = places.known.starts.get(key)
    return start_subscription_created(start, places) if start is not None else {}


def _subscription(
    event: MessageSubscriptionCreated
    | MessageSubscriptionCorrelating
    | MessageSubscriptionCorrelated
    | MessageSubscriptionRejected
    | MessageSubscriptionDeleted
    | MessageSubscriptionMigrated,
) -> Value:
    return {
        "processInstanceKey": str(event.instance_key),
        "elementInstanceKey": str(event.element_instance_key),
        "bpmnProcessId": event.process_id,
        "tenantId": event.tenant_id,
        "messageName": event.name,
        "correlationKey": event.correlation_key,
    }
