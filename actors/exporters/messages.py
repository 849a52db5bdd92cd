"""Records of messages and signals, as the partition has them that their correlation key belongs to."""

from bpmnd.actors.exporters.instances import Instances
from bpmnd.actors.exporters.values import Value, json_values, moment
from bpmnd.bpmn import events


def of_message(
    event: events.MessagePublished
    | events.MessageExpired
    | events.MessageSubscriptionCreated
    | events.MessageSubscriptionCorrelating
    | events.MessageSubscriptionCorrelated
    | events.MessageSubscriptionRejected
    | events.MessageSubscriptionDeleted
    | events.MessageSubscriptionMigrated
    | events.MessageStartEventSubscriptionCreated
    | events.MessageStartEventSubscriptionDeleted
    | events.MessageStartEventSubscriptionCorrelated
    | events.MessageStartPartCorrelated
    | events.MessageCorrelating
    | events.MessageCorrelated
    | events.MessageNotCorrelated
    | events.SignalBroadcasted
    | events.SignalStartEventSubscriptionCreated
    | events.SignalStartEventSubscriptionDeleted,
    known: Instances,
) -> Value:
    match event:
        case events.MessagePublished():
            value: Value = {
                **_named(event),
                "messageId": event.message_id,
                "variables": json_values(event.variables),
            }
            return {**value, "deadline": moment(event.deadline)} if event.deadline else value
        case events.MessageExpired() | events.MessageCorrelating():
            return _named(event)
        case events.MessageCorrelated(key, instance_key):
            return {"messageKey": str(key), "processInstanceKey": str(instance_key)}
        case events.MessageNotCorrelated(key):
            return {"messageKey": str(key)}
        case events.SignalBroadcasted(_, tenant_id, name, variables):
            return {"signalName": name, "tenantId": tenant_id, "variables": json_values(variables)}
        case events.MessageStartEventSubscriptionCreated() | events.SignalStartEventSubscriptionCreated():
            return _of_start(event, known)
        case events.MessageStartEventSubscriptionDeleted(key) | events.SignalStartEventSubscriptionDeleted(
            key
        ):
            start = known.starts.get(key)
            return _of_start(start, known) if start is not None else {}
        case events.MessageStartEventSubscriptionCorrelated() | events.MessageStartPartCorrelated():
            start = known.starts.get(event.key)
            value = _of_start(start, known) if start is not None else {}
            if isinstance(event, events.MessageStartEventSubscriptionCorrelated):
                value["processInstanceKey"] = str(event.instance_key)
            return {
                **value,
                "messageKey": str(event.message_key),
                "correlationKey": event.correlation_key,
            }
        case _:
            return _of_subscription(event)


def _named(event: events.MessagePublished | events.MessageExpired | events.MessageCorrelating) -> Value:
    return {
        "name": event.name,
        "correlationKey": event.correlation_key,
        "tenantId": event.tenant_id,
    }


def _of_subscription(
    event: events.MessageSubscriptionCreated
    | events.MessageSubscriptionCorrelating
    | events.MessageSubscriptionCorrelated
    | events.MessageSubscriptionRejected
    | events.MessageSubscriptionDeleted
    | events.MessageSubscriptionMigrated,
) -> Value:
    value: Value = {
        "processInstanceKey": str(event.instance_key),
        "elementInstanceKey": str(event.element_instance_key),
        "bpmnProcessId": event.process_id,
        "tenantId": event.tenant_id,
        "messageName": event.name,
        "correlationKey": event.correlation_key,
    }
    match event:
        case events.MessageSubscriptionCreated():
            return {**value, "interrupting": event.interrupting}
        case events.MessageSubscriptionDeleted():
            return value
        case events.MessageSubscriptionMigrated():
            return {**value, "bpmnProcessId": event.new_process_id, "interrupting": event.interrupting}
        case _:
            return {**value, "messageKey": str(event.message_key)}


def _of_start(
    event: events.MessageStartEventSubscriptionCreated | events.SignalStartEventSubscriptionCreated,
    known: Instances,
) -> Value:
    definition = known.definitions.get(event.definition_key)
    ids = definition.element_ids if definition is not None else ()
    is_message = isinstance(event, events.MessageStartEventSubscriptionCreated)
    return {
        "processDefinitionKey": str(event.definition_key),
        "bpmnProcessId": event.process_id,
        "tenantId": event.tenant_id,
        "messageName" if is_message else "signalName": event.name,
        "startEventId" if is_message else "catchEventId": (
            ids[event.element] if event.element < len(ids) else str(event.element)
        ),
    }
