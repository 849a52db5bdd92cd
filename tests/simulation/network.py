"""The network between the nodes: connections as the transport keeps them, over links that fail.

What docs and code of the transport promise is what holds here, and no more: within one connection the items
of a lane arrive in order and at most once, urgent ones overtake the others; whatever is lost is lost with the
connection, or refused by a full queue. Messages are made and read by the production code.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol, final

from bpmnd.actors.founding import Introduction
from bpmnd.actors.node import Node
from bpmnd.cluster.frames import Inbox, Outbox
from tests.simulation.world import Event, Life, World

SILENCE_SECONDS: Final = 3.0
"""After so long without a sign of life an end gives its connection up, as the transport does."""
_IN_FLIGHT_MAX: Final = 4
_DIAL_SECONDS_MIN: Final = 0.05
_DIAL_SECONDS_MAX: Final = 1.0
_LATENCY: Final = 0.001


@dataclass(frozen=True, slots=True)
class QueueSizes:
    item: int
    message: int
    control: int
    bulk: int


class NodeLife(Life, Protocol):
    """A running node, as the network has to know it."""

    @property
    def number(self) -> int: ...

    @property
    def node(self) -> Node: ...

    @property
    def endpoint(self) -> "Endpoint": ...


@final
class End:
    """One node's end of a connection."""

    def __init__(self, connection: "Connection", owner: "Endpoint", peer: int, sizes: QueueSizes) -> None:
        self.connection = connection
        self.owner = owner
        self.peer = peer
        self.attached = False
        self.closed = False
        self.outbox = Outbox(
            item_size_max=sizes.item,
            message_size_max=sizes.message,
            control_size_max=sizes.control,
            bulk_size_max=sizes.bulk,
        )
        self.inbox = Inbox(item_size_max=sizes.item)
        self.early: list[bytes] = []
        """What came before this end was in use."""
        self.flushing = False
        self.in_flight: deque[bytes] = deque()
        """What this end has sent and the other has not received yet."""
        self.arrives_at = 0.0


@final
class Connection:
    """Two ends. Each learns of the connection's end by itself."""

    def __init__(self, hub: "Hub", dialer: "Endpoint", acceptor: "Endpoint") -> None:
        self.hub = hub
        self.ends = (
            End(self, dialer, acceptor.life.number, hub.sizes),
            End(self, acceptor, dialer.life.number, hub.sizes),
        )

    def other(self, end: End) -> End:
        return self.ends[1] if end is self.ends[0] else self.ends[0]


