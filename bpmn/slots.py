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

    @staticmethod
    def of_runs(version: int, runs: Sequence[tuple[int, int]]) -> "SlotTable":
        """From the first slot of each run, rising from 0 on, and the partition that has them."""
        ends = [first for first, _ in runs[1:]] + [SLOTS]
        partitions: list[int] = []
        for (first, partition), end in zip(runs, ends, strict=True):
            partitions += [partition] * (end - first)
        return SlotTable(version, tuple(partitions))

    def partition_of(self, correlation_key: str) -> int:
        return self.partitions[slot_of(correlation_key)]


@dataclass(frozen=True, slots=True)
class Peers:
    """What a partition knows of the others: which there are, itself among them, and who has which slot."""

    partitions: tuple[int, ...]
    slots: SlotTable
