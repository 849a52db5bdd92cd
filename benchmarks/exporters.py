"""What an exporter costs: `python -m benchmarks.exporters`. Nodes in turn: without one, with each kind."""

import argparse
import json
import statistics
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.drivers import OwnDriver
from benchmarks.engines import BpmndNode
from benchmarks.load import Plan
from benchmarks.measurements import warm
from benchmarks.processes import sample_of
from benchmarks.workloads import ONE_TASK
from tests.nodes import Place
from tests.postgresql import PostgresqlServer, server_binaries

_CATCH_UP_SECONDS_MAX: Final = 300.0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args(arguments)
    plan = Plan(ONE_TASK, in_flight=64, seconds=given.seconds)
    binaries = server_binaries()
    with tempfile.TemporaryDirectory(prefix="bpmnd-bench-") as directory:
        kinds: dict[str, dict[str, str]] = {"without": {}, "json-lines": {"KIND": "json-lines"}}
        if binaries is None:
            _measure(kinds, plan, given.repeat, Path(directory))
            return
        with PostgresqlServer(binaries) as server:
            kinds["postgresql"] = {"KIND": "postgresql", "URL": server.url}
            _measure(kinds, plan, given.repeat, Path(directory))


def _measure(kinds: dict[str, dict[str, str]], plan: Plan, repeat: int, directory: Path) -> None:
    driver = OwnDriver()
    nodes = [
        BpmndNode(
            directory / name,
            name=name,
            place=Place(environment={f"BPMND_EXPORTERS__IT__{key}": value for key, value in kind.items()}),
        )
        for name, kind in kinds.items()
    ]
    own: dict[str, list[float]] = defaultdict(list)
    beside: dict[str, list[float]] = defaultdict(list)
    behind: dict[str, list[float]] = defaultdict(list)
    try:
        for node in nodes:
            warm(node, driver, 4.0)
            _caught_up(node)
        for _ in range(repeat):
            for node in nodes:
                before = _seconds(node)
                report = driver.run(node, plan)
                node_only = _seconds(node)[0] - before[0]
                behind[node.name].append(_caught_up(node))
                count = report.completed_per_second * plan.seconds
                own[node.name].append(1e6 * node_only / count)
                beside[node.name].append(1e6 * (_seconds(node)[1] - before[1]) / count)
        for name in kinds:
            print(
                f"{name}: the node {statistics.median(own[name]):.0f} µs of CPU an instance, the exporter"
                f" {statistics.median(beside[name]):.0f}, done {statistics.median(behind[name]):.1f} s after"
                " the load"
            )
    finally:
        for node in nodes:
            node.kill()


def _caught_up(node: BpmndNode) -> float:
    """Wait until all is exported; for how many seconds."""
    began = time.monotonic()
    while time.monotonic() < began + _CATCH_UP_SECONDS_MAX:
        with urllib.request.urlopen(f"{node.monitoring}/exporters") as answer:
            said: Any = json.load(answer)
        if not any(exporter["behindEntries"] for exporter in said):
            break
        time.sleep(0.1)
    return time.monotonic() - began


def _seconds(node: BpmndNode) -> tuple[float, float]:
    """CPU of the node itself, and of the processes beside it."""
    children = Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()
    others = sum(sample_of(int(child)).cpu_seconds for child in children)
    return sample_of(node.pid).cpu_seconds - others, others


if __name__ == "__main__":
    main()
