"""When a partition's actor is to be woken, although nobody sends it anything."""

from collections.abc import Callable
from typing import Final, final

from bpmnd.actors.clock import Clock, Scheduler, Timer
from bpmnd.actors.ticking import until_next_tick

_RESEND_SECONDS: Final = 1.0
_DUE_MS_MAX: Final = 3_600_000


@final
class Alarms:
    """Raft's pace, the next moment at which something falls due, and when to send again.

    `tick`, `resend` and `wake` are called at these times, from `start` on until `stop`.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        clock: Clock,
        member: int,
        tick: Callable[[], object],
        resend: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._member = member
        self._tell_tick = tick
        self._tell_resend = resend
        self._wake = wake
        self._due_at = 0
        self._due: Timer | None = None
        self._others: dict[str, Timer] = {}
        self._stopped = False

    def start(self) -> None:
        self._tick()
        self._resend()

    def stop(self) -> None:
        self._stopped = True
        if self._due is not None:
            self._due.cancel()
        for timer in self._others.values():
            timer.cancel()

    def at_due(self, due: int, now: int) -> None:
        """Wake when log time, now `now`, comes to `due`, epoch milliseconds; earlier if asked for."""
        if self._due is not None:
            if due >= self._due_at:
                return
            self._due.cancel()
        self._due_at = due
        delay = min(max(due - now, 1), _DUE_MS_MAX) / 1000
        self._due = self._scheduler.call_later(delay, self._due_came)

    def once(self, name: str, seconds: float, then: Callable[[], object]) -> None:
        """Call once after so many seconds. What has the same name and comes later counts instead."""
        before = self._others.get(name)
        if before is not None:
            before.cancel()
        self._others[name] = self._scheduler.call_later(seconds, then)

    def _due_came(self) -> None:
        self._due = None
        self._wake()

    def _tick(self) -> None:
        self._tell_tick()
        if self._stopped:
            return
        delay = until_next_tick(self._clock.monotonic(), self._member)
        self._others["tick"] = self._scheduler.call_later(delay, self._tick)

    def _resend(self) -> None:
        self._tell_resend()
        if self._stopped:
            return
        self._others["resend"] = self._scheduler.call_later(_RESEND_SECONDS, self._resend)
