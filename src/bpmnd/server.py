"""The node as a process: everything built and wired, run until it is told to stop."""

import asyncio
import contextlib
import fcntl
import gc
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, final

import uvloop
from prometheus_client import CollectorRegistry

import bpmnd
from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.clock import LoopScheduler, SystemClock
from bpmnd.actors.messages import PartitionLimits
from bpmnd.actors.node import Node, NodeSettings
from bpmnd.cluster_view import LocalCluster
from bpmnd.config import Config, ConfigError, address_of
from bpmnd.gateway.server import Gateway
from bpmnd.metrics import NodeMetrics
from bpmnd.monitoring import Monitoring
from bpmnd.storage.archive import ArchiveRetention
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.writer import ThreadWriter

_logger = logging.getLogger(__name__)
_LOCK_PAUSES: Final = (0, 0.05, 0.05, 0.05)
_POLL_SECONDS: Final = 0.01
_SECONDS_PER_DAY: Final = 24 * 60 * 60
_GC_THRESHOLD: Final = (50_000, 50, 1000)
"""The engine makes no cycles; what is left to collect comes from HTTP, and can wait."""


def run(config: Config) -> int:
    """Run a node; its exit status: 0 after an ordered stop, 1 when it had to give up."""
    directory = Path(config.node.data_dir)
    with DataDirectory(directory, config.node.partitions):
        return uvloop.run(_Process(config, directory).run())


@final
class DataDirectory:
    """The one directory of a node, locked while it runs. Raises ConfigError if it is not ours to use."""

    def __init__(self, path: Path, partitions: int) -> None:
        self._path = path
        self._partitions = partitions
        self._lock = -1

    def __enter__(self) -> None:
        self._path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        if not self._try_lock():
            os.close(self._lock)
            raise ConfigError(f"{self._path} is in use by another node")
        try:
            self._check_partitions()
        except ConfigError:
            os.close(self._lock)
            raise

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

    def _check_partitions(self) -> None:
        """The number of partitions is settled when the directory is first used, whole or not at all."""
        existing = self._path / "partitions"
        if not existing.exists():
            made = self._path / "partitions.new"
            if made.exists():
                shutil.rmtree(made)
            for number in range(1, self._partitions + 1):
                (made / str(number)).mkdir(parents=True, exist_ok=True)
            made.rename(existing)
        count = sum(entry.name.isdecimal() for entry in existing.iterdir())
        if count != self._partitions:
            raise ConfigError(
                f"{self._path} has {count} partitions, but node.partitions is {self._partitions};"
                " the number of partitions cannot be changed by configuration"
            )


@final
class _Process:
    def __init__(self, config: Config, directory: Path) -> None:
        self._config = config
        self._directory = directory
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        registry = CollectorRegistry()
        metrics = NodeMetrics(registry)
        writer = ThreadWriter(metrics.synced)
        node = Node(
            _settings(self._config, self._directory),
            RealDisk(),
            writer,
            LoopScheduler(loop),
            SystemClock(),
            loop.create_future,
            self._give_up,
        )
        metrics.watch(node)
        monitoring = Monitoring(registry, node)
        monitoring_port = await monitoring.start(*address_of(self._config.monitoring.address))
        node.start()
        cluster = LocalCluster(self._config, node)
        gateway = Gateway(cluster, registry)
        try:
            await self._until(lambda: node.is_ready)
            if self._failure is None and not self._stop.is_set():
                host, port = address_of(self._config.http.address)
                port = await gateway.start(host, port, reuse_port=self._config.http.reuse_port)
                cluster.http_port = port
                gc.collect()
                gc.freeze()
                gc.set_threshold(*_GC_THRESHOLD)
                print(f"bpmnd {bpmnd.__version__} ready: http://{host}:{port}/v2", flush=True)
                print(f"monitoring: http://127.0.0.1:{monitoring_port}/metrics", flush=True)
                await self._stop.wait()
            await gateway.stop()
            await self._drain(node)
        finally:
            node.stop()
            writer.close()
            await monitoring.stop()
        if self._failure is not None:
            _logger.critical("the node gives up: %s", self._failure)
            return 1
        return 0

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


def _settings(config: Config, directory: Path) -> NodeSettings:
    return NodeSettings(
        directory,
        config.node.partitions,
        config.log.segment_mib << 20,
        config.limits.disk_free_mib << 20,
        ArchiveRetention(
            seconds=config.archive.keep_days * _SECONDS_PER_DAY or None,
            size_max=config.archive.keep_gib << 30 or None,
        ),
        CheckpointPolicy(
            every_bytes=config.checkpoints.every_mib << 20,
            every_seconds=config.checkpoints.every_seconds,
            instances_in_memory_max=config.checkpoints.instances_in_memory,
        ),
        PartitionLimits(commit_seconds_max=config.limits.commit_seconds),
    )
