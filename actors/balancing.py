"""Leaders are spread as planned, as far as those who are to lead are there."""

from typing import Final, final

from bpmnd.actors.messages import HandOver
from bpmnd.actors.partition import PartitionActor
from bpmnd.actors.peers import Peers
from bpmnd.cluster.membership import ClusterState, GroupPlan

_LOOKS_BEFORE_HANDING: Final = 5


@final
class Balancing:
    """Looked at once a second for each partition that is led here."""

    def __init__(self, node: int, peers: Peers) -> None:
        self._node = node
        self._peers = peers
        self._looks: dict[int, int] = {}
        """Partition that another node is to lead -> how often that was seen in a row."""

    def look(self, state: ClusterState, plan: GroupPlan, actor: PartitionActor) -> None:
        """Hand over to who is to lead, when it has been there for a while."""
        if self._peers.is_far_off():
            actor.tell(HandOver())  # Who leads gives the log its time.
            return
        preferred = state.member(plan.replicas[0])
        if (
            preferred is None
            or preferred.node == self._node
            or preferred.node not in self._peers.connected
            or self._peers.is_far_off(preferred.node)
        ):
            self._looks.pop(plan.group, None)
            return
        looks = self._looks[plan.group] = self._looks.get(plan.group, 0) + 1
        if looks > _LOOKS_BEFORE_HANDING:
            del self._looks[plan.group]
            actor.tell(HandOver(preferred.id))
