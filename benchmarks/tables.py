"""The figures as Markdown."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from benchmarks import cluster_tables
from benchmarks.cluster_measurements import Clusters
from benchmarks.load import Percentiles
from benchmarks.measurements import Latency, Throughput, Waiting
from benchmarks.rows import shown, table


@final
@dataclass(frozen=True, slots=True)
class Results:
    """All that one invocation measured."""

    command: str
    started: str
    driver: str
    load_before: float
    load_after: float
    one_task: list[Throughput]
    ten_tasks: list[Throughput]
    latencies: list[Latency]
    disk_ms: Percentiles | None
    waiting: Waiting | None
    clusters: Clusters | None


def machine() -> str:
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} x {_processor()}, {memory_gib:.0f} GiB, Linux {platform.release()},"
        f" Python {platform.python_version()}"
    )


def markdown(results: Results) -> str:
    """The tables, in the order in which they were measured."""
    parts = [
        f"Measured {results.started} with `{results.command}` on {machine()}. The load came from"
        f" `{results.driver}`; load average {results.load_before:.1f} before, {results.load_after:.1f} after."
    ]
    for title, found in (("One task", results.one_task), ("Ten tasks", results.ten_tasks)):
        if found:
            parts.append(_throughput(title, found))
    if results.latencies:
        parts.append(_latencies(results.latencies, results.disk_ms))
    if results.waiting is not None:
        parts.append(_waiting(results.waiting))
    if results.clusters is not None:
        parts += _clusters(results.clusters)
    return "\n\n".join(parts) + "\n"


def _throughput(title: str, found: Sequence[Throughput]) -> str:
    rows = [
        (
            throughput.engine,
            f"{statistics.median(run.completed_per_second for run in throughput.runs):,.0f}",
            f"{throughput.median.completed_per_cpu_second:,.0f}",
            f"{throughput.median.server_us:,.0f}",
            f"{min(run.server_us for run in throughput.runs):,.0f} to "
            f"{max(run.server_us for run in throughput.runs):,.0f}",
            f"{statistics.median(run.generator_us for run in throughput.runs):,.0f}",
            str(sum(run.refused for run in throughput.runs)),
            str(sum(run.failed + run.unfinished for run in throughput.runs)),
        )
        for throughput in found
    ]
    run = found[0].runs[0]
    heading = (
        f"{title}, {run.in_flight} in flight, medians of {len(found[0].runs)} runs of {run.seconds:.0f} s",
        "completed/s",
        "per CPU-second",
        "server CPU each, µs",
        "of all runs",
        "driver CPU each, µs",
        "refused",
        "failed",
    )
    return table(heading, rows)


def _latencies(found: Sequence[Latency], disk: Percentiles | None) -> str:
    rows = [(latency.engine, *shown(latency.median_ms)) for latency in found]
    if disk is not None:
        rows.append(("bare fdatasync of 4 KiB", *shown(disk)))
    run = found[0].runs[0]
    rounds = len(found[0].runs)
    heading = (
        f"One task at {found[0].rate:.0f}/s, medians of {rounds} rounds in turn of {run.seconds:.0f} s, ms"
    )
    return table((heading, "p50", "p90", "p99", "max"), rows)


def _clusters(found: Clusters) -> list[str]:
    parts = [cluster_tables.throughputs(found), _latencies(found.latencies, found.disk_ms)]
    if found.takeovers:
        parts.append(cluster_tables.takeovers(found.takeovers, found.takeovers_of))
    return [*parts, *(f"Skipped: {reason}" for reason in found.skipped)]


def _waiting(waiting: Waiting) -> str:
    alone = statistics.median(alone.server_us for alone, _ in waiting.pairs) if waiting.pairs else 0.0
    loaded = statistics.median(loaded.server_us for _, loaded in waiting.pairs) if waiting.pairs else 0.0
    ratios = [loaded.server_us / alone.server_us for alone, loaded in waiting.pairs]
    rows = [
        ("memory of the node without them, MiB", f"{waiting.memory_mib_without:.1f}"),
        ("memory of the node with them, evicted, MiB", f"{waiting.memory_mib:.1f}"),
        ("memory each, bytes", f"{waiting.memory_bytes:.0f}"),
        (
            "disk each, bytes (of it checkpoint store)",
            f"{waiting.disk_bytes:,.0f} ({waiting.checkpoint_disk_bytes:,.0f})",
        ),
        ("started per second", f"{waiting.created_per_second:,.0f}"),
        ("server CPU to start one, µs", f"{waiting.creation_us:.0f}"),
        ("restart after SIGKILL, s", " / ".join(f"{seconds:.2f}" for seconds in waiting.restart_seconds)),
        (
            "the same without them, s",
            " / ".join(f"{seconds:.2f}" for seconds in waiting.restart_seconds_without),
        ),
    ]
    if ratios:
        rows.append(("server CPU per one-task instance, without → with, µs", f"{alone:.0f} → {loaded:.0f}"))
        rows.append(
            (
                f"ratio, median of {len(ratios)} pairs (all)",
                f"{waiting.median_ratio:.3f} ({', '.join(f'{ratio:.2f}' for ratio in ratios)})",
            )
        )
    return table((f"{waiting.count:,} waiting instances (bpmnd)", ""), rows)


def _processor() -> str:
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
