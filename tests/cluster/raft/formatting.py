"""Raft's data in the words of etcd's scripts."""

from collections.abc import Iterable, Sequence

from bpmnd.cluster.raft import (
    Configuration,
    ConfigurationChange,
    Entry,
    EntryKind,
    Message,
    Operation,
    Progress,
    ProgressState,
    Role,
)
from bpmnd.cluster.raft.messages import (
    AppendEntries,
    AppendReply,
    Heartbeat,
    HeartbeatReply,
    SnapshotOffer,
    TimeoutNow,
    VoteReply,
    VoteRequest,
)

V1 = b"v1"
"""The context of changes that a script asks for in etcd's first format: we have one format only."""

_OPERATIONS = {
    "v": Operation.ADD_VOTER,
    "l": Operation.ADD_LEARNER,
    "r": Operation.REMOVE,
    "u": Operation.UPDATE,
}
_LETTERS = {operation: letter for letter, operation in _OPERATIONS.items()}

ROLES = {
    Role.FOLLOWER: "StateFollower",
    Role.PRE_CANDIDATE: "StatePreCandidate",
    Role.CANDIDATE: "StateCandidate",
    Role.LEADER: "StateLeader",
}
_STATES = {
    ProgressState.PROBE: "StateProbe",
    ProgressState.REPLICATE: "StateReplicate",
    ProgressState.SNAPSHOT: "StateSnapshot",
}


def operations_of(lines: Iterable[str]) -> tuple[tuple[Operation, int], ...]:
    words = " ".join(lines).split()
    return tuple((_OPERATIONS[word[0]], int(word[1:])) for word in words)


def configuration_text(configuration: Configuration) -> str:
    text = f"voters={_group(configuration.voters)}"
    if configuration.outgoing:
        text += f"&&{_group(configuration.outgoing)}"
    if configuration.learners:
        text += f" learners={_group(configuration.learners)}"
    if configuration.learners_next:
        text += f" learners_next={_group(configuration.learners_next)}"
    return text + (" autoleave" if configuration.auto_leave else "")


def progress_text(state: str, match: int, next_index: int, *, learner: bool) -> str:
    return f"{state} match={match} next={next_index}" + (" learner" if learner else "")


def progress_of(progress: Progress) -> str:
    state = _STATES[progress.state]
    text = progress_text(state, progress.match, progress.next, learner=progress.is_learner)
    if progress.is_paused:
        text += " paused"
    if progress.pending_snapshot:
        text += f" pendingSnap={progress.pending_snapshot}"
    if not progress.active:
        text += " inactive"
    if len(progress.inflights):
        text += f" inflight={len(progress.inflights)}" + ("[full]" if progress.inflights.full else "")
    return text


def entry_text(entry: Entry) -> str:
    position = f"{entry.term}/{entry.index}"
    if entry.kind is not EntryKind.CONFIGURATION:
        data = entry.payload.decode().replace("\\", "\\\\").replace('"', '\\"')
        return f'{position} EntryNormal "{data}"'
    change = ConfigurationChange.from_bytes(entry.payload)
    words = " ".join(f"{_LETTERS[operation]}{member}" for operation, member in change.operations)
    kind = "EntryConfChange" if change.context == V1 else "EntryConfChangeV2"
    return f"{position} {kind} {words}".rstrip()


def entries_text(entries: Sequence[Entry]) -> str:
    """As the end of a message."""
    match entries:
        case []:
            return ""
        case [entry]:
            return f" Entries:[{entry_text(entry)}]"
        case _:
            return " Entries:[\n" + "".join(f"  {entry_text(entry)}\n" for entry in entries) + "]"


def snapshot_text(index: int, term: int, configuration: Configuration) -> str:
    return (
        f"Index:{index} Term:{term} ConfState:Voters:{_list(configuration.voters)}"
        f" VotersOutgoing:{_list(configuration.outgoing)} Learners:{_list(configuration.learners)}"
        f" LearnersNext:{_list(configuration.learners_next)}"
        f" AutoLeave:{str(configuration.auto_leave).lower()}"
    )


def type_of(message: Message) -> str:
    match message:
        case VoteRequest():
            return "MsgPreVote" if message.is_pre_vote else "MsgVote"
        case VoteReply():
            return "MsgPreVoteResp" if message.is_pre_vote else "MsgVoteResp"
        case AppendEntries():
            return "MsgApp"
        case AppendReply():
            return "MsgAppResp"
        case Heartbeat():
            return "MsgHeartbeat"
        case HeartbeatReply():
            return "MsgHeartbeatResp"
        case SnapshotOffer():
            return "MsgSnap"
        case TimeoutNow():
            return "MsgTimeoutNow"


def message_text(message: Message) -> str:
    head = f"{message.sender}->{message.receiver} {type_of(message)} Term:{message.term} Log:"
    match message:
        case VoteRequest():
            return f"{head}{message.last_term}/{message.last_index}"
        case VoteReply():
            return f"{head}0/0" + ("" if message.granted else " Rejected (Hint: 0)")
        case AppendEntries():
            commit = f" Commit:{message.committed}" if message.committed else ""
            position = f"{message.previous_term}/{message.previous_index}"
            return f"{head}{position}{commit}{entries_text(message.entries)}"
        case AppendReply():
            rejection = f" Rejected (Hint: {message.hint_index})" if message.rejected else ""
            return f"{head}{message.hint_term}/{message.index}{rejection}"
        case Heartbeat():
            return f"{head}0/0" + (f" Commit:{message.committed}" if message.committed else "")
        case SnapshotOffer():
            snapshot = snapshot_text(message.index, message.index_term, message.configuration)
            return f"{head}0/0\n  Snapshot: {snapshot}"
        case HeartbeatReply() | TimeoutNow():
            return f"{head}0/0"


def indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def _group(members: tuple[int, ...]) -> str:
    return f"({' '.join(map(str, members))})"


def _list(members: tuple[int, ...]) -> str:
    return f"[{' '.join(map(str, members))}]"
