"""The load generator against a server of a few lines, and what it makes of its figures."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count

import pytest

from benchmarks.drivers import report_of_judge
from benchmarks.load import Load, Percentiles, Plan
from benchmarks.processes import Sample
from benchmarks.wire import Endpoint
from benchmarks.workloads import ONE_TASK, START_ONLY, TEN_TASKS, Requests, Workload

PLAN = Plan(ONE_TASK, in_flight=4, warmup_seconds=0.0, seconds=0.2, drain_seconds=5.0)


class Server:
    """Knows the four calls, as far as the generator can tell. Instances end with their last job."""

    def __init__(self, tasks: int, first_key: int) -> None:
        self.started = 0
        self.completed: list[int] = []
        self.in_flight_max = 0
        self._open = 0
        self._deserted = asyncio.Event()
        self._tasks = tasks
        self._keys = count(first_key)
        self._polls: deque[Connection] = deque()
        self._jobs: deque[tuple[int, int]] = deque()
        self._instance_of: dict[int, tuple[int, int]] = {}

    def opened(self) -> None:
        self._open += 1

    def lost(self) -> None:
        self._open -= 1
        if not self._open:
            self._deserted.set()

    async def deserted(self) -> None:
        """The generator has dropped all its connections, and the server has seen it."""
        await self._deserted.wait()

    def asked(self, path: str, by: "Connection") -> None:
        if path == "/v2/process-instances":
            self.started += 1
            self.in_flight_max = max(self.in_flight_max, self.started - len(self.completed))
            instance = next(self._keys)
            by.answer({"processInstanceKey": str(instance), "more": {}})
            self._offer(instance, 1)
        elif path == "/v2/jobs/activation":
            self._polls.append(by)
            self._lend()
        elif path.endswith("/completion"):
            instance, task = self._instance_of.pop(int(path.split("/")[3]))
            by.answer(None)
            if task < self._tasks:
                self._offer(instance, task + 1)
            else:
                self.completed.append(instance)
        else:
            by.answer({})

    def _offer(self, instance: int, task: int) -> None:
        self._jobs.append((instance, task))
        self._lend()

    def _lend(self) -> None:
        while self._jobs and self._polls:
            instance, task = self._jobs.popleft()
            job = next(self._keys)
            self._instance_of[job] = instance, task
            told = {"jobKey": str(job), "processInstanceKey": instance, "elementId": f"t{task}", "retries": 3}
            self._polls.popleft().answer({"jobs": [told]})


class Connection(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._server.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.lost()

    def data_received(self, data: bytes) -> None:
        """Each request of the generator comes in one piece."""
        self._server.asked(data.split(b" ", 2)[1].decode(), self)

    def answer(self, told: object) -> None:
        assert self._transport is not None
        body = b"" if told is None else json.dumps(told).encode()
        status = b"200 OK" if body else b"204 No Content"
        self._transport.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))


@asynccontextmanager
async def server_of(tasks: int, first_key: int = 1) -> AsyncGenerator[tuple[Server, str]]:
    served = Server(tasks, first_key)
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Connection(served), "127.0.0.1", 0) as listener:
        yield served, f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        await served.deserted()


@pytest.mark.parametrize("workload", [ONE_TASK, TEN_TASKS])
async def test_an_instance_is_complete_with_its_last_job(workload: Workload) -> None:
    plan = replace(PLAN, workload=workload)
    async with server_of(plan.workload.tasks) as (server, base):
        report = await Load(plan, base).run(Sample)

    assert report.completed > 0
    assert report.unfinished == report.failed == 0
    assert len(server.completed) == server.started >= report.completed


async def test_an_open_loop_ends_what_it_started() -> None:
    async with server_of(1) as (server, base):
        report = await Load(replace(PLAN, rate=100.0, seconds=0.5), base).run(Sample)

    assert report.unfinished == 0
    assert len(server.completed) == server.started > 0


async def test_a_load_goes_through_all_gateways_with_as_much_in_flight_at_each() -> None:
    async with server_of(1) as (one, base), server_of(1, 1 << 51) as (other, other_base):
        report = await Load(replace(PLAN, seconds=0.2), base, other_base).run(Sample)

    assert report.completed > 0
    assert report.in_flight == PLAN.in_flight
    for server in (one, other):
        assert server.started == len(server.completed) > PLAN.in_flight
        assert server.in_flight_max == PLAN.in_flight


async def test_an_open_loop_is_spread_over_all_gateways() -> None:
    plan = replace(PLAN, rate=100.0, seconds=0.5)
    async with server_of(1) as (one, base), server_of(1, 1 << 51) as (other, other_base):
        report = await Load(plan, base, other_base).run(Sample)

    assert report.unfinished == 0
    assert abs(one.started - other.started) <= 1 < one.started


async def test_start_only_ends_with_as_many_as_asked_for() -> None:
    plan = replace(PLAN, workload=START_ONLY, count=30, seconds=10.0)
    async with server_of(1) as (server, base):
        report = await Load(plan, base).run(Sample)

    assert server.started == report.completed == 30
    assert report.seconds < 10


def test_percentiles_are_values_that_occurred() -> None:
    assert Percentiles.of([3.0, 1.0, 2.0]) == Percentiles(2.0, 3.0, 3.0, 3.0)
    assert Percentiles.of(range(1, 101)) == Percentiles(50, 90, 99, 100)
    assert Percentiles.of([]) == Percentiles(0.0, 0.0, 0.0, 0.0)


def test_a_completion_is_sent_for_its_key_only() -> None:
    requests = Requests(Endpoint("localhost", 1), "process", "type", b'{"share":"100%"}')

    assert requests.complete(42).startswith(b"POST /v2/jobs/42/completion HTTP/1.1\r\n")
    assert b'"share":"100%"' in requests.create


def test_the_judge_is_understood() -> None:
    told = {
        "completed": 2000,
        "completed_per_s": 200.0,
        "seconds": 10.0,
        "server_cpu_s": 0.5,
        "driver_cpu_s_per_1000": 0.4,
        "latency_ms": {"p50": 1.0, "p90": 2.0, "p99": 3.0, "max": 4.0},
        "create_ms": {"p50": 0.5, "p99": 1.5},
        "server_rss_mib": 70.0,
        "refused_creates": 1,
        "refused_completions": 2,
        "errors": {"create": 0, "complete": 1, "poll": 0},
    }

    report = report_of_judge(PLAN, told)

    assert report.server_us == 250.0
    assert report.completed_per_cpu_second == 4000.0
    assert report.generator_us == 400.0
    assert (report.refused, report.failed) == (3, 1)
    assert report.latency_ms == Percentiles(1.0, 2.0, 3.0, 4.0)
