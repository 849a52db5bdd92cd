"""Which correlation slots have come to a partition or left it, and the move out of it that is under way.

Of a slot that has never moved nothing is known here: it belongs to the partition that the first table of the
cluster gave it to. So a table that is old, at a gateway or with a leader, never makes two owners.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import TypeAlias, final

import msgspec

from bpmnd.bpmn.slots import slot_of
from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.messages import Message, Waiting
from bpmnd.bpmn.state.series import ColdTable, split_prefix_free
from bpmnd.bpmn.state.table import Table

SlotRuns: TypeAlias = tuple[tuple[int, int], ...]
"""Slots as runs: the first of each, and how many they are."""

_LATEST = 1
"""The key of what there is one of."""


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """A slot that has moved."""

    given_to: int = 0
    """The partition that it was given to; 0: it is here."""
    move: int = 0
    """The number of the move by which it was given away."""
    taken_from: int = 0
    """The partition that it came from, 0 if it was here from the beginning,"""
    taken_at: int = 0
    """and when that was, in log time."""


class Phase(IntEnum):
    """What of the slots is given away: one kind after the other."""

    MESSAGES = 0
    PASSED = 1
    SUBSCRIPTIONS = 2
    LOCKS = 3
    HELD = 4
    """All is sent, and what has come for the slots meanwhile follows."""
    ENDED = 5


class Outgoing(msgspec.Struct, frozen=True, array_like=True):
    """The last move of slots out of this partition. Keys of the phase before `cursor` are done with."""

    number: int
    to: int
    slots: SlotRuns
    phase: Phase = Phase.MESSAGES
    cursor: bytes = b""
    first_held: int = 1
    """The first message that is held back, or the next."""
    last_held: int = 0
    paused: bool = False
    """It goes on when the receiver has acknowledged what is on its way,"""
    paused_at: int = 0
    """which was up to this channel message when it paused; 0 when more was sent since."""


class MovedMessage(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A buffered message, and the processes that have had it."""

    key: int
    message: Message
    processes: tuple[str, ...]


class MovedSubscription(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Who waits, under the whole key of the table."""

    key: bytes
    waiting: Waiting


class SlotRecords(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Some of what moves with slots. Numbers stand under the whole keys of their tables."""

    messages: tuple[MovedMessage, ...] = ()
    passed: tuple[tuple[bytes, int], ...] = ()
    subscriptions: tuple[MovedSubscription, ...] = ()
    locks: tuple[tuple[bytes, int], ...] = ()


@final
class Slots:
    """The tables of one partition."""

    __slots__ = ("_outgoing", "_taken", "held", "records")

    def __init__(self, store: ColdStore) -> None:
        self.records = Table(b"v", Slot, store)
        """By the number of the slot: those that have moved."""
        self._outgoing = Table(b"w", Outgoing, store)
        self._taken = Table(b"h", int, store)
        self.held = ColdTable(b"H", bytes, store)
        """By number: messages for slots that are on their way out, encoded as for a channel."""

    @property
    def outgoing(self) -> Outgoing | None:
        """The last move out of here, maybe ended."""
        return self._outgoing.items.get(_LATEST)

    @property
    def last_taken(self) -> int:
        """The number of the last move to here that has ended; 0 if there was none."""
        return self._taken.items.get(_LATEST, 0)

    def given(self, text: str) -> Slot | None:
        """The slot of a correlation key or an id, if that was given away."""
        if not self.records.items:
            return None
        slot = self.records.items.get(slot_of(text))
        return slot if slot is not None and slot.given_to else None

    def is_held(self, slot: Slot) -> bool:
        """What comes for the slot has to wait: before it there is more to be sent."""
        outgoing = self.outgoing
        return outgoing is not None and outgoing.number == slot.move and outgoing.phase is not Phase.ENDED

    def put_outgoing(self, outgoing: Outgoing, journal: Journal) -> None:
        self._outgoing.put(_LATEST, outgoing, journal)

    def put_taken(self, number: int, journal: Journal) -> None:
        self._taken.put(_LATEST, number, journal)

    @property
    def tables(self) -> tuple[Table[Slot], Table[Outgoing], Table[int]]:
        return self.records, self._outgoing, self._taken


def numbers_of(slots: SlotRuns) -> Iterator[int]:
    for first, count in slots:
        yield from range(first, first + count)


def split_group(key: bytes) -> tuple[bytes, bytes, str]:
    """Group, entry and correlation key, by a key of the buffer or of who waits."""
    rest = key
    text = ""
    for _ in range(3):
        text, rest = split_prefix_free(rest)
    end = len(key) - len(rest)
    return key[:end], key[end:], text


def correlation_key_of_lock(lock: bytes) -> str:
    return split_group(lock)[2]
