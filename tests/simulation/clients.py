"""Clients of a simulated cluster: they deploy, create, work, cancel, set variables and resolve incidents."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, final

from bpmnd.actors.errors import Unavailable
from bpmnd.bpmn.commands import (
    ActivateJobs,
    BroadcastSignal,
    CancelProcessInstance,
    ClientCommand,
    CommandId,
    CompleteJob,
    CorrelateMessage,
    CreateProcessInstance,
    Deploy,
    DoOnce,
    FailJob,
    PublishMessage,
    ResolveIncident,
    Resource,
    SetVariables,
    ThrowJobError,
    UpdateJob,
    YieldJobs,
)
from bpmnd.bpmn.outcomes import ActivatedJob, DeploymentCreated, JobsActivated
from bpmnd.bpmn.outcomes import ProcessInstanceCreated as InstanceAnswer
from bpmnd.cluster_view import ClusterView
from bpmnd.gateway.ports import Partition
from tests.simulation.history import History, Request
from tests.simulation.ledger import Group, Ledger
from tests.simulation.loop import Driven, simulated_loop
from tests.simulation.models import CREATED, JOB_TYPES, MESSAGES, SIGNAL, START_MESSAGE, STARTED
from tests.simulation.process import Choice, ConnectionLost, NotConnected, Process, Result
from tests.simulation.world import Violation, World

_LATENCY: Final = 0.002


class TooSlow(Unavailable):
    """The client does not wait any longer. The answer may still come."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked of the cluster."""

    partitions: int
    nodes: int
    creations: int
    creators: int
    workers: int
    pause: float
    """Seconds between two looks of one worker, about."""
    seconds: float
    """For so long there are faults, and instances are created all the time."""
    grows: bool = False
    """Partitions are added meanwhile; more messages are sent, since they have to follow their slots."""


