"""What an element instance waits for besides time: messages and signals (BPMN 2.0, §10.5.5)."""

from decimal import Decimal

import msgspec

from bpmnd.bpmn.channel import CloseSubscription, OpenSubscription
from bpmnd.bpmn.correlation import close_subscription, open_subscription
from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.evaluation import evaluate, evaluate_string, lookup_in
from bpmnd.bpmn.events import (
    ConditionalSubscriptionDeleted,
    ProcessMessageSubscriptionCreated,
    ProcessMessageSubscriptionDeleted,
    ProcessMessageSubscriptionOpened,
    SignalSubscriptionCreated,
    SignalSubscriptionDeleted,
)
from bpmnd.bpmn.feel import type_name
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import MessageDefinition, SignalDefinition
from bpmnd.bpmn.state.records import MessageSubscription, ProcessInstance, SignalSubscription
from bpmnd.bpmn.turn import Turn


class MessagePlan(msgspec.Struct, frozen=True, gc=False):
    """A message subscription worked out, to be opened when the element is active."""

    element: int
    name: str
    correlation_key: str
    interrupting: bool

    def begin(self, activation: Activation) -> int:
        turn, instance = activation.turn, activation.instance
        key = turn.new_key()
        turn.emit(
            ProcessMessageSubscriptionCreated(
                key,
                instance.key,
                activation.key,
                self.element,
                self.name,
                self.correlation_key,
                self.interrupting,
            )
        )
        opened = OpenSubscription(
            key,
            instance.key,
            activation.key,
            _process_id(turn, instance),
            instance.tenant_id,
            self.name,
            self.correlation_key,
            self.interrupting,
        )
        slots = turn.peers.slots
        partition = slots.partition_of(self.correlation_key)
        if slots.first and partition != slots.first_partition_of(self.correlation_key):
            turn.emit(ProcessMessageSubscriptionOpened(key, instance.key, partition))
        if partition == turn.state.partition_id:
            open_subscription(turn, opened)
        else:
            turn.send(partition, opened)
        return key


class SignalPlan(msgspec.Struct, frozen=True, gc=False):
    element: int
    name: str

    def begin(self, activation: Activation) -> int:
        turn, key = activation.turn, activation.turn.new_key()
        turn.emit(
            SignalSubscriptionCreated(key, activation.instance.key, activation.key, self.element, self.name)
        )
        return key


def plan_message(
    activation: Activation, element: int, message: MessageDefinition, *, interrupting: bool, outside: bool
) -> MessagePlan | Incident:
    """Which message the element waits for. The correlation key of a boundary event is one of the scope
    `outside` of its activity: unlike the name it does not see the activity's own variables."""
    turn, instance = activation.turn, activation.instance
    inner = activation.inner_key
    name = evaluate_string(turn, message.name, lookup_in(instance, inner))
    if isinstance(name, Incident):
        return name
    key = _correlation_key(activation, message, activation.scope_key if outside else inner)
    if isinstance(key, Incident):
        return key
    return MessagePlan(element, name, key, interrupting)


def _correlation_key(activation: Activation, message: MessageDefinition, scope_key: int) -> str | Incident:
    """A string, or a number without what stands behind its point."""
    expression = message.correlation_key
    assert expression is not None, f"{message} has no correlation key"
    lookup = lookup_in(activation.instance, scope_key)
    evaluated = evaluate(activation.turn, expression, lookup, IncidentType.EXTRACT_VALUE_ERROR)
    if isinstance(evaluated, Incident):
        return evaluated
    value = evaluated.value
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(int(value))
    reason = (
        f"Failed to extract the correlation key for '{expression.text}':"
        f" The value must be either a string or a number, but was '{type_name(value)}'."
    )
    if evaluated.warnings:
        reason += " The evaluation reported the following warnings:\n" + "\n".join(evaluated.warnings)
    return Incident(IncidentType.EXTRACT_VALUE_ERROR, reason)


def plan_signal(activation: Activation, element: int, signal: SignalDefinition) -> SignalPlan | Incident:
    lookup = lookup_in(activation.instance, activation.inner_key)
    name = evaluate_string(activation.turn, signal.name, lookup)
    return name if isinstance(name, Incident) else SignalPlan(element, name)


def unsubscribe(
    turn: Turn, instance: ProcessInstance, element_instance_key: int, only: tuple[int, ...] | None = None
) -> None:
    """The element instance waits for nothing any more; or for nothing that triggers `only` these elements."""
    for message in list(instance.subscriptions.values()):
        if message.element_instance_key == element_instance_key and (only is None or message.element in only):
            close_message(turn, instance, message)
    for signal in list(instance.signals.values()):
        if signal.element_instance_key == element_instance_key and (only is None or signal.element in only):
            close_signal(turn, instance, signal)
    for condition in list(instance.conditions.values()):
        if condition.element_instance_key == element_instance_key and (
            only is None or condition.element in only
        ):
            turn.emit(ConditionalSubscriptionDeleted(condition.key, instance.key))


def close_message(turn: Turn, instance: ProcessInstance, subscription: MessageSubscription) -> None:
    turn.emit(ProcessMessageSubscriptionDeleted(subscription.key, instance.key))
    closed = CloseSubscription(
        subscription.key,
        instance.key,
        subscription.element_instance_key,
        _process_id(turn, instance),
        instance.tenant_id,
        subscription.name,
        subscription.correlation_key,
    )
    partition = told_at(turn, subscription)
    if partition == turn.state.partition_id:
        close_subscription(turn, closed)
    else:
        turn.send(partition, closed)


def told_at(turn: Turn, subscription: MessageSubscription) -> int:
    """The partition that is told all about a subscription, and passes it on if the slot has moved."""
    return subscription.opened_at or turn.peers.slots.first_partition_of(subscription.correlation_key)


def close_signal(turn: Turn, instance: ProcessInstance, subscription: SignalSubscription) -> None:
    turn.emit(SignalSubscriptionDeleted(subscription.key, instance.key))


def _process_id(turn: Turn, instance: ProcessInstance) -> str:
    return turn.state.definitions.items[instance.definition_key].process_id
