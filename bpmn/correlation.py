"""Correlation of messages, on the partition of their correlation key: who waits there gets them.

A message goes to one instance of each process at most. What an element instance waits for is told to this
partition, and the message is told to that of the process instance, over the ordered channels; within one
partition it is the same, without the channel. What comes for a slot that has moved follows it
(`bpmn/forwarding.py`).
"""

from bpmnd.bpmn.channel import (
    CloseSubscription,
    ConfirmDelivery,
    DeliverMessage,
    MigrateSubscription,
    OpenSubscription,
    RefuseDelivery,
    ReleaseLock,
    SettleCorrelation,
)
from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events import (
    MessageCorrelated,
    MessageCorrelating,
    MessageNotCorrelated,
    MessageStartEventSubscriptionCorrelated,
    MessageStartPartCorrelated,
    MessageSubscriptionCorrelated,
    MessageSubscriptionCorrelating,
    MessageSubscriptionCreated,
    MessageSubscriptionDeleted,
    MessageSubscriptionMigrated,
    MessageSubscriptionRejected,
)
from bpmnd.bpmn.forwarding import pass_on
from bpmnd.bpmn.gathering import gathers_at_start, occur_at_start
from bpmnd.bpmn.keys import partition_of
from bpmnd.bpmn.model.graph import MessageDefinition
from bpmnd.bpmn.outcomes import MessageCorrelated as CorrelationAnswer
from bpmnd.bpmn.outcomes import Rejected, RejectionType
from bpmnd.bpmn.starts import start_at
from bpmnd.bpmn.state.messages import (
    CORRELATING,
    FREE,
    Message,
    StartSubscription,
    Waiting,
    entry_of,
    group_of,
    lock_of,
    parts_of,
)
from bpmnd.bpmn.state.series import prefix_free
from bpmnd.bpmn.steps import StartNext, TakeDelivery
from bpmnd.bpmn.turn import Turn

_BEHIND_ALL = b"\xff" * 17


def open_subscription(turn: Turn, opened: OpenSubscription) -> None:
    """Somebody waits: the next message in the buffer is theirs."""
    slot = turn.state.slots.given(opened.correlation_key)
    if slot is not None:
        pass_on(turn, slot, opened)
        return
    is_from_here = partition_of(opened.instance_key) == turn.state.partition_id
    turn.emit(
        MessageSubscriptionCreated(
            opened.subscription_key,
            opened.instance_key,
            opened.element_instance_key,
            opened.process_id,
            opened.tenant_id,
            opened.name,
            opened.correlation_key,
            opened.interrupting,
            0 if is_from_here else turn.new_key(),
        )
    )
    _correlate_next(turn, opened)


def close_subscription(turn: Turn, closed: CloseSubscription) -> None:
    """A message that is on its way will be refused, and comes back."""
    slot = turn.state.slots.given(closed.correlation_key)
    if slot is not None:
        pass_on(turn, slot, closed)
        return
    group = group_of(closed.tenant_id, closed.name, closed.correlation_key)
    entry = _place_of(turn, closed)
    subscriptions = turn.state.messages.subscriptions
    if subscriptions.get(group + FREE + entry) or subscriptions.get(group + CORRELATING + entry):
        turn.emit(
            MessageSubscriptionDeleted(
                closed.subscription_key,
                closed.instance_key,
                closed.element_instance_key,
                closed.process_id,
                closed.tenant_id,
                closed.name,
                closed.correlation_key,
            )
        )


def migrate_subscription(turn: Turn, migrated: MigrateSubscription) -> None:
    """Who waits is an instance of another process now, or is interrupted otherwise. A message that is on its
    way to it stays so."""
    slot = turn.state.slots.given(migrated.correlation_key)
    if slot is not None:
        pass_on(turn, slot, migrated)
        return
    group = group_of(migrated.tenant_id, migrated.name, migrated.correlation_key)
    entry = _place_of(turn, migrated)
    subscriptions = turn.state.messages.subscriptions
    if subscriptions.get(group + FREE + entry) or subscriptions.get(group + CORRELATING + entry):
        turn.emit(
            MessageSubscriptionMigrated(
                migrated.subscription_key,
                migrated.instance_key,
                migrated.element_instance_key,
                migrated.process_id,
                migrated.new_process_id,
                migrated.tenant_id,
                migrated.name,
                migrated.correlation_key,
                migrated.interrupting,
            )
        )


