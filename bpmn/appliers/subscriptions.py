"""Appliers of who waits: on the partition of the correlation key, and on that of the process instance."""

from msgspec.structs import replace

from bpmnd.bpmn.appliers.messages import mark, unmark
from bpmnd.bpmn.appliers.multiple import forget_part
from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    ConditionalEvaluated,
    ConditionalStartSubscriptionCreated,
    ConditionalStartSubscriptionDeleted,
    MessageStartEventSubscriptionCorrelated,
    MessageStartEventSubscriptionCreated,
    MessageStartEventSubscriptionDeleted,
    MessageSubscriptionCorrelated,
    MessageSubscriptionCorrelating,
    MessageSubscriptionCreated,
    MessageSubscriptionDeleted,
    MessageSubscriptionMigrated,
    MessageSubscriptionRejected,
    ProcessMessageSubscriptionCorrelated,
    ProcessMessageSubscriptionCreated,
    ProcessMessageSubscriptionDeleted,
    SignalStartEventSubscriptionCreated,
    SignalStartEventSubscriptionDeleted,
    SignalSubscriptionCreated,
    SignalSubscriptionDeleted,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.messages import (
    CORRELATING,
    FREE,
    Starts,
    StartSubscription,
    Waiting,
    entry_of,
    group_of,
    lock_of,
    signal_group,
)
from bpmnd.bpmn.state.records import MessageSubscription, SignalSubscription


@applies(MessageSubscriptionCreated)
def message_subscription_created(state: State, event: MessageSubscriptionCreated) -> None:
    group = group_of(event.tenant_id, event.name, event.correlation_key)
    if event.arrival:
        state.messages.arrivals.put(entry_of(event.key), event.arrival, state.journal, is_new=True)
    entry = FREE + state.messages.place_of(event.process_id, event.element_instance_key, event.key)
    waiting = Waiting(event.instance_key, event.element_instance_key, event.interrupting)
    state.messages.subscriptions.put_in(group, entry, waiting, state.journal, is_new=True)


@applies(MessageSubscriptionCorrelating)
def message_subscription_correlating(state: State, event: MessageSubscriptionCorrelating) -> None:
    table, journal = state.messages.subscriptions, state.journal
    group = group_of(event.tenant_id, event.name, event.correlation_key)
    entry = state.messages.place_of(event.process_id, event.element_instance_key, event.key)
    waiting = table.get(group + FREE + entry)
    assert waiting is not None, f"{event} of nobody who waits"
    table.remove_from(group, FREE + entry, journal)
    on_its_way = replace(waiting, message_key=event.message_key)
    table.put_in(group, CORRELATING + entry, on_its_way, journal, is_new=True)
    mark(state, group, event.message_key, event.process_id, event.passed)


@applies(MessageSubscriptionCorrelated)
def message_subscription_correlated(state: State, event: MessageSubscriptionCorrelated) -> None:
    table, journal = state.messages.subscriptions, state.journal
    group = group_of(event.tenant_id, event.name, event.correlation_key)
    entry = state.messages.place_of(event.process_id, event.element_instance_key, event.key)
    waiting = table.get(group + CORRELATING + entry)
    assert waiting is not None, f"{event} of nobody who waits"
    assert waiting.message_key == event.message_key, f"{event}, but {waiting}"
    table.remove_from(group, CORRELATING + entry, journal)
    if waiting.interrupting:
        _forget_arrival(state, event.key)
    else:
        table.put_in(group, FREE + entry, replace(waiting, message_key=0), journal, is_new=True)


@applies(MessageSubscriptionRejected)
def message_subscription_rejected(state: State, event: MessageSubscriptionRejected) -> None:
    """The subscription itself is closed, or will be: whoever refused the message has seen to that."""
    group = group_of(event.tenant_id, event.name, event.correlation_key)
    unmark(state, group, event.message_key, event.process_id)


@applies(MessageSubscriptionDeleted)
def message_subscription_deleted(state: State, event: MessageSubscriptionDeleted) -> None:
    table = state.messages.subscriptions
    group = group_of(event.tenant_id, event.name, event.correlation_key)
    entry = state.messages.place_of(event.process_id, event.element_instance_key, event.key)
    flag = FREE if table.get(group + FREE + entry) is not None else CORRELATING
    assert table.get(group + flag + entry) is not None, f"{event} of nobody who waits"
    table.remove_from(group, flag + entry, state.journal)
    _forget_arrival(state, event.key)


@applies(MessageSubscriptionMigrated)
def message_subscription_migrated(state: State, event: MessageSubscriptionMigrated) -> None:
    table, places, journal = state.messages.subscriptions, state.messages.place_of, state.journal
    group = group_of(event.tenant_id, event.name, event.correlation_key)
    old = places(event.process_id, event.element_instance_key, event.key)
    flag = FREE if table.get(group + FREE + old) is not None else CORRELATING
    waiting = table.get(group + flag + old)
    assert waiting is not None, f"{event} of nobody who waits"
    table.remove_from(group, flag + old, journal)
    new = places(event.new_process_id, event.element_instance_key, event.key)
    waits_now = replace(waiting, interrupting=event.interrupting)
    table.put_in(group, flag + new, waits_now, journal, is_new=True)


def _forget_arrival(state: State, key: int) -> None:
    if state.messages.arrival_of(key) is not None:
        state.messages.arrivals.remove(entry_of(key), state.journal)


