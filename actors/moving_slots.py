"""Correlation slots that move between partitions, as far as a node has to see to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

from bpmnd.actors.clock import Scheduler
from bpmnd.actors.partition import PartitionActor
from bpmnd.bpmn.commands import ConfirmSlots
from bpmnd.bpmn.outcomes import Accepted, Outcome

_PAUSE_SECONDS: Final = 0.1


@final
class MovingSlots:
    """Which moves have ended, as the partitions led here say. Such an answer is only given when it stands for
    good: the table of the cluster may follow it.

    `tell` tells the other nodes; `look` has this one look again.
    """

    def __init__(self, tell: Callable[[], None], look: Callable[[], None], scheduler: Scheduler) -> None:
        self._tell = tell
        self._look = look
        self._scheduler = scheduler
        self._looks_soon = False
        self._taken: dict[int, int] = {}
        """Partition -> the last move to it that is known to have ended."""

    def taken(self, partition: int) -> int:
        return self._taken.get(partition, 0)

    def ask(self, taker: PartitionActor, number: int) -> None:
        """Asked again and again, for a question may get lost."""
        if self.taken(taker.id) < number:
            taker.submit_internal(ConfirmSlots(number), _Answer(self, taker.id, number))

    def look_soon(self) -> None:
        """Not yet: most moves are short."""
        if not self._looks_soon:
            self._looks_soon = True
            self._scheduler.call_later(_PAUSE_SECONDS, self._look_now)

    def _look_now(self) -> None:
        self._looks_soon = False
        self._look()

    def ended(self, partition: int, number: int) -> None:
        if self.taken(partition) < number:
            self._taken[partition] = number
            self._tell()


@final
@dataclass(frozen=True, slots=True)
class _Answer:
    """What a partition says of a move."""

    moving: MovingSlots
    partition: int
    number: int

    def done(self) -> bool:
        return False

    def set_result(self, outcome: Outcome, /) -> None:
        if outcome == Accepted():
            self.moving.ended(self.partition, self.number)
        else:
            self.moving.look_soon()

    def set_exception(self, error: Exception, /) -> None:
        """It does not lead any more. Who leads now is asked."""
