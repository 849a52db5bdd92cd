"""The load generator: starts process instances over REST v2, works their jobs, and takes the times.

A cluster gets the load through the gateways of all its nodes at once. There is one process and one type of
job, so that the job of an instance started here may be worked there: clients do not choose their nodes.

An instance is complete when the completion of its last job is acknowledged. In a closed loop the next one
starts when one is complete; in an open loop they start at a fixed rate whatever comes back, and latencies
count from the moment at which an instance was to start, so a server that stalls cannot hide it.
"""

import argparse
import asyncio
import gc
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, final

import msgspec
import uvloop

from benchmarks.processes import Sample, sample_of
from benchmarks.wire import LOST, Endpoint, Pool
from benchmarks.workloads import PAYLOAD, WORKLOADS, Requests, Workload, variables_of

_POLL_MS: Final = 10_000
_PAUSE_SECONDS: Final = 0.005
_PAUSE_SECONDS_MAX: Final = 0.2
_REFUSED: Final = (429, 503)
_UNKNOWN: Final = (LOST, 500, 504)
"""Statuses after which the request may or may not have taken effect."""
_TRIES_MAX: Final = 20
_OPEN_LOOP_CONNECTIONS: Final = 128
_LOOK_SECONDS: Final = 0.02
_DISTRIBUTION_SECONDS: Final = 1.0
"""An engine may answer a deployment before all partitions have it."""


@final
@dataclass(frozen=True, slots=True)
class Plan:
    """What to offer. `rate` 0 is the closed loop with `in_flight` instances; start-only ends at `count`.

    `in_flight` and `workers` are those of one node, `rate` and `count` those of all nodes together.
    """

    workload: Workload
    in_flight: int = 64
    rate: float = 0.0
    warmup_seconds: float = 2.0
    seconds: float = 10.0
    drain_seconds: float = 10.0
    count: int = 0
    workers: int = 2
    jobs_per_poll: int = 64
    variables: bytes = PAYLOAD


