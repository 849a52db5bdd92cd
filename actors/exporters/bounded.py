"""Waiting for code of others, which may not listen when it is cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

CANCEL_SECONDS_MAX: Final = 5.0


class StillRunning(BaseException):
    """It was cancelled and goes on: only the end of the process ends it. No `Exception`, so that nobody who
    begins anew after an error takes it for one."""


async def bounded(work: Coroutine[Any, Any, None], seconds_max: float, what: str) -> None:
    """Raises what `work` raises, TimeoutError, or StillRunning."""
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds_max)
    except asyncio.CancelledError:
        await end(task, what)
        raise
    if not done:
        await end(task, what)
        raise TimeoutError(f"{what} took longer than {seconds_max:g} s")
    task.result()


async def end(task: "asyncio.Future[Any]", what: str) -> None:
    """Cancel a task, and wait until it has ended. Raises StillRunning."""
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=CANCEL_SECONDS_MAX)
    if not done:
        raise StillRunning(f"{what} was cancelled and goes on")
    if not task.cancelled():
        task.exception()  # It was asked to end; what it says to that is not of interest.
