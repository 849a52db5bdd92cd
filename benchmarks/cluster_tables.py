"""The figures of clusters as Markdown."""

import statistics
from collections.abc import Sequence

from benchmarks.cluster_measurements import GOALS, Clusters, shares
from benchmarks.measurements import Throughput
from benchmarks.rows import table
from benchmarks.takeover import Takeover


def throughputs(found: Clusters) -> str:
    """Every engine beside the single node."""
    run = found.throughputs[0].runs[0]
    rounds = len(found.throughputs[0].runs)
    heading = (
        f"One task, {run.in_flight} in flight a node, medians of {rounds} rounds of {run.seconds:.0f} s",
        "completed/s",
        "per CPU-second",
        "of all runs",
        "server CPU each, µs",
        "of all runs",
        "of one node's",
        "of all rounds",
        "goal",
        "driver CPU each, µs",
        "refused",
        "failed",
    )
    return table(heading, [_row(throughput, found.alone) for throughput in found.throughputs])


def takeovers(found: Sequence[Takeover], engine: str) -> str:
    """One row a kill."""
    heading = (
        f"SIGKILL of a leader ({engine})",
        "without any acknowledged creation, s",
        "until all its partitions acknowledge, s",
        "creations failed",
    )
    rows = [
        (
            f"led {', '.join(map(str, one.partitions))}",
            f"{one.silence_seconds:.2f}",
            f"{one.takeover_seconds:.2f}",
            str(one.failed),
        )
        for one in found
    ]
    return table(heading, rows)


def _row(throughput: Throughput, alone: Throughput | None) -> tuple[str, ...]:
    runs = throughput.runs
    share, range_ = "", ""
    if alone is not None and alone is not throughput:
        all_shares = shares(throughput, alone)
        share = f"{statistics.median(all_shares):.0%}"
        range_ = f"{min(all_shares):.0%} to {max(all_shares):.0%}"
    goal = GOALS.get(throughput.engine)
    return (
        throughput.engine,
        f"{statistics.median(run.completed_per_second for run in runs):,.0f}",
        f"{throughput.median.completed_per_cpu_second:,.0f}",
        _range([run.completed_per_cpu_second for run in runs]),
        f"{throughput.median.server_us:,.0f}",
        _range([run.server_us for run in runs]),
        share,
        range_,
        "" if goal is None else f"{goal:.0%}",
        f"{statistics.median(run.generator_us for run in runs):,.0f}",
        str(sum(run.refused for run in runs)),
        str(sum(run.failed + run.unfinished for run in runs)),
    )


def _range(figures: Sequence[float]) -> str:
    return f"{min(figures):,.0f} to {max(figures):,.0f}"
