"""Clusters under test: nodes of this checkout side by side, each a process with a gateway of its own."""

import contextlib
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from benchmarks.engines import Engine, bpmnd_node
from tests.nodes import Place, RunningCluster

_AS_IN_PRODUCTION: Final = Place(environment={"BPMND_LOG__SEGMENT_MIB": "64"})
"""The helper of the tests would make segments small."""


@final
@dataclass(frozen=True, slots=True)
class Shape:
    """So many nodes, and how the partitions lie on them."""

    nodes: int
    partitions: int
    replication: int

    @property
    def name(self) -> str:
        replicated = f", replication {self.replication}" if self.nodes > 1 else ""
        return f"{counted(self.nodes, 'node')}, {counted(self.partitions, 'partition')}{replicated}"


ALONE: Final = Shape(nodes=1, partitions=1, replication=1)
"""What the others are measured against."""
SHAPES: Final = {
    "a": ALONE,
    "b": Shape(nodes=2, partitions=2, replication=1),
    "c": Shape(nodes=3, partitions=3, replication=3),
    "d": Shape(nodes=1, partitions=3, replication=1),
}


def engine_name(shape: Shape) -> str:
    return f"bpmnd, {shape.name}"


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


@final
class BpmndCluster:
    """Nodes of this checkout that have founded a cluster, on loopback."""

    def __init__(self, directory: Path, shape: Shape) -> None:
        self.name: Final = engine_name(shape)
        self.running: Final = RunningCluster(
            directory,
            "--replication",
            str(shape.replication),
            nodes=shape.nodes,
            partitions=shape.partitions,
            places=dict.fromkeys(range(1, shape.nodes + 1), _AS_IN_PRODUCTION),
        )

    @property
    def bases(self) -> list[str]:
        return self.running.addresses

    @property
    def pids(self) -> list[int]:
        return [node.pid for node in self.running.nodes.values()]


@contextlib.contextmanager
def bpmnd_cluster(directory: Path, shape: Shape) -> Generator[BpmndCluster]:
    cluster = BpmndCluster(directory, shape)
    try:
        yield cluster
    finally:
        cluster.running.kill()
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def bpmnd(directory: Path, shape: Shape) -> Generator[Engine]:
    """A single node is one as anybody starts it, which no other can reach."""
    if shape.nodes == 1:
        flags = ("--partitions", str(shape.partitions))
        with bpmnd_node(directory, *flags, name=engine_name(shape)) as node:
            yield node
    else:
        with bpmnd_cluster(directory, shape) as cluster:
            yield cluster
