"""What Prometheus sees of a node's part in the cluster: its replicas, and its connections."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bpmnd.actors.node import Node
from bpmnd.actors.partition import PartitionActor
from bpmnd.cluster.peer import Peer
from bpmnd.cluster.raft import Role

_ROLES: Final = {
    Role.LEADER: "leader",
    Role.CANDIDATE: "candidate",
    Role.PRE_CANDIDATE: "candidate",
    Role.FOLLOWER: "follower",
}
_COUNTED: Final = {
    "items_sent": "Items sent to a node.",
    "bytes_sent": "Bytes sent to a node.",
    "items_received": "Items received from a node.",
    "bytes_received": "Bytes received from a node.",
    "dropped": "Items for a node that were refused because its queue was full.",
    "connections": "Connections to a node that were made.",
}


def cluster_metrics(node: Node, peers: Mapping[int, Peer]) -> Iterator[Metric]:
    """Labels are partitions and node ids: there are only so many of them."""
    yield from _replicas([hosted.actor for hosted in node.hosted.values() if hosted.actor is not None])
    yield GaugeMetricFamily(
        "bpmnd_peers_connected", "Nodes that are connected.", value=len(node.peers.connected)
    )
    yield CounterMetricFamily(
        "bpmnd_scrub_bytes",
        "What was read to see whether it is what was written.",
        value=node.scrubbing.bytes_read,
    )
    yield CounterMetricFamily(
        "bpmnd_scrub_rounds",
        "How often all that lies on the disk was read through.",
        value=node.scrubbing.rounds,
    )
    yield GaugeMetricFamily(
        "bpmnd_clock_offset_seconds",
        "How far the median of the nodes' wall clocks is ahead of the one here.",
        value=node.peers.median_offset_ms() / 1000,
    )
    yield from _traffic(peers)


def _replicas(actors: list[PartitionActor]) -> Iterator[Metric]:
    labels = ["partition"]
    damaged = GaugeMetricFamily("bpmnd_replica_damaged", "1 while the replica is rebuilt.", labels=labels)
    hidden = GaugeMetricFamily(
        "bpmnd_replica_hidden_damage",
        "1 if something on the disk is not what was written, though nothing wrong is being used.",
        labels=labels,
    )
    installing = GaugeMetricFamily(
        "bpmnd_replica_installing", "1 while a copy of the checkpoint is on its way here.", labels=labels
    )
    role = GaugeMetricFamily(
        "bpmnd_replica_role", "1 for the role that the replica has.", labels=[*labels, "role"]
    )
    term = GaugeMetricFamily("bpmnd_replica_term", "Raft's term.", labels=labels)
    committed = GaugeMetricFamily(
        "bpmnd_replica_commit_index", "The last entry known to be committed.", labels=labels
    )
    lag = GaugeMetricFamily(
        "bpmnd_replica_applied_lag_entries",
        "Committed entries that are neither applied here nor about to be.",
        labels=labels,
    )
    samples = CounterMetricFamily(
        "bpmnd_replica_samples",
        "Samples of the state that another replica told, by whether it saw what was seen here.",
        labels=[*labels, "seen"],
    )
    for actor in actors:
        name = (str(actor.id),)
        for seen, count in zip(("same", "other"), actor.mending.states_compared, strict=True):
            samples.add_metric((*name, seen), count)
        damaged.add_metric(name, actor.mending.is_damaged)
        hidden.add_metric(name, actor.mending.hidden_damage is not None)
        installing.add_metric(name, actor.mending.progress is not None)
        for known in dict.fromkeys(_ROLES.values()):
            role.add_metric((*name, known), _ROLES[actor.role] == known)
        term.add_metric(name, actor.term)
        committed.add_metric(name, actor.committed)
        if actor.machine is not None:
            lag.add_metric(name, max(0, actor.committed - actor.machine.taken))
    yield from (damaged, hidden, installing, role, term, committed, lag, samples)


def _traffic(peers: Mapping[int, Peer]) -> Iterator[Metric]:
    queued = GaugeMetricFamily(
        "bpmnd_peer_queued_bytes", "Bytes that wait to be sent to a node.", labels=["node"]
    )
    counters = {
        name: CounterMetricFamily(f"bpmnd_peer_{name}", what, labels=["node"])
        for name, what in _COUNTED.items()
    }
    for node, peer in sorted(peers.items()):
        queued.add_metric((str(node),), peer.queued_size)
        for name, counter in counters.items():
            counter.add_metric((str(node),), getattr(peer.counters, name))
    yield from (queued, *counters.values())
