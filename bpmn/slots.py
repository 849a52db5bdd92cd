"""Correlation slots: which partition the messages of a correlation key belong to.

The slot of a key never changes, the partition of a slot may: the table says so, and has a version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

SLOTS: Final = 16_384


def slot_of(correlation_key: str) -> int:
    return crc32(correlation_key.encode()) % SLOTS


@dataclass(frozen=True, slots=True)
class SlotTable:
    """Slot -> partition."""

    version: int
    partitions: tuple[int, ...]

    @staticmethod
    def even(count: int) -> "SlotTable":
        """The first table: the partitions 1 to `count` have equally many slots each, in a row."""
        return SlotTable(1, tuple(slot * count // SLOTS + 1 for slot in range(SLOTS)))

    def partition_of(self, correlation_key: str) -> int:
        return self.partitions[slot_of(correlation_key)]


@dataclass(frozen=True, slots=True)
class Peers:
    """What a partition knows of the others: which there are, itself among them (there may come more), and who
    has which slot."""

    partitions: Sequence[int]
    slots: SlotTable
