"""What a replica has applied: moved on as a follower, so that it could lead at any time, and dropped when it
holds what was never committed."""

import logging
from collections.abc import Callable
from typing import Final, final

from bpmnd.actors.checkpoints import CheckpointPolicy, Checkpoints
from bpmnd.actors.clock import Clock, Scheduler
from bpmnd.actors.machine import Machine, load_machine
from bpmnd.actors.replica import Replica

_logger = logging.getLogger(__name__)

_APPLY_BYTES: Final = 256 << 10
_APPLY_SECONDS: Final = 0.004
_TAKEN_MIN: Final = 32
"""So many frames a follower takes at a time: one by one each costs several times as much."""
_BEHIND_SECONDS_MAX: Final = 2.0
"""So long a follower lets committed frames wait, to apply more of them together."""


@final
class Standby:
    """The machine of a replica and its checkpoints.

    `wake` asks for a tick soon. `loaded` is told a machine that was built anew, or why there is none, and
    `written` that a checkpoint is in the store, or why not; both by way of the actor's mailbox.
    """

    def __init__(
        self,
        replica: Replica,
        policy: CheckpointPolicy,
        scheduler: Scheduler,
        clock: Clock,
        wake: Callable[[], None],
        loaded: Callable[[Machine | None, BaseException | None], None],
        written: Callable[[BaseException | None], None],
    ) -> None:
        self._replica = replica
        self._raft = replica.consensus.raft
        self.log: Final = replica.log
        self._policy = policy
        self._scheduler = scheduler
        self._clock = clock
        self._wake = wake
        self._loaded = loaded
        self._written = written
        self._loading = False
        self._outlived: Checkpoints | None = None
        """Checkpoints of a dropped machine of which one is still being written."""
        self._behind_since: float | None = None
        """Since when something that is committed is not applied; None if nothing is."""
        self.machine: Machine | None = replica.machine
        """None while it is built anew."""
        self.checkpoints = self._checkpoints_of(replica.machine)

    @property
    def member(self) -> int:
        """Whose it is."""
        return self._raft.member

    # Following

    def follow(self) -> None:
        """Take what is committed, a slice a tick, and apply it when it is enough or has waited long."""
        machine = self.machine
        if machine is None:
            self.load()
            return
        last = min(self._raft.committed, self.log.log.synced_index)
        if machine.applied >= last:
            self._behind_since = None
            return
        now = self._clock.monotonic()
        if self._behind_since is None:
            self._behind_since = now
        is_late = now - self._behind_since >= _BEHIND_SECONDS_MAX
        if last - machine.taken < _TAKEN_MIN and not is_late:
            return
        while machine.taken < last:
            self._take(machine, last)
            if machine.has_enough:
                self._apply(machine)
                self._behind_since = now
            if machine.taken < last and self._clock.monotonic() - now > _APPLY_SECONDS:
                self._wake()
                return
        if is_late:
            self._apply(machine)
            self._behind_since = None

    def catch_up(self, machine: Machine, last: int) -> bool:
        """Apply all up to `last`, as whoever is to lead. False: the next tick has to go on."""
        started = self._clock.monotonic()
        while machine.taken < last:
            self._take(machine, last)
            self._apply(machine)
            if machine.taken < last and self._clock.monotonic() - started > _APPLY_SECONDS:
                self._wake()
                return False
        self._apply(machine)
        return True

    def _take(self, machine: Machine, last: int) -> None:
        for entry in self.log.entries(machine.taken + 1, last + 1, _APPLY_BYTES):
            machine.take(entry.index, entry.kind, entry.payload)

    def _apply(self, machine: Machine) -> None:
        machine.apply()
        self.checkpoints.grew(machine.grown())

    # Dropping and loading

    def drop_beyond(self, commit: int) -> None:
        """What a leader applied beyond its last commit no longer counts when its term is over: build memory
        anew from checkpoint and log."""
        machine = self.machine
        if machine is None or machine.applied <= commit:
            return
        _logger.info("partition %d: dropped %d..%d", self._replica.partition_id, commit + 1, machine.applied)
        self.machine = None
        if self.checkpoints.is_writing:
            self._outlived = self.checkpoints
        self.load()

    def load(self) -> None:
        """Replay up to what is committed and here, aside, unless that is under way.

        Not before a checkpoint of the dropped state is written: it would be loaded half.
        """
        if self._loading or self._outlived is not None:
            return
        self._loading = True
        store, number = self._replica.store, self._replica.partition_id
        position = store.position()
        first = 1 if position is None else position.index + 1
        last = min(self._raft.committed, self.log.log.synced_index)
        entries = self.log.log.entries(first, last) if last >= first else iter(())
        self._scheduler.run_blocking(lambda: load_machine(number, store, entries), self._loaded)

    def use(self, machine: Machine | None, error: BaseException | None) -> None:
        """It was built anew. Raises what went wrong."""
        self._loading = False
        if machine is None:
            raise error or AssertionError("neither a machine nor an error")
        self.machine = machine
        self.checkpoints = self._checkpoints_of(machine)

    # Checkpoints

    def advance_checkpoint(self) -> None:
        if self.machine is not None:
            self.checkpoints.advance(self.machine.applied, self._raft.committed)
            if self.checkpoints.needs_slices:
                self._wake()

    def checkpoint_is_there(self) -> None:
        """The store has the checkpoint that was being written."""
        if self._outlived is not None:
            self._outlived = None  # Of a dropped state. What comes is loaded on top of it.
        else:
            self.checkpoints.readable()

    def _checkpoints_of(self, machine: Machine) -> Checkpoints:
        machine.grown()
        return Checkpoints(
            machine.state,
            self.log.log,
            self._replica.store,
            self._replica.consensus.configurations,
            self._policy,
            self._scheduler,
            self._clock,
            self._written,
        )
