"""What is measured. Each measurement returns plain figures; nothing here prints tables."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias, TypeVar, final

from benchmarks.disk import sync_times
from benchmarks.drivers import Driver, OwnDriver
from benchmarks.engines import BpmndNode, Engine, bpmnd_node
from benchmarks.load import Percentiles, Plan, Report
from benchmarks.processes import disk_bytes, sample_of
from benchmarks.workloads import ONE_TASK, START_ONLY, TEN_TASKS

Say: TypeAlias = Callable[[str], None]
E = TypeVar("E", bound=Engine)

_WARM_IN_FLIGHT: Final = 32
_SETTLE_SECONDS: Final = 12.0
"""Longer than two checkpoints apart: what is idle has been written and has left the memory."""
_SETTLED_LOOK_SECONDS: Final = 3.0
_SETTLED_CPU_MAX: Final = 0.03
_SETTLE_SECONDS_MAX: Final = 180.0


@final
@dataclass(frozen=True, slots=True)
class Throughput:
    """Of one engine and workload: the runs, in order."""

    engine: str
    runs: tuple[Report, ...]

    @property
    def median(self) -> Report:
        """The run with the median CPU per instance."""
        return sorted(self.runs, key=lambda run: run.server_us)[len(self.runs) // 2]


@final
@dataclass(frozen=True, slots=True)
class Latency:
    """Of one engine at one rate: the median of each percentile over the rounds."""

    engine: str
    rate: float
    median_ms: Percentiles
    runs: tuple[Report, ...]


@final
@dataclass(frozen=True, slots=True)
class Waiting:
    """What it takes that instances wait. Memory is the node's PSS; bytes are per waiting instance."""

    count: int
    created_per_second: float
    creation_us: float
    memory_bytes: float
    memory_mib_without: float
    memory_mib: float
    disk_bytes: float
    checkpoint_disk_bytes: float
    restart_seconds: tuple[float, ...]
    restart_seconds_without: tuple[float, ...]
    pairs: tuple[tuple[Report, Report], ...]
    """One-task runs without and with the waiting instances, in turn."""

    @property
    def median_ratio(self) -> float:
        """CPU per instance with waiting instances over that without, the median of the pairs."""
        return statistics.median(loaded.server_us / alone.server_us for alone, loaded in self.pairs)


def warm(engine: Engine, driver: Driver, seconds: float) -> None:
    driver.run(engine, Plan(ONE_TASK, in_flight=_WARM_IN_FLIGHT, warmup_seconds=0.0, seconds=seconds))


def throughput(
    engines: Sequence[Engine], driver: Driver, plan: Plan, repeat: int, say: Say
) -> list[Throughput]:
    """Closed loop, the engines in turn."""
    runs: dict[str, list[Report]] = {engine.name: [] for engine in engines}
    for number in range(repeat):
        for engine in _in_turn(engines, number):
            report = driver.run(engine, plan)
            runs[engine.name].append(report)
            say(
                f"{plan.workload.name} {engine.name}: {report.completed_per_second:.0f}/s,"
                f" {report.server_us:.0f} µs of the server's CPU each"
            )
    return [Throughput(name, tuple(reports)) for name, reports in runs.items()]


def latency(
    engines: Sequence[Engine], driver: Driver, plan: Plan, repeat: int, scratch: Path, say: Say
) -> tuple[list[Latency], Percentiles]:
    """Open loop, the engines in turn, and the bare disk before each round."""
    runs: dict[str, list[Report]] = {engine.name: [] for engine in engines}
    disk: list[Percentiles] = []
    for number in range(repeat):
        disk.append(sync_times(scratch))
        say(f"bare fdatasync: {_shown(disk[-1])}")
        for engine in _in_turn(engines, number):
            report = driver.run(engine, plan)
            runs[engine.name].append(report)
            say(f"{plan.rate:.0f}/s {engine.name}: {_shown(report.latency_ms)}")
    found = [
        Latency(name, plan.rate, _medians([report.latency_ms for report in reports]), tuple(reports))
        for name, reports in runs.items()
    ]
    return found, _medians(disk)


