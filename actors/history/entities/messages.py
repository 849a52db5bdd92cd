"""Subscriptions to messages, and messages that were correlated."""

from typing import Final

from bpmnd.actors.history.entities.fields import (
    DEFINITION,
    ELEMENT,
    INSTANCE,
    ROOT,
    TENANT,
    Entity,
    Field,
    Filter,
    Kind,
    definition_field,
    enum_field,
    key_field,
)
from bpmnd.actors.history.names import SUBSCRIPTION_STATES

MESSAGE_SUBSCRIPTIONS: Final = Entity(
    "subscriptions x",
    DEFINITION + ELEMENT + INSTANCE,
    "x.key",
    {
        "messageSubscriptionKey": key_field("key"),
        "processDefinitionKey": key_field("definition_key", sorts=False),
        "processDefinitionId": definition_field("process_id"),
        "processInstanceKey": key_field("instance_key"),
        "rootProcessInstanceKey": ROOT,
        "elementId": Field("coalesce(e.element_id, '')", Kind.TEXT, on_element=True),
        "elementInstanceKey": key_field("element_key"),
        "messageSubscriptionState": enum_field("x.state", SUBSCRIPTION_STATES),
        "lastUpdatedDate": Field("x.updated", Kind.MOMENT),
        "messageName": Field("x.name", Kind.TEXT),
        "correlationKey": Field("x.correlation_key", Kind.TEXT),
        "tenantId": TENANT,
    },
)
CORRELATED_SUBSCRIPTIONS: Final = Entity(
    "correlations x",
    DEFINITION + ELEMENT + INSTANCE,
    "x.key",
    {
        "subscriptionKey": key_field("subscription_key"),
        "messageKey": key_field("message_key", filter=Filter.BASIC),
        "messageName": Field("x.name", Kind.TEXT),
        "correlationKey": Field("x.correlation_key", Kind.TEXT),
        "correlationTime": Field("x.time", Kind.MOMENT),
        "elementId": Field("coalesce(e.element_id, '')", Kind.TEXT, on_element=True),
        "elementInstanceKey": key_field("element_key"),
        "partitionId": Field("x.subscription_key >> 51", Kind.INTEGER),
        "processDefinitionId": definition_field("process_id"),
        "processDefinitionKey": key_field("definition_key"),
        "processInstanceKey": key_field("instance_key"),
        "rootProcessInstanceKey": ROOT,
        "tenantId": TENANT,
    },
)
