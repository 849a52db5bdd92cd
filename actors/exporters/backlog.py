"""What an exporter was given, or is about to be, and has not acknowledged: it may have to be given again."""

from collections import deque
from collections.abc import Sequence
from typing import final

from bpmnd.actors.exporters.records import Record


@final
class Backlog:
    """Batches of whole entries, in order."""

    def __init__(self, acknowledged: int) -> None:
        self.acknowledged = acknowledged
        self.count = 0
        """How many records wait."""
        self._batches: deque[tuple[int, list[Record]]] = deque()

    def __bool__(self) -> bool:
        return bool(self._batches)

    def add(self, records: list[Record]) -> None:
        self._batches.append((records[-1].position[0], records))
        self.count += len(records)

    def acknowledge(self, position: int) -> int:
        """How many records need not be given again."""
        self.acknowledged = max(self.acknowledged, position)
        gone = 0
        while self._batches and self._batches[0][0] <= self.acknowledged:
            gone += len(self._batches.popleft()[1])
        self.count -= gone
        return gone

    def batches(self) -> list[Sequence[Record]]:
        """What is not acknowledged. Of a batch it may be the end of it."""
        return [
            [record for record in records if record.position[0] > self.acknowledged]
            for _, records in self._batches
        ]
