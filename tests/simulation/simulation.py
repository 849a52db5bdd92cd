"""A whole cluster in one thread: built from a seed, run under faults, healed, and judged."""

import gc
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.founding import Plans
from bpmnd.actors.hosted import HostedPartition
from bpmnd.actors.messages import PartitionLimits
from bpmnd.actors.pacing import SMALL_FRAME
from bpmnd.actors.scrubbing import ScrubPolicy
from bpmnd.cluster.membership import ClusterState
from bpmnd.cluster.operations import AddPartitions
from bpmnd.cluster.spreading import owners_of
from bpmnd.storage.entry import Position
from tests.simulation.clients import Clients, Load
from tests.simulation.faults import KINDS, Faults
from tests.simulation.history import Questions
from tests.simulation.host import Host
from tests.simulation.ledger import Ledger
from tests.simulation.network import Hub, QueueSizes
from tests.simulation.process import Process, Settings, is_injected, is_of_checkpoint
from tests.simulation.sabotage import Sabotage, sabotaged
from tests.simulation.states import note_memory, replay_group
from tests.simulation.world import Violation, World

_HEAL_SECONDS: Final = 60.0
_SETTLE_SECONDS: Final = 30.0
_READ_SECONDS: Final = 120.0
"""Nodes read what lies on their disks at their leisure, and some have much by then."""
_REPLICATION: Final = 3
_LOOK_SECONDS: Final = 1.0
_ITEM_MAX: Final = 2 << 20
_NODES_FOR_REPAIR: Final = 3
_COMMITS_BEFORE_WIPE: Final = 20
_ROUNDS: Final = 2
"""Of reading all: one may have been under way already."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a seed."""

    seed: int
    digest: str
    """Of the whole trace."""
    events: int
    seconds: float
    """Virtual ones."""
    requests: int
    commits: int
    states: int
    """How often two replicas saw the same in their states, as the nodes that lived in the end tell it."""
    faults: Counter[str]
    violation: str | None


def simulate(seed: int, kinds: tuple[str, ...] = KINDS, *, verbose: bool = False) -> Report:
    """Run one seed. What it finds wrong stands in the report."""
    was_collecting, level = gc.isenabled(), logging.root.manager.disable
    gc.disable()
    logging.disable(logging.CRITICAL)
    try:
        with sabotaged() as sabotage:
            return Simulation(seed, kinds, sabotage, verbose=verbose).run()
    finally:
        logging.disable(level)
        if was_collecting:
            gc.enable()


