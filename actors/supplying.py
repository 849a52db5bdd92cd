"""New partitions get all that was deployed before they came, from the leader of partition 1."""

from dataclasses import dataclass
from typing import final

from bpmnd.actors.partition import PartitionActor
from bpmnd.bpmn.outcomes import Outcome, Rejected
from bpmnd.cluster.membership import ClusterState


@final
class Supplying:
    """What this node has sent as the leader of partition 1. A new leader begins anew; repeats do no harm."""

    def __init__(self) -> None:
        self._asked: dict[int, int] = {}
        """New partition -> the term of partition 1 in which all that was deployed is sent there,"""
        self._sent: dict[int, int] = {}
        """and the one in which that is committed."""

    def supply(self, state: ClusterState, actor: PartitionActor) -> None:
        """Send to those that do not serve yet, once in each term."""
        for plan in state.partitions:
            if not plan.is_serving and self._asked.get(plan.group) != actor.term:
                self._asked[plan.group] = actor.term
                actor.supply(plan.group, _Sent(self, plan.group, actor.term))

    def supplied(self, actor: PartitionActor) -> tuple[int, ...]:
        """The partitions that have acknowledged all of it."""
        return tuple(
            partition
            for partition, term in self._sent.items()
            if term == actor.term and actor.is_acknowledged(partition)
        )

    def ended(self, partition: int, term: int, *, sent: bool) -> None:
        if sent:
            self._sent[partition] = term
        else:
            self._asked.pop(partition, None)


@final
@dataclass(frozen=True, slots=True)
class _Sent:
    """Told when all that was deployed is on its way to a new partition, committed."""

    supplying: Supplying
    partition: int
    term: int

    def done(self) -> bool:
        return False

    def set_result(self, outcome: Outcome, /) -> None:
        self.supplying.ended(self.partition, self.term, sent=not isinstance(outcome, Rejected))

    def set_exception(self, error: Exception, /) -> None:
        self.supplying.ended(self.partition, self.term, sent=False)
