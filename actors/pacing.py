"""When a leader makes its next frame: at once while little is to do, of as much as pays while there is more.

A frame costs each replica a message, a write and a sync, whatever is in it. Where commands come one by one,
each is its own frame and waits for nobody. Where many come, those that wait for the commit of the frame
before share the next one, and in a replicated partition it also waits for what those who are answered by that
commit send next: in proportion to how long commits take, for what makes them slow is mostly that much is to
do. It does not wait once enough has come that more would not make it cheaper, nor when somebody asks for jobs
that many have brought about: then all of those wait for this one.
"""

from collections.abc import Callable
from typing import Final, final

from bpmnd.actors.clock import Clock, Scheduler, Timer

UNDER_WAY_MAX: Final = 2
"""Frames: one on its way to a majority of disks, one behind it. More of them would only be smaller."""
SMALL_FRAME: Final = 8
"""Commands. A larger frame shows that many come."""
ENOUGH: Final = 64
"""Commands that make a frame worth its cost."""
GATHER_SECONDS_MIN: Final = 0.002
GATHER_SECONDS_MAX: Final = 0.020
GATHER_COMMITS: Final = 2
"""Gathering takes so many times as long as commits took of late, within these bounds."""
_OLD: Final = 0.8
"""What the commits before count for in that, beside the last one."""
BUSY_SECONDS: Final = 0.05
"""So long after the commit of a larger frame many are expected to come."""


@final
class Pacing:
    """Of one leadership."""

    def __init__(
        self,
        clock: Clock,
        scheduler: Scheduler,
        wake: Callable[[], None],
        small_frame: int = SMALL_FRAME,
    ) -> None:
        self._clock = clock
        self._scheduler = scheduler
        self._wake = wake
        self.small_frame: Final = small_frame
        self._busy_until = 0.0
        self.commit_seconds = 0.0
        """What commits of frames took of late."""
        self._gathering: Timer | None = None

    @property
    def is_busy(self) -> bool:
        """Many commands are expected to come."""
        return bool(self._busy_until) and self._clock.monotonic() < self._busy_until

    def allows(self, under_way: int, commands_before: int, waiting: int) -> bool:
        """Whether commands may be decided now: with so many frames under way, the last one of so many
        commands, and so many that wait."""
        if under_way:
            if under_way >= UNDER_WAY_MAX or commands_before > self.small_frame:
                return False
            return not self.is_busy
        if waiting >= ENOUGH:
            self.hurry()
        return self._gathering is None

    @property
    def is_gathering(self) -> bool:
        return self._gathering is not None

    def hurry(self) -> None:
        """Gather no longer."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    def committed(self, commands: int, seconds: float) -> None:
        """A replicated frame of so many commands stands, so long after it was made."""
        now = self._clock.monotonic()
        self.commit_seconds = _OLD * self.commit_seconds + (1 - _OLD) * seconds
        if commands > self.small_frame:
            self._busy_until = now + BUSY_SECONDS
        if now < self._busy_until and self._gathering is None:
            seconds = min(max(GATHER_SECONDS_MIN, GATHER_COMMITS * self.commit_seconds), GATHER_SECONDS_MAX)
            self._gathering = self._scheduler.call_later(seconds, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        self._wake()