def confirm(turn: Turn, confirmed: ConfirmDelivery) -> None:
    """The message was taken. Who goes on waiting gets the next one."""
    slot = turn.state.slots.given(confirmed.correlation_key)
    if slot is not None:
        pass_on(turn, slot, confirmed)
        return
    turn.emit(
        MessageSubscriptionCorrelated(
            confirmed.subscription_key,
            confirmed.instance_key,
            confirmed.element_instance_key,
            confirmed.process_id,
            confirmed.tenant_id,
            confirmed.name,
            confirmed.correlation_key,
            confirmed.message_key,
        )
    )
    group = group_of(confirmed.tenant_id, confirmed.name, confirmed.correlation_key)
    _settle(turn, group, SettleCorrelation(confirmed.message_key, confirmed.instance_key))
    entry = _place_of(turn, confirmed)
    if turn.state.messages.subscriptions.get(group + FREE + entry) is not None:
        _correlate_next(turn, confirmed)


def take_back(turn: Turn, refused: RefuseDelivery) -> None:
    """Give a message that nobody took to the next who waits in an instance of the same process. If nobody
    does, it stays in the buffer, and is gone if it is not buffered."""
    message = refused.message
    slot = turn.state.slots.given(message.correlation_key)
    if slot is not None:
        pass_on(turn, slot, refused)
        return
    turn.emit(
        MessageSubscriptionRejected(
            message.subscription_key,
            message.instance_key,
            message.element_instance_key,
            message.process_id,
            message.tenant_id,
            message.name,
            message.correlation_key,
            message.message_key,
        )
    )
    still_good = not message.deadline or message.deadline > turn.now
    waiting = _first_of_process(turn, message) if still_good else None
    if waiting is not None:
        entry, subscription = waiting
        _send(turn, message, entry, subscription, passed=0)
        return
    group = group_of(message.tenant_id, message.name, message.correlation_key)
    _settle(turn, group, SettleCorrelation(message.message_key, 0))


def _settle(turn: Turn, group: bytes, settled: SettleCorrelation) -> None:
    """Tell who waits for it, if anybody does. That is where the message was sent to, if its slot has moved
    since; nobody waits for one that is buffered."""
    asked_at = partition_of(settled.message_key)
    if asked_at == turn.state.partition_id:
        settle_correlation(turn, settled)
    elif turn.state.messages.buffered.get(group + entry_of(settled.message_key)) is None:
        turn.send(asked_at, settled)


def settle_correlation(turn: Turn, settled: SettleCorrelation) -> None:
    """Answer the request that waits for a message with the first instance that takes it, or with none when
    all have refused it."""
    pending = turn.state.messages.pending.get(settled.message_key)
    if pending is None:
        return
    if settled.instance_key:
        turn.emit(MessageCorrelated(pending.message_key, settled.instance_key))
        answer = CorrelationAnswer(pending.message_key, pending.tenant_id, settled.instance_key)
        turn.answer(pending.request, answer)
        return
    if pending.waiting > 1:
        turn.emit(
            MessageCorrelating(
                pending.message_key,
                pending.request,
                pending.tenant_id,
                pending.name,
                pending.correlation_key,
                pending.waiting - 1,
            )
        )
        return
    turn.emit(MessageNotCorrelated(pending.message_key))
    turn.answer(pending.request, nobody_waits(pending.name, pending.correlation_key))


def nobody_waits(name: str, correlation_key: str) -> Rejected:
    return Rejected(
        RejectionType.NOT_FOUND,
        f"Expected to find subscription for message with name '{name}'"
        f" and correlation key '{correlation_key}', but none was found.",
    )


