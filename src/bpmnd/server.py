"""The node as a process: everything built and wired, run until it is told to stop."""

import asyncio
import contextlib
import fcntl
import gc
import logging
import os
import secrets
import signal
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final, final

import uvloop
from prometheus_client import CollectorRegistry

import bpmnd
from bpmnd.actors.beside.process import ChildProcess
from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.clock import LoopScheduler, SystemClock
from bpmnd.actors.founding import Plans
from bpmnd.actors.history.projector import decode_from_projector, projector_command
from bpmnd.actors.history.service import History
from bpmnd.actors.identity import Identity, NotThisNode
from bpmnd.actors.messages import PartitionLimits
from bpmnd.actors.network import Network, NoNetwork
from bpmnd.actors.node import Node, NodeSettings
from bpmnd.actors.peering import Peering
from bpmnd.actors.scrubbing import ScrubPolicy
from bpmnd.cluster.membership import ClusterState
from bpmnd.cluster.tls import TlsFiles
from bpmnd.cluster_view import ClusterView
from bpmnd.config import Config, ConfigError, address_of, nodes_of
from bpmnd.exporter_processes import ExporterProcesses
from bpmnd.figure_metrics import FigureMetrics
from bpmnd.gateway.server import Gateway
from bpmnd.metrics import NodeMetrics
from bpmnd.monitoring import Monitoring
from bpmnd.storage.archive import ArchiveRetention
from bpmnd.storage.checkpoint import CheckpointStores
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.errors import StorageError
from bpmnd.storage.ring_writer import open_writer

_logger = logging.getLogger(__name__)
_LOCK_PAUSES: Final = (0, 0.05, 0.05, 0.05)
_POLL_SECONDS: Final = 0.01
_REPLICATION: Final = 3
_SECONDS_PER_HOUR: Final = 60 * 60
_SECONDS_PER_DAY: Final = 24 * _SECONDS_PER_HOUR
_GC_THRESHOLD: Final = (50_000, 50, 1000)
"""The engine makes no cycles; what is left to collect comes from HTTP, and can wait."""


def run(config: Config) -> int:
    """Run a node; its exit status: 0 after an ordered stop, 1 when it had to give up."""
    directory = Path(config.node.data_dir)
    plans = _plans(config)
    for address in (config.http.address, config.monitoring.address):
        address_of(address)  # Raises here, before anything is made.
    with DataDirectory(directory):
        identity = _identity(config, directory)
        return uvloop.run(_Process(config, directory, plans, identity).run())


@final
class SystemEntropy:
    """The chance of the operating system."""

    def below(self, limit: int) -> int:
        return secrets.randbelow(limit)


@final
class DataDirectory:
    """The one directory of a node, locked while it runs. Raises ConfigError if it is not ours to use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = -1

    def __enter__(self) -> None:
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be used as a data directory: {error.strerror}") from None
        if not self._try_lock():
            os.close(self._lock)
            raise ConfigError(f"{self._path} is in use by another node")

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def _try_lock(self) -> bool:
        """More than once: a command that looks whether a node runs holds the lock for a moment."""
        for pause in _LOCK_PAUSES:
            time.sleep(pause)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return True
        return False


@contextlib.contextmanager
def _listening(setting: str, address: str) -> Generator[None]:
    """Raises ConfigError where there is no listening at an address."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        # Of names that are not found it is below zero, and no errno.
        reason = os.strerror(number) if number > 0 else error.strerror
        raise ConfigError(f"{setting}: cannot listen at {address}: {reason}") from None


