"""Supervision: an actor that died is made anew from its log, after growing pauses, but not for ever."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

from bpmnd.actors.clock import Clock, Scheduler

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """`failures_max` failures within `window` seconds are too many. Pauses double from `pause` seconds on."""

    failures_max: int = 5
    window: float = 60.0
    pause: float = 0.1


@final
class Supervisor:
    """Restarts one actor. `restart` makes a new one; `give_up` is called once, with the last failure."""

    def __init__(
        self,
        name: str,
        restart: Callable[[], None],
        give_up: Callable[[BaseException], None],
        scheduler: Scheduler,
        clock: Clock,
        policy: RestartPolicy | None = None,
    ) -> None:
        self._name: Final = name
        self._restart = restart
        self._give_up = give_up
        self._scheduler = scheduler
        self._clock = clock
        self._policy = policy or RestartPolicy()
        self._failures: deque[float] = deque()
        self.restarts = 0

    def failed(self, error: BaseException, *, final: bool = False) -> None:
        """The actor died. `final` tells that another try cannot help: the disk is damaged or gone."""
        now = self._clock.monotonic()
        self._failures.append(now)
        while self._failures[0] < now - self._policy.window:
            self._failures.popleft()
        if final or len(self._failures) > self._policy.failures_max:
            _logger.critical("giving up on %s", self._name, exc_info=error)
            self._give_up(error)
            return
        pause = self._policy.pause * 2 ** (len(self._failures) - 1)
        _logger.warning("restarting %s in %.1f s", self._name, pause)
        self.restarts += 1
        self._scheduler.call_later(pause, self._restart)