class Publication:
    """A new message on its way: to one who waits in each process, and to start events."""

    __slots__ = ("_group", "_key", "_message", "_processes", "_turn", "first_instance_key", "sent")

    def __init__(self, turn: Turn, key: int, message: Message) -> None:
        self._turn = turn
        self._key = key
        self._message = message
        self._group = group_of(message.tenant_id, message.name, message.correlation_key)
        self._processes: set[str] = set()
        self.sent = 0
        """How many subscriptions it is on its way to."""
        self.first_instance_key = 0
        """The first process instance that it has started."""

    def is_awaited(self) -> bool:
        """Whether anybody would get it now."""
        waiting = self._turn.state.messages.subscriptions.next(self._group, FREE)
        return (waiting is not None and waiting[0][:1] == FREE) or any(
            not _is_locked(self._turn, start, self._message.correlation_key)
            for start in self._turn.state.messages.starts.named(self._message.tenant_id, self._message.name)
            if not _gathers(self._turn, start)
        )

    def to_subscriptions(self) -> None:
        message, subscriptions = self._message, self._turn.state.messages.subscriptions
        found: list[tuple[int, str, bytes, Waiting]] = []
        start = FREE
        while (waiting := subscriptions.next(self._group, start)) is not None and waiting[0][:1] == FREE:
            process_id, since, _ = parts_of(waiting[0])
            found.append((since, process_id, *waiting))
            start = FREE + prefix_free(process_id) + _BEHIND_ALL
        for _, process_id, entry, subscription in sorted(found, key=lambda each: each[0]):
            delivery = DeliverMessage(
                0,
                0,
                0,
                process_id,
                message.tenant_id,
                message.name,
                message.correlation_key,
                self._key,
                message.deadline,
                message.variables,
            )
            _send(self._turn, delivery, entry, subscription, self._passed(process_id))
            self._processes.add(process_id)
            self.sent += 1

    def to_start_events(self) -> None:
        message, turn = self._message, self._turn
        for start in turn.state.messages.starts.named(message.tenant_id, message.name):
            if start.process_id in self._processes or _is_locked(turn, start, message.correlation_key):
                continue
            if _gathers(turn, start):
                continue
            self._processes.add(start.process_id)
            passed = self._passed(start.process_id)
            instance_key = _start(turn, start, self._key, message.correlation_key, message.variables, passed)
            self.first_instance_key = self.first_instance_key or instance_key

    def to_gathering_starts(self) -> None:
        """To start events that wait for more than the message."""
        message, turn = self._message, self._turn
        for start in turn.state.messages.starts.named(message.tenant_id, message.name):
            if start.process_id in self._processes or not _gathers(turn, start):
                continue
            self._processes.add(start.process_id)
            passed = self._passed(start.process_id)
            turn.emit(MessageStartPartCorrelated(start.key, self._key, message.correlation_key, passed))
            started = occur_at_start(
                turn, start.definition_key, start.element, MessageDefinition, start.name, message.variables
            )
            if started is not None:
                turn.schedule(started.step)

    def _passed(self, process_id: str) -> int:
        """Behind the message, if no other before it is left for the process."""
        if not self._message.deadline:
            return 0
        tables = self._turn.state.messages
        low = tables.passed.get(self._group + prefix_free(process_id)) or 0
        first = tables.buffered.next(self._group, entry_of(low))
        return self._key + 1 if first is not None and first[0] == entry_of(self._key) else 0


def start_next(turn: Turn, step: StartNext) -> None:
    """The oldest message that is buffered for a start event of the process may start its instance now."""
    slot = turn.state.slots.given(step.correlation_key)
    if slot is not None:
        released = ReleaseLock(step.tenant_id, step.process_id, step.correlation_key, step.ended)
        pass_on(turn, slot, released)
        return
    found: tuple[int, Message, StartSubscription] | None = None
    for start in turn.state.messages.starts.of_process(step.tenant_id, step.process_id):
        if _is_locked(turn, start, step.correlation_key):
            return
        if _gathers(turn, start):
            continue
        group = group_of(step.tenant_id, start.name, step.correlation_key)
        buffered = _next_buffered(turn, group, step.process_id)
        if buffered is not None and (found is None or buffered[0] < found[0]):
            found = (*buffered, start)
    if found is not None:
        message_key, message, start = found
        _start(turn, start, message_key, step.correlation_key, message.variables, message_key + 1)


