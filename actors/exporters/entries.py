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
_READ_SIZE: Final = 1 << 20
"""Bytes that are given out at once,"""
_UNPROVEN_SIZE: Final = 16 << 20
"""and that may have to be kept until the last entry proves them all."""


@final
class CommittedEntries:
    """Goes on from a position, as far as it is told that all is committed and on disk. Blocking."""

    def __init__(self, disk: Disk, directory: Path, position: Position) -> None:
        self.position = position
        """The last entry that was given out."""
        self._follower = LogFollower(disk, directory)
        self._told: deque[Position] = deque()
        self._found: Iterator[Entry] = iter(())
        """What was read, or is to be, up to something that was told; all of it counts."""

    def tell(self, position: Position) -> None:
        """All up to there is committed, and on disk here."""
        if len(self._told) >= _POSITIONS_MAX:
            self._told.pop()  # The newer one stands for it.
        self._told.append(position)

    def read(self, count_max: int, up_to: int | None = None) -> list[Entry]:
        """The next entries, at most so many; none if there are none, or none that end by `up_to`.

        Raises StorageError, also ChainError: after that it can be tried again.
        """
        entries = self._next(count_max)
        if not entries:
            self._forget_what_was_read()
            target = self._target(up_to)
            if target is not None:
                self._found = self._entries_to(target)
                entries = self._next(count_max)
        if entries:
            last = entries[-1]
            self.position = Position(last.index, last.term, last.hash)
        return entries

    def _next(self, count_max: int) -> list[Entry]:
        entries: list[Entry] = []
        size = 0
        try:
            for entry in islice(self._found, count_max):
                entries.append(entry)
                size += len(entry.payload)
                if size >= _READ_SIZE:
                    break
        except BaseException:
            self._found = iter(())
            raise
        return entries

    def _entries_to(self, target: Position) -> Iterator[Entry]:
        if not self._follower.goes_on_from(self.position):
            return self._follower.entries(self.position, target)  # Each of them counts by itself.
        unproven: list[Entry] = []
        size = 0
        for entry in self._follower.entries(self.position, target):
            unproven.append(entry)
            size += len(entry.payload)
            if size > _UNPROVEN_SIZE:
                break
        else:
            return iter(unproven)
        self._follower.close()
        return self._follower.entries(self.position, target)

    def close(self) -> None:
        self._found = iter(())
        self._follower.close()

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
