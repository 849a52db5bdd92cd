"""The state of a partition at an index of its log: what all entries up to there add up to."""

from collections.abc import Iterable
from typing import Final, final

from bpmnd.actors.sampling import Samples, sampled_rows
from bpmnd.bpmn.appliers.window import Window
from bpmnd.bpmn.codec import decode_head
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.journal import Journal, NoJournal
from bpmnd.bpmn.turn import BrokenStateError
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.cold_store import ColdStore
from bpmnd.storage.entry import Entry as StoredEntry
from bpmnd.storage.errors import StorageError


@final
class GuardedStore:
    """The checkpoint store as the state reads it. A failing disk is no failed decision: it ends the actor."""

    def __init__(self, store: ColdStore) -> None:
        self._store = store

    def get(self, key: bytes) -> bytes | None:
        try:
            return self._store.get(key)
        except StorageError as error:
            raise BrokenStateError("the checkpoint cannot be read") from error

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        try:
            return self._store.range(start, stop, limit)
        except StorageError as error:
            raise BrokenStateError("the checkpoint cannot be read") from error


@final
class Machine:
    """State and the index it stands at. Followers move it on by committed entries, a leader by deciding.

    Entries are taken one by one, and applied together: so what begins and ends among them need not be done.
    """

    def __init__(self, partition_id: int, store: ColdStore) -> None:
        position = store.position()
        self._applied: int = 0 if position is None else position.index
        self._taken: int = self._applied
        self._window = Window()
        self._grown = 0
        self.samples: Final = Samples()
        self.state: Final = State(partition_id, GuardedStore(store))
        self.state.journal = NoJournal()
        self.replayed = 0
        """Frames that were applied, not decided here."""

    @property
    def applied(self) -> int:
        """The state is what all entries up to here add up to."""
        return self._applied

    @property
    def taken(self) -> int:
        """The last entry that is applied or about to be."""
        return self._taken

    def lead(self) -> None:
        """From now on it is changed by decisions, which may have to be undone."""
        assert self._taken == self._applied, f"leads at {self._applied} of {self._taken}"
        self.state.journal = Journal()

    def decided(self, index: int) -> None:
        """As the leader: what was decided is in the log up to here."""
        self._applied = self._taken = index

    def sample(self, index: int, rows: Iterable[bytes]) -> None:
        """Look at these rows, as the entry at `index` wants it: the state stands there."""
        assert self._applied == index, f"sampled at {index}, but the state is at {self._applied}"
        self.samples.note(index, self.state.digest(rows))

    def follow(self) -> None:
        self.state.journal = NoJournal()

    @property
    def has_enough(self) -> bool:
        """What is taken should be applied now."""
        return self._window.is_full

    def take(self, index: int, kind: int, payload: bytes) -> None:
        """Take the next entry, to be applied later. Raises CodecError for frames this build does not know."""
        assert index == self._taken + 1, f"entry {index} after {self._taken}"
        self._taken = index
        if kind != EntryKind.COMMAND:
            return
        self.replayed += 1
        head = decode_head(payload)
        frame = head.frame() if head.lives.reaching else None
        self._window.add(head, frame)
        rows = None if frame is None else sampled_rows(frame.events)
        if frame is None or rows is None or len(frame.events) > 1:
            self._grown += len(payload)
        if rows is not None:  # What comes later would leave out what the leader still had when it looked.
            self._replay()
            self._applied = index
            self.sample(index, rows)

    def apply(self) -> None:
        """Apply all that is taken. Raises CodecError for frames this build does not know."""
        self._replay()
        self._applied = self._taken

    def _replay(self) -> None:
        window, self._window = self._window, Window()
        window.replay(self.state)

    def grown(self) -> int:
        """Bytes of the frames applied since the last time, but for samples, which change nothing."""
        grown, self._grown = self._grown, 0
        return grown


def load_machine(partition_id: int, store: ColdStore, entries: Iterable[StoredEntry]) -> Machine:
    """The checkpoint and what the log has after it (blocking). Raises StorageError and CodecError."""
    machine = Machine(partition_id, store)
    replay_all(machine, entries)
    return machine


def replay_all(machine: Machine, entries: Iterable[StoredEntry]) -> None:
    """Apply what the log has after the checkpoint (blocking). Raises StorageError and CodecError."""
    for entry in entries:
        machine.take(entry.index, entry.kind, entry.payload)
        if machine.has_enough:
            machine.apply()
    machine.apply()
