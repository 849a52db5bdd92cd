"""The same scripts on one partition and on three: their outcomes must be the same.

The test modules of this directory take a fixture `compare`; whoever imports them and defines it as `Sameness`
plays them to one node and to a cluster, without an oracle.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from bpmnd.actors.exporters.reading import PartitionFiles
from bpmnd.actors.exporters.records import Records as Exporter
from bpmnd.bpmn.codec import decode_frame
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.disk import RealDisk
from tests.differential.comparison import Comparison, Script, Side
from tests.differential.records import KINDS, NodeRecords, Record, record_of
from tests.nodes import RunningCluster, RunningNode


@final
class ClusterRecords:
    """The logs of all partitions, of the replicas on one node, in the order of their log times."""

    def __init__(self, directory: Path, partitions: Sequence[int]) -> None:
        self._partitions = [_PartitionRecords(directory, partition) for partition in partitions]

    def read(self) -> list[Record]:
        found = [timed for partition in self._partitions for timed in partition.read()]
        found.sort(key=lambda timed: timed[0])
        return [record for _, record in found]


@final
class _PartitionRecords:
    def __init__(self, directory: Path, partition: int) -> None:
        self._files = PartitionFiles(RealDisk(), directory / "partitions" / str(partition), running=True)
        self._exporter = Exporter(partition)
        self._last_index = 0
        self._records: list[tuple[int, Record]] = []

    def read(self) -> list[tuple[int, Record]]:
        """(log time, record); sorting by the former keeps the order within a partition."""
        for entry in self._files.entries():
            if entry.index > self._last_index and entry.kind == EntryKind.COMMAND:
                self._last_index = entry.index
                frame = decode_frame(entry.payload)
                for record in self._exporter.of(entry.index, frame):
                    if record.value_type in KINDS:
                        self._records.append((frame.time, record_of(record)))
        return self._records


@final
class Sameness:
    """Called as a `Comparison`. What shall differ from the oracle is the same on both sides here."""

    def __init__(self, node: RunningNode, cluster: RunningCluster) -> None:
        first = cluster.nodes[1]
        self._node = Side(node.address, NodeRecords(node.directory))
        self._cluster = Side(first.address, ClusterRecords(first.directory, cluster.partitions))
        self._compare = Comparison(self._cluster, self._node)

    async def __call__(
        self, script: Script, *models: bytes, concurrent: str = "", known: Mapping[str, str] | None = None
    ) -> None:
        await self._compare(script, *models, concurrent=concurrent)