@final
class Clients:
    """All clients of one run. They live on machines that do not fail, and see what their requests come to."""

    name = "clients"
    alive = True
    paused_until = 0.0

    def __init__(
        self, world: World, load: Load, ledger: Ledger, process_of: Callable[[int], Process | None]
    ) -> None:
        self.loop = simulated_loop(world, self, lambda: world.now, 1.0)
        self.history: Final = History()
        self.healing = False
        """Faults are over: bring everything to its end, and begin nothing."""
        self.definitions: list[int] = []
        """Keys of deployed processes, as acknowledged."""
        self.created: list[int] = []
        self.orders: list[str] = []
        """What the messages for each instance are correlated by."""
        self.partitions = load.partitions
        """As many as the cluster has by now."""
        self.stopped = False
        self.all_deployed = False
        self.open_requests = 0
        self.busy = 0
        """Clients that have not brought their own task to an end."""
        self._world = world
        self._load = load
        self._ledger = ledger
        self._process_of = process_of
        self._creations_left = load.creations

    def start(self) -> None:
        self._drive(self._task(self._deploy_all()))
        for _ in range(self._load.creators):
            self._drive(self._task(self._create()))
        for _ in range(self._load.workers):
            self._drive(self._work())
        self._drive(self._operate())

    async def _task(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.busy += 1
        await coroutine
        self.busy -= 1

    def raised(self, error: Exception) -> None:
        raise Violation(f"a client raised {error!r}") from error

    def ran(self) -> None:
        """Nothing is to be watched here."""

    def _drive(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._world.after(0, self, Driven(coroutine, lambda _: None).go_on)

    async def _sleep(self, seconds: float) -> None:
        future = self.loop.create_future()
        self._world.after(seconds, self, future.set_result, None)
        await future

    # Requests

    async def _ask(
        self, command: ClientCommand, choose: Choice, *, partition: int = 0, instance_key: int = 0
    ) -> Result:
        """Send a command to some node; its outcome, or why it is not known."""
        world, requests = self._world, self.history.requests
        request = Request(len(requests), command, partition, instance_key, self._ledger.lengths())
        requests.append(request)
        future = self.loop.create_future()
        self.open_requests += 1
        node = 1 + world.below(self._load.nodes)

        def heard(result: Result) -> None:
            """It counts also when it comes too late for the client."""
            self.open_requests -= 1
            request.after = self._ledger.lengths()
            request.result = result
            if not future.done():
                future.set_result(result)

        world.after(world.latency(_LATENCY), None, self._arrive, node, request, choose, heard)
        patience = world.after(world.between(0.5, 4.0), self, self._give_up, future)
        result: Result = await future
        patience.cancel()
        return result

    def _give_up(self, future: "asyncio.Future[Result]") -> None:
        if not future.done():
            future.set_result(TooSlow("the client goes on without an answer"))

    def _arrive(self, node: int, request: Request, choose: Choice, answer: Callable[[Result], None]) -> None:
        process = self._process_of(node)
        if process is None:
            self._answer(answer, NotConnected(f"node {node} does not run"))
            return
        number = request.number
        process.ended[number] = lambda: self._answer(answer, ConnectionLost(f"node {node} is gone"))

        def answered(result: Result) -> None:
            del process.ended[number]
            self._answer(answer, result)

        self._world.after(0, process, process.serve, request.command, choose, answered)

    def _answer(self, answer: Callable[[Result], None], result: Result) -> None:
        kind = type(result).__name__
        self._world.after(self._world.latency(_LATENCY), self, self._hear, answer, result, kind)

    def _hear(self, answer: Callable[[Result], None], result: Result, kind: str) -> None:
        self._world.note(self.name, kind)
        answer(result)

    async def _about(self, command: ClientCommand, key: int, instance_key: int) -> Result:
        return await self._ask(command, lambda view: view.owner_of(key), instance_key=instance_key)

    # What they do

    async def _deploy_all(self) -> None:
        for number, content in enumerate((*CREATED, *STARTED)):
            command = Deploy((Resource(f"{number}.bpmn", content),))
            while True:
                result = await self._ask(command, ClusterView.for_deployment)
                if isinstance(result, DeploymentCreated):
                    if content in CREATED:
                        self.definitions.append(result.processes[0].key)
                    break
                await self._sleep(self._world.between(0.05, 0.5))
            await self._sleep(self._world.between(0, 2 * self._load.pause))
        self.all_deployed = True

    async def _create(self) -> None:
        world = self._world
        pause = self._load.seconds * self._load.creators / self._load.creations
        while self._creations_left > 0 and not self.healing:
            await self._sleep(world.between(0, 2 * pause))
            if not self.definitions:
                continue
            self._creations_left -= 1
            number = len(self.history.requests)
            mark = f"mark{number}"
            variables = {"order": f'"{mark}"'.encode()}
            if world.happens(0.9):
                variables["amount"] = str(world.chance.choice((5, 500, 5000))).encode()
            if world.happens(0.1):
                variables["text"] = b'"' + b"x" * world.below(3000) + b'"'
            self.orders.append(mark)
            command = CreateProcessInstance(
                definition_key=world.chance.choice(self.definitions),
                variables=variables,
                business_id=mark,
                await_result=world.happens(0.05),
            )
            if world.happens(0.3):
                result = await self._insist(DoOnce(CommandId("creation", mark, b""), command))
            else:
                result = await self._ask(command, ClusterView.for_creation)
            if isinstance(result, InstanceAnswer):
                self.created.append(result.key)
            if self.created and world.happens(0.2):
                await self._disturb(world.chance.choice(self.created))
            if world.happens(0.4):
                await self._send(world.chance.choice(self.orders))
            for _ in range(3 if self._load.grows else 0):
                await self._send(world.chance.choice(self.orders))

    async def _insist(self, command: DoOnce) -> Result:
        """Send a command with an id by any node until there is an outcome, and sometimes once more."""
        while True:
            result = await self._ask(command, lambda view: view.for_key(command.id.key))
            if self.stopped or not (isinstance(result, Exception) or self._world.happens(0.3)):
                return result
            await self._sleep(self._world.between(0.01, 0.5))

    async def _send(self, order: str) -> None:
        """A message for an instance, one that starts another, or a signal."""
        world = self._world
        mark = f"mark{len(self.history.requests)}"
        match world.below(4):
            case 0 if self.all_deployed:
                start = PublishMessage(START_MESSAGE, "", 0, mark, {mark: b"1"})
                await self._ask(start, lambda view: view.for_message(""))
            case 1:
                await self._ask(BroadcastSignal(SIGNAL), lambda view: view.for_signal())
            case _:
                name = world.chance.choice(MESSAGES)
                command: ClientCommand = CorrelateMessage(name, order, {mark: b"1"})
                if world.happens(0.8):
                    live_ms = world.chance.choice((0, 1000, 20_000))
                    command = PublishMessage(name, order, live_ms, mark, {mark: b"1"})
                await self._ask(command, lambda view: view.for_message(order))

    async def _disturb(self, instance_key: int) -> None:
        number = len(self.history.requests)
        command: ClientCommand = SetVariables(instance_key, {f"mark{number}": b"1"})
        if self._world.happens(0.2):
            command = CancelProcessInstance(instance_key)
        await self._about(command, instance_key, instance_key)

    async def _work(self) -> None:
        world = self._world
        while not self.stopped:
            for partition in range(1, self.partitions + 1):
                for job_type in JOB_TYPES:
                    if self.healing or world.happens(0.5):
                        await self._activate(partition, job_type)
            await self._sleep(world.between(0, 2 * self._load.pause))

    async def _activate(self, partition: int, job_type: str) -> None:
        world = self._world
        number = len(self.history.requests)
        timeout_ms = world.chance.choice((300, 1000, 5000))
        command = ActivateJobs(job_type, f"worker{number}", timeout_ms, 1 + world.below(8))
        result = await self._ask(command, _numbered(partition), partition=partition)
        if isinstance(result, JobsActivated):
            for job in result.jobs:
                await self._do(job)
            if result.jobs:
                return
        await self._sleep(world.between(0, 0.2 if self.healing else self._load.pause))

    async def _do(self, job: ActivatedJob) -> None:
        world = self._world
        mark = f"mark{len(self.history.requests)}"
        fate = 1.0 if self.healing else world.chance.random()
        command: ClientCommand = CompleteJob(job.key, {"result": b'"done"'})
        if fate < 0.05:
            command = FailJob(job.key, world.below(3), world.chance.choice((0, 500)), mark)
        elif fate < 0.08:
            command = ThrowJobError(job.key, "E1", mark, {"e": b"1"})
        elif fate < 0.11:
            command = YieldJobs(((job.key, job.deadline),))
        elif fate < 0.15:
            return  # Its worker has forgotten it: it times out.
        times = 2 if world.happens(0.1) else 1
        for _ in range(times if isinstance(command, CompleteJob) else 1):
            await self._about(command, job.key, job.process_instance_key)

    async def _operate(self) -> None:
        """See to the incidents, which an operator finds in what is committed."""
        world = self._world
        while not self.stopped:
            await self._sleep(world.between(0.2, 1.0))
            for group in list(self._ledger.partitions.values()):
                for incident in list(group.incidents.values()):
                    if self.healing or world.happens(0.3):
                        instance = incident.instance_key
                        await self._about(SetVariables(instance, {"amount": b"500"}), instance, instance)
                        if incident.job_key:
                            await self._about(UpdateJob(incident.job_key, 1), instance, instance)
                        await self._about(ResolveIncident(incident.key), instance, instance)
                if self.healing:
                    await self._release(group)

    async def _release(self, group: Group) -> None:
        """Send what the instances that are left may wait for. A signal also starts instances: for those alone
        it is not sent again."""
        if any(instance.business_id is not None for instance in group.live.values()):
            await self._ask(BroadcastSignal(SIGNAL), lambda view: view.for_signal())
        for instance in list(group.live.values()):
            order = instance.business_id
            if order is not None:
                await self._release_order(order)

    async def _release_order(self, order: str) -> None:
        mark = f"mark{len(self.history.requests)}"
        command = PublishMessage(MESSAGES[0], order, 0, mark, {mark: b"1"})
        await self._ask(command, lambda view: view.for_message(order))


def _numbered(number: int) -> Choice:
    def choose(view: ClusterView) -> Partition | None:
        return next((one for one in view.partitions() if one.id == number), None)

    return choose
