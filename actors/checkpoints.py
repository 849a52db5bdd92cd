"""When a partition makes a checkpoint, and how it gets from memory to the store without a pause.

Rows are encoded in slices between ticks, all standing at one position P. They are held until P is
committed and synced here, and only then written, by a thread (design: incremental checkpoints).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, final

from bpmnd.actors.clock import Clock, Scheduler
from bpmnd.actors.consensus import Configurations
from bpmnd.actors.sampling import CHANGED_ROWS
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.changes import Row
from bpmnd.bpmn.state.state import Capture
from bpmnd.storage.entry import Position
from bpmnd.storage.log import Log

CONFIGURATION: Final = "configuration"
"""Under this name a checkpoint keeps the configuration of the Raft group at its position."""


@dataclass(frozen=True, slots=True)
class CheckpointPolicy:
    """A checkpoint begins after so many bytes of frames, or so many seconds if there were any."""

    every_bytes: int = 4 << 20
    every_seconds: float = 5.0
    rows_per_slice: int = 200
    instances_in_memory_max: int = 1000
    index_head_max: int = 4096


class CheckpointWriter(Protocol):
    """The store below a replica, as checkpoints need it. `write` and `commit` block."""

    def position(self) -> Position | None: ...

    def write(self, batch: Sequence[Row]) -> None:
        """Add rows to the coming checkpoint, None for a row to delete."""

    def commit(self, position: Position, meta: Mapping[str, bytes] | None = None) -> None:
        """Make all that was written readable and durable at once, as standing at `position`."""


@final
class Checkpoints:
    """The checkpoints of one replica. At most one is in the making."""

    def __init__(
        self,
        state: State,
        log: Log,
        store: CheckpointWriter,
        configurations: Configurations,
        policy: CheckpointPolicy,
        scheduler: Scheduler,
        clock: Clock,
        written: Callable[[BaseException | None], None],
    ) -> None:
        self._state = state
        self._log = log
        self._store = store
        self._configurations = configurations
        self._policy = policy
        self._scheduler = scheduler
        self._clock = clock
        self._written = written
        self._capture: Capture | None = None
        self._encoded = False
        self._writing = False
        self._index = 0
        self._bytes_since = 0
        self._last_at = self._unsaved_since = clock.monotonic()
        self.count = 0
        self.changed: tuple[bytes, ...] = ()
        """Keys of some of the rows that the last checkpoint wrote, from all over it."""
        position = store.position()
        self.position: Position | None = position

    @property
    def age_seconds(self) -> float:
        """How long something has been in the log that no written checkpoint has; 0 if nothing is."""
        if not self._bytes_since and self._capture is None:
            return 0.0
        return self._clock.monotonic() - self._unsaved_since

    @property
    def in_the_making(self) -> bool:
        return self._capture is not None

    @property
    def is_writing(self) -> bool:
        return self._writing

    @property
    def needs_slices(self) -> bool:
        """More slices are to be encoded: the next tick should come soon."""
        return self._capture is not None and not self._encoded

    def grew(self, size: int) -> None:
        """The log took a frame of so many bytes."""
        if not self._bytes_since and self._capture is None:
            self._unsaved_since = self._clock.monotonic()
        self._bytes_since += size

    def advance(self, applied: int, committed: int) -> None:
        """Between two ticks: begin a checkpoint if it is time, or bring the present one forward."""
        if self._writing:
            return
        if self._capture is None:
            if not self._is_time():
                return
            self._capture = self._state.begin_capture()
            self._index = applied
            self._bytes_since = 0
            self._last_at = self._clock.monotonic()
        if not self._encoded:
            self._encoded = not self._capture.advance(self._policy.rows_per_slice)
        if self._encoded and self._index <= min(committed, self._log.synced_index):
            self._write(self._capture)

    def _is_time(self) -> bool:
        policy = self._policy
        if not self._bytes_since:
            return False
        passed = self._clock.monotonic() - self._last_at
        return self._bytes_since >= policy.every_bytes or passed >= policy.every_seconds

    def _write(self, capture: Capture) -> None:
        index = self._index
        term = self._log.term_at(index)
        assert term is not None, f"the log has no entry {index}"
        position = Position(index, term, self._log.hash_at(index))
        meta = {CONFIGURATION: self._configurations.at(index).to_bytes()}
        self._writing = True

        def work() -> Position:
            self._store.write(capture.rows)
            self._store.commit(position, meta)
            return position

        self._scheduler.run_blocking(work, self._done)

    def _done(self, position: Position | None, error: BaseException | None) -> None:
        if position is not None:
            self.position = position
            self._unsaved_since = self._last_at  # What came since the checkpoint began.
        self._written(error)

    def readable(self) -> None:
        """The store has the checkpoint: forget in memory what it can give back."""
        if self._capture is not None:
            self.changed = self._some_of(self._capture.rows)
        self._capture, self._encoded, self._writing = None, False, False
        self.count += 1
        self._state.readable(
            instances_in_memory_max=self._policy.instances_in_memory_max,
            index_head_max=self._policy.index_head_max,
        )

    def _some_of(self, rows: Sequence[Row]) -> tuple[bytes, ...]:
        step = -(-len(rows) // CHANGED_ROWS) or 1
        return tuple(key for key, _ in rows[self.count % step :: step])
