"""What stands in for a process's asyncio loop: asyncio's futures and the gateway's coroutines run on it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, cast, final

from tests.simulation.world import Life, Violation, World

_HARMLESS = ("never retrieved", "destroyed but")


@final
class _Loop:
    """The little of a loop that futures, timers and sleeping need. Nothing turns it but the world."""

    def __init__(self, world: World, life: Life, clock: Callable[[], float], rate: float) -> None:
        self._world = world
        self._life = life
        self._clock = clock
        self._rate = rate
        self._as_loop = cast(asyncio.AbstractEventLoop, self)

    def time(self) -> float:
        return self._clock()

    def call_soon(
        self, callback: Callable[..., Any], *arguments: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, arguments, self._as_loop, context)
        self._world.at(self._world.now, self._life, self._run, handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., Any], *arguments: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.time() + delay, callback, arguments, self._as_loop, context)
        self._world.after(delay / self._rate, self._life, self._run, handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[..., Any], *arguments: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_later(max(when - self.time(), 0), callback, *arguments, context=context)

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self._as_loop)

    def get_debug(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody waits for any more says so when it is collected; anything else is a bug."""
        message = str(context.get("message", ""))
        if not any(text in message for text in _HARMLESS):
            raise Violation(f"{self._life.name}: {message}: {context.get('exception')!r}")

    def _run(self, handle: asyncio.Handle) -> None:
        if not handle.cancelled():
            handle._run()  # pyright: ignore[reportPrivateUsage]  as every loop does

    def _timer_handle_cancelled(  # pyright: ignore[reportUnusedFunction]  asyncio calls it
        self, handle: asyncio.TimerHandle
    ) -> None:
        """It will be skipped."""


def simulated_loop(
    world: World, life: Life, clock: Callable[[], float], rate: float
) -> asyncio.AbstractEventLoop:
    """A loop as far as the code that runs here asks for one."""
    return cast(asyncio.AbstractEventLoop, _Loop(world, life, clock, rate))


@final
class Driven:
    """A coroutine at work, without a task: it can be ended at once, as its process can."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], ended: Callable[["Driven"], None]) -> None:
        self._coroutine = coroutine
        self._ended = ended

    def go_on(self, _: object = None) -> None:
        try:
            waits_for = self._coroutine.send(None)
        except StopIteration:
            self._ended(self)
            return
        assert isinstance(waits_for, asyncio.Future), f"{self._coroutine} waits for {waits_for}"
        waits_for.add_done_callback(self.go_on)  # pyright: ignore[reportUnknownMemberType]

    def close(self) -> None:
        self._coroutine.close()
