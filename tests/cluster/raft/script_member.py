"""One member of a group in a script: its Raft, its disk, and etcd's view of both.

etcd's Ready also tells the role, the committed entries and a hard state with the commit index, and with
asynchronous writes it gives the disk's work as messages to two threads. Ours leaves all this to its host;
this host does it as etcd does, and prints it.
"""

from collections import deque
from dataclasses import dataclass, field

from bpmnd.cluster.raft import (
    Configuration,
    ConfigurationChange,
    Entry,
    EntryKind,
    HardState,
    Message,
    Raft,
    RaftSettings,
    Ready,
    Refusal,
    Role,
    Snapshot,
    SnapshotOffer,
)
from tests.cluster.raft.formatting import (
    ROLES,
    entries_text,
    entry_text,
    message_text,
    snapshot_text,
)
from tests.cluster.raft.memory_storage import MemoryStorage


@dataclass(frozen=True, slots=True)
class Report:
    """A message in etcd, with us a call: what a thread tells its member, or a proposal that is passed on."""

    receiver: int
    text: str
    persisted: int | None = None
    applied: int | None = None
    proposed: ConfigurationChange | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What a thread was asked to do, and what leaves when it is done."""

    text: str
    entries: tuple[Entry, ...]
    responses: tuple[Message | Report, ...]


@dataclass(slots=True)
class _Told:
    """What the last Ready said of things that are told when they change."""

    leader: int
    role: Role
    term: int
    vote: int
    committed: int


@dataclass(slots=True)
class _Shown:
    """A Ready in etcd's words."""

    must_sync: bool = False
    parts: list[str] = field(default_factory=list[str])
    messages: list[Message | Report] = field(default_factory=list[Message | Report])

    def text(self) -> str:
        if not self.parts:
            return "<empty Ready>\n"
        return f"Ready MustSync={str(self.must_sync).lower()}:\n" + "".join(self.parts)


