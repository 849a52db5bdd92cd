"""The committed entries of a replica, as its node tells of them, in portions of bounded size."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, final

from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import Entry, Position
from bpmnd.storage.follow import ChainError, LogFollower

_POSITIONS_MAX: Final = 1000
_AT_ONCE_MAX: Final = 5000


@final
class CommittedEntries:
    """Goes on from a position, as far as it is told that all is committed and on disk. Blocking."""

    def __init__(self, disk: Disk, directory: Path, position: Position) -> None:
        self.position = position
        """The last entry that was given out."""
        self._follower = LogFollower(disk, directory)
        self._told: deque[Position] = deque()
        self._found: Iterator[Entry] | None = None
        """A long way, each entry of which counts by itself."""

    def tell(self, position: Position) -> None:
        """All up to there is committed, and on disk here."""
        if len(self._told) >= _POSITIONS_MAX:
            self._told.pop()  # The newer one stands for it.
        self._told.append(position)

    def read(self, count_max: int, up_to: int | None = None) -> list[Entry]:
        """The next entries, about so many; none if there are none, or none that end by `up_to`.

        Raises StorageError, also ChainError: after that it can be tried again.
        """
        if self._found is None:
            self._forget_what_was_read()
            target = self._target(up_to)
            if target is None:
                return []
            if self._follower.goes_on_from(self.position):
                entries = list(islice(self._follower.entries(self.position, target), _AT_ONCE_MAX + 1))
                if len(entries) <= _AT_ONCE_MAX:
                    return self._given(entries)
                # Too many to be kept until the last one proves them: then by a way that does not need it.
                self._follower.close()
            self._found = self._follower.entries(self.position, target)
        try:
            entries = list(islice(self._found, count_max))
        except BaseException:
            self._found = None
            raise
        if len(entries) < count_max:
            self._found = None
        return self._given(entries)

    def close(self) -> None:
        self._found = None
        self._follower.close()

    def _given(self, entries: list[Entry]) -> list[Entry]:
        if entries:
            last = entries[-1]
            self.position = Position(last.index, last.term, last.hash)
        return entries

    def _forget_what_was_read(self) -> None:
        while self._told and self._told[0].index <= self.position.index:
            told = self._told.popleft()
            if told.index == self.position.index and told.hash != self.position.hash:
                raise ChainError(f"entry {told.index} is another one than was read")

    def _target(self, up_to: int | None) -> Position | None:
        near = self._follower.goes_on_from(self.position)
        candidates = [told for told in self._told if up_to is None or told.index <= up_to]
        if not candidates:
            return None
        return candidates[0] if near else candidates[-1]
