"""What the members of a group say to each other, what goes to the disk, and what comes out of `ready`.

`Message` is a closed union with short tags, so that `msgspec.msgpack` encodes and decodes it as it is. Tags
and the order of fields are what nodes of different versions agree on: fields are only ever added at the end,
with a default.
"""

from enum import IntEnum

import msgspec

from bpmnd.cluster.raft.configuration import Configuration


class EntryKind(IntEnum):
    """Part of the log's format: never renumbered."""

    NOOP = 0
    """The first entry of every leader: it commits what earlier leaders left uncommitted (Raft, §5.4.2)."""
    COMMAND = 1
    """A frame of the partition."""
    CONFIGURATION = 2
    """A `ConfigurationChange`."""


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    index: int
    term: int
    kind: EntryKind
    payload: bytes


class EntryId(msgspec.Struct, frozen=True, gc=False, array_like=True, order=True):
    """Where a log ends. Ordered as Raft compares logs: the later term wins, then the longer log (§5.4.1)."""

    term: int
    index: int


class HardState(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What must be on disk before a member speaks of it (Raft, figure 2). `vote` 0 stands for nobody."""

    term: int
    vote: int


class VoteRequest(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=1):
    term: int
    sender: int
    receiver: int
    last_index: int
    last_term: int
    is_pre_vote: bool = False
    """Only asks whether an election could be won; `term` is the one the sender would stand in."""
    by_transfer: bool = False
    """The leader itself wants it: no reason to protect the leader from it."""


class VoteReply(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=2):
    term: int
    sender: int
    receiver: int
    granted: bool
    is_pre_vote: bool = False
    committed_index: int = 0
    committed_term: int = 0
    """What the voter knows to be committed. Without it, a candidate that has not heard of the commit of a
    change would go on asking members for votes that are in the group no more."""


class AppendEntries(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=3):
    term: int
    sender: int
    receiver: int
    previous_index: int
    previous_term: int
    committed: int
    entries: tuple[Entry, ...] = ()


class AppendReply(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=4):
    """`index` is what the follower's log is known to match up to, or what it rejected."""

    term: int
    sender: int
    receiver: int
    index: int
    rejected: bool = False
    hint_index: int = 0
    """Where the leader should look next: the follower's log cannot match it between here and `index`."""
    hint_term: int = 0
    damaged: bool = False
    """The sender's log does not yet reach what it once claimed to have: it does not count."""


class Heartbeat(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=5):
    term: int
    sender: int
    receiver: int
    committed: int
    round: int = 0
    """Of confirming leadership for reads; 0 when nobody reads."""


class HeartbeatReply(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=6):
    term: int
    sender: int
    receiver: int
    round: int = 0
    damaged: bool = False


class SnapshotOffer(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=7):
    """The log begins too late for the receiver. Whoever accepts fetches the data out of band."""

    term: int
    sender: int
    receiver: int
    index: int
    index_term: int
    configuration: Configuration


class TimeoutNow(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=8):
    """The leader hands over: campaign at once."""

    term: int
    sender: int
    receiver: int


Message = (
    VoteRequest
    | VoteReply
    | AppendEntries
    | AppendReply
    | Heartbeat
    | HeartbeatReply
    | SnapshotOffer
    | TimeoutNow
)


def speaks_as_leader(message: Message) -> bool:
    """Only leaders say such a thing, in their own term."""
    return isinstance(message, (AppendEntries, Heartbeat, SnapshotOffer))


class Ready(msgspec.Struct, frozen=True, gc=False):
    """What has to be done now.

    Persist `hard_state`, then `entries`; if the log goes on beyond `entries[0].index - 1`, it is first cut
    there. `messages` leave now, beside the write. `after_append` leave only when this write and those of all
    earlier Readys are on disk. Then call `persisted(number)`, where there was something to persist.
    """

    number: int
    hard_state: HardState | None
    entries: tuple[Entry, ...]
    messages: tuple[Message, ...]
    after_append: tuple[Message, ...]
    committed: int
    """The index up to which entries stand for good; they need not be on this member's disk yet."""
    reads: tuple[tuple[int, int], ...]
    """(context, index): this member led when the read was asked for, and a state that includes `index` is
    fresh enough for it."""
    snapshot: SnapshotOffer | None
    """Fetch and install this, then call `installed`; or `abandon_snapshot`."""

    @property
    def must_persist(self) -> bool:
        return self.hard_state is not None or bool(self.entries)