@final
class Hub:
    """All links. A direction of a link may be blocked: then nothing arrives until it is open again."""

    def __init__(self, world: World, sizes: QueueSizes) -> None:
        self.world = world
        self.sizes = sizes
        self.blocked: set[tuple[int, int]] = set()
        self.slow: dict[tuple[int, int], float] = {}
        """Direction -> by how much more its messages take."""
        self.lives: dict[int, NodeLife] = {}
        """The nodes that run now."""
        self.connections: list[Connection] = []
        self.dropped = 0
        """Items refused by a full queue."""

    def latency(self, source: int, target: int) -> float:
        return self.world.latency(_LATENCY * self.slow.get((source, target), 1.0))

    def is_open(self, source: int, target: int) -> bool:
        return (source, target) not in self.blocked

    # Faults

    def block(self, source: int, target: int) -> None:
        """From now on nothing gets from one node to the other."""
        if (source, target) not in self.blocked:
            self.blocked.add((source, target))
            self._await_silence(source, target)

    def unblock(self, source: int, target: int) -> None:
        if (source, target) not in self.blocked:
            return
        self.blocked.discard((source, target))
        for connection in list(self.connections):
            for end in connection.ends:
                if end.owner.life.number == source and end.peer == target:
                    if end.closed:
                        self._say_goodbye(end)
                    for _ in end.in_flight:
                        self._schedule_delivery(end)

    def watch_silent(self, node: int) -> None:
        """A node says nothing any more, for it is paused or without power: its peers will notice."""
        for peer in sorted(self.lives):
            if peer != node:
                self._await_silence(node, peer)

    def cut(self, connection: Connection) -> None:
        """Break a connection: what is under way is lost, and each end notices when it does."""
        for end in connection.ends:
            lost = self.world.below(len(end.in_flight) + 1)
            for _ in range(lost):
                end.in_flight.pop()
        for end in connection.ends:
            life = end.owner.life
            self.world.after(self.world.latency(0.01), life, end.owner.lose, end)

    def _await_silence(self, source: int, target: int) -> None:
        """Have the target's end end when the source is silent for too long."""
        for connection in self.connections:
            for end in connection.ends:
                if end.owner.life.number == target and end.peer == source and not end.closed:
                    delay = SILENCE_SECONDS * self.world.between(0.7, 1.0)
                    self.world.after(delay, end.owner.life, self._silent, end, source, target)

    def _silent(self, end: End, source: int, target: int) -> None:
        life = self.lives.get(source)
        other = end.connection.other(end).owner.life
        speaks = life is not None and life is other and life.paused_until <= self.world.now
        if not speaks or not self.is_open(source, target):
            end.owner.lose(end)

    # Connections

    def begins(self, life: NodeLife) -> None:
        self.lives[life.number] = life

    def ends(self, life: NodeLife, *, with_goodbye: bool) -> None:
        """The node is gone. Its operating system says so for it, unless that is gone, too."""
        del self.lives[life.number]
        for connection in list(self.connections):
            for end in connection.ends:
                if end.owner.life is life:
                    end.closed = True
                    if with_goodbye or connection.other(end).closed:
                        self._say_goodbye(end)
        if not with_goodbye:
            self.watch_silent(life.number)

    def connect(self, dialer: "Endpoint", acceptor: "Endpoint") -> None:
        connection = Connection(self, dialer, acceptor)
        self.connections.append(connection)
        for end in connection.ends:
            delay = self.latency(end.peer, end.owner.life.number)
            self.world.after(delay, end.owner.life, end.owner.attach, end)

    def is_connecting(self, one: int, other: int) -> bool:
        """A connection between the two is about to be, or is, in use at both ends."""
        for connection in self.connections:
            numbers = {end.owner.life.number for end in connection.ends}
            lives = all(end.owner.life.alive and not end.closed for end in connection.ends)
            if numbers == {one, other} and lives:
                return True
        return False

    def flush(self, end: End) -> None:
        """Send what waits, as far as the socket takes it."""
        end.flushing = False
        if end.closed or len(end.in_flight) >= _IN_FLIGHT_MAX:
            return
        message = end.outbox.take()
        if message is None:
            return
        end.in_flight.append(message)
        self._schedule_delivery(end)
        self._flush_soon(end)

    def _flush_soon(self, end: End) -> None:
        if not end.flushing and not end.outbox.is_empty:
            end.flushing = True
            self.world.after(0, end.owner.life, self.flush, end)

    def put(self, end: End, item: bytes, control: bool) -> bool:
        taken = end.outbox.put(item, control)
        if taken:
            self._flush_soon(end)
        else:
            self.dropped += 1
        return taken

    def _schedule_delivery(self, end: End) -> None:
        source, target = end.owner.life.number, end.peer
        end.arrives_at = max(end.arrives_at, self.world.now + self.latency(source, target))
        self.world.at(end.arrives_at, None, self._deliver, end)

    def _deliver(self, end: End) -> None:
        if not end.in_flight or not self.is_open(end.owner.life.number, end.peer):
            return  # Lost with its connection, or it waits until the link is open again.
        message = end.in_flight.popleft()
        if end.owner.life.alive:
            self.world.after(0, end.owner.life, self._flush_soon, end)
        receiver = end.connection.other(end)
        self.world.trace_bytes(message)
        self.world.after(0, receiver.owner.life, receiver.owner.received, receiver, message)

    def closed(self, end: End) -> None:
        """One end has given the connection up."""
        end.closed = True
        if end.connection.other(end).closed:
            if end.connection in self.connections:
                self.connections.remove(end.connection)
        else:
            self._say_goodbye(end)

    def _say_goodbye(self, end: End) -> None:
        """Tell the other end, if the link lets it through; after what was sent before."""
        other = end.connection.other(end)
        if other.closed or not other.owner.life.alive:
            if end.connection in self.connections:
                self.connections.remove(end.connection)
            return
        source, target = end.owner.life.number, end.peer
        if not self.is_open(source, target):
            return
        moment = max(end.arrives_at, self.world.now + self.latency(source, target))
        self.world.at(moment, other.owner.life, other.owner.lose, other)