@final
class _Process:
    def __init__(self, config: Config, directory: Path, plans: Plans, identity: Identity) -> None:
        self._config = config
        self._directory = directory
        self._plans = plans
        self._identity = identity
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        registry = CollectorRegistry()
        metrics = NodeMetrics(registry)
        identity = self._identity
        peering = self._peering(identity)
        network = peering or NoNetwork()
        writer = open_writer(loop, metrics.synced, io_uring=self._config.log.io_uring)
        node = Node(
            _settings(self._config, self._directory, self._plans),
            identity,
            RealDisk(),
            CheckpointStores(),
            writer,
            LoopScheduler(loop),
            SystemClock(),
            SystemEntropy(),
            network,
            loop.create_future,
            self._give_up,
        )
        history, projector = self._history(node, network, loop)
        exporters = ExporterProcesses(self._config.exporters, self._directory, node, loop)
        metrics.watch(node, peering.transport.peers if peering is not None else {})
        figures = None if history is None else FigureMetrics(registry, history)
        monitoring = Monitoring(registry, node, figures)
        monitoring_host, port = address_of(self._config.monitoring.address)
        try:
            with _listening("monitoring.address", self._config.monitoring.address):
                monitoring_port = await monitoring.start(monitoring_host, port)
            if peering is not None:
                peering.node = node
                with _listening("peer.address", self._config.peer.address):
                    await peering.start()
        except BaseException:
            writer.close()  # Its thread would keep the process.
            await monitoring.stop()
            raise
        node.start()
        if history is not None and projector is not None:
            projector.start()
            history.start()
        exporters.start()
        gateway = Gateway(ClusterView(node), registry, history, user_header=self._config.http.user_header)
        try:
            await self._until(lambda: node.is_ready or node.is_up)
            if self._failure is None and not self._stop.is_set():
                host, port = address_of(self._config.http.address)
                with _listening("http.address", self._config.http.address):
                    port = await gateway.start(host, port, reuse_port=self._config.http.reuse_port)
                node.serves(host, port)
                gc.collect()
                gc.freeze()
                gc.set_threshold(*_GC_THRESHOLD)
                print(f"bpmnd {bpmnd.__version__} ready: http://{host}:{port}/v2", flush=True)
                print(f"monitoring: http://{monitoring_host}:{monitoring_port}/metrics", flush=True)
                await self._stop.wait()
                node.hand_over()
            await gateway.stop()
            await self._drain(node)
        finally:
            await exporters.stop()
            if history is not None and projector is not None:
                history.stop()
                await projector.stop()
            node.stop()
            writer.close()
            if peering is not None:
                await peering.stop()
            await monitoring.stop()
        if self._failure is not None:
            _logger.critical("the node gives up: %s", self._failure)
            return 1
        return 0

    def _history(
        self, node: Node, network: Network, loop: asyncio.AbstractEventLoop
    ) -> tuple[History, ChildProcess] | tuple[None, None]:
        """What keeps and reads the histories of this node's replicas, if they are wanted."""
        settings = self._config.history
        if not settings.enabled:
            return None, None
        keep_ms = settings.keep_days * _SECONDS_PER_DAY * 1000
        command = projector_command(str(self._directory), keep_ms)
        projector = ChildProcess(
            "the projector",
            command,
            lambda: history.projector_began(),
            lambda message: history.heard(decode_from_projector(message)),
        )
        history = node.history = History(
            self._directory,
            node.hosted,
            node.peers,
            network,
            LoopScheduler(loop),
            SystemClock(),
            projector,
            loop.create_future,
        )
        return history, projector

    def _peering(self, identity: Identity) -> Peering | None:
        """The way to other nodes; none for a node that no other is to reach."""
        peer = self._config.peer
        address = peer.address or self._plans.nodes.get(identity.node, "")
        if not address:
            return None
        tls = TlsFiles(Path(peer.ca), Path(peer.certificate), Path(peer.key)) if peer.ca else None
        return Peering(identity, self._plans.introduction(), address_of(address), tls, self._give_up)

    def _give_up(self, error: BaseException) -> None:
        self._failure = error
        self._stop.set()

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait until the node is so far, or has to stop."""
        while not holds() and not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _POLL_SECONDS)

    async def _drain(self, node: Node) -> None:
        """Let what is under way come to its end, but not for ever."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._config.limits.drain_seconds
        while not node.is_quiet and clock() < deadline:  # noqa: ASYNC110 - partitions tell nobody of it
            await asyncio.sleep(_POLL_SECONDS)


