"""Measure a node: throughput, CPU, latency, memory, disk, restart; clusters against it; Zeebe beside them."""

import argparse
import contextlib
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from benchmarks import measurements
from benchmarks.cluster_measurements import clusters
from benchmarks.clusters import SHAPES
from benchmarks.drivers import Driver, JudgeDriver, OwnDriver
from benchmarks.engines import Engine, bpmnd_node, zeebe
from benchmarks.load import Plan
from benchmarks.tables import Results, markdown
from benchmarks.workloads import ONE_TASK, variables_of

_PARTS: Final = ("throughput", "latency", "waiting", "clusters")
_WARM_SECONDS: Final = {"bpmnd": 5.0, "Zeebe": 60.0}


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parse(arguments)
    driver: Driver = OwnDriver() if given.judge is None else JudgeDriver(given.judge)
    plan = Plan(
        ONE_TASK,
        in_flight=given.in_flight,
        seconds=given.seconds,
        variables=variables_of(given.payload),
    )
    with tempfile.TemporaryDirectory(prefix="bpmnd-bench-", dir=given.directory) as directory:
        results = _measure(given, driver, plan, Path(directory))
    tables = markdown(results)
    print(f"\n{tables}")
    if given.out is not None:
        given.out.write_text(json.dumps(asdict(results), indent=2) + "\n")
        given.out.with_suffix(".md").write_text(tables)


def _measure(given: argparse.Namespace, driver: Driver, plan: Plan, directory: Path) -> Results:
    started = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    load_before = os.getloadavg()[0]
    one_task, ten_tasks = measurements.throughput_plans(plan)
    results = Results(
        command=f"python -m benchmarks.run {shlex.join(sys.argv[1:])}".strip(),
        started=started,
        driver=driver.name,
        load_before=load_before,
        load_after=load_before,
        one_task=[],
        ten_tasks=[],
        latencies=[],
        disk_ms=None,
        waiting=None,
        clusters=None,
    )
    if {"throughput", "latency"} & set(given.only):
        with contextlib.ExitStack() as running:
            engines: list[Engine] = [running.enter_context(bpmnd_node(directory / "node"))]
            if given.zeebe is not None:
                engines.append(running.enter_context(zeebe(given.zeebe, directory / "zeebe")))
            for engine in engines:
                _say(f"warming {engine.name}")
                measurements.warm(engine, driver, _WARM_SECONDS[engine.name])
            if "throughput" in given.only:
                results = replace(
                    results,
                    one_task=measurements.throughput(engines, driver, one_task, given.repeat, _say),
                    ten_tasks=measurements.throughput(engines, driver, ten_tasks, given.repeat, _say),
                )
            if "latency" in given.only:
                paced = replace(plan, rate=given.rate)
                found, disk = measurements.latency(engines, driver, paced, given.repeat, directory, _say)
                results = replace(results, latencies=found, disk_ms=disk)
    if "waiting" in given.only:
        waiting = measurements.waiting(directory, driver, one_task, given.waiting, given.repeat, _say)
        results = replace(results, waiting=waiting)
    if "clusters" in given.only:
        compared = clusters(
            directory,
            driver,
            one_task,
            [SHAPES[letter] for letter in given.shapes],
            rate=given.rate,
            repeat=given.repeat,
            kills=given.kills,
            with_zeebe=given.zeebe is not None,
            say=_say,
        )
        results = replace(results, clusters=compared)
    return replace(results, load_after=os.getloadavg()[0])


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS, help="measure only these")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each run is")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each kind, and pairs")
    parser.add_argument(
        "--in-flight", type=int, default=64, help="closed loop: instances kept in flight, a node"
    )
    parser.add_argument("--rate", type=float, default=80.0, help="open loop: instances per second")
    parser.add_argument("--waiting", type=int, default=200_000, help="how many instances shall wait")
    shapes = "; ".join(f"{letter}: {shape.name}" for letter, shape in SHAPES.items())
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=("a", "b", "c"), help=shapes)
    parser.add_argument("--kills", type=int, default=3, help="how many leaders to kill, one after another")
    parser.add_argument("--payload", type=Path, help="file with the variables as JSON")
    parser.add_argument("--zeebe", type=Path, help="the oracle's script: run Zeebe beside")
    parser.add_argument("--judge", type=Path, help="rest_load.py: let the independent driver make the load")
    parser.add_argument(
        "--directory", type=Path, help="where the nodes have their data, for the time of the run"
    )
    parser.add_argument("--out", type=Path, help="write the results there as JSON, and beside it as Markdown")
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
