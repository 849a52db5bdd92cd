"""Whether a partition takes on a command now: work that goes on is refused last."""

from typing import Final, final

from bpmnd.actors.disk_space import DiskSpace
from bpmnd.actors.errors import Refused
from bpmnd.actors.latency import CommitLatency
from bpmnd.bpmn.commands import (
    BroadcastSignal,
    ClientCommand,
    CorrelateMessage,
    CreateProcessInstance,
    Deploy,
    EvaluateConditionals,
    EvaluateDecision,
    EvaluateExpression,
    PublishMessage,
    asked_for,
)

_NEW_WORK: Final = (
    CreateProcessInstance,
    Deploy,
    PublishMessage,
    CorrelateMessage,
    BroadcastSignal,
    EvaluateConditionals,
    EvaluateDecision,
    EvaluateExpression,
)


def is_new_work(command: ClientCommand) -> bool:
    """It begins something, which may as well begin elsewhere or later."""
    return isinstance(asked_for(command), _NEW_WORK)


@final
class Admission:
    """What there must be before new work is taken on: room on the disk, and commits that are fast enough."""

    def __init__(self, partition_id: int, latency: CommitLatency, disk_space: DiskSpace | None) -> None:
        self._partition = partition_id
        self._latency = latency
        self._disk_space = disk_space

    def check(self, queued: int, *, is_idle: bool) -> None:
        """Raises Refused. `queued` commands wait already; an idle partition has nothing under way."""
        if self._disk_space is not None and self._disk_space.is_short:
            raise Refused(f"partition {self._partition} has no room left on its disk")
        # Only commits can tell that they are fast again: who has nothing to do takes on something.
        if not is_idle and self._latency.is_too_long(queued):
            seconds = self._latency.expected(queued)
            raise Refused(f"partition {self._partition} would need {seconds:.1f} s to commit it")
