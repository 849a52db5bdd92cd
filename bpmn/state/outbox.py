"""The outbox: what other partitions have not acknowledged yet.

It may grow long while a partition is away: memory has the numbers, and the messages only until the store has
them. Adding one, taking off the acknowledged and going on from a number cost nothing by its length.
"""

from collections.abc import Iterator
from typing import final

from bpmnd.bpmn.state.changes import key_bytes
from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.series import ColdTable
from bpmnd.bpmn.state.table import Table

_MESSAGES = b"X"


@final
class Waiting:
    """The messages of a channel that are not acknowledged, with their numbers, in order."""

    __slots__ = ("_first", "_last", "_payloads", "_receiver")

    def __init__(self, receiver: int, first: int, last: int, payloads: ColdTable[bytes]) -> None:
        self._receiver = receiver
        self._first = first
        self._last = last
        self._payloads = payloads

    def __len__(self) -> int:
        return self._last - self._first + 1

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return self.between(self._first, self._last)

    def between(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Those of these numbers, as far as they are waiting."""
        for number in range(max(first, self._first), min(last, self._last) + 1):
            payload = self._payloads.get(_key(self._receiver, number))
            assert payload is not None, f"no message {number} to partition {self._receiver}"
            yield number, payload


@final
class Outgoing:
    """The channel to one partition."""

    __slots__ = ("_payloads", "first_number", "last_number", "receiver")

    def __init__(self, receiver: int, first: int, last: int, payloads: ColdTable[bytes]) -> None:
        self._payloads = payloads
        self.receiver = receiver
        self.first_number = first
        """The first that is not acknowledged, or the next."""
        self.last_number = last

    @property
    def messages(self) -> Waiting:
        return Waiting(self.receiver, self.first_number, self.last_number, self._payloads)


@final
class Outbox:
    """The channels by their receivers."""

    __slots__ = ("items", "last_numbers", "payloads")

    def __init__(self, store: ColdStore) -> None:
        self.last_numbers = Table(b"x", int, store)
        self.payloads = ColdTable(_MESSAGES, bytes, store)
        self.items: dict[int, Outgoing] = {}
        for receiver, last in self.last_numbers.items.items():
            rows = store.range(key_bytes(_MESSAGES, receiver), key_bytes(_MESSAGES, receiver + 1), 1)
            first = int.from_bytes(rows[0][0][-8:], "big") if rows else last + 1
            self.items[receiver] = Outgoing(receiver, first, last, self.payloads)

    def get(self, receiver: int) -> Outgoing | None:
        return self.items.get(receiver)

    def add(self, receiver: int, payload: bytes, journal: Journal) -> None:
        """The next message to a partition."""
        channel = self.items.get(receiver)
        if channel is None:
            channel = Outgoing(receiver, 1, 0, self.payloads)
            journal.put(self.items, receiver, channel)
        number = channel.last_number + 1
        journal.assign(channel, "last_number", number)
        self.last_numbers.put(receiver, number, journal)
        self.payloads.put(_key(receiver, number), payload, journal, is_new=True)

    def acknowledge(self, receiver: int, number: int, journal: Journal) -> None:
        """The receiver has all messages up to a number."""
        channel = self.items[receiver]
        last = min(number, channel.last_number)
        for acknowledged in range(channel.first_number, last + 1):
            self.payloads.remove(_key(receiver, acknowledged), journal)
        journal.assign(channel, "first_number", max(channel.first_number, last + 1))


def _key(receiver: int, number: int) -> bytes:
    return receiver.to_bytes(8, "big") + number.to_bytes(8, "big")