@final
class Simulation:
    """The nodes of one run, with all that is around them."""

    def __init__(self, seed: int, kinds: tuple[str, ...], sabotage: Sabotage, *, verbose: bool) -> None:
        self.world = world = World(seed, verbose=verbose)
        nodes = world.chance.choice((1, 2, 3, 3, 3, 3, 3, 3, 5))
        partitions = world.chance.choice((1, 1, 2, 3))
        self.hosts: dict[int, Host] = {number: Host(world, number) for number in range(1, nodes + 1)}
        self.running: dict[int, Process] = {}
        self.ledger = Ledger(world)
        self._hub = Hub(world, _queue_sizes(world))
        self._settings = _settings(world, nodes, partitions, trims="trim" in kinds and world.happens(0.5))
        self._sabotage = sabotage
        self._lives = 0
        self._victim: Host | None = None
        """Whose disk is damaged: that of one node, so that the others always have what was acknowledged."""
        if nodes >= _NODES_FOR_REPAIR:
            self._victim = world.chance.choice(list(self.hosts.values()))
            self._victim.tears_anywhere = "tear" in kinds
        self._healing = False
        self._rounds: dict[Process, int] = {}
        """How often each process had read all that lies on its disk, when that was first asked."""
        self._load = Load(
            partitions=partitions,
            nodes=nodes,
            creations=world.chance.choice((30, 60, 120)),
            creators=1 + world.below(4),
            workers=2 + world.below(4),
            pause=world.chance.choice((0.05, 0.1, 0.3)),
            seconds=world.between(5, 25),
            grows="grow" in kinds,
        )
        self.clients = Clients(world, self._load, self.ledger, self.running.get)
        self._faults = Faults(
            world, self._hub, self, sabotage, kinds, world.chance.choice((0.3, 1.0, 2.0, 4.0))
        )

    def run(self) -> Report:
        violation: str | None = None
        try:
            self._run()
        except Violation as found:
            violation = str(found)
            cause = found.__cause__
            if cause is not None and cause.__traceback__ is not None:
                violation += _place_of(cause)
        return Report(
            self.world.seed,
            self.world.digest,
            self.world.events,
            self.world.now,
            len(self.clients.history.requests),
            self.ledger.commits,
            self._states_compared(),
            self.world.faults,
            violation,
        )

    def _run(self) -> None:
        world = self.world
        for number in self.hosts:
            world.after(world.between(0, 0.5), None, self._start, number)
        self.clients.start()
        self._faults.start()
        if self._load.grows:
            wanted = self._load.partitions + 1 + world.below(2)
            world.after(world.between(1, 6), None, self._grow, wanted)
        world.after(_LOOK_SECONDS, None, self._look_at_bounds)
        world.run_until(self._load.seconds)
        self._heal()
        self._until("instances still live after the faults", _HEAL_SECONDS, self._is_done)
        self.clients.stopped = True
        self._until("requests were never answered", _SETTLE_SECONDS, lambda: not self.clients.open_requests)
        self._until("hidden damage was not made good", _READ_SECONDS, self._has_been_read)
        self._until("replicas do not catch up", _SETTLE_SECONDS, self._has_settled)
        self._judge()

    def _until(self, otherwise: str, seconds: float, done: Callable[[], bool]) -> None:
        if not self.world.run_until(self.world.now + seconds, done):
            raise Violation(f"{otherwise}: {self._standing()}")

    def _standing(self) -> str:
        groups = "; ".join(
            f"partition {group.number} has {len(group.live)} instances and {len(group.incidents)} incidents"
            f" at {group.length}"
            for group in self.ledger.partitions.values()
        )
        replicas = "; ".join(
            f"{process.name} has {number} {_replica(hosted)}"
            for process in self.running.values()
            for number, hosted in process.node.hosted.items()
        )
        clients = self.clients
        return f"{groups}; {replicas}; {clients.busy} clients busy, {clients.open_requests} requests open"

    def _states_compared(self) -> int:
        actors = [
            hosted.actor for process in self.running.values() for hosted in process.node.hosted.values()
        ]
        return sum(actor.mending.states_compared[0] for actor in actors if actor is not None)

    # Life and death of nodes

    def _start(self, number: int) -> None:
        if number in self.running:
            return
        self._lives += 1
        name = f"node{number}.{self._lives}"
        try:
            process = Process(self.world, self._hub, self.hosts[number], self._settings, self, name)
        except Exception as error:
            if not is_injected(error):
                raise Violation(f"{name} does not start: {error!r}") from error
            self._restart_later(number)
            return
        self.world.note(name, "starts")
        self.running[number] = process

    def _restart_later(self, number: int) -> None:
        seconds = self.world.chance.choice((0.05, 0.5, 5.0)) if not self._healing else 0.1
        self.world.after(self.world.between(0, 2 * seconds), None, self._start, number)

    def kill(self, process: Process, *, power: bool) -> None:
        """End a process at once. What its writer was about to do is done, in part or not at all."""
        world, host = self.world, process.host
        if power and world.happens(0.7):
            host.disk.syncs_left = world.below(6)
        if world.happens(0.7):
            for channel in process.writer.busy:
                channel.round(None)
        self._end(process, power=power)

    def _end(self, process: Process, *, power: bool) -> None:
        process.end()
        del self.running[process.number]
        self._hub.ends(process, with_goodbye=not power)
        if power:
            process.host.lose_power()
        else:
            process.host.lose_process()
        self.world.note(process.name, "ends")
        self._restart_later(process.number)

    def stop(self, process: Process) -> None:
        """An ordered stop: others lead first, and what is queued is written."""
        process.node.hand_over()
        self.world.after(self.world.between(0.1, 1.0), process, self._stop_node, process)

    def _stop_node(self, process: Process) -> None:
        process.node.stop()
        self.world.after(0.01, None, self._exit, process)

    def gave_up(self, process: Process, error: BaseException) -> None:
        self.world.note(process.name, f"gives up: {error}")
        self.world.after(self.world.between(0, 0.3), None, self._exit, process)

    def _exit(self, process: Process) -> None:
        if process.alive:
            self._end(process, power=False)

    def flip(self) -> bool:
        if self._victim is None or not self._victim.flip():
            return False
        process = self.running.get(self._victim.number)
        if process is not None and self.world.happens(0.5):
            self.kill(process, power=False)
        return True

    def wipe(self, *, again: bool) -> bool:
        if self._victim is None or self.ledger.commits < _COMMITS_BEFORE_WIPE:
            return False
        if not again and not self._is_whole():
            return False
        process = self.running.get(self._victim.number)
        if process is not None:
            self.kill(process, power=True)
        self._victim.wipe()
        return True

    def _grow(self, wanted: int) -> None:
        """An operator asks for more partitions, one after the other, until they are there."""
        world, cluster = self.world, self._cluster()
        if cluster is not None and len(cluster.partitions) >= wanted:
            return
        if self.running and cluster is not None and cluster.operation is None:
            process = self.running[world.chance.choice(sorted(self.running))]
            process.node.control.request(AddPartitions(1), lambda outcome: None)
        if not self._healing:
            world.after(world.between(0.1, 2.0), None, self._grow, wanted)

    def _cluster(self) -> ClusterState | None:
        """The newest state that a running node knows."""
        states = [process.node.identity.cluster for process in self.running.values()]
        return max((one for one in states if one is not None), key=lambda one: one.version, default=None)

    def _is_whole(self) -> bool:
        """Whether the node whose disk may be lost has been taken in again after the last time."""
        process = self.running.get(self._victim.number) if self._victim is not None else None
        if process is None:
            return False
        identity = process.node.identity
        states = [one.node.identity.cluster for one in self.running.values()]
        return all(
            state is not None and state.operation is None and state.knows(identity.node, identity.incarnation)
            for state in states
        )

    # Watching

    def look(self, process: Process) -> None:
        self.ledger.look(process)

    def checkpointed(self, process: Process, partition: int, position: Position, total: int) -> None:
        self.ledger.checkpointed(process, partition, position, total)

    def _look_at_bounds(self) -> None:
        cluster = self._cluster()
        if cluster is not None:
            self.clients.partitions = len(cluster.partitions)
        limits, sizes = self._settings.limits, self._hub.sizes
        for process in self.running.values():
            if process.endpoint.queued_size > sizes.bulk + sizes.control:
                raise Violation(f"{process.name} has {process.endpoint.queued_size} bytes queued for a peer")
            for number, hosted in process.node.hosted.items():
                if hosted.actor is None:
                    continue
                _, ongoing, new_work = hosted.actor.queued()
                if ongoing > limits.ongoing.messages_max or new_work > limits.new_work.messages_max:
                    raise Violation(
                        f"{process.name}: the mailbox of partition {number} has outgrown its bound"
                    )
                uncommitted = hosted.actor.replica.consensus.raft.uncommitted_bytes
                if uncommitted > limits.uncommitted_bytes_max + _ITEM_MAX:
                    raise Violation(f"{process.name}: {uncommitted} bytes of {number} are uncommitted")
        self.world.after(_LOOK_SECONDS, None, self._look_at_bounds)

    # The end

    def _heal(self) -> None:
        self.world.note("world", "heals")
        self._healing = True
        self._faults.stop()
        self.clients.healing = True
        for number in self.hosts:
            self._start(number)

    def _has_been_read(self) -> bool:
        """All that lies on the disks was read since the faults ended, and nothing of it is damaged."""
        since = [
            process.node.scrubbing.rounds - self._rounds.setdefault(process, process.node.scrubbing.rounds)
            for process in self.running.values()
        ]
        if min(since, default=0) < _ROUNDS:
            return False
        actors = [hosted.actor for one in self.running.values() for hosted in one.node.hosted.values()]
        return all(
            actor is not None and (actor.mending.hidden_damage is None or len(self.hosts) < _NODES_FOR_REPAIR)
            for actor in actors
        )

    def _is_done(self) -> bool:
        groups, cluster = self.ledger.partitions, self._cluster()
        return (
            not self.clients.busy
            and cluster is not None
            and cluster.operation is None
            and len(groups) == len(cluster.partitions)
            and len(self.running) == len(self.hosts)
            and not any(group.live or group.incidents for group in groups.values())
        )

    def _has_settled(self) -> bool:
        replicas: Counter[int] = Counter()
        for process in self.running.values():
            for number, hosted in process.node.hosted.items():
                actor, group = hosted.actor, self.ledger.groups[number]
                if actor is None or actor.machine is None or actor.checkpoints.in_the_making:
                    return False
                if group.has_frames_after(actor.machine.applied):
                    return False
                replicas[number] += 1
        wanted = min(len(self.hosts), _REPLICATION)
        return all(replicas[number] == wanted for number in self.ledger.partitions)

    def _judge(self) -> None:
        """Everything at rest: compare states, and answers with what stands."""
        questions = {
            number: Questions(group, self.clients.history.requests)
            for number, group in self.ledger.partitions.items()
        }
        for process in self.running.values():
            for number, hosted in process.node.hosted.items():
                assert hosted.actor is not None, "it has settled"
                try:
                    note_memory(process, self.ledger.group(number), hosted.actor)
                except Exception as error:
                    # Damage may lie where nothing has read yet: in the very end of the log.
                    if not process.excuses(error) or is_of_checkpoint(error):
                        raise Violation(f"{process.name}: {error}") from error
        for number, group in self.ledger.partitions.items():
            replay_group(group, questions[number])
        self.clients.history.check(questions)
        self._check_slots()

    def _check_slots(self) -> None:
        """Every slot has one owner, which is the one that the table names."""
        cluster = self._cluster()
        assert cluster is not None, "it has settled"
        owners = owners_of(cluster.slots)
        first = owners_of(cluster.first_slots or cluster.slots)
        for process in self.running.values():
            for number, hosted in process.node.hosted.items():
                assert hosted.actor is not None, "it has settled"
                assert hosted.actor.machine is not None, "it has settled"
                records = hosted.actor.machine.state.slots.records.items
                for slot, owner in enumerate(owners):
                    record = records.get(slot)
                    has_it = first[slot] == number if record is None else not record.given_to
                    if has_it != (owner == number):
                        raise Violation(
                            f"{process.name}: slot {slot} is of {owner}, and {number} has {record}"
                        )


