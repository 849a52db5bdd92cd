"""A group whose disks and network do at once what they are asked, except where a test holds them up."""

from collections.abc import Iterable

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
    Role,
    Snapshot,
)
from tests.cluster.raft.memory_storage import MemoryStorage


def entries_of(*terms: int) -> list[Entry]:
    """A log from index 1, given the term of each entry."""
    return [Entry(index, term, EntryKind.COMMAND, b"") for index, term in enumerate(terms, start=1)]


def raft_of(
    member: int,
    *voters: int,
    log: Iterable[Entry] = (),
    term: int = 0,
    committed: int = 0,
    learners: tuple[int, ...] = (),
    claim: EntryId | None = None,
    settings: RaftSettings | None = None,
) -> Raft:
    """A member with nothing around it; its patience is as short as can be."""
    storage = MemoryStorage(log)
    last_term = storage.term_at(storage.last_index) or 0
    return Raft(
        member,
        storage,
        Configuration(voters, (), learners),
        hard_state=HardState(max(term, last_term), 0),
        committed=committed,
        settings=settings or RaftSettings(),
        random=lambda ticks: 0,
        claim=claim,
    )


def role_of(raft: Raft) -> Role:
    """Asked anew: type checkers take an attribute for what it was when it was last looked at."""
    return raft.role


class Host:
    """Persists, applies and sends in one go."""

    def __init__(self, raft: Raft, storage: MemoryStorage) -> None:
        self.raft = raft
        self.storage = storage
        self.reads: list[tuple[int, int]] = []
        self.offered: Ready | None = None
        self._applied = raft.committed

    def pump(self) -> list[Message]:
        messages: list[Message] = []
        while self.raft.has_ready:
            ready = self.raft.ready()
            if ready.snapshot is not None:
                self.offered = ready
            self.storage.write(ready.entries)
            if ready.must_persist:
                self.raft.persisted(ready.number)
            messages += [*ready.messages, *ready.after_append]
            self.reads += ready.reads
            self._apply(ready.committed)
        return messages

    def install(self, snapshot: Snapshot) -> None:
        self.storage.install(snapshot.index, snapshot.term)
        self._applied = snapshot.index
        self.raft.installed(snapshot.index, snapshot.term, snapshot.configuration)

    def _apply(self, committed: int) -> None:
        for index in range(self._applied + 1, committed + 1):
            (entry,) = self.storage.entries(index, index + 1, 0)
            if entry.kind is EntryKind.CONFIGURATION:
                self.raft.apply_change(ConfigurationChange.from_bytes(entry.payload))
            self._applied = index
            self.raft.applied(index)


class Group:
    def __init__(
        self, logs: dict[int, list[Entry]], *, settings: RaftSettings | None = None, committed: int = 0
    ) -> None:
        """The members that have a log here are the voters."""
        self.settings = settings or RaftSettings()
        self.configuration = Configuration(tuple(logs))
        self.hosts: dict[int, Host] = {}
        self.down: set[int] = set()
        self.sent: list[Message] = []
        for member, log in logs.items():
            self.start(member, MemoryStorage(log), committed=committed)

    def start(
        self,
        member: int,
        storage: MemoryStorage,
        *,
        committed: int = 0,
        term: int = 0,
        claim: EntryId | None = None,
        configuration: Configuration | None = None,
    ) -> None:
        """Start `member`, or start it anew."""
        last_term = storage.term_at(storage.last_index) or 0
        raft = Raft(
            member,
            storage,
            self.configuration if configuration is None else configuration,
            hard_state=HardState(max(term, last_term), 0),
            committed=committed,
            settings=self.settings,
            random=lambda ticks: 0,
            claim=claim,
        )
        self.hosts[member] = Host(raft, storage)

    def __getitem__(self, member: int) -> Raft:
        return self.hosts[member].raft

    def run(self) -> None:
        """Until nobody has anything to say."""
        quiet, rounds = False, 0
        while not quiet:
            quiet, rounds = True, rounds + 1
            assert rounds < 1000, f"they never stop talking: {self.sent[-6:]}"
            for member, host in self.hosts.items():
                if member in self.down:
                    continue
                for message in host.pump():
                    quiet = False
                    self.sent.append(message)
                    if message.receiver not in self.down and message.receiver in self.hosts:
                        self[message.receiver].step(message)

    def tick(self, ticks: int = 1) -> None:
        """Time passes for all that run."""
        for _ in range(ticks):
            for member in self.hosts:
                if member not in self.down:
                    self[member].tick()
            self.run()

    def elect(self, member: int) -> Raft:
        self[member].campaign()
        self.run()
        assert self[member].leads, f"{member} is {self[member].role}"
        return self[member]
