"""A node without an engine: partitions that answer what a test told them to."""

import asyncio
from collections.abc import Callable, Sequence

from bpmnd.bpmn.commands import ActivateJobs, ClientCommand, Command, DoOnce, YieldJobs, asked_for
from bpmnd.bpmn.keys import first_key, partition_of
from bpmnd.bpmn.outcomes import Accepted, ActivatedJob, JobsActivated, Outcome
from bpmnd.gateway.ports import Broker, JobWatcher, PartitionReplica, Role, Topology


class FakePartition:
    """Keeps what it was sent. Lends the jobs it has; answers all else with `outcome`; can stall."""

    def __init__(self, partition_id: int = 1) -> None:
        self.id = partition_id
        self.is_near = True
        self.outcome: Outcome | Exception | Callable[[ClientCommand], Outcome] = Accepted()
        self.refusal: Exception | None = None
        self.commands: list[ClientCommand] = []
        self.jobs: list[ActivatedJob] = []
        self.watchers: list[JobWatcher] = []
        self.subscriptions: set[str] = set()
        self._lent: dict[str, JobsActivated] = {}
        """Idempotency key -> the jobs that were lent for it."""
        self._stalled: list[tuple[ClientCommand, asyncio.Future[Outcome]]] | None = None

    def submit(self, command: ClientCommand) -> asyncio.Future[Outcome]:
        if self.refusal is not None:
            raise self.refusal
        self.commands.append(command)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if self._stalled is not None:
            self._stalled.append((command, future))
        else:
            self._answer(command, future)
        return future

    def watch_jobs(self, watcher: JobWatcher) -> None:
        self.watchers.append(watcher)

    def subscribe_jobs(self, job_type: str) -> None:
        self.subscriptions.add(job_type)

    def unsubscribe_jobs(self, job_type: str) -> None:
        self.subscriptions.discard(job_type)

    def stall(self) -> None:
        """Answer nothing until `resume`."""
        self._stalled = []

    @property
    def waiting(self) -> list[asyncio.Future[Outcome]]:
        """The futures of what is stalled."""
        return [future for _, future in self._stalled or []]

    def resume(self) -> None:
        """Answer what waits, in the order in which it came."""
        stalled, self._stalled = self._stalled or [], None
        for command, future in stalled:
            self._answer(command, future)

    def add_jobs(self, *jobs: ActivatedJob) -> None:
        """Make jobs activatable, and notify if there were none of their type."""
        for job in jobs:
            is_first = all(other.type != job.type for other in self.jobs)
            self.jobs.append(job)
            if is_first and job.type in self.subscriptions:
                for watcher in self.watchers:
                    watcher.jobs_available(self.id, job.type)

    @property
    def claims(self) -> list[ActivateJobs]:
        asked = [asked_for(command) for command in self.commands]
        return [command for command in asked if isinstance(command, ActivateJobs)]

    @property
    def yielded(self) -> list[int]:
        return [key for command in self.commands if isinstance(command, YieldJobs) for key, _ in command.jobs]

    def _answer(self, command: ClientCommand, future: asyncio.Future[Outcome]) -> None:
        asked = asked_for(command)
        if isinstance(asked, ActivateJobs) and isinstance(self.outcome, Accepted):
            outcome: Outcome | Exception = self._lend_once(command, asked)
        elif callable(self.outcome):
            outcome = self.outcome(command)
        else:
            outcome = self.outcome
        if future.done():
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def _lend_once(self, command: Command, asked: ActivateJobs) -> JobsActivated:
        if not isinstance(command, DoOnce):
            return self._lend(asked)
        lent = self._lent.get(command.id.key) or self._lend(asked)
        if lent.jobs:
            self._lent[command.id.key] = lent
        return lent

    def _lend(self, command: ActivateJobs) -> JobsActivated:
        lent = [job for job in self.jobs if job.type == command.type][: command.jobs_max]
        self.jobs = [job for job in self.jobs if job not in lent]
        return JobsActivated(tuple(lent))


class FakeCluster:
    """Partitions 1 to n on one broker."""

    def __init__(self, partitions_count: int = 1) -> None:
        self.all = [FakePartition(number + 1) for number in range(partitions_count)]
        self.has_leaders = True
        self._turn = 0

    def partitions(self) -> Sequence[FakePartition]:
        return self.all

    def owner_of(self, key: int) -> FakePartition | None:
        number = partition_of(key)
        return self.all[number - 1] if 1 <= number <= len(self.all) else None

    def for_creation(self) -> FakePartition:
        self._turn += 1
        return self.all[(self._turn - 1) % len(self.all)]

    def for_deployment(self) -> FakePartition:
        return self.all[0]

    def for_key(self, key: str) -> FakePartition:
        return self.all[-len(key) % len(self.all)]

    def for_message(self, correlation_key: str) -> FakePartition:
        return self.all[len(correlation_key) % len(self.all)]

    def for_signal(self) -> FakePartition:
        return self.for_creation()

    def topology(self) -> Topology:
        role: Role = "leader" if self.has_leaders else "follower"
        replicas = tuple(PartitionReplica(partition.id, role, "healthy") for partition in self.all)
        broker = Broker(0, "127.0.0.1", 26502, replicas, "0.1.0")
        return Topology((broker,), 1, len(self.all), 1, "0.1.0")


def job_of(number: int, job_type: str = "work", partition_id: int = 1, **variables: bytes) -> ActivatedJob:
    """A job as a partition lends it."""
    return ActivatedJob(
        key=first_key(partition_id) + number,
        type=job_type,
        process_instance_key=first_key(partition_id) + 10,
        definition_key=first_key(partition_id) + 1,
        process_id="order",
        version=1,
        element_id="task",
        element_instance_key=first_key(partition_id) + 20,
        headers=(("colour", "red"),),
        worker="",
        retries=3,
        deadline=1_800_000_000_000,
        tenant_id="<default>",
        tags=(),
        variables=variables,
        root_process_instance_key=first_key(partition_id) + 10,
    )
