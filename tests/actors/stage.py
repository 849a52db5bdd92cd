"""A node on a stage: its time, its turns and its disk go on only when the test says so."""

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.founding import Plans
from bpmnd.actors.identity import Identity
from bpmnd.actors.messages import PartitionLimits
from bpmnd.actors.network import NoNetwork
from bpmnd.actors.node import Node, NodeSettings
from bpmnd.actors.partition import PartitionActor
from bpmnd.bpmn.commands import (
    ActivateJobs,
    ClientCommand,
    CompleteJob,
    CreateProcessInstance,
    Deploy,
    Resource,
)
from bpmnd.bpmn.outcomes import ActivatedJob, JobsActivated, Outcome, ProcessInstanceCreated
from bpmnd.bpmn.state import State
from bpmnd.storage.archive import ArchiveRetention
from bpmnd.storage.checkpoint import CheckpointStores
from bpmnd.storage.disk import Disk, RealDisk
from bpmnd.storage.writer import InlineWriter

NO_CHECKPOINTS = CheckpointPolicy(every_bytes=1 << 60, every_seconds=1e9)
ALL_THE_TIME = CheckpointPolicy(every_bytes=1, every_seconds=0, instances_in_memory_max=0, index_head_max=1)


class Seeded:
    """Chance that is the same each time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)


class StageTimer:
    def __init__(self, callback: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.callback = callback
        self.arguments = arguments
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class StageScheduler:
    """Scheduler and clock in one. `run` goes on until nothing is left to do at the present moment."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.hold_blocking = False
        self._soon: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._later: list[tuple[float, int, StageTimer]] = []
        self._blocked: deque[Callable[[], None]] = deque()
        self._count = 0

    def wall_ms(self) -> int:
        return int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    def call_soon(self, callback: Callable[..., Any], *arguments: Any) -> None:
        self._soon.append((callback, arguments))

    def call_later(self, delay: float, callback: Callable[..., Any], *arguments: Any) -> StageTimer:
        timer = StageTimer(callback, arguments)
        self._count += 1
        heapq.heappush(self._later, (self.seconds + delay, self._count, timer))
        return timer

    def post(self, callback: Callable[[], None]) -> None:
        self._soon.append((callback, ()))

    def run_blocking(
        self, work: Callable[[], Any], then: Callable[[Any, BaseException | None], None]
    ) -> None:
        def do() -> None:
            try:
                result = work()
            except Exception as error:
                self.call_soon(then, None, error)
            else:
                self.call_soon(then, result, None)

        self._blocked.append(do)

    def run(self) -> None:
        while self._soon or (self._blocked and not self.hold_blocking):
            while self._soon:
                callback, arguments = self._soon.popleft()
                callback(*arguments)
            if self._blocked and not self.hold_blocking:
                self._blocked.popleft()()

    def pass_time(self, seconds: float) -> None:
        """Let time go by, timer for timer."""
        until = self.seconds + seconds
        self.run()
        while self._later and self._later[0][0] <= until:
            moment, _, timer = heapq.heappop(self._later)
            self.seconds = max(self.seconds, moment)
            if not timer.cancelled:
                timer.callback(*timer.arguments)
            self.run()
        self.seconds = until
        self.run()


class Answer:
    """What a command is answered with, as far as it is."""

    def __init__(self, future: asyncio.Future[Outcome]) -> None:
        self._future = future

    def done(self) -> bool:
        return self._future.done()

    def result(self) -> Outcome:
        return self._future.result()

    def give_up(self) -> None:
        self._future.cancel()


class Stage:
    """A node with its partitions, started and leading."""

    def __init__(
        self,
        directory: Path,
        *,
        partitions: int = 1,
        checkpoints: CheckpointPolicy = NO_CHECKPOINTS,
        limits: PartitionLimits | None = None,
        disk: Disk | None = None,
        segment_size: int = 1 << 20,
        disk_free_min: int = 0,
        retention: ArchiveRetention | None = None,
    ) -> None:
        self.directory = directory
        self.checkpoints = checkpoints
        self.limits = limits or PartitionLimits()
        self.partitions = partitions
        self.disk = disk or RealDisk()
        self.segment_size = segment_size
        self.disk_free_min = disk_free_min
        self.retention = retention or ArchiveRetention()
        self.gave_up: list[BaseException] = []
        self.scheduler = StageScheduler()
        self.start()

    def start(self) -> None:
        """Begin anew on what is on disk, as after a crash."""
        self.writer = InlineWriter()
        entropy = Seeded(1)
        self.node = Node(
            NodeSettings(
                self.directory,
                Plans("here", "", self.partitions, 1, {}),
                segment_size=self.segment_size,
                disk_free_min=self.disk_free_min,
                retention=self.retention,
                checkpoints=self.checkpoints,
                limits=self.limits,
            ),
            Identity.open(self.disk, self.directory, 0, entropy),
            self.disk,
            CheckpointStores(),
            self.writer,
            self.scheduler,
            self.scheduler,
            entropy,
            NoNetwork(),
            asyncio.get_running_loop().create_future,
            self.gave_up.append,
        )
        self.node.start()
        self.scheduler.pass_time(0.5)

    def restart(self) -> None:
        self.node.stop()
        self.start()

    def actor(self, partition_id: int = 1) -> PartitionActor:
        actor = self.node.hosted[partition_id].actor
        assert actor is not None, f"partition {partition_id} does not run"
        return actor

    def offer(self, command: ClientCommand, partition_id: int = 1) -> Answer:
        """Hand in a command, and let nothing happen yet."""
        return Answer(self.actor(partition_id).submit(command))

    def submit(self, command: ClientCommand, partition_id: int = 1) -> Answer:
        """Hand in a command and let everything happen that can."""
        answer = self.offer(command, partition_id)
        self.run()
        return answer

    def run(self) -> None:
        self.scheduler.run()

    def do(self, command: ClientCommand, partition_id: int = 1) -> Outcome:
        return self.submit(command, partition_id).result()

    def deploy(self, content: bytes) -> Outcome:
        answer = self.offer(Deploy((Resource("process.bpmn", content),)))
        self.scheduler.pass_time(0.01)
        return answer.result()

    def create(self, partition_id: int = 1, variables: dict[str, bytes] | None = None) -> int:
        outcome = self.do(CreateProcessInstance("process", variables=variables or {}), partition_id)
        assert isinstance(outcome, ProcessInstanceCreated), outcome
        return outcome.key

    def jobs(self, job_type: str = "work", partition_id: int = 1) -> tuple[ActivatedJob, ...]:
        outcome = self.do(ActivateJobs(job_type, "worker", 60_000, 100), partition_id)
        assert isinstance(outcome, JobsActivated), outcome
        return outcome.jobs

    def complete_all(self, job_type: str = "work", partition_id: int = 1) -> None:
        for job in self.jobs(job_type, partition_id):
            self.do(CompleteJob(job.key), partition_id)

    def live(self, partition_id: int = 1) -> int:
        state = self.state(partition_id)
        return state.started - state.completed

    def state(self, partition_id: int = 1) -> State:
        machine = self.actor(partition_id).machine
        assert machine is not None, f"partition {partition_id} has no state"
        return machine.state