@final
class Endpoint:
    """The network as one running node has it."""

    def __init__(self, hub: Hub, life: NodeLife, incarnation: int, introduction: Introduction) -> None:
        self.life = life
        self.cluster = ""
        self._hub = hub
        self._world = hub.world
        self._incarnation = incarnation
        self._introduction = introduction
        self._ends: dict[int, End] = {}
        self._pauses: dict[int, float] = {}
        self._dialing: dict[int, Event] = {}

    @property
    def queued_size(self) -> int:
        """The most bytes that wait for one peer."""
        return max((end.outbox.control_size + end.outbox.bulk_size for end in self._ends.values()), default=0)

    # What the node asks

    def send(self, node: int, item: bytes, control: bool = False) -> bool:
        end = self._ends.get(node)
        return end is not None and self._hub.put(end, item, control)

    def learn(self, node: int, address: str) -> None:
        self._pauses[node] = _DIAL_SECONDS_MIN
        if node not in self._dialing:
            self._dialing[node] = self._world.after(0, self.life, self._dial, node)

    def forget(self, node: int) -> None:
        self._pauses.pop(node, None)
        dialing = self._dialing.pop(node, None)
        if dialing is not None:
            dialing.cancel()
        end = self._ends.get(node)
        if end is not None:
            self.lose(end)

    def introduce(self, cluster: str) -> None:
        self.cluster = cluster

    # Dialing

    def _dial(self, node: int) -> None:
        if node not in self._ends and not self._try(node):
            self._pauses[node] = min(2 * self._pauses[node], _DIAL_SECONDS_MAX)
        pause = self._pauses[node] * self._world.between(0.5, 1.0)
        self._dialing[node] = self._world.after(pause, self.life, self._dial, node)

    def _try(self, node: int) -> bool:
        hub, own = self._hub, self.life.number
        there = hub.lives.get(node)
        if there is None or there.paused_until > self._world.now:
            return False
        if not hub.is_open(own, node) or not hub.is_open(node, own) or hub.is_connecting(own, node):
            return False
        other = there.endpoint
        if not self._admits(other) or not other._admits(self):
            return False
        hub.connect(self, other)
        return True

    def _admits(self, other: "Endpoint") -> bool:
        reason = self.life.node.admit(
            other.life.number, other._incarnation, other.cluster, other._introduction
        )
        if reason is not None:
            self._world.note(self.life.name, f"refuses {other.life.name}: {reason}")
        return reason is None

    # What happens to connections

    def attach(self, end: End) -> None:
        if end.closed:
            return
        current = self._ends.get(end.peer)
        if current is not None:
            self.lose(current)
        other = end.connection.other(end).owner
        self._ends[end.peer] = end
        end.attached = True
        self.life.node.connected(end.peer, other._incarnation, other.cluster, other._introduction)
        for message in end.early:
            self.received(end, message)
        end.early.clear()

    def lose(self, end: End) -> None:
        """The connection is over, as far as this end knows."""
        if not end.closed:
            self._hub.closed(end)
        if self._ends.get(end.peer) is end:
            del self._ends[end.peer]
            self.life.node.disconnected(end.peer)

    def received(self, end: End, message: bytes) -> None:
        if end.closed:
            return
        if not end.attached:
            end.early.append(message)
            return
        items = end.inbox.take(message)
        if items and self._ends.get(end.peer) is end:
            self.life.node.received(end.peer, items)
