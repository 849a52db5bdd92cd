"""The state of a partition at an index of its log: what all entries up to there add up to."""

from collections.abc import Iterable
from typing import Final, final

from bpmnd.bpmn.appliers import replay
from bpmnd.bpmn.codec import decode_frame
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
    """State and the index it stands at. Followers move it on by committed entries, a leader by deciding."""

    def __init__(self, partition_id: int, store: ColdStore) -> None:
        position = store.position()
        self.applied = 0 if position is None else position.index
        self.state: Final = State(partition_id, GuardedStore(store))
        self.state.journal = NoJournal()
        self.replayed = 0
        """Frames that were applied, not decided here."""

    def lead(self) -> None:
        """From now on it is changed by decisions, which may have to be undone."""
        self.state.journal = Journal()

    def follow(self) -> None:
        self.state.journal = NoJournal()

    def apply(self, index: int, kind: int, payload: bytes) -> None:
        """Apply the next entry. Raises CodecError for frames this build does not know."""
        assert index == self.applied + 1, f"entry {index} after {self.applied}"
        if kind == EntryKind.COMMAND:
            replay(self.state, decode_frame(payload))
            self.replayed += 1
        self.applied = index


def load_machine(partition_id: int, store: ColdStore, entries: Iterable[StoredEntry]) -> Machine:
    """The checkpoint and what the log has after it (blocking). Raises StorageError and CodecError."""
    machine = Machine(partition_id, store)
    for entry in entries:
        machine.apply(entry.index, entry.kind, entry.payload)
    return machine
