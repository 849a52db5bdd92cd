"""What Raft has to know of the log on disk."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from bpmnd.cluster.raft.configuration import Configuration
from bpmnd.cluster.raft.messages import Entry


class Snapshot(msgspec.Struct, frozen=True):
    """A state that stands for all entries up to `index`, with the configuration there."""

    index: int
    term: int
    configuration: Configuration


class Storage(Protocol):
    """The entries on disk. Reads are synchronous.

    What is written but not yet reported as persisted may be visible or not: Raft never asks for it. The log
    begins after a base, whose index is `first_index - 1` and whose term `term_at` still tells.
    """

    @property
    def first_index(self) -> int: ...

    @property
    def last_index(self) -> int:
        """`first_index - 1` for an empty log."""
        ...

    def term_at(self, index: int) -> int | None:
        """`None` before the base and beyond the end."""
        ...

    def entries(self, start: int, stop: int, bytes_max: int) -> Sequence[Entry]:
        """Those in [start, stop), at least one; fewer when their payloads would pass `bytes_max`."""
        ...

    def snapshot_position(self) -> Snapshot | None:
        """What a member could install now in place of entries that are gone; none while it is being made."""
        ...