def _plans(config: Config) -> Plans:
    """What the cluster is to be founded with. Raises ConfigError."""
    nodes = nodes_of(config.cluster.nodes)
    if nodes and config.node.id not in nodes:
        raise ConfigError(f"cluster.nodes names {sorted(nodes)}, but this is node {config.node.id}")
    replication = config.cluster.replication or min(_REPLICATION, max(len(nodes), 1))
    if replication > max(len(nodes), 1):
        raise ConfigError(f"cluster.replication is {replication}, but there are {max(len(nodes), 1)} nodes")
    join = nodes_of(config.cluster.join)
    if nodes and join:
        raise ConfigError("cluster.nodes founds a cluster, cluster.join joins one; only one of both can be")
    address = nodes.get(config.node.id, config.peer.address)
    if join and not address:
        raise ConfigError("cluster.join needs peer.address: the members are to reach this node")
    return Plans(config.node.host, address, config.cluster.partitions or 1, replication, nodes, join)


def _identity(config: Config, directory: Path) -> Identity:
    """Who this node is. Raises ConfigError if its directory says otherwise than its configuration."""
    try:
        identity = Identity.open(RealDisk(), directory, config.node.id, SystemEntropy())
    except (NotThisNode, StorageError) as error:
        raise ConfigError(str(error)) from None
    if identity.cluster is not None:
        check_member(identity, identity.cluster)
        check_founding(config, identity.cluster)
    return identity


def check_member(identity: Identity, cluster: ClusterState) -> None:
    """Raises ConfigError for a node that was removed: there is nothing for it to do."""
    if not cluster.knows(identity.node, identity.incarnation):
        raise ConfigError(
            f"node {identity.node} is no member of cluster {cluster.cluster_id} any more: its data directory"
            " can be deleted; to join a cluster again it needs an empty one"
        )


def check_founding(config: Config, cluster: ClusterState) -> None:
    """What a cluster was founded with is not changed by configuration. Raises ConfigError."""
    for name, there, wanted, operation in (
        ("partitions", len(cluster.partitions), config.cluster.partitions, "add-partitions"),
        ("replication", cluster.replication, config.cluster.replication, "set-replication"),
    ):
        if wanted in (0, there):
            continue
        what = (
            f"the cluster has {there} for {name}, cluster.{name} is {wanted}: it counts only when a cluster"
            f" is founded; change it by `bpmnd cluster {operation}`"
        )
        # After an operation the configuration is behind, or this node is: neither must keep it from starting.
        if len(cluster.members) == 1 and not cluster.finished:
            raise ConfigError(what)
        _logger.warning("%s", what)


def _settings(config: Config, directory: Path, plans: Plans) -> NodeSettings:
    return NodeSettings(
        directory,
        plans,
        config.log.segment_mib << 20,
        config.limits.disk_free_mib << 20,
        ArchiveRetention(
            seconds=config.archive.keep_days * _SECONDS_PER_DAY or None,
            size_max=config.archive.keep_gib << 30 or None,
            held_seconds=config.archive.hold_days * _SECONDS_PER_DAY,
            held_size=config.archive.hold_gib << 30,
        ),
        CheckpointPolicy(
            every_bytes=config.checkpoints.every_mib << 20,
            every_seconds=config.checkpoints.every_seconds,
            instances_in_memory_max=config.checkpoints.instances_in_memory,
        ),
        PartitionLimits(
            commit_seconds_max=config.limits.commit_seconds,
            idempotency_ms=config.limits.idempotency_hours * 3_600_000,
        ),
        bpmnd.__version__,
        ScrubPolicy(
            first_after_seconds=config.scrub.first_after_hours * _SECONDS_PER_HOUR,
            every_seconds=config.scrub.every_hours * _SECONDS_PER_HOUR,
            bytes_per_second=int(config.scrub.mib_per_second * (1 << 20)),
        ),
    )
