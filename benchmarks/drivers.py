"""Who makes the load: our own generator, or the independent one written in Go."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, final

import uvloop

from benchmarks.engines import Engine
from benchmarks.load import Load, Percentiles, Plan, Report
from benchmarks.processes import sample_of

_WORKLOADS: Final = {"one-task": "one", "ten-task": "ten"}


class Driver(Protocol):
    """Runs a plan against an engine."""

    @property
    def name(self) -> str: ...

    def run(self, engine: Engine, plan: Plan) -> Report: ...


@final
class OwnDriver:
    """The generator of this package."""

    @property
    def name(self) -> str:
        return "benchmarks.load"

    def run(self, engine: Engine, plan: Plan) -> Report:
        return uvloop.run(Load(plan, *engine.bases).run(partial(sample_of, *engine.pids)))


@final
class JudgeDriver:
    """The Go driver behind `rest_load.py`. Its open loop counts latencies from the actual start."""

    def __init__(self, script: Path) -> None:
        self._script = script
        self.name: Final = script.name

    def run(self, engine: Engine, plan: Plan) -> Report:
        """One driver for each gateway, all at once, each with jobs of a type of its own."""
        share = replace(plan, rate=plan.rate / len(engine.bases))
        servers = list(zip(engine.bases, engine.pids, strict=True))
        with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(len(servers)) as threads:
            runs = [
                threads.submit(self._run_one, share, base, pid, Path(directory, str(number)))
                for number, (base, pid) in enumerate(servers)
            ]
            return together(plan, [run.result() for run in runs])

    def _run_one(self, plan: Plan, base: str, pid: int, scratch: Path) -> Report:
        scratch.mkdir()
        payload, out = scratch / "payload.json", scratch / "out.json"
        payload.write_bytes(plan.variables)
        flags: dict[str, object] = {
            "base": base,
            "id-prefix": f"bench-{scratch.name}",
            "workload": _WORKLOADS[plan.workload.name],
            "in-flight": plan.in_flight,
            "rate": plan.rate,
            "warmup": plan.warmup_seconds,
            "duration": plan.seconds,
            "payload": payload,
            "workers": plan.workers,
            "poll": plan.jobs_per_poll,
            "pid": pid,
            "out": out,
        }
        arguments = [part for name, value in flags.items() for part in (f"-{name}", str(value))]
        subprocess.run([sys.executable, self._script, *arguments], stdout=subprocess.DEVNULL, check=True)
        return report_of_judge(plan, json.loads(out.read_text()))


def together(plan: Plan, reports: Sequence[Report]) -> Report:
    """The reports of loads that ran at once, each with the CPU of another server, as one. Of the percentiles,
    the worst: those of all instances together cannot be had from them."""
    if len(reports) == 1:
        return reports[0]
    completed = sum(report.completed for report in reports)
    weights = [max(report.completed, 1) / max(completed, 1) for report in reports]  # As they were divided.
    weighted = list(zip(weights, reports, strict=True))
    server_us = sum(weight * report.server_us for weight, report in weighted)
    return Report(
        workload=plan.workload.name,
        in_flight=reports[0].in_flight,
        rate_asked=plan.rate,
        seconds=max(report.seconds for report in reports),
        completed=completed,
        completed_per_second=round(sum(report.completed_per_second for report in reports), 1),
        latency_ms=_worst([report.latency_ms for report in reports]),
        creation_ms=_worst([report.creation_ms for report in reports]),
        generator_us=round(sum(weight * report.generator_us for weight, report in weighted), 1),
        server_us=round(server_us, 1),
        completed_per_cpu_second=round(1e6 / server_us, 1) if server_us > 0 else 0.0,
        server_rss_mib=round(sum(report.server_rss_mib for report in reports), 1),
        written_bytes=round(sum(weight * report.written_bytes for weight, report in weighted), 1),
        refused=sum(report.refused for report in reports),
        failed=sum(report.failed for report in reports),
        unfinished=sum(report.unfinished for report in reports),
        last_failure=next((report.last_failure for report in reports if report.last_failure), ""),
    )


def _worst(found: Sequence[Percentiles]) -> Percentiles:
    return Percentiles(
        p50=max(percentiles.p50 for percentiles in found),
        p90=max(percentiles.p90 for percentiles in found),
        p99=max(percentiles.p99 for percentiles in found),
        max=max(percentiles.max for percentiles in found),
    )


def report_of_judge(plan: Plan, told: dict[str, Any]) -> Report:
    """What the Go driver tells, in our terms."""
    completed = int(told["completed"])
    server = float(told["server_cpu_s"])
    errors: dict[str, int] = told["errors"]
    creation: dict[str, float] = told["create_ms"]
    return Report(
        workload=plan.workload.name,
        in_flight=0 if plan.rate > 0 else plan.in_flight,
        rate_asked=plan.rate,
        seconds=told["seconds"],
        completed=completed,
        completed_per_second=told["completed_per_s"],
        latency_ms=Percentiles(**told["latency_ms"]),
        creation_ms=Percentiles(creation["p50"], 0.0, creation["p99"], 0.0),
        generator_us=round(float(told.get("driver_cpu_s_per_1000", 0.0)) * 1e3, 1),
        server_us=round(server / max(completed, 1) * 1e6, 1),
        completed_per_cpu_second=round(completed / server, 1) if server > 0 else 0.0,
        server_rss_mib=told["server_rss_mib"],
        written_bytes=told.get("written_bytes_per_instance", 0.0),
        refused=told["refused_creates"] + told["refused_completions"],
        failed=sum(errors.values()),
        unfinished=0,
        last_failure=told.get("last_error", ""),
    )
