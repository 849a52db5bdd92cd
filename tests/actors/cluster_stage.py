"""Several nodes on one stage: one time, one network in memory, a disk in memory for each."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, final

from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.control import Outcome as Decision
from bpmnd.actors.founding import Plans
from bpmnd.actors.hosted import HostedPartition
from bpmnd.actors.identity import Identity
from bpmnd.actors.node import Node, NodeSettings
from bpmnd.actors.partition import PartitionActor
from bpmnd.actors.peer_messages import PeerMessage, decode_peer_message, encode_peer_message
from bpmnd.actors.scrubbing import ScrubPolicy
from bpmnd.bpmn.commands import ClientCommand, CreateProcessInstance, Deploy, Resource
from bpmnd.bpmn.outcomes import Outcome, ProcessInstanceCreated
from bpmnd.bpmn.state import State
from bpmnd.cluster.membership import ClusterState, node_of
from bpmnd.cluster.operations import Refused, Request
from bpmnd.storage.archive import ArchiveRetention
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter
from tests.actors.file_store import FileStores
from tests.actors.stage import NO_CHECKPOINTS, Answer, Seeded, StageScheduler

DIRECTORY: Final = Path("/data")
_DIAL_SECONDS: Final = 0.05


@final
class Hub:
    """Connections between nodes: there is one when one of the two wants it, both run, and nothing cuts it."""

    def __init__(self, scheduler: StageScheduler) -> None:
        self.scheduler = scheduler
        self.nodes: dict[int, Node] = {}
        self.endpoints: dict[int, Endpoint] = {}
        self.refusals: list[str] = []
        """Why nodes were not admitted."""
        self.loses: Callable[[int, int, PeerMessage], bool] = lambda source, target, message: False
        """Whether an item from one node to another gets lost."""
        self.becomes: Callable[[PeerMessage], Sequence[tuple[float, PeerMessage]]] | None = None
        """What of an item arrives, each after how many seconds."""
        self._cut: set[frozenset[int]] = set()
        self._open: dict[frozenset[int], int] = {}
        self._count = 0
        self._dial()

    def add(self, node: Node, endpoint: "Endpoint") -> None:
        self.nodes[endpoint.number] = node
        self.endpoints[endpoint.number] = endpoint

    def remove(self, number: int) -> None:
        """The process of a node is gone."""
        self.nodes.pop(number, None)
        self.endpoints.pop(number, None)
        for pair in [pair for pair in self._open if number in pair]:
            self.close(pair)

    def cut(self, *pairs: tuple[int, int]) -> None:
        for pair in map(frozenset, pairs):
            self._cut.add(pair)
            self.close(pair)

    def isolate(self, number: int) -> None:
        self.cut(*((number, other) for other in self.nodes if other != number))

    def heal(self) -> None:
        self._cut.clear()

    def heal_between(self, one: int, other: int) -> None:
        self._cut.discard(frozenset((one, other)))

    def is_open(self, one: int, other: int) -> bool:
        return frozenset((one, other)) in self._open

    def close(self, pair: frozenset[int]) -> None:
        if self._open.pop(pair, None) is None:
            return
        one, other = sorted(pair)
        for number, peer in ((one, other), (other, one)):
            if number in self.nodes:
                self.nodes[number].disconnected(peer)

    def carry(self, source: int, target: int, item: bytes) -> bool:
        generation = self._open.get(frozenset((source, target)))
        if generation is None:
            return False

        def arrive(arriving: bytes) -> None:
            node = self.nodes.get(target)
            if node is None or self._open.get(frozenset((source, target))) != generation:
                return
            if not self.loses(source, target, decode_peer_message(arriving)):
                node.received(source, [arriving])

        if self.becomes is None:
            self.scheduler.call_soon(arrive, item)
        else:
            for delay, message in self.becomes(decode_peer_message(item)):
                self.scheduler.call_later(delay, arrive, encode_peer_message(message))
        return True

    def _dial(self) -> None:
        for number, endpoint in list(self.endpoints.items()):
            for other in sorted(endpoint.wanted):
                pair = frozenset((number, other))
                if other in self.nodes and pair not in self._open and pair not in self._cut:
                    self._connect(number, other)
        self.scheduler.call_later(_DIAL_SECONDS, self._dial)

    def _connect(self, one: int, other: int) -> None:
        for number, peer in ((one, other), (other, one)):
            identity, cluster = self.nodes[peer].identity, self.endpoints[peer].cluster
            introduction = self.nodes[peer].introduction()
            refusal = self.nodes[number].admit(peer, identity.incarnation, cluster, introduction)
            if refusal is not None:
                if refusal not in self.refusals:
                    self.refusals.append(refusal)
                return
        self._count += 1
        self._open[frozenset((one, other))] = self._count
        for number, peer in ((one, other), (other, one)):
            identity, cluster = self.nodes[peer].identity, self.endpoints[peer].cluster
            self.nodes[number].connected(peer, identity.incarnation, cluster, self.nodes[peer].introduction())


@final
class Endpoint:
    """The network of one node."""

    def __init__(self, number: int, hub: Hub) -> None:
        self.number = number
        self.wanted: set[int] = set()
        self.cluster = ""
        self.addresses: dict[int, str] = {}
        self._hub = hub

    def send(self, node: int, item: bytes, control: bool = False) -> bool:
        return self._hub.carry(self.number, node, item)

    def learn(self, node: int, address: str) -> None:
        assert address, f"node {node} has no address"
        self.wanted.add(node)
        self.addresses[node] = address

    def forget(self, node: int) -> None:
        self.wanted.discard(node)
        self._hub.close(frozenset((self.number, node)))

    def introduce(self, cluster: str) -> None:
        self.cluster = cluster


@dataclass(frozen=True, slots=True)
class Rules:
    """How all nodes are built."""

    checkpoints: CheckpointPolicy = NO_CHECKPOINTS
    segment_size: int = 1 << 16
    retention: ArchiveRetention = field(default_factory=ArchiveRetention)
    scrub: ScrubPolicy = field(default_factory=ScrubPolicy)


@final
class ClusterStage:
    """Nodes 1 to n, which found a cluster; more may come. `run` and `pass_time` let them go on."""

    def __init__(
        self,
        nodes: int = 3,
        *,
        partitions: int = 1,
        replication: int = 3,
        rules: Rules | None = None,
        hosts: Mapping[int, str] | None = None,
    ) -> None:
        self.scheduler = StageScheduler()
        self.hub = Hub(self.scheduler)
        self.disks: dict[int, MemoryDisk] = {}
        self.gave_up: dict[int, list[BaseException]] = {}
        self.rules = rules or Rules()
        self.versions: dict[int, str] = {}
        self._plans: dict[int, Plans] = {}
        self._starts = 0
        named = {number: _address(number) for number in range(1, nodes + 1)}
        for number in named:
            host = (hosts or {}).get(number, f"host-{number}")
            self._plans[number] = Plans(
                host, named[number], partitions, min(replication, nodes), named if nodes > 1 else {}
            )
            self.disks[number] = MemoryDisk()
            self.start(number)
        self.pass_time(4)

    # Nodes

    @property
    def nodes(self) -> dict[int, Node]:
        return self.hub.nodes

    def restart_as(self, number: int, version: str) -> None:
        """From now on the node is of this version."""
        self.versions[number] = version
        self.restart(number)

    def start(self, number: int) -> Node:
        """Begin on what is on the node's disk."""
        disk = self.disks[number]
        self._starts += 1
        entropy = Seeded(100 * number + self._starts)
        endpoint = Endpoint(number, self.hub)
        self.gave_up[number] = []
        node = Node(
            NodeSettings(
                DIRECTORY,
                self._plans[number],
                segment_size=self.rules.segment_size,
                retention=self.rules.retention,
                checkpoints=self.rules.checkpoints,
                scrub=self.rules.scrub,
                version=self.versions.get(number, "one"),
            ),
            Identity.open(disk, DIRECTORY, number, entropy),
            disk,
            FileStores(disk),
            InlineWriter(),
            self.scheduler,
            self.scheduler,
            entropy,
            endpoint,
            _new_future,
            self.gave_up[number].append,
        )
        self.hub.add(node, endpoint)
        node.start()
        return node

    def join(self, number: int, *, host: str | None = None) -> Node:
        """Start a node with an empty disk that is to be added, or to take the place of one that was lost."""
        join = {other: _address(other) for other in self.nodes if other != number}
        self._plans[number] = Plans(host or f"host-{number}", _address(number), 1, 1, {}, join)
        self.disks[number] = MemoryDisk()
        return self.start(number)

    def move(self, number: int, address: str) -> None:
        """From its next start on a node is at another address."""
        self._plans[number] = replace(self._plans[number], peer_address=address)

    def kill(self, *numbers: int) -> None:
        """The power fails: what was not synced is gone."""
        for number in numbers:
            node = self.nodes[number]
            self.hub.remove(number)
            self.disks[number] = self.disks[number].crash()
            node.stop()  # On the old disk: nobody looks at it any more.

    def restart(self, *numbers: int) -> None:
        for number in numbers:
            if number in self.nodes:
                self.kill(number)
            self.start(number)

    # Time

    def run(self) -> None:
        self.scheduler.run()

    def pass_time(self, seconds: float) -> None:
        self.scheduler.pass_time(seconds)

    def until(self, holds: Callable[[], bool], seconds: float = 30) -> None:
        """Let time go by until something holds."""
        end = self.scheduler.seconds + seconds
        while not holds():
            assert self.scheduler.seconds < end, f"not within {seconds} s"
            self.pass_time(0.1)

    # Partitions

    def hosted(self, number: int, partition: int = 1) -> HostedPartition:
        return self.nodes[number].hosted[partition]

    def actor(self, number: int, partition: int = 1) -> PartitionActor:
        actor = self.hosted(number, partition).actor
        assert actor is not None, f"partition {partition} does not run on node {number}"
        return actor

    def state(self, number: int, partition: int = 1) -> State:
        machine = self.actor(number, partition).machine
        assert machine is not None, f"partition {partition} has no state on node {number}"
        return machine.state

    def leads(self, number: int, partition: int = 1) -> bool:
        node = self.nodes.get(number)
        return node is not None and partition in node.hosted and node.hosted[partition].leads

    def leader(self, partition: int = 1, among: Iterable[int] | None = None) -> int:
        """Wait for one to lead, and tell which."""
        wanted = list(self.nodes if among is None else among)
        self.until(lambda: sum(self.leads(number, partition) for number in wanted) == 1)
        return next(number for number in wanted if self.leads(number, partition))

    def followers(self, partition: int = 1) -> list[int]:
        leader = self.leader(partition)
        return [
            number for number, node in self.nodes.items() if number != leader and partition in node.hosted
        ]

    def where(self, partition: int = 1) -> set[int]:
        """The nodes that have a vote in a partition, as its leader has committed it."""
        report = self.actor(self.leader(partition), partition).report()
        return {node_of(member) for member in report.members} if report is not None else set()

    # Commands

    def submit(self, command: ClientCommand, *, at: int, partition: int = 1) -> Answer:
        """Hand a command to the actor on a node."""
        return Answer(self.actor(at, partition).submit(command))

    def do(self, command: ClientCommand, partition: int = 1) -> Outcome:
        answer = self.submit(command, at=self.leader(partition), partition=partition)
        self.until(answer.done, 5)
        return answer.result()

    def deploy(self, content: bytes) -> None:
        self.do(Deploy((Resource("process.bpmn", content),)))
        self.pass_time(2)

    def create(self, partition: int = 1) -> int:
        outcome = self.do(CreateProcessInstance("process"), partition)
        assert isinstance(outcome, ProcessInstanceCreated), outcome
        return outcome.key

    def same_everywhere(self, partition: int = 1) -> int:
        """Wait until all replicas have applied the same; how many instances were ever started."""

        def applied() -> set[tuple[int, int]]:
            hosted = [node.hosted[partition] for node in self.nodes.values() if partition in node.hosted]
            machines = [one.actor.machine if one.actor is not None else None for one in hosted]
            return {(one.applied, one.state.started) if one is not None else (-1, -1) for one in machines}

        self.until(lambda: len(applied()) == 1 and (-1, -1) not in applied())
        return applied().pop()[1]

    def same(self, one: int, other: int, partition: int = 1) -> bool:
        """Whether two replicas have applied the same now."""
        machines = [
            hosted.actor.machine if hosted.actor is not None else None
            for hosted in (self.hosted(number, partition) for number in (one, other))
        ]
        return machines[0] is not None and len({None if m is None else m.applied for m in machines}) == 1

    # The cluster

    def cluster(self, number: int | None = None) -> ClusterState:
        node = self.nodes[number if number is not None else min(self.nodes)]
        assert node.control.state is not None, "the node belongs to no cluster"
        return node.control.state

    def controller(self) -> int:
        """Wait for a leader of group 0, and tell which."""
        self.until(lambda: len(self._controllers()) == 1)
        return self._controllers()[0]

    def ask(self, request: Request, *, at: int | None = None) -> Decision:
        """Ask for an operation at a node, and await that it has begun."""
        decided: list[Decision] = []
        self.controller()
        self.pass_time(1)
        self.nodes[at if at is not None else min(self.nodes)].control.request(request, decided.append)
        self.until(lambda: bool(decided), 5)
        return decided[0]

    def begin(self, request: Request) -> ClusterState:
        decision = self.ask(request)
        assert not isinstance(decision, Refused), decision
        return decision

    def finish(self, request: Request, seconds: float = 60) -> ClusterState:
        """Have an operation done."""
        begun = self.begin(request)
        self.until(lambda: self.cluster(self.controller()).version > begun.version, seconds)
        self.until(lambda: self.cluster(self.controller()).operation is None, seconds)
        return self.cluster(self.controller())

    def twin(self, number: int) -> Identity:
        """Who would come with the id of a node and an empty disk."""
        return Identity.open(MemoryDisk(), DIRECTORY, number, Seeded(4711))

    def applicant(self, number: int) -> bool:
        return any(number in node.control.applicants for node in self.nodes.values())

    def stop(self) -> None:
        for number, node in list(self.nodes.items()):
            self.hub.remove(number)
            node.stop()

    def _controllers(self) -> list[int]:
        return [
            number
            for number, node in self.nodes.items()
            if node.control.controller is not None and node.control.controller.leads
        ]


def _new_future() -> "asyncio.Future[Outcome]":
    """One that nobody has to look at."""
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    return future


def _address(number: int) -> str:
    return f"127.0.0.1:{9000 + number}"