class ScriptMember:
    def __init__(
        self,
        member: int,
        configuration: Configuration,
        *,
        index: int,
        settings: RaftSettings,
        is_async: bool,
    ) -> None:
        self.storage = MemoryStorage(base_index=index, base_term=1 if index else 0)
        if index:
            self.storage.snapshot = Snapshot(index, 1, configuration)
        self.raft = Raft(
            member,
            self.storage,
            configuration,
            hard_state=HardState(0, 0),
            committed=index,
            settings=settings,
            random=lambda ticks: ticks - 1,
        )
        self.append_work: deque[Work] = deque()
        self.apply_work: deque[Work] = deque()
        self._forwarded: list[Report] = []
        self._is_async = is_async
        self._taken = index  # Up to where committed entries were given out to be applied.
        self._told = _Told(0, Role.FOLLOWER, 0, 0, index)

    @property
    def has_ready(self) -> bool:
        raft, told = self.raft, self._told
        now = _Told(raft.leader, raft.role, raft.term, raft.vote, raft.committed)
        return raft.has_ready or now != told or self._applicable() > self._taken or bool(self._forwarded)

    def propose_change(self, change: ConfigurationChange) -> Refusal | None:
        """etcd's followers pass proposals on to the leader; our gateways go to the leader at once."""
        if self.raft.role is not Role.LEADER:
            entry = Entry(0, 0, EntryKind.CONFIGURATION, change.to_bytes())
            head = f"{self.raft.member}->{self.raft.leader} MsgProp Term:0 Log:0/0"
            text = f"{head}{entries_text((entry,))}"
            self._forwarded.append(Report(self.raft.leader, text, proposed=change))
            return None
        outcome = self.raft.propose_change(change)
        return outcome if isinstance(outcome, Refusal) else None

    def process_ready(self) -> tuple[str, list[Message | Report]]:
        """Do what the next Ready asks for; what is printed, and the messages that leave now."""
        # etcd installs a snapshot on the way, where we wait for our host to fetch it.
        ready = self.raft.ready()
        offer = ready.snapshot
        if offer is not None:
            self._install(offer)
            ready = _merged(ready, self.raft.ready())
        shown = _Shown()
        self._show_changes(ready, shown)
        if ready.entries:
            shown.parts.append("Entries:\n" + "".join(f"{entry_text(entry)}\n" for entry in ready.entries))
        if offer is not None:
            position = snapshot_text(offer.index, offer.index_term, offer.configuration)
            shown.parts.append(f"Snapshot {position}\n")
        committed = self._take_committed(ready)
        if committed:
            shown.parts.append("CommittedEntries:\n" + "".join(f"{entry_text(e)}\n" for e in committed))
        if self._is_async:
            self._queue(ready, committed, shown)
        else:
            self._act(ready, committed, shown)
        return shown.text(), shown.messages

    def append_thread(self) -> tuple[str, tuple[Message | Report, ...]]:
        work = self.append_work.popleft()
        self.storage.write(work.entries)
        return _processed(work), work.responses

    def apply_thread(self) -> tuple[str, tuple[Message | Report, ...]]:
        work = self.apply_work.popleft()
        self._apply(work.entries)
        return _processed(work), work.responses

    def hear(self, report: Report) -> None:
        if report.persisted is not None:
            self.raft.persisted(report.persisted)
        if report.applied is not None:
            self.raft.applied(report.applied)
        if report.proposed is not None:
            refusal = self.propose_change(report.proposed)
            assert refusal is None, f"{report.text}: {refusal}"

    def log_text(self) -> str:
        storage = self.storage
        if not storage.log:
            return f"log is empty: first index={storage.first_index}, last index={storage.last_index}\n"
        return "".join(f"{entry_text(entry)}\n" for entry in storage.log)

    def _show_changes(self, ready: Ready, shown: _Shown) -> None:
        raft, told = self.raft, self._told
        now = _Told(raft.leader, raft.role, raft.term, raft.vote, raft.committed)
        if (now.leader, now.role) != (told.leader, told.role):
            shown.parts.append(f"Lead:{now.leader} State:{ROLES[now.role]}\n")
        if (now.term, now.vote, now.committed) != (told.term, told.vote, told.committed):
            shown.parts.append(f"HardState {self._hard_state_text()}\n")
        assert (ready.hard_state is not None) == ((now.term, now.vote) != (told.term, told.vote)), f"{ready}"
        shown.must_sync = ready.must_persist
        self._told = now

    def _hard_state_text(self) -> str:
        vote = f" Vote:{self.raft.vote}" if self.raft.vote else ""
        return f"Term:{self.raft.term}{vote} Commit:{self.raft.committed}"

    def _applicable(self) -> int:
        """etcd applies what is not on disk yet only when its host writes before it applies."""
        if self._is_async:
            return min(self.raft.committed, self.raft.persisted_index)
        return self.raft.committed

    def _take_committed(self, ready: Ready) -> tuple[Entry, ...]:
        applicable = self._applicable()
        by_index = {entry.index: entry for entry in (*self.storage.log, *ready.entries)}
        taken = tuple(by_index[index] for index in range(self._taken + 1, applicable + 1))
        self._taken = applicable
        return taken

    def _act(self, ready: Ready, committed: tuple[Entry, ...], shown: _Shown) -> None:
        """Write, apply, send, and only then report."""
        shown.messages = [*self._forwarded, *ready.messages, *ready.after_append]
        self._forwarded = []
        if shown.messages:
            shown.parts.append("Messages:\n" + "".join(f"{report_text(m)}\n" for m in shown.messages))
        self.storage.write(ready.entries)
        self._apply(committed)
        if ready.must_persist:
            self.raft.persisted(ready.number)
        if committed:
            self.raft.applied(committed[-1].index)

    def _queue(self, ready: Ready, committed: tuple[Entry, ...], shown: _Shown) -> None:
        """Give the work to the threads."""
        member = self.raft.member
        texts = [message_text(message) for message in ready.messages]
        shown.messages = list(ready.messages)
        has_state = any(part.startswith("HardState") for part in shown.parts)
        if has_state or ready.entries or ready.after_append:
            responses = (*self._own_replies(ready), *ready.after_append)
            if self.raft.last_index > self.raft.persisted_index:
                text = (
                    f"AppendThread->{member} MsgStorageAppendResp Term:{self.raft.term}"
                    f" Log:{self.raft.last_term}/{self.raft.last_index}"
                )
                responses = (*responses, Report(member, text, persisted=ready.number))
            state = f"Term:{self.raft.term if has_state else 0} Log:0/0"
            if has_state:
                state += f" Commit:{self.raft.committed}" + (
                    f" Vote:{self.raft.vote}" if self.raft.vote else ""
                )
            text = f"{member}->AppendThread MsgStorageAppend {state}{entries_text(ready.entries)}"
            self.append_work.append(Work(text, ready.entries, responses))
            texts.append(text + _responses_text(responses))
        if committed:
            entries = entries_text(committed)
            done = f"ApplyThread->{member} MsgStorageApplyResp Term:0 Log:0/0{entries}"
            report = Report(member, done, applied=committed[-1].index)
            text = f"{member}->ApplyThread MsgStorageApply Term:0 Log:0/0{entries}"
            self.apply_work.append(Work(text, committed, (report,)))
            texts.append(text + _responses_text((report,)))
        if texts:
            shown.parts.append("Messages:\n" + "".join(f"{text}\n" for text in texts))

    def _own_replies(self, ready: Ready) -> tuple[Report, ...]:
        """etcd lets a member answer itself; ours hears from its disk directly."""
        raft = self.raft
        head = f"{raft.member}->{raft.member}"
        if raft.role is Role.CANDIDATE and ready.hard_state == HardState(raft.term, raft.member):
            return (Report(raft.member, f"{head} MsgVoteResp Term:{raft.term} Log:0/0", ready.number),)
        if raft.role is Role.LEADER:
            return tuple(
                Report(raft.member, f"{head} MsgAppResp Term:{raft.term} Log:0/{entry.index}", ready.number)
                for entry in ready.entries
            )
        return ()

    def _apply(self, entries: tuple[Entry, ...]) -> None:
        for entry in entries:
            if entry.kind is EntryKind.CONFIGURATION:
                self.raft.apply_change(ConfigurationChange.from_bytes(entry.payload))
            self.storage.snapshot = Snapshot(entry.index, entry.term, self.raft.configuration)

    def _install(self, offer: SnapshotOffer) -> None:
        self.storage.install(offer.index, offer.index_term)
        self.storage.snapshot = Snapshot(offer.index, offer.index_term, offer.configuration)
        self._taken = offer.index
        self.raft.installed(offer.index, offer.index_term, offer.configuration)


def report_text(response: Message | Report) -> str:
    return response.text if isinstance(response, Report) else message_text(response)


def _merged(first: Ready, second: Ready) -> Ready:
    assert not first.entries, "a log that is being replaced takes no entries"
    return Ready(
        second.number,
        second.hard_state or first.hard_state,
        second.entries,
        first.messages + second.messages,
        first.after_append + second.after_append,
        second.committed,
        first.reads + second.reads,
        None,
    )


def _responses_text(responses: tuple[Message | Report, ...]) -> str:
    if not responses:
        return ""
    return " Responses:[\n" + "".join(f"  {report_text(response)}\n" for response in responses) + "]"


def _processed(work: Work) -> str:
    replies = "".join(f"{report_text(response)}\n" for response in work.responses)
    return f"Processing:\n{work.text}\nResponses:\n{replies}"
