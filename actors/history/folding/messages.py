"""Message subscriptions, and what they receive."""

from typing import Final

from bpmnd.actors.history.folding.registry import folds
from bpmnd.actors.history.names import SUBSCRIPTION_STATE
from bpmnd.actors.history.rows import CorrelationRow, SubscriptionRow
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import events

_WAITING: Final = SUBSCRIPTION_STATE["CREATED"]


@folds(events.ProcessMessageSubscriptionCreated)
def subscribed(tables: Tables, event: events.ProcessMessageSubscriptionCreated, time: int) -> None:
    instance = tables.instances.get(event.instance_key)
    if instance is not None:
        tables.subscriptions.add(
            SubscriptionRow(
                event.key,
                event.instance_key,
                instance.definition_key,
                event.element,
                event.element_instance_key,
                event.name,
                event.correlation_key,
                int(event.interrupting),
                _WAITING,
                time,
            )
        )


@folds(events.ProcessMessageSubscriptionCorrelated)
def correlated(tables: Tables, event: events.ProcessMessageSubscriptionCorrelated, time: int) -> None:
    row = tables.subscriptions.change(event.key)
    if row is not None:
        row.updated = time
        if row.interrupting:
            row.state = SUBSCRIPTION_STATE["CORRELATED"]
        _correlation(tables, row, event.instance_key, event.message_key, row.correlation_key, time)


@folds(events.ProcessMessageSubscriptionDeleted)
def unsubscribed(tables: Tables, event: events.ProcessMessageSubscriptionDeleted, time: int) -> None:
    _end_subscription(tables, event.key, time)


@folds(events.MessageStartEventSubscriptionCreated)
def start_subscribed(tables: Tables, event: events.MessageStartEventSubscriptionCreated, time: int) -> None:
    tables.subscriptions.add(
        SubscriptionRow(
            event.key,
            None,
            event.definition_key,
            event.element,
            None,
            event.name,
            None,
            0,
            _WAITING,
            time,
        )
    )


@folds(events.MessageStartEventSubscriptionCorrelated)
def start_correlated(
    tables: Tables, event: events.MessageStartEventSubscriptionCorrelated, time: int
) -> None:
    row = tables.subscriptions.get(event.key)
    if row is not None:
        _correlation(tables, row, event.instance_key, event.message_key, event.correlation_key or None, time)


@folds(events.MessageStartEventSubscriptionDeleted)
def start_unsubscribed(tables: Tables, event: events.MessageStartEventSubscriptionDeleted, time: int) -> None:
    _end_subscription(tables, event.key, time)


def _end_subscription(tables: Tables, key: int, time: int) -> None:
    row = tables.subscriptions.change(key)
    if row is not None:
        row.state, row.updated = SUBSCRIPTION_STATE["DELETED"], time


def _correlation(
    tables: Tables,
    row: SubscriptionRow,
    instance_key: int,
    message_key: int,
    correlation_key: str | None,
    time: int,
) -> None:
    tables.correlations.add(
        CorrelationRow(
            tables.next_place(),
            row.key,
            message_key,
            instance_key,
            row.definition_key,
            row.element,
            row.element_key,
            row.name,
            correlation_key,
            time,
        )
    )
