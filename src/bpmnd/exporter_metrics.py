"""What people and Prometheus see of the exporters of a node."""

from collections.abc import Sequence
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bpmnd.actors.exporters.service import ExporterOnNode, Standing
from bpmnd.actors.node import Node

_LABELS = ("exporter", "partition")


def exporter_metrics(node: Node) -> Sequence[Metric]:
    entries = GaugeMetricFamily(
        "bpmnd_exporter_lag_entries",
        "Committed entries that an exporter has not acknowledged, of partitions led here.",
        labels=_LABELS,
    )
    seconds = GaugeMetricFamily(
        "bpmnd_exporter_lag_seconds",
        "How long ago the first entry was committed that an exporter does not have; 0 if it has all.",
        labels=_LABELS,
    )
    failing = GaugeMetricFamily(
        "bpmnd_exporter_failing", "1 if an exporter failed and has not gone on since.", labels=_LABELS
    )
    failures = CounterMetricFamily("bpmnd_exporter_failures", "Errors of an exporter.", labels=_LABELS)
    records = CounterMetricFamily(
        "bpmnd_exporter_records", "Records acknowledged since the exporter's process began.", labels=_LABELS
    )
    lost = CounterMetricFamily(
        "bpmnd_exporter_lost_entries",
        "Entries that an exporter never got, because they were not kept any more.",
        labels=_LABELS,
    )
    held = GaugeMetricFamily(
        "bpmnd_exporter_hold_ratio",
        "Which part is used of what the archive keeps longer for an exporter; beyond 1 it loses some.",
        labels=_LABELS,
    )
    restarts = CounterMetricFamily(
        "bpmnd_exporter_restarts", "Times the process of an exporter was begun anew.", labels=["exporter"]
    )
    for exporter in node.exporters:
        name = exporter.spec.name
        restarts.add_metric((name,), exporter.restarts)
        for partition, standing in sorted(exporter.standings.items()):
            labels = (name, str(partition))
            held.add_metric(labels, _held(node, exporter, partition))
            lost.add_metric(labels, standing.lost)
            failures.add_metric(labels, standing.failures)
            if standing.is_led:
                entries.add_metric(labels, standing.behind)
                seconds.add_metric(labels, exporter.behind_seconds(partition))
                failing.add_metric(labels, float(standing.failing is not None))
                records.add_metric(labels, standing.records)
    return entries, seconds, failing, failures, records, lost, held, restarts


def exporter_report(node: Node) -> list[dict[str, Any]]:
    """How far each exporter is with the partitions that are led here."""
    return [
        _report(node, exporter, partition, standing)
        for exporter in node.exporters
        for partition, standing in sorted(exporter.standings.items())
        if standing.is_led
    ]


def _report(node: Node, exporter: ExporterOnNode, partition: int, standing: Standing) -> dict[str, Any]:
    return {
        "exporter": exporter.spec.name,
        "partitionId": partition,
        "position": standing.position,
        "behindEntries": standing.behind,
        "behindSeconds": round(exporter.behind_seconds(partition), 3),
        "holdRatio": round(_held(node, exporter, partition), 3),
        "lostEntries": standing.lost,
        "restarts": exporter.restarts,
        **({"error": standing.failing} if standing.failing is not None else {}),
    }


def _held(node: Node, exporter: ExporterOnNode, partition: int) -> float:
    hosted = node.hosted.get(partition)
    actor = None if hosted is None else hosted.actor
    return 0.0 if actor is None else actor.held.get(exporter.spec.name, 0.0)