def _replica(hosted: HostedPartition) -> str:
    actor = hosted.actor
    if actor is None:
        return "closed"
    raft, machine = actor.replica.consensus.raft, actor.machine
    state = "no state" if machine is None else f"its state at {machine.applied}"
    checkpoint = ", a checkpoint in the making" if actor.checkpoints.in_the_making else ""
    return f"as {raft.role.name} of term {raft.term}, committed {raft.committed}, {state}{checkpoint}"


def _queue_sizes(world: World) -> QueueSizes:
    message = world.chance.choice((4 << 10, 64 << 10, 1 << 20))
    return QueueSizes(item=_ITEM_MAX, message=message, control=64 << 10, bulk=_ITEM_MAX + 1024)


def _settings(world: World, nodes: int, partitions: int, *, trims: bool) -> Settings:
    addresses = {number: f"node{number}:1" for number in range(1, nodes + 1)}
    plans = {
        number: Plans(f"host{number}", addresses[number], partitions, min(nodes, _REPLICATION), addresses)
        for number in addresses
    }
    policy = world.chance.choice(
        (
            CheckpointPolicy(every_seconds=2.0, instances_in_memory_max=2, index_head_max=2),
            CheckpointPolicy(every_bytes=1, rows_per_slice=3, instances_in_memory_max=0, index_head_max=1),
            CheckpointPolicy(every_bytes=20_000, rows_per_slice=5, instances_in_memory_max=5),
        )
    )
    limits = PartitionLimits(
        uncommitted_bytes_max=world.chance.choice((20_000, 16 << 20)),
        # Most frames are small here: otherwise leaders would never gather, nor let followers trail.
        small_frame=world.chance.choice((0, 1, SMALL_FRAME)),
    )
    # In short segments, whose entries are soon trimmed, who lags behind needs copies of checkpoints.
    segment_size = world.chance.choice((16 << 10, 64 << 10)) if trims else 1 << 20
    scrub = ScrubPolicy(first_after_seconds=1.0, every_seconds=2.0, bytes_per_second=8 << 20)
    return Settings(plans, segment_size, policy, limits, scrub, world.chance.choice((0.0, 0.001, 0.01)))


def _place_of(error: BaseException) -> str:
    """Where in the production code it was raised."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f" [{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_qualname}]"
        trace = trace.tb_next
    return place
