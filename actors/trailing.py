"""Which followers a busy leader lets trail, and when those are sent what they lack.

A commit needs a majority and no more. While many commands come, a leader sends each frame at once to as many
followers as make a majority with it; the others get some frames at a time, and so spend one message, one
write and one answer on all of them. What is acknowledged is on as many disks as ever; who trails is some tens
of milliseconds behind. Whenever all were sent the same frame, those who have it first are the ones that have
each frame from then on. When a commit is late, everybody is sent everything for a while.
"""

from collections.abc import Callable
from typing import Final, final

from bpmnd.actors.clock import Clock, Scheduler, Timer
from bpmnd.cluster.raft import Raft, Role

FRAMES_MAX: Final = 4
"""Of this leader that who trails may lack,"""
BYTES_MAX: Final = 256 << 10
"""and the bytes of these."""
LATE_SECONDS_MIN: Final = 0.02
LATE_COMMITS: Final = 4
"""A frame is late when it is not committed after so many times what commits took of late, and that long."""
ALL_SECONDS: Final = 0.25
"""So long nobody trails after a frame was late."""


@final
class Trailing:
    """Of one leadership. `wake` asks for a tick soon, in which what Raft has to send is sent."""

    def __init__(self, raft: Raft, clock: Clock, scheduler: Scheduler, wake: Callable[[], None]) -> None:
        self._raft = raft
        self._clock = clock
        self._scheduler = scheduler
        self._wake = wake
        self._trail: frozenset[int] = frozenset()
        self._frames = 0
        self._bytes = 0
        """That those who trail were not sent."""
        self._all_sent = 0
        """The last frame that was sent to all, if it was not known yet to be committed."""
        self._none_until = 0.0
        self._late_seconds = LATE_SECONDS_MIN
        self._looking: Timer | None = None
        self._seen_last = 0
        """The last frame when it was last looked whether frames are late."""

    def propose(self, payload: bytes, commit_seconds: float | None) -> int:
        """Have a frame replicated; its index. `commit_seconds` is what commits took of late, if many commands
        come; if not, it is sent to everybody."""
        raft = self._raft
        if commit_seconds is None or self._clock.monotonic() < self._none_until:
            self._let_trail(frozenset())
        elif not self._trail:
            self._let_trail(who_may_trail(raft))
        index = raft.propose(payload)
        if self._trail:
            self._late_seconds = max(LATE_SECONDS_MIN, LATE_COMMITS * (commit_seconds or 0.0))
            self._frames += 1
            self._bytes += len(payload)
            if self._frames >= FRAMES_MAX or self._bytes >= BYTES_MAX:
                self._send()
                self._all_sent = index
            if self._looking is None:
                self._look_later()
        return index

    def committed(self, index: int) -> None:
        """The frame stands, and who has it by now is known."""
        if index == self._all_sent and self._trail:
            self._let_trail(who_may_trail(self._raft))

    def close(self) -> None:
        """The leadership is over."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _let_trail(self, members: frozenset[int]) -> None:
        if members != self._trail:
            self._trail = members
            self._frames = self._bytes = 0
            self._raft.let_trail(members)
            self._wake()

    def _send(self) -> None:
        self._frames = self._bytes = 0
        self._raft.send_to_trailing()

    def _look_later(self) -> None:
        self._seen_last = self._raft.last_index
        self._looking = self._scheduler.call_later(self._late_seconds, self._look)

    def _look(self) -> None:
        """See whether a frame is late, or no more frames come."""
        self._looking = None
        raft = self._raft
        if not self._trail or raft.role is not Role.LEADER:
            return  # A leader is none any more when its removal is committed, before anybody calls `close`.
        if raft.committed < self._seen_last:
            self._none_until = self._clock.monotonic() + ALL_SECONDS
            self._let_trail(frozenset())
            return
        if self._frames and raft.last_index == self._seen_last:
            self._send()
            self._wake()
        if self._frames or raft.committed < raft.last_index:
            self._look_later()


def who_may_trail(raft: Raft) -> frozenset[int]:
    """All followers but as many as make a majority with the leader.

    Those are the next ones in a circle of the voters, so that of several groups not all wait for the same
    member; but those who have less than what is committed, and so are slower than others, come last.
    """
    configuration, progress = raft.configuration, raft.progress()
    voters = configuration.voters
    if configuration.is_joint or raft.member not in voters:
        return frozenset()
    own = voters.index(raft.member)
    others = [*voters[own + 1 :], *voters[:own]]
    others.sort(key=lambda member: progress[member].counted < raft.committed)
    return frozenset(others[len(voters) // 2 :])
