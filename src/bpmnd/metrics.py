"""What Prometheus sees of a node. Actors count in plain numbers; they are read when somebody scrapes."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final, final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from bpmnd.actors.counting import DURATION_BOUNDS
from bpmnd.actors.node import Node
from bpmnd.actors.partition import PartitionActor
from bpmnd.cluster.peer import Peer
from bpmnd.cluster_metrics import cluster_metrics
from bpmnd.exporter_metrics import exporter_metrics
from bpmnd.history_metrics import history_metrics

_SYNC_BOUNDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_LANES: Final = ("disk", "ongoing", "new")


@final
class NodeMetrics(Collector):
    """Metrics of all partitions of a node."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._node: Node | None = None
        self._peers: Mapping[int, Peer] = {}
        self._sync_counts = [0] * (len(_SYNC_BOUNDS) + 1)
        self._sync_seconds = 0.0
        registry.register(self)

    def watch(self, node: Node, peers: Mapping[int, Peer]) -> None:
        """`peers` are the nodes that it has connections to."""
        self._node, self._peers = node, peers

    def synced(self, seconds: float) -> None:
        """One write to the log took so long; called by the writer's thread."""
        self._sync_counts[bisect_left(_SYNC_BOUNDS, seconds)] += 1
        self._sync_seconds += seconds

    def collect(self) -> Iterator[Metric]:
        yield self._syncs()
        if self._node is not None:
            actors = [hosted.actor for hosted in self._node.hosted.values() if hosted.actor is not None]
            yield from _instances(actors)
            yield _durations(actors)
            yield _jobs(actors)
            yield from _ticks(actors)
            yield from _storage(actors)
            yield from cluster_metrics(self._node, self._peers)
            yield self._restarts(self._node)
            if self._node.history is not None:
                yield from history_metrics(self._node.history)
            if self._node.exporters:
                yield from exporter_metrics(self._node)
            yield GaugeMetricFamily(
                "bpmnd_disk_free_bytes",
                "Free space where the data directory is.",
                value=self._node.disk_space.free,
            )
            yield GaugeMetricFamily(
                "bpmnd_disk_free_min_bytes",
                "With less free space new work is refused.",
                value=self._node.disk_space.free_min,
            )

    def _syncs(self) -> Metric:
        histogram = HistogramMetricFamily(
            "bpmnd_log_sync_duration_seconds", "Time of one synced write to the log."
        )
        bounds = [*map(str, _SYNC_BOUNDS), "+Inf"]
        counts = list(zip(bounds, accumulate(self._sync_counts), strict=True))
        histogram.add_metric((), counts, self._sync_seconds)
        return histogram

    def _restarts(self, node: Node) -> Metric:
        restarts = CounterMetricFamily(
            "bpmnd_partition_restarts", "Times a partition was made anew from its log.", labels=["partition"]
        )
        for hosted in node.hosted.values():
            restarts.add_metric((str(hosted.id),), hosted.supervisor.restarts)
        return restarts


def _instances(actors: list[PartitionActor]) -> Iterator[Metric]:
    live = GaugeMetricFamily("bpmnd_process_instances", "Live process instances.", labels=["partition"])
    in_memory = GaugeMetricFamily(
        "bpmnd_process_instances_in_memory", "Live process instances in memory.", labels=["partition"]
    )
    started = CounterMetricFamily(
        "bpmnd_process_instances_started", "Process instances ever started.", labels=["partition"]
    )
    ended = CounterMetricFamily(
        "bpmnd_process_instances_ended",
        "Process instances ever ended, completed or terminated.",
        labels=["partition"],
    )
    incidents = GaugeMetricFamily("bpmnd_incidents", "Open incidents.", labels=["partition"])
    for actor in actors:
        if actor.machine is None:
            continue  # It is being built anew.
        state, labels = actor.machine.state, (str(actor.id),)
        incidents.add_metric(labels, state.incidents)
        live.add_metric(labels, state.started - state.completed)
        in_memory.add_metric(labels, state.instances.count_in_memory())
        started.add_metric(labels, state.started)
        ended.add_metric(labels, state.completed)
    yield from (live, in_memory, started, ended, incidents)


def _durations(actors: list[PartitionActor]) -> Metric:
    histogram = HistogramMetricFamily(
        "bpmnd_process_instance_duration_seconds",
        "Time from start to end of the instances that ended, by process.",
        labels=["partition", "process"],
    )
    bounds = [*map(str, DURATION_BOUNDS), "+Inf"]
    for actor in actors:
        for process_id, durations in actor.counts.durations.items():
            counts = list(zip(bounds, accumulate(durations.counts), strict=True))
            histogram.add_metric((str(actor.id), process_id), counts, durations.seconds)
    return histogram


def _jobs(actors: list[PartitionActor]) -> Metric:
    jobs = CounterMetricFamily(
        "bpmnd_jobs", "What happened to jobs, by type.", labels=["partition", "type", "action"]
    )
    for actor in actors:
        for (job_type, what), count in actor.counts.jobs.items():
            jobs.add_metric((str(actor.id), job_type, what), count)
    return jobs


def _ticks(actors: list[PartitionActor]) -> Iterator[Metric]:
    ticks = CounterMetricFamily("bpmnd_partition_ticks", "Ticks of a partition.", labels=["partition"])
    seconds = CounterMetricFamily(
        "bpmnd_partition_tick_seconds", "Time spent in ticks.", labels=["partition"]
    )
    messages = CounterMetricFamily("bpmnd_partition_messages", "Messages received.", labels=["partition"])
    queued = GaugeMetricFamily(
        "bpmnd_partition_queued_messages", "Messages that wait.", labels=["partition", "lane"]
    )
    commit = GaugeMetricFamily(
        "bpmnd_partition_commit_latency_seconds",
        "Time from a decision to its commit, smoothed.",
        labels=["partition"],
    )
    for actor in actors:
        name = str(actor.id)
        ticks.add_metric((name,), actor.metrics.ticks)
        seconds.add_metric((name,), actor.metrics.seconds)
        messages.add_metric((name,), actor.metrics.messages)
        commit.add_metric((name,), actor.latency.commit_seconds)
        for lane, count in zip(_LANES, actor.queued(), strict=True):
            queued.add_metric((name, lane), count)
    yield from (ticks, seconds, messages, queued, commit)


def _storage(actors: list[PartitionActor]) -> Iterator[Metric]:
    index = CounterMetricFamily(
        "bpmnd_log_entries", "Entries ever appended to the log.", labels=["partition"]
    )
    checkpoints = CounterMetricFamily(
        "bpmnd_checkpoints", "Checkpoints made since the node started.", labels=["partition"]
    )
    age = GaugeMetricFamily(
        "bpmnd_checkpoint_age_seconds",
        "How long something has been in the log that no checkpoint has; 0 if nothing is.",
        labels=["partition"],
    )
    for actor in actors:
        index.add_metric((str(actor.id),), actor.replica.log.last_index)
        checkpoints.add_metric((str(actor.id),), actor.checkpoints.count)
        age.add_metric((str(actor.id),), actor.checkpoints.age_seconds)
    yield from (index, checkpoints, age)
