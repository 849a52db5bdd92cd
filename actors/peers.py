"""What this node knows of the others: who is connected, who leads what, and how their clocks go."""

from collections.abc import Callable
from statistics import median
from typing import Final, final

from bpmnd.actors.clock import Clock, Scheduler, Timer
from bpmnd.actors.network import Network
from bpmnd.actors.peer_messages import NodeStatus, encode_peer_message

STATUS_SECONDS: Final = 0.5
FAR_OFF_MS: Final = 10_000
"""A clock this far off the median of all is wrong, not slow."""


@final
class Peers:
    """Tells every connected node once in a while how it stands here, and keeps what they tell.

    A leader is found by what its own node says: the highest term wins. What a node said goes with its
    connection.
    """

    def __init__(
        self,
        network: Network,
        status: Callable[[], NodeStatus],
        scheduler: Scheduler,
        clock: Clock,
    ) -> None:
        self.statuses: dict[int, NodeStatus] = {}
        self.connected: dict[int, int] = {}
        """Node -> its incarnation."""
        self._network = network
        self._status = status
        self._scheduler = scheduler
        self._clock = clock
        self._leaders: dict[int, tuple[int, int]] = {}
        """Partition -> (term, node)."""
        self._offsets: dict[int, int] = {}
        self._timer: Timer | None = None
        self._stopped = False

    def start(self) -> None:
        if self._stopped:
            return
        self.tell()
        self._timer = self._scheduler.call_later(STATUS_SECONDS, self.start)

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def tell(self) -> None:
        """Say to all how it stands here."""
        if self.connected:
            item = encode_peer_message(self._status())
            for node in self.connected:
                self._network.send(node, item, True)

    def arrived(self, node: int, incarnation: int) -> None:
        self.connected[node] = incarnation
        self._network.send(node, encode_peer_message(self._status()), True)

    def left(self, node: int) -> None:
        self.connected.pop(node, None)
        self.statuses.pop(node, None)
        self._offsets.pop(node, None)
        self._leaders = {partition: known for partition, known in self._leaders.items() if known[1] != node}

    def told(self, node: int, status: NodeStatus) -> None:
        self.statuses[node] = status
        self._offsets[node] = status.wall_ms - self._clock.wall_ms()
        led = {replica.partition: replica.term for replica in status.replicas if replica.leads}
        for partition in [known for known, (_, leader) in self._leaders.items() if leader == node]:
            if partition not in led:
                del self._leaders[partition]
        for partition, term in led.items():
            if term >= self._leaders.get(partition, (-1, -1))[0]:
                self._leaders[partition] = (term, node)

    def leader_of(self, partition: int) -> tuple[int, int] | None:
        """(term, node) of the leader on another node, as far as it is known."""
        return self._leaders.get(partition)

    def live_in(self, partition: int) -> int:
        """Process instances under way in a partition that another node leads, when it last told."""
        leader = self._leaders.get(partition)
        status = None if leader is None else self.statuses.get(leader[1])
        if status is None:
            return 0
        return next((replica.live for replica in status.replicas if replica.partition == partition), 0)

    def median_offset_ms(self) -> int:
        """How far the median of all clocks is ahead of the one here, this one among them."""
        return round(median([0, *self._offsets.values()]))

    def is_far_off(self, node: int | None = None) -> bool:
        """Whether the clock of another node, or the one here, is not to be trusted. Of two nobody can say."""
        if len(self._offsets) < 2:
            return False
        offset = 0 if node is None else self._offsets.get(node, 0)
        return abs(offset - self.median_offset_ms()) > FAR_OFF_MS
