"""Slots that move to another partition, with all that is kept under them.

From the first event of a move on the old owner takes nothing new for the slots. Piece by piece it sends what
it has, then that this was all, then what was held back; with the word that this was all they belong to the
new owner. Everything goes over the ordered channel between the two, so a crash on either side repeats
nothing and loses nothing.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from bpmnd.bpmn.channel import HandOverSlots, MoveRecords, decode_message
from bpmnd.bpmn.commands import ConfirmSlots, GiveSlots
from bpmnd.bpmn.events import (
    ContinuationCreated,
    SlotMessagesPassedOn,
    SlotMoveEnded,
    SlotMovePaused,
    SlotRecordsGiven,
    SlotRecordsTaken,
    SlotsGiven,
    SlotsTaken,
)
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.slots import slot_of
from bpmnd.bpmn.state.messages import Message, Messages, Waiting, entry_of, group_of
from bpmnd.bpmn.state.series import ColdTable, split_prefix_free
from bpmnd.bpmn.state.slots import (
    MovedMessage,
    MovedSubscription,
    Outgoing,
    Phase,
    SlotRecords,
)
from bpmnd.bpmn.steps import MoveSlots, decode_steps, encode_steps
from bpmnd.bpmn.turn import Turn

_LOOKED_AT_MAX: Final = 400
"""So many records are looked at in a step,"""
_MOVED_MAX: Final = 100
"""and so many of them sent at most; the one with which they have"""
_BYTES_MAX: Final = 64 << 10
"""so many bytes of variables is the last."""
_UNDER_WAY_MAX: Final = 64
"""With more channel messages to the new owner that are not acknowledged a move pauses, until all but half as
many of them are, however many have come since."""

V = TypeVar("V")


def give(turn: Turn, command: GiveSlots) -> Outcome:
    """Begin a move, after the one before; accepted also if that was done before. One that has come to a
    standstill, since its steps raised again and again, goes on."""
    last = turn.state.slots.outgoing
    if last is not None and last.phase is not Phase.ENDED and not last.paused and not _is_going_on(turn):
        _go_on_later(turn, last.number)
        return Accepted()
    if last is not None and last.number >= command.number:
        return Accepted()
    if last is not None and last.phase is not Phase.ENDED:
        return Rejected(RejectionType.INVALID_STATE, f"Expected move {last.number} of slots to have ended")
    turn.emit(SlotsGiven(command.number, command.to, command.slots))
    _go_on_later(turn, command.number)
    return Accepted()


def _is_going_on(turn: Turn) -> bool:
    return any(
        isinstance(step, MoveSlots)
        for continuation in turn.state.continuations.items.values()
        if not continuation.instance_key
        for step in decode_steps(continuation.steps)
    )


def confirm(turn: Turn, command: ConfirmSlots) -> Outcome:
    if turn.state.slots.last_taken >= command.number:
        return Accepted()
    return Rejected(RejectionType.NOT_FOUND, f"Expected move {command.number} of slots to have ended")


def take_records(turn: Turn, message: MoveRecords) -> None:
    turn.emit(SlotRecordsTaken(message.number, message.records))


def take_over(turn: Turn, sender: int, message: HandOverSlots) -> None:
    turn.emit(SlotsTaken(message.number, sender, message.slots, turn.now))


def move(turn: Turn, step: MoveSlots) -> None:
    """Send the next piece."""
    outgoing = turn.state.slots.outgoing
    if outgoing is None or outgoing.number != step.number or outgoing.phase is Phase.ENDED:
        return
    if _under_way(turn, outgoing) > _UNDER_WAY_MAX:
        turn.emit(SlotMovePaused(outgoing.number, paused=True))
        return
    if outgoing.phase is not Phase.HELD:
        _send_records(turn, outgoing)
    elif outgoing.first_held <= outgoing.last_held:
        _send_held(turn, outgoing)
    else:
        turn.emit(SlotMoveEnded(outgoing.number))
        return
    _go_on_later(turn, outgoing.number)


def acknowledged(turn: Turn, receiver: int) -> None:
    """The receiver has some of what was sent to it: a move that has paused may go on."""
    outgoing = turn.state.slots.outgoing
    if (
        outgoing is not None
        and outgoing.paused
        and outgoing.to == receiver
        and _under_way(turn, outgoing) <= _UNDER_WAY_MAX // 2
    ):
        turn.emit(SlotMovePaused(outgoing.number, paused=False))
        _go_on_later(turn, outgoing.number)


def _under_way(turn: Turn, outgoing: Outgoing) -> int:
    """Channel messages to the new owner that are not acknowledged; if it has paused, those until then."""
    channel = turn.state.outbox.get(outgoing.to)
    if channel is None:
        return 0
    return max(0, (outgoing.paused_at or channel.last_number) + 1 - channel.first_number)


def _go_on_later(turn: Turn, number: int) -> None:
    """In a turn of its own: others come in between."""
    turn.emit(ContinuationCreated(turn.new_key(), 0, encode_steps((MoveSlots(number),)), 0))


def _send_records(turn: Turn, outgoing: Outgoing) -> None:
    tables: Messages = turn.state.messages
    keys: list[bytes]
    match outgoing.phase:
        case Phase.MESSAGES:
            messages, cursor = _moving(turn, outgoing, tables.messages, _key_of_message, _size_of_message)
            keys = [key for key, _ in messages]
            records = SlotRecords(messages=tuple(_moved(tables, *each) for each in messages))
        case Phase.PASSED:
            passed, cursor = _moving(turn, outgoing, tables.passed, _third_text)
            keys = [key for key, _ in passed]
            records = SlotRecords(passed=tuple(passed))
        case Phase.SUBSCRIPTIONS:
            waiting, cursor = _moving(turn, outgoing, tables.subscriptions, _third_text)
            keys = [key for key, _ in waiting]
            records = SlotRecords(subscriptions=tuple(MovedSubscription(*each) for each in waiting))
        case Phase.LOCKS:
            locks, cursor = _moving(turn, outgoing, tables.locks, _third_text)
            keys = [key for key, _ in locks]
            records = SlotRecords(locks=tuple(locks))
        case phase:
            raise AssertionError(f"there are no records in phase {phase}")
    then = outgoing.phase if cursor is not None else Phase(outgoing.phase + 1)
    turn.emit(SlotRecordsGiven(outgoing.number, outgoing.phase, tuple(keys), then, cursor or b""))
    if keys:
        turn.send(outgoing.to, MoveRecords(outgoing.number, records))
    if then is Phase.HELD:
        turn.send(outgoing.to, HandOverSlots(outgoing.number, outgoing.slots))


def _moving(
    turn: Turn,
    outgoing: Outgoing,
    table: ColdTable[V],
    text_of: Callable[[bytes, V], str],
    size_of: Callable[[V], int] = lambda record: 0,
) -> tuple[list[tuple[bytes, V]], bytes | None]:
    """What of the next records of a table moves, and where to go on; None at the end. Nothing is put there
    meanwhile that would have to move."""
    slots = turn.state.slots.records.items
    found, cursor = table.walk(outgoing.number, outgoing.cursor, _LOOKED_AT_MAX)
    moving: list[tuple[bytes, V]] = []
    size = 0
    for key, record in found:
        slot = slots.get(slot_of(text_of(key, record)))
        if slot is None or slot.move != outgoing.number:
            continue
        moving.append((key, record))
        size += size_of(record)
        if (len(moving) == _MOVED_MAX or size >= _BYTES_MAX) and key != found[-1][0]:
            return moving, key + b"\0"
    return moving, cursor


def _key_of_message(key: bytes, message: Message) -> str:
    return message.correlation_key


def _size_of_message(message: Message) -> int:
    return sum(map(len, message.variables.values()))


def _third_text(key: bytes, record: int | Waiting) -> str:
    """All other tables have tenant, name or process, and correlation key in front."""
    _, rest = split_prefix_free(key)
    _, rest = split_prefix_free(rest)
    return split_prefix_free(rest)[0]


def _moved(tables: Messages, entry: bytes, message: Message) -> MovedMessage:
    group = group_of(message.tenant_id, message.name, message.correlation_key)
    buffered = tables.buffered.get(group + entry)
    assert buffered is not None, f"{message} is not buffered"
    return MovedMessage(int.from_bytes(entry, "big"), message, buffered.processes)


def _send_held(turn: Turn, outgoing: Outgoing) -> None:
    """What was held back goes the way it would have gone."""
    last, size = outgoing.first_held - 1, 0
    while last < min(outgoing.last_held, outgoing.first_held + _MOVED_MAX) and size < _BYTES_MAX:
        last += 1
        payload = turn.state.slots.held.get(entry_of(last))
        assert payload is not None, f"no message {last} is held back"
        size += len(payload)
        turn.send(outgoing.to, decode_message(payload))
    turn.emit(SlotMessagesPassedOn(outgoing.number, last))