def _gathers(turn: Turn, start: StartSubscription) -> bool:
    return gathers_at_start(turn, start.definition_key, start.element)


def _is_locked(turn: Turn, start: StartSubscription, correlation_key: str) -> bool:
    """An instance that a message with the same key has started is still alive."""
    lock = lock_of(start.tenant_id, start.process_id, correlation_key)
    return bool(correlation_key) and turn.state.messages.locks.get(lock) is not None


def _start(
    turn: Turn,
    start: StartSubscription,
    message_key: int,
    correlation_key: str,
    variables: Variables,
    passed: int,
) -> int:
    instance_key, step = start_at(turn, start.definition_key, start.element, variables)
    turn.emit(
        MessageStartEventSubscriptionCorrelated(start.key, instance_key, message_key, correlation_key, passed)
    )
    turn.schedule(step)
    return instance_key


def _correlate_next(turn: Turn, waiting: OpenSubscription | ConfirmDelivery) -> None:
    """Give the next buffered message to a subscription that is free."""
    group = group_of(waiting.tenant_id, waiting.name, waiting.correlation_key)
    buffered = _next_buffered(turn, group, waiting.process_id)
    if buffered is None:
        return
    message_key, message = buffered
    entry = FREE + _place_of(turn, waiting)
    subscription = turn.state.messages.subscriptions.get(group + entry)
    assert subscription is not None, f"{waiting} does not wait"
    delivery = DeliverMessage(
        0,
        0,
        0,
        waiting.process_id,
        waiting.tenant_id,
        waiting.name,
        waiting.correlation_key,
        message_key,
        message.deadline,
        message.variables,
    )
    _send(turn, delivery, entry, subscription, passed=message_key + 1)


def _next_buffered(turn: Turn, group: bytes, process_id: str) -> tuple[int, Message] | None:
    """The oldest buffered message that the process has not had."""
    tables = turn.state.messages
    start = entry_of(tables.passed.get(group + prefix_free(process_id)) or 0)
    while (found := tables.buffered.next(group, start)) is not None:
        entry, buffered = found
        if process_id not in buffered.processes:
            message = tables.messages.get(entry)
            assert message is not None, f"no message {entry.hex()}, but it is buffered"
            if message.deadline > turn.now:
                return int.from_bytes(entry, "big"), message
        start = entry + b"\0"
    return None


def _first_of_process(turn: Turn, message: DeliverMessage) -> tuple[bytes, Waiting] | None:
    group = group_of(message.tenant_id, message.name, message.correlation_key)
    start = FREE + prefix_free(message.process_id)
    found = turn.state.messages.subscriptions.next(group, start)
    return found if found is not None and found[0].startswith(start) else None


def _send(turn: Turn, message: DeliverMessage, entry: bytes, subscription: Waiting, passed: int) -> None:
    """Let the message go to whom the subscription at `entry` is of."""
    _, _, key = parts_of(entry)
    element_instance_key = subscription.element_instance_key
    delivery = DeliverMessage(
        key,
        subscription.instance_key,
        element_instance_key,
        message.process_id,
        message.tenant_id,
        message.name,
        message.correlation_key,
        message.message_key,
        message.deadline,
        message.variables,
    )
    turn.emit(
        MessageSubscriptionCorrelating(
            key,
            subscription.instance_key,
            element_instance_key,
            message.process_id,
            message.tenant_id,
            message.name,
            message.correlation_key,
            message.message_key,
            passed,
        )
    )
    receiver = partition_of(subscription.instance_key)
    if receiver == turn.state.partition_id:
        turn.schedule(TakeDelivery(delivery))
    else:
        turn.send(receiver, delivery)


def _place_of(
    turn: Turn, waiting: OpenSubscription | CloseSubscription | ConfirmDelivery | MigrateSubscription
) -> bytes:
    return turn.state.messages.place_of(
        waiting.process_id, waiting.element_instance_key, waiting.subscription_key
    )
