"""What Prometheus sees of the histories of a node's replicas."""

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bpmnd.actors.history.service import History


def history_metrics(history: History) -> Iterator[Metric]:
    entries = GaugeMetricFamily(
        "bpmnd_history_lag_entries",
        "Committed entries that are not in the history yet.",
        labels=["partition"],
    )
    seconds = GaugeMetricFamily(
        "bpmnd_history_lag_seconds",
        "How long ago the oldest entry was committed that is not in the history yet; 0 if all is.",
        labels=["partition"],
    )
    stuck = GaugeMetricFamily(
        "bpmnd_history_stuck", "1 if the history does not go on by itself.", labels=["partition"]
    )
    rebuilds = CounterMetricFamily(
        "bpmnd_history_rebuilds", "Times a history was made anew from the log.", labels=["partition"]
    )
    for partition, standing in sorted(history.standings.items()):
        labels = (str(partition),)
        entries.add_metric(labels, standing.lag.entries)
        seconds.add_metric(labels, history.lag_seconds(partition))
        stuck.add_metric(labels, float(standing.stuck is not None))
        rebuilds.add_metric(labels, standing.rebuilds)
    yield from (entries, seconds, stuck, rebuilds)


def history_report(history: History) -> dict[str, Any]:
    """How far each history is, for `/readyz`."""
    return {
        str(partition): {
            "entry": standing.lag.done,
            "behindEntries": standing.lag.entries,
            "behindSeconds": round(history.lag_seconds(partition), 3),
            **({"stuck": standing.stuck} if standing.stuck is not None else {}),
        }
        for partition, standing in sorted(history.standings.items())
    }
