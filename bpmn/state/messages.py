"""Messages and signals, as the partition keeps them that their correlation key belongs to: what is buffered,
and who waits. What a process instance waits for stands in its own record, too."""

from typing import final

import msgspec

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.keys import partition_of
from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.series import ColdTable, Series, prefix_free
from bpmnd.bpmn.state.table import Table

FREE = b"\0"
"""What the entry of a subscription begins with that can be correlated."""
CORRELATING = b"\1"
"""What it begins with while a message is on its way to the process instance."""


_KEY_WIDTH = 8
_LENGTH_WIDTH = 4


class Message(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A message that is buffered until `deadline`."""

    tenant_id: str
    name: str
    correlation_key: str
    message_id: str
    deadline: int
    variables: Variables


class Buffered(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where a message stands in the buffer: the processes that have had it already."""

    processes: tuple[str, ...] = ()


class Waiting(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A subscription: the process instance that waits, and the message on its way to it (0: none)."""

    instance_key: int
    element_instance_key: int
    interrupting: bool
    message_key: int = 0


class StartSubscription(msgspec.Struct, frozen=True, array_like=True):
    """A start event of the latest version of a process, and the name that it waits for."""

    key: int
    definition_key: int
    element: int
    tenant_id: str
    process_id: str
    name: str


class PendingCorrelation(msgspec.Struct, frozen=True, array_like=True):
    """A request that waits until its message is taken by one of `waiting` subscriptions, or by none."""

    message_key: int
    request: int
    tenant_id: str
    name: str
    correlation_key: str
    waiting: int


def entry_of(key: int) -> bytes:
    return key.to_bytes(8, "big")


def group_of(tenant_id: str, name: str, correlation_key: str) -> bytes:
    return prefix_free(tenant_id) + prefix_free(name) + prefix_free(correlation_key)


def waiting_entry(process_id: str, since: int, key: int) -> bytes:
    """The place of a subscription behind its flag: by process, there who has waited longest first."""
    return prefix_free(process_id) + entry_of(since) + entry_of(key)


def parts_of(entry: bytes) -> tuple[str, int, int]:
    """Process id, since when, and subscription key, by the entry of a subscription with its flag."""
    begin = len(FREE) + _LENGTH_WIDTH
    end = begin + int.from_bytes(entry[len(FREE) : begin], "big")
    since = int.from_bytes(entry[end : end + _KEY_WIDTH], "big")
    return entry[begin:end].decode(), since, int.from_bytes(entry[end + _KEY_WIDTH :], "big")


def lock_of(tenant_id: str, process_id: str, correlation_key: str) -> bytes:
    return prefix_free(tenant_id) + prefix_free(process_id) + prefix_free(correlation_key)


@final
class Starts:
    """Start subscriptions: as many as there are processes, so that they stand in memory whole."""

    __slots__ = ("by_name", "by_process", "table")

    def __init__(self, prefix: bytes, store: ColdStore) -> None:
        self.table = Table(prefix, StartSubscription, store)
        self.by_name: dict[tuple[str, str], dict[int, None]] = {}
        """(tenant, name) -> keys."""
        self.by_process: dict[tuple[str, str], dict[int, None]] = {}
        """(tenant, process id) -> keys."""
        for key in sorted(self.table.items):
            start = self.table.items[key]
            self.by_name.setdefault((start.tenant_id, start.name), {})[key] = None
            self.by_process.setdefault((start.tenant_id, start.process_id), {})[key] = None

    def named(self, tenant_id: str, name: str) -> list[StartSubscription]:
        return [self.table.items[key] for key in self.by_name.get((tenant_id, name), ())]

    def of_process(self, tenant_id: str, process_id: str) -> list[StartSubscription]:
        return [self.table.items[key] for key in self.by_process.get((tenant_id, process_id), ())]


@final
class Messages:
    """The tables of messages and signals of one partition."""

    __slots__ = (
        "_partition_id",
        "arrivals",
        "buffered",
        "conditional_starts",
        "has_taken",
        "ids",
        "locks",
        "messages",
        "passed",
        "pending",
        "signal_starts",
        "signals",
        "starts",
        "subscriptions",
    )

    def __init__(self, partition_id: int, store: ColdStore) -> None:
        self._partition_id = partition_id
        self.messages = ColdTable(b"M", Message, store)
        """By message key."""
        self.ids = ColdTable(b"I", int, store)
        """Group and message id -> message key, while it is buffered."""
        self.buffered = Series(b"B", Buffered, store)
        """By group, and there by message key."""
        self.passed = Series(b"P", int, store)
        """By group and process: the messages before this key are of no more use to the process."""
        self.subscriptions = Series(b"S", Waiting, store)
        """By group; the entry is the flag and `waiting_entry`."""
        self.arrivals = ColdTable(b"A", int, store)
        """Subscription key -> the key that this partition gave it when it came from another one: so all have
        their place by when they came, wherever they are from. What has moved here keeps the place it had."""
        self.locks = ColdTable(b"L", int, store)
        """`lock_of` -> the one process instance that a message with that correlation key has started."""
        self.signals = Series(b"G", int, store)
        """By tenant and name, there by subscription key -> process instance key."""
        self.starts = Starts(b"s", store)
        self.signal_starts = Starts(b"t", store)
        self.conditional_starts = Starts(b"C", store)
        """Their names are empty."""
        self.pending = Table(b"q", PendingCorrelation, store)
        self.has_taken = False
        """Whether slots have come from other partitions, and with them places that were given there."""

    def place_of(self, process_id: str, element_instance_key: int, key: int) -> bytes:
        """The `waiting_entry` of a subscription. One from here counts from its element instance on, unless it
        has waited elsewhere before."""
        return waiting_entry(process_id, self.arrival_of(key) or element_instance_key, key)

    def arrival_of(self, key: int) -> int | None:
        is_from_here = partition_of(key) == self._partition_id
        return None if is_from_here and not self.has_taken else self.arrivals.get(entry_of(key))

    @property
    def cold(self) -> "tuple[ColdTable[Message] | ColdTable[int] | Series[Buffered] | Series[Waiting], ...]":
        return (
            self.messages,
            self.ids,
            self.buffered,
            self.passed,
            self.subscriptions,
            self.arrivals,
            self.locks,
            self.signals,
        )


def signal_group(tenant_id: str, name: str) -> bytes:
    return prefix_free(tenant_id) + prefix_free(name)
