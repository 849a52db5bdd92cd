"""Appliers of slots that move: what goes with them, and what follows."""

from msgspec.structs import replace

from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    MessageStartLockReleased,
    MessageStartLockTaken,
    ProcessMessageSubscriptionOpened,
    SlotMessageHeld,
    SlotMessagesPassedOn,
    SlotMoveEnded,
    SlotMovePaused,
    SlotRecordsGiven,
    SlotRecordsTaken,
    SlotsGiven,
    SlotsTaken,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.messages import Buffered, entry_of, group_of, lock_of, parts_of
from bpmnd.bpmn.state.series import prefix_free
from bpmnd.bpmn.state.slots import MovedMessage, Outgoing, Phase, Slot, numbers_of, split_group


@applies(SlotsGiven)
def slots_given(state: State, event: SlotsGiven) -> None:
    slots, journal = state.slots, state.journal
    for number in numbers_of(event.slots):
        slot = slots.records.get(number) or Slot()
        assert not slot.given_to, f"{event}, but slot {number} was given to partition {slot.given_to}"
        slots.records.put(number, replace(slot, given_to=event.to, move=event.number), journal)
    slots.put_outgoing(Outgoing(event.number, event.to, event.slots), journal)


@applies(SlotRecordsGiven)
def slot_records_given(state: State, event: SlotRecordsGiven) -> None:
    messages, journal = state.messages, state.journal
    match event.phase:
        case Phase.MESSAGES:
            for key in event.keys:
                _remove_message(state, key)
        case Phase.PASSED:
            for key in event.keys:
                group, entry, _ = split_group(key)
                messages.passed.remove_from(group, entry, journal)
        case Phase.SUBSCRIPTIONS:
            for key in event.keys:
                group, entry, _ = split_group(key)
                messages.subscriptions.remove_from(group, entry, journal)
                _, _, subscription_key = parts_of(entry)
                if messages.arrival_of(subscription_key) is not None:
                    messages.arrivals.remove(entry_of(subscription_key), journal)
        case Phase.LOCKS:
            for key in event.keys:
                messages.locks.remove(key, journal)
        case _:
            raise AssertionError(f"{event}: nothing is given away in this phase")
    outgoing = _outgoing(state, event.number)
    going_on = replace(outgoing, phase=Phase(event.then), cursor=event.cursor, paused_at=0)
    state.slots.put_outgoing(going_on, journal)


def _remove_message(state: State, entry: bytes) -> None:
    messages, journal = state.messages, state.journal
    message = messages.messages.get(entry)
    assert message is not None, f"no message {entry.hex()} that could be given away"
    group = group_of(message.tenant_id, message.name, message.correlation_key)
    messages.messages.remove(entry, journal)
    messages.buffered.remove_from(group, entry, journal)
    if message.message_id:
        messages.ids.remove(group + prefix_free(message.message_id), journal)
    state.remove_due(message.deadline, int.from_bytes(entry, "big"))


@applies(SlotRecordsTaken)
def slot_records_taken(state: State, event: SlotRecordsTaken) -> None:
    """Who waits keeps the place that it had, before all who come from now on: partitions that are given slots
    have the higher numbers, and so the higher keys."""
    messages, journal, records = state.messages, state.journal, event.records
    for moved in records.messages:
        _put_message(state, moved)
    for key, before in records.passed:
        group, entry, _ = split_group(key)
        if messages.buffered.next(group) is not None:  # Else its messages have expired meanwhile.
            messages.passed.put_in(group, entry, before, journal, is_new=True)
    for subscription in records.subscriptions:
        group, entry, _ = split_group(subscription.key)
        messages.subscriptions.put_in(group, entry, subscription.waiting, journal, is_new=True)
        _, since, subscription_key = parts_of(entry)
        messages.arrivals.put(entry_of(subscription_key), since, journal, is_new=True)
    for lock, instance_key in records.locks:
        messages.locks.put(lock, instance_key, journal, is_new=True)


