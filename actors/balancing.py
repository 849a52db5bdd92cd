"""Leaders are spread as planned, as far as those who are to lead are there."""

from collections.abc import Container
from typing import Final, Protocol, final

from bpmnd.actors.messages import HandOver
from bpmnd.cluster.membership import ClusterState, GroupPlan

_LOOKS_BEFORE_HANDING: Final = 5


class Others(Protocol):
    """What is known of the other nodes."""

    @property
    def connected(self) -> Container[int]: ...

    def is_far_off(self, node: int | None = None) -> bool:
        """Whether the clock of another node, or the one here, is not to be trusted."""
        ...


class Leader(Protocol):
    """A partition that is led here."""

    def tell(self, message: HandOver) -> object: ...


@final
class Balancing:
    """Looked at once a second for each partition that is led here."""

    def __init__(self, node: int, peers: Others) -> None:
        self._node = node
        self._peers = peers
        self._looks: dict[int, int] = {}
        """Partition that another node is to lead -> how often that was seen in a row."""

    def look(self, state: ClusterState, plan: GroupPlan, actor: Leader) -> None:
        """Hand over to who is to lead, when it has been there for a while.

        Who leads gives the log its time: one whose clock is wrong hands over to any whose clock is not. If
        there is none it goes on, for a wrong time is better than leaders that only hand over.
        """
        if self._peers.is_far_off():
            members = (state.member(replica) for replica in plan.replicas)
            right = tuple(one.id for one in members if one is not None and self._is_there_in_time(one.node))
            if right:
                actor.tell(HandOver(right))
            return
        preferred = state.member(plan.replicas[0])
        if preferred is None or preferred.node == self._node or not self._is_there_in_time(preferred.node):
            self._looks.pop(plan.group, None)
            return
        looks = self._looks[plan.group] = self._looks.get(plan.group, 0) + 1
        if looks > _LOOKS_BEFORE_HANDING:
            del self._looks[plan.group]
            actor.tell(HandOver((preferred.id,)))

    def _is_there_in_time(self, node: int) -> bool:
        return node in self._peers.connected and not self._peers.is_far_off(node)
