"""What a leader knows of one member's log, and how fast it may send to it."""

from collections import deque
from enum import Enum
from typing import final


class ProgressState(Enum):
    PROBE = "probe"
    """Where the logs part is unknown: one append at a time."""
    REPLICATE = "replicate"
    """Known: appends leave without waiting for the replies to earlier ones."""
    SNAPSHOT = "snapshot"
    """The entries it needs are gone: nothing is sent until a snapshot is in place there."""


@final
class Inflights:
    """Appends that were sent and not yet answered, bounded by number and by bytes."""

    __slots__ = ("_bytes", "_bytes_max", "_messages", "_messages_max")

    def __init__(self, messages_max: int, bytes_max: int) -> None:
        self._messages_max = messages_max
        self._bytes_max = bytes_max
        self._messages: deque[tuple[int, int]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def full(self) -> bool:
        """The last message may go beyond the bytes: a single one may be larger than the bound."""
        return len(self._messages) >= self._messages_max or self._bytes >= self._bytes_max

    def add(self, last_index: int, size: int) -> None:
        self._messages.append((last_index, size))
        self._bytes += size

    def free_to(self, index: int) -> None:
        """The member has everything up to `index`."""
        messages = self._messages
        while messages and messages[0][0] <= index:
            self._bytes -= messages.popleft()[1]

    def clear(self) -> None:
        self._messages.clear()
        self._bytes = 0


@final
class Progress:
    """One member as its leader sees it.

    `match` is what its log is known to share with the leader's, on disk; `next` the entry to send next.
    `counted` is what of `match` counts towards a commit: nothing while the member says it is damaged.
    """

    __slots__ = (
        "active",
        "appended",
        "confirmed_round",
        "counted",
        "damaged",
        "inflights",
        "is_learner",
        "match",
        "member",
        "next",
        "offered_ticks",
        "paused",
        "pending_snapshot",
        "sent_commit",
        "state",
        "trails",
    )

    def __init__(self, member: int, next_index: int, inflights: Inflights) -> None:
        self.member = member
        self.next = next_index
        self.inflights = inflights
        self.state = ProgressState.PROBE
        self.match = 0
        self.counted = 0
        self.damaged = False
        self.is_learner = False
        self.active = False
        self.appended = False
        """Entries were sent to it since the last heartbeat was due."""
        self.paused = False
        self.pending_snapshot = 0
        self.offered_ticks = 0
        self.sent_commit = 0
        self.confirmed_round = 0
        self.trails = False
        """It is sent new entries only when that is asked for."""

    @property
    def is_paused(self) -> bool:
        """No append may be sent now."""
        return self.paused or self.state is ProgressState.SNAPSHOT

    def probe(self) -> None:
        if self.state is ProgressState.SNAPSHOT:
            # It is there or failed; either way the next append tells.
            self.next = max(self.match, self.pending_snapshot) + 1
        else:
            self.next = self.match + 1
        self._enter(ProgressState.PROBE)
        self.sent_commit = min(self.sent_commit, self.next - 1)

    def replicate(self) -> None:
        self._enter(ProgressState.REPLICATE)
        self.next = self.match + 1

    def await_snapshot(self, index: int) -> None:
        self._enter(ProgressState.SNAPSHOT)
        self.pending_snapshot = index
        self.next = index + 1
        self.sent_commit = index

    def advance(self, match: int) -> bool:
        """The member has more than was known."""
        if match <= self.match:
            return False
        self.match = match
        if not self.damaged:
            self.counted = match
        self.next = max(self.next, match + 1)
        self.paused = False
        return True

    def step_back(self, rejected: int, hint: int) -> bool:
        """The member has no entry `rejected` like the leader's; false if that is old news."""
        if self.state is ProgressState.REPLICATE:
            if rejected <= self.match:
                return False
            self.next = self.match + 1
        else:
            if self.next - 1 != rejected:
                return False
            self.next = max(min(rejected, hint + 1), self.match + 1)
            self.paused = False
        self.sent_commit = min(self.sent_commit, self.next - 1)
        return True

    def sent(self, entries: int, size: int, committed: int) -> None:
        """An append left. Probes, and what fills the window, wait for an answer."""
        if self.state is ProgressState.REPLICATE:
            if entries:
                self.next += entries
                self.inflights.add(self.next - 1, size)
            self.paused = self.inflights.full
        elif entries:
            self.paused = True
        self.sent_commit = committed

    def lacks_commit(self, committed: int) -> bool:
        """It may not know yet what is committed, and an append could tell it something new."""
        return committed > self.sent_commit and self.sent_commit < self.next - 1

    def lose(self, last_index: int) -> None:
        """The member says it has lost entries that it once had: nothing is known of its log any more."""
        self.damaged = True
        self.match = self.counted = self.confirmed_round = 0
        self._enter(ProgressState.PROBE)
        self.next = last_index + 1
        self.sent_commit = 0

    def recover(self) -> None:
        """The member has again all that it ever claimed."""
        self.damaged = False
        self.counted = self.match

    def _enter(self, state: ProgressState) -> None:
        self.state = state
        self.paused = False
        self.pending_snapshot = 0
        self.offered_ticks = 0
        self.inflights.clear()
