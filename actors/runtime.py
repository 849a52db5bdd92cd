"""The actor runtime: one owner for each piece of state, a bounded mailbox in lanes, one tick at a time.

A tick drains the lanes in their order of precedence: `receive` is called for each message, then `settle`
once. Neither awaits, so no state can be seen half-way. What is full refuses at once.
"""

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, final

from bpmnd.actors.clock import Clock, Scheduler

M = TypeVar("M")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """How much a lane holds, in messages and in the bytes that they stand for."""

    messages_max: int
    bytes_max: int


@final
class Lane(Generic[M]):
    """One queue of a mailbox."""

    __slots__ = ("_limits", "messages", "size")

    def __init__(self, limits: LaneLimits) -> None:
        self._limits = limits
        self.messages: deque[tuple[M, int]] = deque()
        self.size = 0

    def put(self, message: M, size: int) -> bool:
        """False if the lane is full: the message was not taken."""
        limits = self._limits
        if len(self.messages) >= limits.messages_max or self.size + size > limits.bytes_max:
            return False
        self.messages.append((message, size))
        self.size += size
        return True

    def take(self) -> M:
        message, size = self.messages.popleft()
        self.size -= size
        return message


@final
class TickMetrics:
    """What the runtime counts for each actor; read when metrics are scraped."""

    __slots__ = ("longest_seconds", "messages", "seconds", "ticks")

    def __init__(self) -> None:
        self.ticks = 0
        self.messages = 0
        self.seconds = 0.0
        self.longest_seconds = 0.0


class Actor(ABC, Generic[M]):
    """State with one owner. Subclasses say what a message does; others only `tell`.

    If `receive` or `settle` raises, the actor is dead: it takes no further message, and its supervisor
    hears of it.
    """

    messages_per_tick_max = 512
    seconds_per_tick_max = 0.001

    def __init__(self, name: str, scheduler: Scheduler, clock: Clock, lanes: Sequence[LaneLimits]) -> None:
        self.name = name
        self.scheduler = scheduler
        self.clock = clock
        self.metrics = TickMetrics()
        self._lanes: Final = tuple(Lane[M](limits) for limits in lanes)
        self._scheduled = False
        self._stopped = False
        self._on_failure: Callable[[Exception], None] | None = None

    def supervise(self, on_failure: Callable[[Exception], None]) -> None:
        """Whom to tell when this actor dies."""
        self._on_failure = on_failure

    def tell(self, message: M, *, lane: int = 0, size: int = 0) -> bool:
        """Put a message into a lane. False if it was not taken: the lane is full, or the actor gone."""
        if self._stopped or not self._lanes[lane].put(message, size):
            return False
        if not self._scheduled and self.accepts(lane) and self.is_urgent(message):
            self._scheduled = True
            self.scheduler.call_soon(self._tick)
        return True

    def receive_now(self, message: M) -> None:
        """Receive a message between two ticks, before all that waits, and settle nothing: for what makes
        little to do, and seldom comes together with others."""
        if self._stopped:
            return
        try:
            self.receive(message)
        except Exception as error:  # As in a tick.
            self._fail(error)

    def wake(self) -> None:
        """Have a tick soon, with or without messages."""
        if not self._scheduled and not self._stopped:
            self._scheduled = True
            self.scheduler.call_soon(self._tick)

    def stop(self) -> None:
        """Take no further message. What waits is dropped with `dropped`."""
        if self._stopped:
            return
        self._stopped = True
        for lane in self._lanes:
            while lane.messages:
                self.dropped(lane.take())

    @property
    def stopped(self) -> bool:
        return self._stopped

    def queued(self) -> list[int]:
        """Messages that wait, a number for each lane."""
        return [len(lane.messages) for lane in self._lanes]

    @abstractmethod
    def receive(self, message: M) -> None:
        """Take in one message."""

    @abstractmethod
    def settle(self) -> None:
        """Bring what the tick made to an end: once, after its last message."""

    def accepts(self, lane: int) -> bool:
        """Whether messages of the lane may be taken out now; what may not stays queued. It is asked for each
        message that is told and after each tick; if anything else makes it true again, that has to `wake`.
        """
        return True

    @property
    def has_enough(self) -> bool:
        """Whether the tick has taken as much as may be settled at once."""
        return False

    def is_urgent(self, message: M) -> bool:
        """Whether a message needs a tick of its own if none is to come; else it waits for the next one."""
        return True

    def dropped(self, message: M) -> None:
        """A message that will never be received."""

    def _tick(self) -> None:
        self._scheduled = False
        if self._stopped:
            return
        started = self.clock.monotonic()
        try:
            received = self._drain(started)
            self.settle()
        except Exception as error:  # The one who fails is told apart by its supervisor; nobody carries on.
            self._fail(error)
            return
        took = self.clock.monotonic() - started
        metrics = self.metrics
        metrics.ticks += 1
        metrics.messages += received
        metrics.seconds += took
        metrics.longest_seconds = max(metrics.longest_seconds, took)
        if any(lane.messages and self.accepts(number) for number, lane in enumerate(self._lanes)):
            self.wake()

    def _drain(self, started: float) -> int:
        """Receive what is there, up to the bounds of a tick; a look at the clock every 16 messages."""
        received = 0
        monotonic, receive = self.clock.monotonic, self.receive
        for number, lane in enumerate(self._lanes):
            messages = lane.messages
            if not messages or not self.accepts(number):
                continue
            while messages and not self.has_enough:
                receive(lane.take())
                received += 1
                if received >= self.messages_per_tick_max:
                    return received
                if received & 15 == 0 and monotonic() - started > self.seconds_per_tick_max:
                    return received
        return received

    def _fail(self, error: Exception) -> None:
        _logger.error("actor %s died", self.name, exc_info=error)
        self.stop()
        if self._on_failure is not None:
            self._on_failure(error)
