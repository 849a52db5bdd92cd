"""Records of messages and signals: every event says what it is about, without the log beside it."""

from typing import Any

import pytest

from bpmnd.bpmn import events
from bpmnd.bpmn.events import Event
from tests.actors.exporters.test_records import DEFINITION, ONE, PAY, Export, created

WAITING = (*created(ONE), events.ElementActivated(ONE + 1, ONE, ONE, PAY, ()))
SUBSCRIBED = events.ProcessMessageSubscriptionCreated(ONE + 2, ONE, ONE + 1, PAY, "paid", "1", True)
LISTENING = events.SignalSubscriptionCreated(ONE + 3, ONE, ONE + 1, PAY, "bell")
OPENED = events.MessageStartEventSubscriptionCreated(50, DEFINITION, PAY, "<default>", "order", "paid")
AT_ELEMENT = {
    "processDefinitionKey": str(DEFINITION),
    "bpmnProcessId": "order",
    "version": 3,
    "tenantId": "<default>",
    "processInstanceKey": str(ONE),
    "elementInstanceKey": str(ONE + 1),
    "elementId": "pay",
    "bpmnElementType": "SERVICE_TASK",
}
MESSAGE = {"messageName": "paid", "correlationKey": "1", "interrupting": True}
START = {
    "processDefinitionKey": str(DEFINITION),
    "bpmnProcessId": "order",
    "tenantId": "<default>",
    "messageName": "paid",
    "startEventId": "pay",
}


@pytest.mark.parametrize(
    ("event", "value"),
    [
        (SUBSCRIBED, AT_ELEMENT | MESSAGE),
        (LISTENING, AT_ELEMENT | {"signalName": "bell"}),
        (OPENED, START),
        (
            events.MessagePublished(7, "<default>", "paid", "1", "id", 2_000, {"a": b"[1]"}),
            {
                "name": "paid",
                "correlationKey": "1",
                "tenantId": "<default>",
                "messageId": "id",
                "variables": {"a": [1]},
                "deadline": "1970-01-01T00:00:02.000Z",
            },
        ),
        (
            events.MessageExpired(7, "<default>", "paid", "1"),
            {"name": "paid", "correlationKey": "1", "tenantId": "<default>"},
        ),
        (
            events.SignalBroadcasted(7, "<default>", "bell", {"a": b"1"}),
            {"signalName": "bell", "tenantId": "<default>", "variables": {"a": 1}},
        ),
        (
            events.MessageSubscriptionCorrelating(7, 8, 9, "order", "<default>", "paid", "1", 6, 0),
            {
                "processInstanceKey": "8",
                "elementInstanceKey": "9",
                "bpmnProcessId": "order",
                "tenantId": "<default>",
                "messageName": "paid",
                "correlationKey": "1",
                "messageKey": "6",
            },
        ),
        (events.MessageCorrelated(7, 8), {"messageKey": "7", "processInstanceKey": "8"}),
        (events.MessageNotCorrelated(7), {"messageKey": "7"}),
    ],
)
def test_an_event_tells_what_it_is_about(event: Event, value: dict[str, Any]) -> None:
    assert Export(*WAITING).value(event) == value


def test_what_ends_a_subscription_tells_what_was_waited_for() -> None:
    export = Export(*WAITING, SUBSCRIBED, LISTENING)
    correlated = export.value(events.ProcessMessageSubscriptionCorrelated(ONE + 2, ONE, 7))
    assert correlated == AT_ELEMENT | MESSAGE | {"messageKey": "7"}
    deleted = export.value(events.SignalSubscriptionDeleted(ONE + 3, ONE))
    assert deleted == AT_ELEMENT | {"signalName": "bell"}
    assert export._records._instances.by_key[ONE].subscriptions == {}  # pyright: ignore[reportPrivateUsage]


def test_a_start_subscription_is_known_until_it_is_deleted() -> None:
    export = Export(OPENED)
    correlated = export.value(events.MessageStartEventSubscriptionCorrelated(50, ONE, 7, "1", 0))
    assert correlated == START | {
        "processInstanceKey": str(ONE),
        "messageKey": "7",
        "correlationKey": "1",
    }
    assert export.value(events.MessageStartEventSubscriptionDeleted(50)) == START
    assert export.value(events.MessageStartEventSubscriptionDeleted(50)) == {}
