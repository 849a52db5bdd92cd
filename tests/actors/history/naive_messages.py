"""Of messages: who waits, and what came to whom, by a walk over the events."""

from typing import TYPE_CHECKING

from bpmnd.bpmn import events
from tests.actors.history.comparing import Item

if TYPE_CHECKING:
    from tests.actors.history.naive import Naive


def take(naive: "Naive", event: events.Event, now: str) -> None:
    match event:
        case events.ProcessMessageSubscriptionCreated():
            naive.subscriptions[event.key] = {
                **naive.common(event.instance_key),
                "messageSubscriptionKey": str(event.key),
                "elementId": naive.element_id(event.instance_key, event.element),
                "elementInstanceKey": str(event.element_instance_key),
                "messageSubscriptionState": "CREATED",
                "lastUpdatedDate": now,
                "messageName": event.name,
                "correlationKey": event.correlation_key,
            }
            if event.interrupting:
                naive.received_once.add(event.key)
        case events.MessageStartEventSubscriptionCreated():
            definition = naive.definitions[event.definition_key]
            naive.subscriptions[event.key] = {
                "messageSubscriptionKey": str(event.key),
                "processDefinitionKey": str(definition.key),
                "processDefinitionId": definition.process_id,
                "processInstanceKey": None,
                "rootProcessInstanceKey": None,
                "elementId": definition.element_ids[event.element],
                "elementInstanceKey": None,
                "messageSubscriptionState": "CREATED",
                "lastUpdatedDate": now,
                "messageName": event.name,
                "correlationKey": None,
                "tenantId": definition.tenant_id,
            }
        case events.ProcessMessageSubscriptionCorrelated():
            item = naive.subscriptions[event.key]
            item["lastUpdatedDate"] = now
            if event.key in naive.received_once:
                item["messageSubscriptionState"] = "CORRELATED"
            _received(naive, item, event.instance_key, event.message_key, item["correlationKey"], now)
        case events.MessageStartEventSubscriptionCorrelated():
            item = naive.subscriptions[event.key]
            _received(naive, item, event.instance_key, event.message_key, event.correlation_key or None, now)
        case events.ProcessMessageSubscriptionDeleted() | events.MessageStartEventSubscriptionDeleted():
            naive.subscriptions[event.key] |= {"messageSubscriptionState": "DELETED", "lastUpdatedDate": now}
        case _:
            pass


def _received(
    naive: "Naive", of: Item, instance_key: int, message_key: int, correlation_key: str | None, now: str
) -> None:
    key = int(of["messageSubscriptionKey"])
    naive.correlations[naive.next_place()] = {
        "subscriptionKey": str(key),
        "messageKey": str(message_key),
        "messageName": of["messageName"],
        "correlationKey": correlation_key,
        "correlationTime": now,
        "elementId": of["elementId"],
        "elementInstanceKey": of["elementInstanceKey"],
        "partitionId": key >> 51,
        "processDefinitionId": of["processDefinitionId"],
        "processDefinitionKey": of["processDefinitionKey"],
        "processInstanceKey": str(instance_key),
        "rootProcessInstanceKey": str(instance_key),
        "tenantId": of["tenantId"],
    }
