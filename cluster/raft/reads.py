"""Reads without an entry: a heartbeat round confirms that this member still led when they were asked for.

All reads that wait when a round begins share it (ReadIndex, Raft's dissertation, §6.4). Rounds are numbered,
so that what a majority has confirmed is the same question as what a majority has in its log.
"""

from collections import deque
from typing import final


@final
class Reads:
    def __init__(self, reads_max: int) -> None:
        self._reads_max = reads_max
        self._waiting: list[int] = []
        self._confirming: deque[tuple[int, int, int]] = deque()
        self._pending = 0
        self.round = 0
        """The last one that began."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def round_to_confirm(self) -> int:
        """What every heartbeat asks to be confirmed; 0 when nobody reads."""
        return self.round if self._confirming else 0

    def ask(self, context: int) -> bool:
        """False: too many wait already."""
        if self._pending >= self._reads_max:
            return False
        self._pending += 1
        self._waiting.append(context)
        return True

    def begin_round(self, committed: int) -> int:
        """All that wait are answered with `committed` once a majority has confirmed this round."""
        self.round += 1
        self._confirming.extend((self.round, context, committed) for context in self._waiting)
        self._waiting.clear()
        return self.round

    def confirmed(self, confirmed_round: int) -> list[tuple[int, int]]:
        """The reads of all rounds up to `confirmed_round`, as (context, index)."""
        done: list[tuple[int, int]] = []
        while self._confirming and self._confirming[0][0] <= confirmed_round:
            _, context, index = self._confirming.popleft()
            done.append((context, index))
        self._pending -= len(done)
        return done
