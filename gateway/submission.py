"""Handing commands in, and waiting for their outcomes no longer than is sensible."""

import asyncio
from collections.abc import Callable
from typing import Final, final

from bpmnd.actors.errors import NoLeader, OutcomeUnknown, Unavailable
from bpmnd.bpmn.commands import ClientCommand, DoOnce
from bpmnd.bpmn.outcomes import Outcome
from bpmnd.gateway.ports import Partition

COMMAND_TIMEOUT_S: Final = 15.0
LEADER_WAIT_S: Final = 5.0
_PAUSE_S: Final = 0.02
_PAUSE_S_MAX: Final = 0.2
_SWEEP_S: Final = 1.0
_MAY_REPEAT: Final[tuple[type[Unavailable], ...]] = (NoLeader,)
_MAY_REPEAT_WITH_ID: Final[tuple[type[Unavailable], ...]] = (NoLeader, OutcomeUnknown)
_ALWAYS: Final[tuple[type[Unavailable], ...]] = (Unavailable,)


class NoAnswerInTime(Exception):  # noqa: N818  says what happened
    """The partition did not say in time what became of a command: it may or may not have taken effect."""


@final
class Submissions:
    """The commands under way. All wait equally long, so one sweep a second from the oldest on is enough.

    A time-out of its own for each would cost 4 µs; this costs 0.2.
    """

    def __init__(
        self,
        timeout_s: float = COMMAND_TIMEOUT_S,
        sweep_s: float = _SWEEP_S,
        leader_wait_s: float = LEADER_WAIT_S,
    ) -> None:
        self._timeout_s = timeout_s
        self._leader_wait_s = leader_wait_s
        self._sweep_s = sweep_s
        self._since: dict[asyncio.Future[Outcome], float] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    async def outcome_of(
        self,
        command: ClientCommand,
        partition: Partition,
        elsewhere: Callable[[], Partition] | None = None,
    ) -> Outcome:
        """Submit the command and wait; raises `NoAnswerInTime` when that takes too long.

        While the partition has no leader, which takes some moments when one goes, the command is handed in
        again, to what `elsewhere` chooses if it may go anywhere. What may have been done is never sent twice,
        unless the command has an id: then the next leader knows whether it was done.
        """
        may_repeat = _MAY_REPEAT_WITH_ID if type(command) is DoOnce else _MAY_REPEAT
        failure: Unavailable
        try:
            return await self._once(command, partition)
        except may_repeat as error:
            failure = error
        loop = asyncio.get_running_loop()
        since = loop.time()
        deadline = since + self._leader_wait_s
        pause = _PAUSE_S
        while loop.time() + pause < deadline:
            if isinstance(failure, OutcomeUnknown):
                may_repeat = _ALWAYS  # Who refuses now has not said that nothing was done.
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_S_MAX)
            try:
                return await self._once(command, partition if elsewhere is None else elsewhere())
            except may_repeat as error:
                if isinstance(error, OutcomeUnknown):  # That was a leader: now we wait for the next one.
                    deadline = min(loop.time() + self._leader_wait_s, since + self._timeout_s)
                    failure = error
                elif not isinstance(failure, OutcomeUnknown):
                    failure = error
        raise failure

    async def _once(self, command: ClientCommand, partition: Partition) -> Outcome:
        loop = asyncio.get_running_loop()
        future = partition.submit(command)
        self._since[future] = loop.time()
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._sweep_s, self._sweep, loop)
        try:
            return await future
        finally:
            del self._since[future]

    def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        overdue = loop.time() - self._timeout_s
        for future, since in self._since.items():
            if since > overdue:
                break
            if not future.done():
                future.set_exception(NoAnswerInTime())
        self._sweeper = loop.call_later(self._sweep_s, self._sweep, loop) if self._since else None
