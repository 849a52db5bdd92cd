"""Time and turns of the event loop, as actors see them: small interfaces, so that a simulator can be both."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol, final


class Clock(Protocol):
    def wall_ms(self) -> int:
        """Epoch milliseconds. May jump either way."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start."""
        ...


class Timer(Protocol):
    def cancel(self) -> None: ...


class Scheduler(Protocol):
    """Runs callbacks one after the other, never at the same time."""

    def call_soon(self, callback: Callable[..., Any], *arguments: Any) -> object: ...

    def call_later(self, delay: float, callback: Callable[..., Any], *arguments: Any) -> Timer: ...

    def post(self, callback: Callable[[], None]) -> None:
        """The same as `call_soon`, from any thread."""

    def run_blocking(
        self, work: Callable[[], Any], then: Callable[[Any, BaseException | None], None]
    ) -> None:
        """Do work that blocks aside, and tell its result or its exception back here."""


@final
class SystemClock:
    """The clocks of this machine."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


@final
class LoopScheduler:
    """The running asyncio loop. Blocking work goes to the loop's own threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.call_soon = loop.call_soon
        self.call_later = loop.call_later

    def post(self, callback: Callable[[], None]) -> None:
        """A loop that is closed already takes nothing any more: the node has stopped."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback)

    def run_blocking(
        self, work: Callable[[], Any], then: Callable[[Any, BaseException | None], None]
    ) -> None:
        def done(future: asyncio.Future[Any]) -> None:
            if not future.cancelled():
                error = future.exception()
                then(None if error else future.result(), error)

        self._loop.run_in_executor(None, work).add_done_callback(done)


@final
class LogClock:
    """Log time: starts from what the log says, follows the monotonic clock, never goes back, and is drawn
    slowly to the wall clock, so that a jump of the latter neither fires every timer nor stops them all.

    `offset_ms` says how far the median of the cluster's wall clocks is ahead of the one here.
    """

    _DRAW = 0.1

    def __init__(self, clock: Clock, last_time_ms: int, offset_ms: Callable[[], int] = lambda: 0) -> None:
        self._clock = clock
        self._offset_ms = offset_ms
        self._at = clock.monotonic()
        self._now = float(max(last_time_ms, clock.wall_ms() + offset_ms()))
        self._last = int(self._now)

    def now_ms(self) -> int:
        at = self._clock.monotonic()
        passed = (at - self._at) * 1000
        self._at = at
        behind = self._clock.wall_ms() + self._offset_ms() - (self._now + passed)
        draw = self._DRAW * passed
        self._now += passed + max(-draw, min(draw, behind))
        self._last = max(self._last, int(self._now))
        return self._last
