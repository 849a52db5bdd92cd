"""One life of a node: the production objects from the node down, on the simulated surroundings."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, final

from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.controller import ControllerActor
from bpmnd.actors.errors import Unavailable
from bpmnd.actors.founding import Plans
from bpmnd.actors.identity import Identity
from bpmnd.actors.messages import PartitionLimits
from bpmnd.actors.node import Node, NodeSettings
from bpmnd.actors.partition import PartitionActor
from bpmnd.actors.scrubbing import ScrubPolicy
from bpmnd.bpmn.commands import (
    ClientCommand,
    CorrelateMessage,
    CreateProcessInstance,
    DoOnce,
    PublishMessage,
    asked_for,
)
from bpmnd.bpmn.outcomes import Outcome
from bpmnd.cluster.raft import Role
from bpmnd.cluster_view import ClusterView
from bpmnd.gateway.ports import Partition
from bpmnd.gateway.slots import outcome_by_id, outcome_for_message
from bpmnd.gateway.submission import NoAnswerInTime, Submissions
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError, FullError, GapError, StorageError
from tests.simulation.host import DIRECTORY, Host
from tests.simulation.loop import Driven, simulated_loop
from tests.simulation.network import Endpoint, Hub
from tests.simulation.store import SimulatedStores
from tests.simulation.world import Event, Injected, Violation, World
from tests.simulation.writer import SimulatedWriter

_DISK_FAULTS: Final = ("the disk failed", "the power failed")
_CALL_SECONDS: Final = 2e-6
_WRITE_SECONDS: Final = 0.0005
_POST_SECONDS: Final = 0.0001
_WORK_SECONDS: Final = 0.001

Choice = Callable[[ClusterView], Partition | None]
Result = Outcome | Exception


@dataclass(frozen=True, slots=True)
class Settings:
    """How the nodes of one run are built."""

    plans: dict[int, Plans]
    segment_size: int
    checkpoints: CheckpointPolicy
    limits: PartitionLimits
    scrub: ScrubPolicy
    hiccups: float
    """How often a look at the clock finds that the process had not been running for a while."""


@dataclass(slots=True)
class Seen:
    """A partition of a process, as it was looked at last."""

    actor: PartitionActor | ControllerActor
    term: int = 0
    role: Role = Role.FOLLOWER
    committed: int = 0


class Watcher(Protocol):
    """Who looks at what nodes do."""

    def look(self, process: "Process") -> None:
        """It has just had a turn."""

    def checkpointed(self, process: "Process", partition: int, position: Position, total: int) -> None: ...

    def gave_up(self, process: "Process", error: BaseException) -> None:
        """It wants to exit, for a reason that is not its own fault."""


class NotConnected(Unavailable):
    """Nothing listens there: the request was not taken."""


class ConnectionLost(Unavailable):
    """The node is gone, with whatever it had to say."""


@final
class Process:
    """A node that runs. It never comes back: another process takes its place."""

    def __init__(
        self, world: World, hub: Hub, host: Host, settings: Settings, watcher: Watcher, name: str
    ) -> None:
        self.number: Final = host.number
        self.name: Final = name
        self.alive = True
        self.paused_until = 0.0
        self.host: Final = host
        self.failure: BaseException | None = None
        self.ended: dict[int, Callable[[], None]] = {}
        """Request -> whom to tell that the process is gone."""
        self.seen: dict[int, Seen] = {}
        """What its watcher saw of each partition last."""
        self._world = world
        self._watcher = watcher
        self._hiccups = settings.hiccups
        self._began = world.now
        self._lost = 0.0
        self._posted_until = 0.0
        self._calls: dict[Driven, None] = {}
        self.loop = simulated_loop(world, self, self.monotonic, host.rate)
        self.writer = SimulatedWriter(world, self, self._write_seconds)
        self.submissions = Submissions()
        identity = Identity.open(host.disk, DIRECTORY, host.number, self)
        plans = settings.plans[host.number]
        self.endpoint = Endpoint(hub, self, identity.incarnation, plans.introduction())
        self.node = Node(
            NodeSettings(
                DIRECTORY,
                plans,
                segment_size=settings.segment_size,
                disk_free_min=1,
                checkpoints=settings.checkpoints,
                limits=settings.limits,
                version="simulated",
                scrub=settings.scrub,
            ),
            identity,
            host.disk,
            SimulatedStores(host.disk, host.stores, self._checkpointed),
            self.writer,
            self,
            self,
            self,
            self.endpoint,
            self.loop.create_future,
            self._give_up,
        )
        self.view = ClusterView(self.node)
        hub.begins(self)
        world.after(0, self, self.node.start)

    # Clock, chance, scheduler

    def wall_ms(self) -> int:
        return self.host.wall_ms()

    def monotonic(self) -> float:
        """Runs at this machine's rate; every look takes a moment, now and then a long one."""
        self._lost += _CALL_SECONDS
        if self._hiccups and self._world.chance.random() < self._hiccups:
            self._lost += self._world.between(0.0005, 0.02)
        return 1000.0 + (self._world.now - self._began) * self.host.rate + self._lost

    def below(self, limit: int) -> int:
        return self._world.below(limit)

    def call_soon(self, callback: Callable[..., Any], *arguments: Any) -> Event:
        return self._world.at(self._world.now, self, callback, *arguments)

    def call_later(self, delay: float, callback: Callable[..., Any], *arguments: Any) -> Event:
        return self._world.after(delay / self.host.rate, self, callback, *arguments)

    def post(self, callback: Callable[[], None]) -> None:
        """From another thread: late, but in order."""
        moment = self._world.now + self._world.latency(_POST_SECONDS)
        self._posted_until = max(self._posted_until, moment)
        self._world.at(self._posted_until, self, callback)

    def run_blocking(
        self, work: Callable[[], Any], then: Callable[[Any, BaseException | None], None]
    ) -> None:
        self._world.after(self._world.latency(_WORK_SECONDS), self, self._work, work, then)

    def _work(self, work: Callable[[], Any], then: Callable[[Any, BaseException | None], None]) -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            result = work()
        except Exception as raised:  # As a thread pool does: it goes to whoever waits.
            error = raised
        self._world.after(self._world.latency(_WORK_SECONDS), self, then, result, error)

    def _write_seconds(self) -> float:
        return self._world.latency(_WRITE_SECONDS * self.host.slow_disk)

    def _checkpointed(self, path: Path, position: Position, total: int) -> None:
        self._watcher.checkpointed(self, int(path.parent.name), position, total)

    # Requests of clients

    def serve(self, command: ClientCommand, choose: Choice, answer: Callable[[Result], None]) -> None:
        """What the gateway does with a request, by its own code."""
        call = Driven(self._serve(command, choose, answer), self._served)
        self._calls[call] = None
        call.go_on()

    async def _serve(self, command: ClientCommand, choose: Choice, answer: Callable[[Result], None]) -> None:
        partition = choose(self.view) if self.node.partitions else None
        result: Result
        if partition is None:
            result = NotConnected("the node knows no such partition yet")
        else:
            try:
                result = await self._outcome_of(command, partition, lambda: choose(self.view) or partition)
            except (Unavailable, NoAnswerInTime) as error:
                result = error
        answer(result)

    async def _outcome_of(
        self, command: ClientCommand, partition: Partition, elsewhere: Callable[[], Partition]
    ) -> Outcome:
        match asked_for(command):
            case PublishMessage(correlation_key=key) | CorrelateMessage(correlation_key=key):
                return await outcome_for_message(self.submissions, self.view, command, key)
            case CreateProcessInstance() if isinstance(command, DoOnce):
                return await outcome_by_id(self.submissions, self.view, command)
            case _:
                return await self.submissions.outcome_of(command, partition, elsewhere)

    def _served(self, call: Driven) -> None:
        del self._calls[call]

    @property
    def requests_count(self) -> int:
        return len(self._calls)

    # The end

    def _give_up(self, error: BaseException) -> None:
        if not self.excuses(error):
            raise Violation(f"{self.name} gave up: {error!r}") from error
        if self.failure is None:
            self.failure = error
            self._watcher.gave_up(self, error)

    def excuses(self, error: BaseException) -> bool:
        """Whether it is no wonder that this failed. What is damaged must not be taken for a state."""
        return is_injected(error) or (self.host.damaged and is_damage(error) and not _is_of_state(error))

    def raised(self, error: Exception) -> None:
        """The transport hands to `give_up` what the node raises over a message; so does the simulator."""
        self._give_up(error)

    def pause(self, seconds: float) -> None:
        """No turn for so long. A pause is never cut short: what waits would be overtaken."""
        self.paused_until = max(self.paused_until, self._world.now + seconds)

    def ran(self) -> None:
        self._watcher.look(self)

    def end(self) -> None:
        """The process is gone, in the middle of whatever it did."""
        self.alive = False
        for call in list(self._calls):
            call.close()
        self._calls.clear()
        ended, self.ended = self.ended, {}
        for tell in ended.values():
            tell()


def is_damage(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, DamageError | GapError):
            return True
        error = error.__cause__
    return False


def _is_of_state(error: BaseException | None) -> bool:
    """Whether other replicas made something else of the same log."""
    return _is_of_kind(error, "state")


def is_of_checkpoint(error: BaseException | None) -> bool:
    """Whether a row of a checkpoint cannot be read."""
    return _is_of_kind(error, "checkpoint")


def _is_of_kind(error: BaseException | None, kind: str) -> bool:
    while error is not None:
        if isinstance(error, DamageError) and error.kind == kind:
            return True
        error = error.__cause__
    return False


def is_injected(error: BaseException | None) -> bool:
    """Whether the simulator is at the root of it."""
    waiting: deque[BaseException | None] = deque([error])
    while waiting:
        one = waiting.popleft()
        if one is None:
            continue
        if isinstance(one, Injected | FullError):
            return True
        if isinstance(one, StorageError) and any(text in str(one) for text in _DISK_FAULTS):
            return True
        waiting += (one.__cause__, one.__context__)
    return False
