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
    first: tuple[int, ...] = ()
    """The partitions of the first table of the cluster, if any slot has moved since."""

    @staticmethod
    def even(count: int) -> "SlotTable":
        """The first table: the partitions 1 to `count` have equally many slots each, in a row."""
        return SlotTable(1, tuple(slot * count // SLOTS + 1 for slot in range(SLOTS)))

    @staticmethod
    def of_runs(
        version: int, runs: Sequence[tuple[int, int]], first: Sequence[tuple[int, int]] = ()
    ) -> "SlotTable":
        """From the first slot of each run, rising from 0 on, and the partition that has them."""
        return SlotTable(version, _spread(runs), _spread(first) if first else ())

    def partition_of(self, correlation_key: str) -> int:
        return self.partitions[slot_of(correlation_key)]

    def first_partition_of(self, correlation_key: str) -> int:
        """The one that had the slot before it ever moved: every table of the cluster tells the same."""
        return (self.first or self.partitions)[slot_of(correlation_key)]


def _spread(runs: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    ends = [first for first, _ in runs[1:]] + [SLOTS]
    partitions: list[int] = []
    for (first, partition), end in zip(runs, ends, strict=True):
        partitions += [partition] * (end - first)
    return tuple(partitions)


@dataclass(frozen=True, slots=True)
class Peers:
    """What a partition knows of the others: which there are, itself among them, and who has which slot."""

    partitions: tuple[int, ...]
    slots: SlotTable
