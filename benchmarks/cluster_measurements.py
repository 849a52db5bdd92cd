"""What more nodes bring and cost: clusters of several shapes under the same load, in turn."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, final

from benchmarks import measurements
from benchmarks.clusters import ALONE, SHAPES, BpmndCluster, Shape, bpmnd, engine_name
from benchmarks.drivers import Driver
from benchmarks.engines import Engine
from benchmarks.load import Percentiles, Plan
from benchmarks.measurements import Latency, Say, Throughput
from benchmarks.takeover import Takeover, takeovers
from benchmarks.zeebe_cluster import NotAvailable, zeebe_cluster

GOALS: Final = {engine_name(SHAPES["b"]): 0.85, engine_name(SHAPES["c"]): 0.70}
"""Engine -> the least share of what one node completes per CPU-second."""
_WARM_SECONDS: Final = 3.0
_WARM_SECONDS_ZEEBE: Final = 45.0


@final
@dataclass(frozen=True, slots=True)
class Clusters:
    """Of all engines in turn."""

    throughputs: tuple[Throughput, ...]
    latencies: tuple[Latency, ...]
    disk_ms: Percentiles | None
    takeovers: tuple[Takeover, ...]
    takeovers_of: str
    """The engine whose leaders were killed."""
    skipped: tuple[str, ...]
    """What was to be measured and could not be, each with its reason."""

    @property
    def alone(self) -> Throughput | None:
        """That of the single node, if it was measured."""
        name = engine_name(ALONE)
        return next((found for found in self.throughputs if found.engine == name), None)


def shares(of: Throughput, against: Throughput) -> list[float]:
    """How much is completed per CPU-second as a share of another engine's, round by round."""
    return [
        other.server_us / run.server_us if run.server_us else 0.0
        for run, other in zip(of.runs, against.runs, strict=True)
    ]


def clusters(
    directory: Path,
    driver: Driver,
    plan: Plan,
    shapes: Sequence[Shape],
    *,
    rate: float,
    repeat: int,
    kills: int,
    with_zeebe: bool,
    say: Say,
) -> Clusters:
    """Throughput and latency of all these, and what it takes until a leader is replaced."""
    skipped: list[str] = []
    with contextlib.ExitStack() as running:
        engines: list[Engine] = []
        for number, shape in enumerate(shapes):
            say(f"starting {engine_name(shape)}")
            engines.append(running.enter_context(bpmnd(directory / f"cluster-{number}", shape)))
        brokers = _brokers(running, directory, say, skipped) if with_zeebe else None
        for engine in engines:
            say(f"warming {engine.name}")
            measurements.warm(engine, driver, _WARM_SECONDS)
        if brokers is not None:
            say(f"warming {brokers.name}")
            measurements.warm(brokers, driver, _WARM_SECONDS_ZEEBE)
            engines.append(brokers)
        throughputs = measurements.throughput(engines, driver, replace(plan, rate=0.0), repeat, say)
        latencies, disk = measurements.latency(
            engines, driver, replace(plan, rate=rate), repeat, directory, say
        )
    killed, found = "", list[Takeover]()
    replicated = next((shape for shape in shapes if shape.replication > 1), None)
    if kills and replicated is not None:
        # Nothing else may run beside it: an election waits for the slowest.
        killed = engine_name(replicated)
        with bpmnd(directory / "killed", replicated) as cluster:
            assert isinstance(cluster, BpmndCluster), "what is replicated has several nodes"
            found = takeovers(cluster, plan.variables, kills)
        for one in found:
            say(f"a leader killed: {one.takeover_seconds:.2f} s, silence {one.silence_seconds:.2f} s")
    return Clusters(tuple(throughputs), tuple(latencies), disk, tuple(found), killed, tuple(skipped))


def _brokers(running: contextlib.ExitStack, directory: Path, say: Say, skipped: list[str]) -> Engine | None:
    """Zeebe in the shape of the replicated cluster, if it can be had."""
    say("starting Zeebe's brokers")
    try:
        return running.enter_context(zeebe_cluster(directory / "zeebe-cluster", SHAPES["c"]))
    except NotAvailable as error:
        reason = " ".join(str(error).split())  # It may quote what a broker said, in lines.
        skipped.append(f"Zeebe with {SHAPES['c'].nodes} brokers: {reason}")
        say(f"skipped: {skipped[-1]}")
        return None
