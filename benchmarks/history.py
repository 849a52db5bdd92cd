"""What the history costs: `python -m benchmarks.history`. Two nodes in turn, one with it and one without."""

import argparse
import json
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from benchmarks.drivers import OwnDriver
from benchmarks.engines import BpmndNode
from benchmarks.load import Plan, Report
from benchmarks.measurements import warm
from benchmarks.processes import sample_of
from benchmarks.workloads import ONE_TASK
from bpmnd.actors.history.projector import history_path
from tests.nodes import Place

_WITH: Final = Place(environment={"BPMND_HISTORY__ENABLED": "true"})
_LOOK_SECONDS: Final = 0.25
_CATCH_UP_SECONDS_MAX: Final = 120.0


@final
@dataclass
class Lag:
    """How far the history was behind, looked at now and then."""

    seconds: list[float] = field(default_factory=list[float])
    catch_up_seconds: float = 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args(arguments)
    plan = Plan(ONE_TASK, in_flight=64, seconds=given.seconds)
    with tempfile.TemporaryDirectory(prefix="bpmnd-bench-") as directory:
        _measure(plan, given.repeat, Path(directory))


def _measure(plan: Plan, repeat: int, directory: Path) -> None:
    driver = OwnDriver()
    without = BpmndNode(directory / "without", name="without")
    beside = BpmndNode(directory / "with", name="with", place=_WITH)
    try:
        for node in (without, beside):
            warm(node, driver, 4.0)
        runs: dict[str, list[Report]] = {"without": [], "with": []}
        shares: list[float] = []
        lag = Lag()
        for number in range(repeat):
            for node in (without, beside) if number % 2 == 0 else (beside, without):
                before = _own_seconds(node), sample_of(node.pid).cpu_seconds
                watcher = _Watcher(node, lag) if node is beside else None
                report = driver.run(node, plan)
                if watcher is not None:
                    watcher.stop()
                    spent = sample_of(node.pid).cpu_seconds - before[1]
                    shares.append((_own_seconds(node) - before[0]) / spent)
                runs[node.name].append(report)
                print(
                    f"{node.name}: {report.completed_per_second:.0f}/s,"
                    f" {report.server_us:.0f} µs of CPU each, all processes",
                    flush=True,
                )
        total = _count(beside)
        size = sum(path.stat().st_size for path in history_path(beside.data, 1).parent.iterdir())
        each = {name: statistics.median(run.server_us for run in some) for name, some in runs.items()}
        print(f"without: {1e6 / each['without']:.0f} per CPU-second")
        print(f"with: {1e6 / each['with']:.0f} per CPU-second, {each['without'] / each['with']:.0%} of that")
        own = statistics.median(shares) * each["with"]
        print(f"the node's own: {own:.0f} µs each, {each['without']:.0f} without")
        print(f"lag: median {statistics.median(lag.seconds):.2f} s, most {max(lag.seconds):.2f} s")
        print(f"caught up {lag.catch_up_seconds:.1f} s after the last load")
        print(f"{size / total:.0f} bytes of history for each of {total} instances")
    finally:
        without.kill()
        beside.kill()


class _Watcher:
    """Looks at the lag while the load runs, and waits until it is none."""

    def __init__(self, node: BpmndNode, lag: Lag) -> None:
        self._node = node
        self._lag = lag
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_SECONDS):
            self._lag.seconds.append(_lag_of(self._node))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        began = time.monotonic()
        while _lag_of(self._node) and time.monotonic() < began + _CATCH_UP_SECONDS_MAX:
            time.sleep(0.02)
        self._lag.catch_up_seconds = time.monotonic() - began


def _lag_of(node: BpmndNode) -> float:
    with urllib.request.urlopen(f"{node.monitoring}/readyz") as answer:
        said: Any = json.load(answer)
    return max(float(partition["behindSeconds"]) for partition in said["history"].values())


def _count(node: BpmndNode) -> int:
    """All instances that the history has."""
    import sqlite3

    with sqlite3.connect(history_path(node.data, 1)) as connection:
        return int(connection.execute("SELECT count(*) FROM instances").fetchone()[0])


def _own_seconds(node: BpmndNode) -> float:
    """CPU of the node without its projector."""
    children = Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()
    return sample_of(node.pid).cpu_seconds - sum(sample_of(int(child)).cpu_seconds for child in children)


if __name__ == "__main__":
    main()