def _add_start(
    state: State,
    starts: Starts,
    event: MessageStartEventSubscriptionCreated
    | SignalStartEventSubscriptionCreated
    | ConditionalStartSubscriptionCreated,
) -> None:
    journal = state.journal
    start = StartSubscription(
        event.key, event.definition_key, event.element, event.tenant_id, event.process_id, event.name
    )
    starts.table.put(event.key, start, journal)
    for index, name in ((starts.by_name, event.name), (starts.by_process, event.process_id)):
        keys = index.get((event.tenant_id, name))
        if keys is None:
            keys = dict[int, None]()
            journal.put(index, (event.tenant_id, name), keys)
        journal.put(keys, event.key, None)


def _drop_start(state: State, starts: Starts, key: int) -> None:
    journal = state.journal
    start = starts.table.items[key]
    starts.table.remove(key, journal)
    for index, name in ((starts.by_name, start.name), (starts.by_process, start.process_id)):
        keys = index[start.tenant_id, name]
        journal.drop(keys, key)
        if not keys:
            journal.drop(index, (start.tenant_id, name))


@applies(MessageStartEventSubscriptionCreated)
def message_start_event_subscription_created(
    state: State, event: MessageStartEventSubscriptionCreated
) -> None:
    _add_start(state, state.messages.starts, event)


@applies(MessageStartEventSubscriptionDeleted)
def message_start_event_subscription_deleted(
    state: State, event: MessageStartEventSubscriptionDeleted
) -> None:
    _drop_start(state, state.messages.starts, event.key)


@applies(MessageStartEventSubscriptionCorrelated)
def message_start_event_subscription_correlated(
    state: State, event: MessageStartEventSubscriptionCorrelated
) -> None:
    """With a correlation key the instance keeps others of its process from being started by the same one."""
    start = state.messages.starts.table.items[event.key]
    group = group_of(start.tenant_id, start.name, event.correlation_key)
    mark(state, group, event.message_key, start.process_id, event.passed)
    if event.correlation_key:
        lock = lock_of(start.tenant_id, start.process_id, event.correlation_key)
        state.messages.locks.put(lock, event.instance_key, state.journal, is_new=True)
        instance = state.touch(event.instance_key)
        state.journal.assign(instance, "correlation_key", event.correlation_key)


@applies(ProcessMessageSubscriptionCreated)
def process_message_subscription_created(state: State, event: ProcessMessageSubscriptionCreated) -> None:
    instance = state.touch(event.instance_key)
    subscription = MessageSubscription(
        event.key,
        event.element_instance_key,
        event.element,
        event.name,
        event.correlation_key,
        event.interrupting,
    )
    state.journal.put(instance.subscriptions, event.key, subscription)


@applies(ProcessMessageSubscriptionCorrelated)
def process_message_subscription_correlated(
    state: State, event: ProcessMessageSubscriptionCorrelated
) -> None:
    instance = state.touch(event.instance_key)
    if instance.subscriptions[event.key].interrupting:
        state.journal.drop(instance.subscriptions, event.key)
        forget_part(state.journal, instance, event.key)


@applies(ProcessMessageSubscriptionDeleted)
def process_message_subscription_deleted(state: State, event: ProcessMessageSubscriptionDeleted) -> None:
    instance = state.touch(event.instance_key)
    state.journal.drop(instance.subscriptions, event.key)
    forget_part(state.journal, instance, event.key)


@applies(SignalSubscriptionCreated)
def signal_subscription_created(state: State, event: SignalSubscriptionCreated) -> None:
    instance = state.touch(event.instance_key)
    subscription = SignalSubscription(event.key, event.element_instance_key, event.element, event.name)
    state.journal.put(instance.signals, event.key, subscription)
    group = signal_group(instance.tenant_id, event.name)
    state.messages.signals.put_in(group, entry_of(event.key), event.instance_key, state.journal, is_new=True)


@applies(SignalSubscriptionDeleted)
def signal_subscription_deleted(state: State, event: SignalSubscriptionDeleted) -> None:
    instance = state.touch(event.instance_key)
    subscription = state.journal.drop(instance.signals, event.key)
    forget_part(state.journal, instance, event.key)
    group = signal_group(instance.tenant_id, subscription.name)
    state.messages.signals.remove_from(group, entry_of(event.key), state.journal)


@applies(SignalStartEventSubscriptionCreated)
def signal_start_event_subscription_created(state: State, event: SignalStartEventSubscriptionCreated) -> None:
    _add_start(state, state.messages.signal_starts, event)


@applies(SignalStartEventSubscriptionDeleted)
def signal_start_event_subscription_deleted(state: State, event: SignalStartEventSubscriptionDeleted) -> None:
    _drop_start(state, state.messages.signal_starts, event.key)


@applies(ConditionalStartSubscriptionCreated)
def conditional_start_subscription_created(state: State, event: ConditionalStartSubscriptionCreated) -> None:
    _add_start(state, state.messages.conditional_starts, event)


@applies(ConditionalStartSubscriptionDeleted)
def conditional_start_subscription_deleted(state: State, event: ConditionalStartSubscriptionDeleted) -> None:
    _drop_start(state, state.messages.conditional_starts, event.key)


@applies(ConditionalEvaluated)
def conditional_evaluated(state: State, event: ConditionalEvaluated) -> None:
    """What it starts has events of its own; the evaluation is for the audit."""
