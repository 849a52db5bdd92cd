"""Time, turns and chance of a simulated cluster: one queue of events, one seed, a trace of all that ran."""

import asyncio
import hashlib
import heapq
import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, Protocol, final

_TURN: Final = "Actor._tick"


class Violation(Exception):  # noqa: N818  says what was found
    """Something that must never be."""


class Injected(Exception):  # noqa: N818  says what it is
    """A failure that the simulator itself has caused; also as the cause of others."""


class Life(Protocol):
    """Whose events they are. What is dead gets none any more, what is paused gets them later."""

    @property
    def name(self) -> str: ...

    @property
    def alive(self) -> bool: ...

    @property
    def paused_until(self) -> float: ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    def raised(self, error: Exception) -> None:
        """One of its events raised."""

    def ran(self) -> None:
        """A turn of one of its actors is over."""


@final
class Event:
    """A callback at its moment. Also the timer that its owner may cancel."""

    __slots__ = ("arguments", "callback", "cancelled", "life")

    def __init__(self, life: Life | None, callback: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.life = life
        self.callback = callback
        self.arguments = arguments
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


@final
class World:
    """The scheduler of everything. The same seed gives the same events in the same order."""

    def __init__(self, seed: int, *, verbose: bool = False) -> None:
        self.seed: Final = seed
        self.chance: Final = random.Random(seed)
        self.now = 0.0
        self.events = 0
        self.faults: Counter[str] = Counter()
        self.verbose = verbose
        self._queue: list[tuple[float, int, Event]] = []
        self._count = 0
        self._digest = hashlib.blake2b(digest_size=16)

    # Chance

    def below(self, limit: int) -> int:
        return self.chance.randrange(limit)

    def happens(self, probability: float) -> bool:
        return self.chance.random() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.chance.random()

    def latency(self, typical: float) -> float:
        """Mostly about `typical` seconds, now and then far more."""
        spread = self.chance.random()
        if spread < 0.02:
            return typical * 40 * self.chance.random()
        return typical * (0.25 + 1.5 * spread)

    # Turns

    def at(self, moment: float, life: Life | None, callback: Callable[..., Any], *arguments: Any) -> Event:
        event = Event(life, callback, arguments)
        self._count += 1
        heapq.heappush(self._queue, (max(moment, self.now), self._count, event))
        return event

    def after(self, delay: float, life: Life | None, callback: Callable[..., Any], *arguments: Any) -> Event:
        return self.at(self.now + delay, life, callback, *arguments)

    def run_until(self, moment: float, done: Callable[[], bool] = lambda: False) -> bool:
        """Run what comes up to a moment; true if `done` held before."""
        queue = self._queue
        running = asyncio._get_running_loop()  # pyright: ignore[reportPrivateUsage]  a test's own loop
        try:
            while queue and queue[0][0] <= moment:
                self._step()
                if self.events & 63 == 0 and done():
                    return True
        finally:
            asyncio._set_running_loop(running)  # pyright: ignore[reportPrivateUsage]
        self.now = max(self.now, moment)
        return done()

    def _step(self) -> None:
        moment, _, event = heapq.heappop(self._queue)
        if event.cancelled:
            return
        life = event.life
        if life is not None:
            if not life.alive:
                return
            if life.paused_until > moment:
                self._count += 1
                heapq.heappush(self._queue, (life.paused_until, self._count, event))
                return
        self.now = moment
        self.events += 1
        callback = event.callback
        name = getattr(callback, "__qualname__", type(callback).__name__)
        self.note(life.name if life is not None else "world", name)
        asyncio._set_running_loop(  # pyright: ignore[reportPrivateUsage]
            life.loop if life is not None else None
        )
        try:
            callback(*event.arguments)
        except Violation:
            raise
        except Exception as error:
            if life is None:
                raise
            life.raised(error)
        if life is not None and name == _TURN and life.alive:
            life.ran()

    # Trace

    def note(self, who: str, what: str) -> None:
        """A line of the trace."""
        line = f"{self.now:.6f} {who} {what}\n"
        self._digest.update(line.encode())
        if self.verbose:
            print(line, end="")

    def trace_bytes(self, data: bytes) -> None:
        """Bytes that went somewhere: they belong to the trace, but to no line of it."""
        self._digest.update(data)

    def fault(self, kind: str, who: str = "") -> None:
        self.faults[kind] += 1
        self.note(who or "world", f"FAULT {kind}")

    @property
    def digest(self) -> str:
        """Of all that has happened."""
        return self._digest.hexdigest()
