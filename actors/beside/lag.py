"""How far a process beside the node is behind what is committed, in entries and in seconds."""

from collections import deque
from typing import Final, final

_PRECISION: Final = 100
"""An age is too great by so small a part of the longest at most: what is told in between needs no place of
its own, and even after weeks there are not more than two thousand."""


@final
class Lag:
    """What was told to be committed and is not done. Moments are seconds of one clock."""

    __slots__ = ("_told", "done", "newest")

    def __init__(self) -> None:
        self.done = 0
        """All up to this entry is done."""
        self.newest = 0
        """The last entry that is known to be committed."""
        self._told: deque[tuple[int, float]] = deque()
        """Entries that are not done, each with the moment since when something up to it is missing."""

    def tell(self, index: int, now: float) -> None:
        """All up to an entry is committed."""
        if index <= self.newest:
            return
        self.newest = index
        if index <= self.done:
            return
        if self._told and (now - self._told[-1][1]) * _PRECISION < now - self._told[0][1]:
            self._told[-1] = (index, self._told[-1][1])
        else:
            self._told.append((index, now))

    def reach(self, index: int, now: float) -> None:
        """All up to an entry is done. It may be less than before, if what was done is being made anew."""
        self.done = index
        while self._told and self._told[0][0] <= index:
            self._told.popleft()
        if self.entries and not self._told:
            self._told.append((self.newest, now))

    @property
    def entries(self) -> int:
        return max(self.newest - self.done, 0)

    def seconds(self, now: float) -> float:
        """How long ago the oldest entry that is missing was told; 0 if none is."""
        return now - self._told[0][1] if self._told else 0.0
