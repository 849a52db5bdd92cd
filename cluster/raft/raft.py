"""Raft as a state machine without I/O: `step`, `tick` and `propose` go in, `ready` comes out.

In the manner of etcd/raft with asynchronous storage writes: the leader counts itself towards a commit only
when the disk has reported its entries (`persisted`), and a candidate its own vote likewise.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, final

from bpmnd.cluster.raft.messages import Entry, EntryKind, HardState, Message, Ready, VoteReply, VoteRequest

_NOBODY: Final = 0


class Role(Enum):
    FOLLOWER = auto()
    CANDIDATE = auto()
    LEADER = auto()


@final
class Raft:
    """One member of one group. `tick` is called at a steady pace; all time here is counted in ticks.

    A group of one voter elects itself at the first tick; elections and replication among several come with
    `VoteRequest` and its kin, through this same interface.
    """

    def __init__(
        self,
        member: int,
        voters: Sequence[int],
        *,
        hard_state: HardState,
        last_index: int,
        last_term: int,
        committed: int = 0,
    ) -> None:
        assert tuple(voters) == (member,), f"{voters}: groups of several voters come with the cluster"
        self.member = member
        self.role = Role.FOLLOWER
        self.term = hard_state.term
        self.vote = hard_state.vote
        self.last_index = last_index
        self.last_term = last_term
        self.committed = committed
        self.leader = _NOBODY
        self._term_start = 0
        self._stable = last_index
        self._persisted_state = hard_state
        self._offered_state = hard_state
        self._unstable: list[Entry] = []

    @property
    def leads(self) -> bool:
        """This member leads, and an entry of its own term is committed: it may answer (Raft, §8)."""
        return self.role is Role.LEADER and self.committed >= self._term_start

    def tick(self) -> None:
        """Time passes. Without a leader in sight, stand for election."""
        if self.role is Role.FOLLOWER:
            self._campaign()

    def step(self, message: Message) -> None:
        """Take in one message. What follows from it waits in `ready`."""
        match message:
            case VoteRequest() | VoteReply():
                pass  # From a stranger: a group of one voter has nobody to hear from.

    def propose(self, payload: bytes, kind: EntryKind = EntryKind.COMMAND) -> int:
        """Append an entry as the leader; its index."""
        assert self.role is Role.LEADER, f"member {self.member} is {self.role} and cannot propose"
        self.last_index += 1
        self.last_term = self.term
        self._unstable.append(Entry(self.last_index, self.term, kind, payload))
        return self.last_index

    def ready(self) -> Ready:
        """What is to be done since the last call. Entries are handed out once."""
        entries, self._unstable = tuple(self._unstable), []
        state = HardState(self.term, self.vote)
        changed = state if state != self._offered_state else None
        self._offered_state = state
        return Ready(changed, entries, (), self.committed)

    def persisted(self, index: int, term: int, hard_state: HardState | None) -> None:
        """The disk has all entries up to `index`, whose last is of `term`, and the hard state if given."""
        if hard_state is not None:
            self._persisted_state = hard_state
            if self.role is Role.CANDIDATE and hard_state == HardState(self.term, self.member):
                self._become_leader()
        if index > self._stable:
            assert index <= self.last_index, f"the disk has {index}, the log ends at {self.last_index}"
            self._stable = index
        # Only entries of the own term are committed by counting (Raft, §5.4.2); earlier ones go with them.
        if self.role is Role.LEADER and term == self.term and self._stable > self.committed:
            self.committed = self._stable

    def step_down(self) -> None:
        """Give up leadership for good: the memory above is no longer to be trusted."""
        self.role = Role.FOLLOWER
        self.leader = _NOBODY

    def _campaign(self) -> None:
        self.role = Role.CANDIDATE
        self.term += 1
        self.vote = self.member

    def _become_leader(self) -> None:
        self.role = Role.LEADER
        self.leader = self.member
        self._term_start = self.propose(b"", EntryKind.NOOP)