def _put_message(state: State, moved: MovedMessage) -> None:
    messages, journal, entry, message = state.messages, state.journal, entry_of(moved.key), moved.message
    group = group_of(message.tenant_id, message.name, message.correlation_key)
    messages.messages.put(entry, message, journal, is_new=True)
    messages.buffered.put_in(group, entry, Buffered(moved.processes), journal, is_new=True)
    if message.message_id:
        messages.ids.put(group + prefix_free(message.message_id), moved.key, journal, is_new=True)
    state.add_due(message.deadline, moved.key)


@applies(SlotsTaken)
def slots_taken(state: State, event: SlotsTaken) -> None:
    slots, journal = state.slots, state.journal
    taken = Slot(taken_from=event.sender, taken_at=event.time)
    for number in numbers_of(event.slots):
        slots.records.put(number, taken, journal)
    slots.put_taken(event.number, journal)
    journal.assign(state.messages, "has_taken", True)


@applies(SlotMessageHeld)
def slot_message_held(state: State, event: SlotMessageHeld) -> None:
    outgoing = _outgoing(state, event.number)
    last = outgoing.last_held + 1
    state.slots.held.put(entry_of(last), event.payload, state.journal, is_new=True)
    state.slots.put_outgoing(replace(outgoing, last_held=last), state.journal)


@applies(SlotMessagesPassedOn)
def slot_messages_passed_on(state: State, event: SlotMessagesPassedOn) -> None:
    outgoing = _outgoing(state, event.number)
    for number in range(outgoing.first_held, event.last + 1):
        state.slots.held.remove(entry_of(number), state.journal)
    state.slots.put_outgoing(replace(outgoing, first_held=event.last + 1, paused_at=0), state.journal)


@applies(SlotMoveEnded)
def slot_move_ended(state: State, event: SlotMoveEnded) -> None:
    outgoing = _outgoing(state, event.number)
    assert outgoing.first_held > outgoing.last_held, f"{event}, but {outgoing} holds messages back"
    state.slots.put_outgoing(replace(outgoing, phase=Phase.ENDED), state.journal)


@applies(SlotMovePaused)
def slot_move_paused(state: State, event: SlotMovePaused) -> None:
    outgoing = _outgoing(state, event.number)
    at = outgoing.paused_at
    if event.paused:
        channel = state.outbox.get(outgoing.to)
        assert channel is not None, f"{event}, but nothing is on its way to partition {outgoing.to}"
        at = channel.last_number
    state.slots.put_outgoing(replace(outgoing, paused=event.paused, paused_at=at), state.journal)


def _outgoing(state: State, number: int) -> Outgoing:
    outgoing = state.slots.outgoing
    assert outgoing is not None, f"move {number} never began"
    assert outgoing.number == number, f"{outgoing} is the last one, not {number}"
    return outgoing


@applies(MessageStartLockTaken)
def message_start_lock_taken(state: State, event: MessageStartLockTaken) -> None:
    lock = lock_of(event.tenant_id, event.process_id, event.correlation_key)
    state.messages.locks.put(lock, event.instance_key, state.journal, is_new=True)


@applies(MessageStartLockReleased)
def message_start_lock_released(state: State, event: MessageStartLockReleased) -> None:
    lock = lock_of(event.tenant_id, event.process_id, event.correlation_key)
    assert state.messages.locks.get(lock) == event.instance_key, f"{event}, but another has it"
    state.messages.locks.remove(lock, state.journal)


@applies(ProcessMessageSubscriptionOpened)
def process_message_subscription_opened(state: State, event: ProcessMessageSubscriptionOpened) -> None:
    instance = state.touch(event.instance_key)
    subscription = instance.subscriptions[event.key]
    opened = replace(subscription, opened_at=event.partition)
    state.journal.put(instance.subscriptions, event.key, opened)
