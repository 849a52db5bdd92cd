"""Who makes the load: our own generator, or the independent one written in Go."""

import json
import subprocess
import sys
import tempfile
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
        return uvloop.run(Load(plan, engine.base).run(partial(sample_of, engine.pid)))


@final
class JudgeDriver:
    """The Go driver behind `rest_load.py`. Its open loop counts latencies from the actual start."""

    def __init__(self, script: Path) -> None:
        self._script = script
        self.name: Final = script.name

    def run(self, engine: Engine, plan: Plan) -> Report:
        with tempfile.TemporaryDirectory() as directory:
            payload, out = Path(directory, "payload.json"), Path(directory, "out.json")
            payload.write_bytes(plan.variables)
            flags: dict[str, object] = {
                "base": engine.base,
                "workload": _WORKLOADS[plan.workload.name],
                "in-flight": plan.in_flight,
                "rate": plan.rate,
                "warmup": plan.warmup_seconds,
                "duration": plan.seconds,
                "payload": payload,
                "workers": plan.workers,
                "poll": plan.jobs_per_poll,
                "pid": engine.pid,
                "out": out,
            }
            arguments = [part for name, value in flags.items() for part in (f"-{name}", str(value))]
            subprocess.run([sys.executable, self._script, *arguments], stdout=subprocess.DEVNULL, check=True)
            return report_of_judge(plan, json.loads(out.read_text()))


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
