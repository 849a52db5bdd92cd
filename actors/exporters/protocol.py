"""What an exporter is: the whole of what its author has to know, and stable.

An exporter is made anew for each partition that its node leads, whenever it begins to lead it, and again
after each error. It lives on the event loop of a process of its own, beside the node.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from bpmnd.actors.exporters.records import Record


class Source(Protocol):
    """The partition that records come from, as an exporter knows it."""

    @property
    def exporter(self) -> str:
        """The name that the configuration gives to the exporter."""
        ...

    @property
    def partition_id(self) -> int: ...

    @property
    def directory(self) -> Path:
        """A directory for files of this exporter on this node; it is made by whoever needs it."""
        ...

    @property
    def position(self) -> int:
        """The last entry that was acknowledged, also by another node before; 0 if none was."""
        ...

    @property
    def mark(self) -> int:
        """The highest mark that was acknowledged; 0 if none was."""
        ...

    def acknowledge(self, position: int, mark: int = 0) -> None:
        """Every record whose `position[0]` is at most `position` is where it belongs, for good.

        The partition keeps it, and whoever leads it next begins after it. `mark` is a number that the
        exporter wants to know again; it never goes back. May be called at any time until `close` returns,
        also long after `export` has; while too much is not acknowledged, `export` is not called.

        Raises ValueError for entries that `export` was not given.
        """

    def failed(self, error: Exception) -> None:
        """What goes on in tasks of the exporter's own has failed: begin anew, as if `export` had raised."""


class Exporter(Protocol):
    """Brings the records of one partition to somewhere else."""

    async def open(self, source: Source) -> None:
        """Get ready. Called once, before anything else."""

    async def export(self, records: Sequence[Record]) -> None:
        """Take what comes next: records of whole entries, in the order of their positions.

        All of them are committed. After an error or a crash come all again that were not acknowledged; a
        record has the same (partition, position) each time.
        """

    async def close(self) -> None:
        """Let go of everything. Called once, also if `open` or `export` raised or were cancelled."""


@runtime_checkable
class RemembersRecords(Protocol):
    """An exporter that has to know what was before its position, too."""

    def recall(self, memory: bytes) -> None:
        """Begin with what `memory` once returned. Called at most once, before all else."""

    def remember(self, record: Record) -> None:
        """A record after that, which was acknowledged before: it is not to be exported again. Called before
        `open`, on a node that may come to lead the partition."""

    def memory(self) -> bytes:
        """All that it knows by `recall`, `remember` and `export`."""
        ...


Factory: TypeAlias = Callable[[Mapping[str, Any]], Exporter]
"""Makes an exporter of the settings that stand in the configuration. Raises ValueError for what is wrong with
them; does nothing else that could fail."""