@final
@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of durations in milliseconds."""

    p50: float
    p90: float
    p99: float
    max: float

    @classmethod
    def of(cls, durations_ms: Sequence[float]) -> "Percentiles":
        """By the nearest rank; all zero for nothing."""
        ordered = sorted(durations_ms)
        if not ordered:
            return cls(0.0, 0.0, 0.0, 0.0)
        count = len(ordered)
        p50, p90, p99 = (round(ordered[math.ceil(share * count) - 1], 3) for share in (0.5, 0.9, 0.99))
        return cls(p50, p90, p99, round(ordered[-1], 3))


@final
@dataclass(frozen=True, slots=True)
class Report:
    """What came of a load. Costs are per completed instance, the generator's own beside the server's."""

    workload: str
    in_flight: int
    rate_asked: float
    seconds: float
    completed: int
    completed_per_second: float
    latency_ms: Percentiles
    creation_ms: Percentiles
    generator_us: float
    server_us: float
    completed_per_cpu_second: float
    server_rss_mib: float
    written_bytes: float
    refused: int
    failed: int
    unfinished: int
    last_failure: str


class _Created(msgspec.Struct, rename="camel"):
    process_instance_key: int | str


class _Job(msgspec.Struct, rename="camel", gc=False):
    process_instance_key: int | str
    element_id: str
    job_key: int | str = 0
    key: int | str = 0
    """What Zeebe called the same before 8.7."""


class _Activated(msgspec.Struct):
    jobs: list[_Job]


_CREATED = msgspec.json.Decoder(_Created)
_ACTIVATED = msgspec.json.Decoder(_Activated)


@dataclass(slots=True)
class _Counts:
    refused: int = 0
    failed: int = 0
    last_failure: str = ""
    creations: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """(intended start, acknowledged)"""
    completions: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """(intended start, completed)"""


@final
class _Gate:
    """One of the gateways through which the load goes."""

    __slots__ = ("activation", "pool", "requests")

    def __init__(self, base: str, name: str, plan: Plan) -> None:
        endpoint = Endpoint.of(base)
        self.pool: Final = Pool(endpoint)
        self.requests: Final = Requests(endpoint, name, name, plan.variables)
        self.activation: Final = self.requests.activate(plan.jobs_per_poll, _POLL_MS)


@final
class Load:
    """One run of a plan against the nodes of one engine."""

    def __init__(self, plan: Plan, *bases: str) -> None:
        self._plan = plan
        name = (
            f"bench-{time.time_ns() // 1_000_000:x}"  # Of its own: no poll of an earlier run gets its jobs.
        )
        self._gates = [_Gate(base, name, plan) for base in bases]
        self._clock = time.perf_counter
        self._starting = True
        self._running = 0
        self._started = 0
        self._given_up = 0
        self._counts = _Counts()
        self._intended: dict[int, tuple[_Gate, float]] = {}
        """Instance -> where it was started, and when it was to be, once its key is known."""
        self._completed_early: dict[int, float] = {}
        """Instances completed before their creation was acknowledged here."""

    async def run(self, sample: Callable[[], Sample]) -> Report:
        """Deploy, warm up, measure. `sample` is asked for the server's use at both ends of the window."""
        plan = self._plan
        connections = plan.in_flight if plan.rate <= 0 else _OPEN_LOOP_CONNECTIONS
        for gate in self._gates:
            await gate.pool.open(connections + plan.workers)
        try:
            await self._deploy()
            if plan.workload.is_worked:
                for gate in self._gates * plan.workers:
                    self._poll(gate)
            return await self._measure(sample)
        finally:
            for gate in self._gates:
                await gate.pool.close()

    async def _deploy(self) -> None:
        first = self._gates[0]
        status, body = await first.pool.ask(first.requests.deploy(self._plan.workload))
        if status != 200:
            raise RuntimeError(f"the deployment was answered with {status}: {body!r}")
        if len(self._gates) > 1:
            await asyncio.sleep(_DISTRIBUTION_SECONDS)

    async def _measure(self, sample: Callable[[], Sample]) -> Report:
        plan, clock = self._plan, self._clock
        offering: asyncio.Task[None] | None = None
        if plan.rate > 0:
            offering = asyncio.create_task(self._offer())
        else:
            for gate in self._gates * plan.in_flight:
                self._start(gate, clock())
        if not plan.count:
            await asyncio.sleep(plan.warmup_seconds)
        gc.collect()
        gc.disable()
        before, cpu_before, begun = sample(), time.process_time(), clock()
        await self._window()
        after, cpu_after, ended = sample(), time.process_time(), clock()
        gc.enable()

        self._starting = False
        if offering is not None:
            await offering
        deadline = clock() + plan.drain_seconds
        while self._running and clock() < deadline:  # noqa: ASYNC110 - an event would cost each instance
            await asyncio.sleep(_LOOK_SECONDS)
        return self._report(begun, ended, cpu_after - cpu_before, before, after)

    async def _window(self) -> None:
        """The time that is measured: so many seconds, or until so many instances wait."""
        plan = self._plan
        if not plan.count:
            await asyncio.sleep(plan.seconds)
            return
        deadline = self._clock() + plan.seconds
        while self._running and self._clock() < deadline:  # noqa: ASYNC110 - the same
            await asyncio.sleep(_LOOK_SECONDS)

    async def _offer(self) -> None:
        """The open loop: each instance at its moment, or late but counted from it."""
        begun, number = self._clock(), 0
        while self._starting:
            intended = begun + number / self._plan.rate
            wait = intended - self._clock()
            if wait > 0:
                await asyncio.sleep(wait)
            self._start(self._gates[number % len(self._gates)], intended)
            number += 1

    def _start(self, gate: _Gate, intended: float) -> None:
        if not self._starting or (self._plan.count and self._started >= self._plan.count):
            return
        self._started += 1
        self._running += 1
        self._create(gate, intended, 0)

    def _create(self, gate: _Gate, intended: float, tries: int) -> None:
        gate.pool.post(gate.requests.create, partial(self._created, gate, intended, tries))

    def _created(self, gate: _Gate, intended: float, tries: int, status: int, body: bytes) -> None:
        if status != 200:
            self._again(status, body, partial(self._create, gate, intended), tries)
            return
        now = self._clock()
        self._counts.creations.append((intended, now))
        if not self._plan.workload.is_worked:
            self._finished(gate, intended, now)
            return
        key = int(_CREATED.decode(body).process_instance_key)
        early = self._completed_early.pop(key, None)
        if early is None:
            self._intended[key] = gate, intended
        else:
            self._finished(gate, intended, early)

    def _poll(self, gate: _Gate) -> None:
        gate.pool.post(gate.activation, partial(self._activated, gate))

    def _activated(self, gate: _Gate, status: int, body: bytes) -> None:
        if status != 200:
            self._note(status, body)
            asyncio.get_running_loop().call_later(_PAUSE_SECONDS_MAX, self._poll, gate)
            return
        self._poll(gate)
        last = self._plan.workload.last_element
        for job in _ACTIVATED.decode(body).jobs:
            instance_key = int(job.process_instance_key) if job.element_id == last else 0
            self._complete(gate, int(job.job_key or job.key), instance_key, 0)

    def _complete(self, gate: _Gate, job_key: int, instance_key: int, tries: int) -> None:
        """Complete a job where it was activated; `instance_key` is that of the instance which ends with it,
        or 0."""
        request = gate.requests.complete(job_key)
        gate.pool.post(request, partial(self._job_completed, gate, job_key, instance_key, tries))

    def _job_completed(
        self, gate: _Gate, job_key: int, instance_key: int, tries: int, status: int, body: bytes
    ) -> None:
        if status != 204:
            self._again(status, body, partial(self._complete, gate, job_key, instance_key), tries)
        elif instance_key:
            now = self._clock()
            started = self._intended.pop(instance_key, None)
            if started is None:
                self._completed_early[instance_key] = now
            else:
                self._finished(*started, now)

    def _finished(self, gate: _Gate, intended: float, at: float) -> None:
        self._counts.completions.append((intended, at))
        self._running -= 1
        if self._plan.rate <= 0:
            self._start(gate, self._clock())

    def _again(self, status: int, body: bytes, request: Callable[[int], None], tries: int) -> None:
        """Try again after a pause that grows: as long as the server is busy, else a few times."""
        self._note(status, body)
        if status not in _REFUSED and (tries >= _TRIES_MAX or status not in _UNKNOWN):
            self._given_up += 1
            self._running -= 1
            return
        pause = min(_PAUSE_SECONDS * 2 ** min(tries, _TRIES_MAX), _PAUSE_SECONDS_MAX)
        asyncio.get_running_loop().call_later(pause, request, tries + 1)

    def _note(self, status: int, body: bytes) -> None:
        counts = self._counts
        if status in _REFUSED:
            counts.refused += 1
        else:
            counts.failed += 1
            counts.last_failure = f"{status} {body[:200].decode(errors='replace')}"

    def _report(self, begun: float, ended: float, own_cpu: float, before: Sample, after: Sample) -> Report:
        plan, counts = self._plan, self._counts
        seconds = ended - begun
        completed = sum(begun <= at <= ended for _, at in counts.completions)
        server = after.cpu_seconds - before.cpu_seconds
        each = max(completed, 1)
        return Report(
            workload=plan.workload.name,
            in_flight=0 if plan.rate > 0 else plan.in_flight,
            rate_asked=plan.rate,
            seconds=round(seconds, 3),
            completed=completed,
            completed_per_second=round(completed / seconds, 1),
            latency_ms=self._percentiles(counts.completions, begun, ended),
            creation_ms=self._percentiles(counts.creations, begun, ended),
            generator_us=round(own_cpu / each * 1e6, 1),
            server_us=round(server / each * 1e6, 1),
            completed_per_cpu_second=round(completed / server, 1) if server > 0 else 0.0,
            server_rss_mib=round(after.rss_bytes / 2**20, 1),
            written_bytes=round((after.written_bytes - before.written_bytes) / each, 1),
            refused=counts.refused,
            failed=counts.failed,
            unfinished=self._running + self._given_up,
            last_failure=counts.last_failure,
        )

    def _percentiles(self, times: list[tuple[float, float]], begun: float, ended: float) -> Percentiles:
        """Of what was to start within the window (open loop), or ended within it (closed loop)."""
        which = 0 if self._plan.rate > 0 else 1
        return Percentiles.of(
            [(at - intended) * 1e3 for intended, at in times if begun <= (intended, at)[which] <= ended]
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument(
        "--base", nargs="+", default=["http://127.0.0.1:8080"], help="base URLs of all nodes, without /v2"
    )
    parser.add_argument("--workload", choices=sorted(WORKLOADS), default="one-task")
    parser.add_argument(
        "--in-flight", type=int, default=64, help="closed loop: instances kept in flight, a node"
    )
    parser.add_argument("--rate", type=float, default=0.0, help="open loop: instances started per second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--warmup", type=float, default=2.0)
    parser.add_argument("--count", type=int, default=0, help="start-only: how many instances to start")
    parser.add_argument("--workers", type=int, default=2, help="a node")
    parser.add_argument("--poll", type=int, default=64, help="jobs asked for at once")
    parser.add_argument("--payload", type=Path, help="file with the variables as JSON")
    parser.add_argument(
        "--pid",
        nargs="*",
        type=int,
        default=[],
        help="the servers' processes, sampled with their descendants",
    )
    given = parser.parse_args(arguments)
    plan = Plan(
        WORKLOADS[given.workload],
        in_flight=given.in_flight,
        rate=given.rate,
        warmup_seconds=given.warmup,
        seconds=given.seconds,
        count=given.count,
        workers=given.workers,
        jobs_per_poll=given.poll,
        variables=variables_of(given.payload),
    )
    report = uvloop.run(Load(plan, *given.base).run(partial(sample_of, *given.pid)))
    json.dump(asdict(report), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
