"""How a replica gets what it lacks, and finds out that what it has is not what its group has."""

import logging
from collections.abc import Callable
from typing import final

from bpmnd.actors.clock import Scheduler
from bpmnd.actors.hidden_damage import HiddenDamage
from bpmnd.actors.histories import Histories
from bpmnd.actors.installing import DivergedError, Installation, Installed
from bpmnd.actors.machine import Machine
from bpmnd.actors.messages import PeerPosition
from bpmnd.actors.peer_messages import InstallAnswer, InstallDone, InstallRequest
from bpmnd.actors.replica import Replica
from bpmnd.actors.sampling import SampleTold, StateComparison
from bpmnd.cluster.raft import Role, SnapshotOffer
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError
from bpmnd.storage.layout import LOG

_logger = logging.getLogger(__name__)


@final
class Mending:
    """Fetches a checkpoint where the leader's log does not reach back far enough, and compares histories.

    `ask` sends to a member, `installed` is told that a checkpoint waits to be switched to, `found_damaged`
    that this replica has to be made anew; `wake` asks for a tick soon.
    """

    def __init__(
        self,
        replica: Replica,
        scheduler: Scheduler,
        ask: Callable[[int, InstallRequest | InstallDone], None],
        installed: Callable[[Installed], None],
        found_damaged: Callable[[DamageError], None],
        wake: Callable[[], None],
        has_peers: Callable[[], bool],
    ) -> None:
        self._replica = replica
        self._id = replica.partition_id
        self._consensus = replica.consensus
        self._raft = replica.consensus.raft
        self._log = replica.log
        self._scheduler = scheduler
        self._ask = ask
        self._installed = installed
        self._found_damaged = found_damaged
        self._wake = wake
        self._histories = Histories(f"partition-{self._id}", self._raft.member, replica.log.log)
        self._has_peers = has_peers
        self._hidden = HiddenDamage(f"partition {self._id}", self._raft.member)
        self._states = StateComparison(f"partition {self._id}", self._raft.member)
        self._installation: Installation | None = None
        self._stopped = False
        self.is_damaged = self._raft.damaged
        """The log does not reach yet what it once did."""

    @property
    def progress(self) -> str | None:
        """How far a transfer to here has come, for people."""
        return None if self._installation is None else self._installation.progress

    @property
    def source(self) -> int:
        """The member that a checkpoint is fetched from; 0 if none is."""
        return 0 if self._installation is None else self._installation.source

    @property
    def compared(self) -> int:
        """How often what another member has committed was the same here."""
        return self._histories.agreed

    @property
    def states_compared(self) -> tuple[int, int]:
        """How often another member saw the same in its state as was seen here, and how often not."""
        return self._states.agreed, self._states.differed

    @property
    def hidden_damage(self) -> DamageError | None:
        """What was found to be damaged here, though nothing wrong is being used."""
        return self._hidden.error

    def position(self) -> Position | None:
        """A position of the log that is committed and on disk here, near its end; None if there is none."""
        return self._log.log.batch_end(min(self._raft.committed, self._log.log.synced_index))

    def settle(self) -> None:
        """Once a tick: begin to fetch what is offered, and see whether the log is whole again."""
        if self._consensus.offered is not None and self._installation is None:
            self._begin(self._consensus.offered)
        if self.is_damaged and not self._raft.damaged:
            self.is_damaged = False
            _logger.warning("partition %d: the damaged replica is whole again", self._id)
            self._replica.files.forget_claim()

    def stop(self) -> None:
        self._stopped = True
        if self._installation is not None:
            self._installation.stop()

    # A copy of the checkpoint

    def received(self, answer: InstallAnswer) -> None:
        if self._installation is not None:
            self._installation.received(answer)

    def synced(self) -> None:
        """The log has something more on disk."""
        if self._installation is not None:
            self._installation.synced()

    def lost(self, member: int) -> None:
        """The connection to a member broke."""
        if self._installation is not None and self._installation.source == member:
            self._installation.give_up("the connection to who sends it broke")

    def say_installed(self, source: int) -> None:
        """Tell the member that sent the copy which this replica was opened with."""
        self._ask(source, InstallDone(self._id))

    def _begin(self, offer: SnapshotOffer) -> None:
        _logger.warning("partition %d: needs a checkpoint from its leader, at %d", self._id, offer.index)
        self._installation = Installation(
            self._id,
            self._replica.files,
            self._log,
            self._raft.committed,
            offer.sender,
            lambda request: self._ask(offer.sender, request),
            self._scheduler,
            self._ended,
        )
        self._installation.start()

    def _ended(self, installed: Installed | None, error: BaseException | None) -> None:
        if self._stopped:
            return
        if isinstance(error, DivergedError):
            self._found_damaged(self._contradicted(error.index, str(error)))
        elif installed is None:
            _logger.warning("partition %d: no checkpoint came: %s", self._id, error)
            self._consensus.offered = None
            self._installation = None
            self._raft.abandon_snapshot()
            self._wake()
        else:
            self._installed(installed)

    # Histories

    def told(self, told: PeerPosition | SampleTold, now: float) -> None:
        """What a member that is well has committed, or saw in its state."""
        if isinstance(told, SampleTold):
            self._states.told(told)
        else:
            self._hidden.heard(told.member, now)
            self._histories.told(told)

    def found(self, error: DamageError, now: float) -> None:
        """Something that is seldom read is not what was written."""
        self._hidden.found(error, now, is_alone=not self._has_peers())

    def is_in_the_way(self, now: float) -> bool:
        """Whether another should lead, because this replica is about to be set aside and rebuilt.

        Raises DamageError when it is time for that.
        """
        if self._hidden.error is None or not self._has_peers():
            return False
        leads = self._raft.role is Role.LEADER
        return self._hidden.is_in_the_way(now, self._raft.configuration.voters, leads=leads)

    def compare(self, machine: Machine | None) -> None:
        """Histories that are the same up to the commit have the same hash there, and the same state is what
        they add up to. Raises DamageError."""
        if self.is_damaged:
            return
        committed, voters = self._raft.committed, self._raft.configuration.voters
        other = self._histories.contradiction(committed, voters)
        if other is not None:
            raise self._contradicted(other.index, f"others have another history: {other}")
        if machine is None:
            return
        seen = self._states.contradiction(machine.samples, committed, voters)
        if seen is not None:
            what = f"others have another state: {seen}"
            raise DamageError("state", self._replica.files.directory, seen.index, None, what)

    def _contradicted(self, index: int, what: str) -> DamageError:
        return DamageError("chain", self._replica.files.directory / LOG, index, None, what)
