"""What an exporter was given, or is about to be, and has not acknowledged: it may have to be given again."""

from collections import deque
from collections.abc import Sequence
from typing import Final, final

from bpmnd.actors.exporters.records import Record

_BATCH_SIZE_MAX: Final = 4 << 20
"""Bytes of entries."""


@final
class Batch:
    """Records of whole entries, at least one."""

    __slots__ = ("records", "size")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.size = 0

    def is_full(self, records: Sequence[Record], size: int, count_max: int) -> bool:
        """Whether another entry would be too much."""
        return len(self.records) + len(records) > count_max or self.size + size > _BATCH_SIZE_MAX

    def add(self, records: Sequence[Record], size: int) -> None:
        self.records += records
        self.size += size

    @property
    def last(self) -> int:
        """The last entry."""
        return self.records[-1].position[0]


@final
class Backlog:
    """Batches in order."""

    def __init__(self, acknowledged: int) -> None:
        self.acknowledged = acknowledged
        self.count = 0
        """How many records wait,"""
        self.size = 0
        """and how many bytes of entries."""
        self._batches: deque[Batch] = deque()

    def __bool__(self) -> bool:
        return bool(self._batches)

    def add(self, batch: Batch) -> None:
        self._batches.append(batch)
        self.count += len(batch.records)
        self.size += batch.size

    def acknowledge(self, position: int) -> int:
        """How many records need not be given again."""
        self.acknowledged = max(self.acknowledged, position)
        gone = 0
        while self._batches and self._batches[0].last <= self.acknowledged:
            batch = self._batches.popleft()
            gone += len(batch.records)
            self.size -= batch.size
        self.count -= gone
        return gone

    def batches(self) -> list[Sequence[Record]]:
        """What is not acknowledged. Of a batch it may be the end of it."""
        return [
            [record for record in batch.records if record.position[0] > self.acknowledged]
            for batch in self._batches
        ]
