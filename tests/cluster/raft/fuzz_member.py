"""A member as the fuzzer sees it: its Raft, and a host with a disk that loses what it has not synced."""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random

from bpmnd.cluster.raft import (
    Configuration,
    ConfigurationChange,
    Entry,
    EntryId,
    EntryKind,
    HardState,
    Message,
    Raft,
    RaftSettings,
    Ready,
    Snapshot,
    SnapshotOffer,
)
from tests.cluster.raft.memory_storage import MemoryStorage


class Planted(Enum):
    """Bugs of a host, which the fuzzer must find."""

    VOTE_NOT_PERSISTED = auto()
    SPOKEN_BEFORE_PERSISTED = auto()
    DAMAGED_WITHOUT_CLAIM = auto()


@dataclass(frozen=True, slots=True)
class _Write:
    number: int
    hard_state: HardState | None
    entries: tuple[Entry, ...]
    then: tuple[Message, ...]


@dataclass(slots=True)
class FuzzMember:
    member: int
    random: Random
    initial: Configuration
    settings: RaftSettings
    planted: Planted | None
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    disk_state: HardState = field(default_factory=lambda: HardState(0, 0))
    claim: EntryId | None = None
    change: EntryId | None = None
    """The last change that was applied, kept on disk at once."""
    raft: Raft | None = None
    """None while it is down."""
    view: dict[int, Entry] = field(default_factory=dict[int, Entry])
    """The log as its host has been told of it, on disk or not."""
    applied: int = 0
    fetching: SnapshotOffer | None = None
    _writes: deque[_Write] = field(default_factory=deque[_Write])

    def __post_init__(self) -> None:
        # The first configuration stands in no entry, so founders begin behind a base that only they have.
        index = 1 if self.initial.voters else 0
        self.storage.install(index, index)
        self.storage.snapshot = Snapshot(index, index, self.initial)

    @property
    def checkpoint(self) -> Snapshot:
        assert self.storage.snapshot is not None
        return self.storage.snapshot

    @property
    def has_writes(self) -> bool:
        return bool(self._writes)

    def start(self) -> Raft:
        checkpoint = self.checkpoint
        self.raft = Raft(
            self.member,
            self.storage,
            checkpoint.configuration,
            hard_state=self.disk_state,
            committed=checkpoint.index,
            settings=self.settings,
            random=self.random.randrange,
            claim=self.claim,
        )
        self.raft.learn_commit(self.change)
        self.view = {entry.index: entry for entry in self.storage.log}
        self.applied = checkpoint.index
        self.fetching = None
        return self.raft

    def crash(self) -> None:
        """The power fails. Of what was not synced a beginning may be on disk all the same."""
        self.raft = None
        while self._writes and self.random.random() < 0.4:
            self._to_disk(self._writes.popleft())
        if self._writes and self.random.random() < 0.5:
            torn = self._writes[0]
            self._to_disk(
                _Write(0, torn.hard_state, torn.entries[: self.random.randint(0, len(torn.entries))], ())
            )
        self._writes.clear()

    def damage(self) -> None:
        """Some of the log's end is unreadable; that it was there is known."""
        storage = self.storage
        last = storage.last_index
        kept = self.random.randint(self.checkpoint.index, last)
        term = storage.term_at(last)
        assert term is not None
        if kept < last:
            del storage.log[kept - storage.base_index :]
            if self.planted is not Planted.DAMAGED_WITHOUT_CLAIM:
                ended = EntryId(term, last)
                self.claim = ended if self.claim is None else max(self.claim, ended)

    def ready(self, raft: Raft) -> tuple[Ready, tuple[Message, ...]]:
        """Take what is to be done; the messages that leave at once."""
        ready = raft.ready()
        if ready.snapshot is not None:
            self.fetching = ready.snapshot
        if ready.entries:
            for index in range(ready.entries[0].index, max(self.view, default=0) + 1):
                del self.view[index]
            self.view.update((entry.index, entry) for entry in ready.entries)
        spoken, waiting = ready.messages, ready.after_append
        if self.planted is Planted.SPOKEN_BEFORE_PERSISTED:
            spoken, waiting = spoken + waiting, ()
        if ready.must_persist or waiting:
            self._writes.append(_Write(ready.number, ready.hard_state, ready.entries, waiting))
        if not raft.damaged:
            self.claim = None
        return ready, spoken

    def sync(self, raft: Raft, writes: int) -> list[Message]:
        """The disk gets on; what may leave now. Whenever Raft has to hear of it, it has said so."""
        messages: list[Message] = []
        can_wait = not (raft.waits_for_own_disk or raft.has_ready)
        number = 0
        for _ in range(min(writes, len(self._writes))):
            write = self._writes.popleft()
            self._to_disk(write)
            number = write.number
            messages += write.then
        if number:
            raft.persisted(number)
        assert not (can_wait and raft.has_ready), "what was said not to wait for the disk waited for it"
        return messages

    def sync_all(self, raft: Raft) -> list[Message]:
        return self.sync(raft, len(self._writes))

    def apply(self, raft: Raft, entries_max: int) -> None:
        for index in range(self.applied + 1, min(raft.committed, self.applied + entries_max) + 1):
            entry = self.view[index]
            if entry.kind is EntryKind.CONFIGURATION:
                raft.apply_change(ConfigurationChange.from_bytes(entry.payload))
                self.change = EntryId(entry.term, index)
            self.applied = index
            raft.applied(index)

    def take_checkpoint(self, raft: Raft) -> None:
        """Only of what is on this disk, too; then the log before it may go."""
        if self.checkpoint.index < self.applied <= raft.persisted_index:
            self.storage.snapshot = Snapshot(self.applied, self.view[self.applied].term, raft.configuration)
        if self.random.random() < 0.7 and self.storage.base_index < self.checkpoint.index:
            self.storage.compact(self.checkpoint.index)

    def install(self, raft: Raft, snapshot: Snapshot) -> None:
        """Checkpoint and log are replaced, at one stroke."""
        self._writes = deque(_Write(write.number, write.hard_state, (), write.then) for write in self._writes)
        self.storage.install(snapshot.index, snapshot.term)
        self.storage.snapshot = snapshot
        self.view = {}
        self.applied = snapshot.index
        self.fetching = None
        raft.installed(snapshot.index, snapshot.term, snapshot.configuration)

    def has_on_disk(self, index: int, term: int) -> bool:
        """Or had, and owns up to it."""
        owned_up = self.claim is not None and EntryId(term, index) <= self.claim
        return self.storage.term_at(index) == term or index <= self.storage.base_index or owned_up

    def _to_disk(self, write: _Write) -> None:
        if write.hard_state is not None and self.planted is not Planted.VOTE_NOT_PERSISTED:
            self.disk_state = write.hard_state
        elif write.hard_state is not None:
            self.disk_state = HardState(write.hard_state.term, 0)
        self.storage.write(write.entries)