def waiting(directory: Path, driver: Driver, plan: Plan, count: int, pairs: int, say: Say) -> Waiting:
    """Two nodes alike, one of which then gets the waiting instances."""
    own = OwnDriver()
    with bpmnd_node(directory / "empty") as empty, bpmnd_node(directory / "full") as full:
        for node in (empty, full):
            warm(node, own, 5.0)
        without, disk_without, checkpoint_without = _footprint(full)
        say(f"before: {without / 2**20:.1f} MiB")
        filled = own.run(
            full,
            replace(plan, workload=START_ONLY, count=count, seconds=3600.0, rate=0.0, in_flight=64),
        )
        assert filled.completed == count, f"{filled.completed} of {count} instances wait: {filled}"
        say(f"{count} started at {filled.completed_per_second:.0f}/s")
        memory, disk, checkpoint = _footprint(full)
        say(f"{count} wait: {memory / 2**20:.1f} MiB, {(memory - without) / count:.0f} bytes each")

        runs: list[tuple[Report, Report]] = []
        for number in range(pairs):
            reports = {node.data: driver.run(node, plan) for node in _in_turn((empty, full), number)}
            alone, loaded = reports[empty.data], reports[full.data]
            runs.append((alone, loaded))
            say(f"pair {number + 1}: {alone.server_us:.0f} µs without, {loaded.server_us:.0f} µs with them")
        restarts = tuple(full.restart() for _ in range(3))
        restarts_without = tuple(empty.restart() for _ in range(3))
        say(f"restart: {max(restarts):.2f} s with, {max(restarts_without):.2f} s without them")
    return Waiting(
        count=count,
        created_per_second=filled.completed_per_second,
        creation_us=filled.server_us,
        memory_bytes=round((memory - without) / count, 1),
        memory_mib_without=round(without / 2**20, 1),
        memory_mib=round(memory / 2**20, 1),
        disk_bytes=round((disk - disk_without) / count, 1),
        checkpoint_disk_bytes=round((checkpoint - checkpoint_without) / count, 1),
        restart_seconds=tuple(round(seconds, 3) for seconds in restarts),
        restart_seconds_without=tuple(round(seconds, 3) for seconds in restarts_without),
        pairs=tuple(runs),
    )


def throughput_plans(base: Plan) -> tuple[Plan, Plan]:
    return replace(base, workload=ONE_TASK, rate=0.0), replace(base, workload=TEN_TASKS, rate=0.0)


def _in_turn(engines: Sequence[E], number: int) -> Sequence[E]:
    """Now in this order, now in the other: whoever comes second must not always be the same."""
    return engines if number % 2 == 0 else engines[::-1]


def _footprint(node: BpmndNode) -> tuple[int, int, int]:
    """Memory, disk, and of the disk the checkpoint store, once the node has come to rest."""
    _settle(node.pid)
    stores = sum(disk_bytes(store) for store in node.data.glob("partitions/*/checkpoint"))
    return sample_of(node.pid).pss_bytes, disk_bytes(node.data), stores


def _settle(pid: int) -> None:
    """Wait until the process has nothing left to do."""
    deadline = time.monotonic() + _SETTLE_SECONDS_MAX
    time.sleep(_SETTLE_SECONDS)
    while time.monotonic() < deadline:
        before = sample_of(pid).cpu_seconds
        time.sleep(_SETTLED_LOOK_SECONDS)
        if sample_of(pid).cpu_seconds - before < _SETTLED_CPU_MAX * _SETTLED_LOOK_SECONDS:
            return


def _medians(found: Sequence[Percentiles]) -> Percentiles:
    return Percentiles(
        *(round(statistics.median(values), 3) for values in zip(*map(_values, found), strict=True))
    )


def _values(percentiles: Percentiles) -> tuple[float, float, float, float]:
    return percentiles.p50, percentiles.p90, percentiles.p99, percentiles.max


def _shown(percentiles: Percentiles) -> str:
    return f"p50 {percentiles.p50:.2f} ms, p99 {percentiles.p99:.2f} ms, max {percentiles.max:.2f} ms"
