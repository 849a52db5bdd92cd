"""What Raft peers say to each other, what goes to the disk, and what comes out of `ready`."""

from dataclasses import dataclass
from enum import IntEnum


class EntryKind(IntEnum):
    """Part of the log's format: never renumbered."""

    NOOP = 0
    """The first entry of every leader: it commits what earlier leaders left uncommitted (Raft, §5.4.2)."""
    COMMAND = 1
    """A frame of the partition."""
    CONFIGURATION = 2
    """A change of the members."""


@dataclass(frozen=True, slots=True)
class Entry:
    index: int
    term: int
    kind: EntryKind
    payload: bytes


@dataclass(frozen=True, slots=True)
class HardState:
    """What must be on disk before a peer speaks of it (Raft, figure 2). `vote` 0 stands for nobody."""

    term: int
    vote: int


@dataclass(frozen=True, slots=True)
class VoteRequest:
    term: int
    sender: int
    last_index: int
    last_term: int


@dataclass(frozen=True, slots=True)
class VoteReply:
    term: int
    sender: int
    granted: bool


Message = VoteRequest | VoteReply


@dataclass(frozen=True, slots=True)
class Ready:
    """What has to be done now, in this order: persist, send, release.

    `hard_state` and `entries` go to the disk in one write; `messages` may leave beside that write, except
    that votes and terms in them wait for it. `committed` is the index up to which entries stand for good.
    """

    hard_state: HardState | None
    entries: tuple[Entry, ...]
    messages: tuple[tuple[int, Message], ...]
    committed: int
