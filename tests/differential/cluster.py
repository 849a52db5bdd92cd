"""The same scripts on one partition and on three: their outcomes must be the same.

The test modules of this directory take a fixture `compare`; whoever imports them and defines it as `Sameness`
plays them to one node and to a cluster, without an oracle.
"""

from collections.abc import Mapping
from itertools import cycle
from typing import final

from tests.differential.comparison import Comparison, Script, Side
from tests.differential.records import NodeRecords
from tests.nodes import RunningCluster, RunningNode


@final
class Sameness:
    """Called as a `Comparison`. What shall differ from the oracle is the same on both sides here."""

    def __init__(self, node: RunningNode, cluster: RunningCluster) -> None:
        self._node = Side(node.address, NodeRecords(node.directory))
        self._records = NodeRecords(cluster.nodes[1].directory, cluster.partitions)
        self._addresses = cycle(cluster.addresses)

    async def __call__(
        self, script: Script, *models: bytes, concurrent: str = "", known: Mapping[str, str] | None = None
    ) -> None:
        """Each script goes to another node, which begins instances rather where it leads."""
        compare = Comparison(Side(next(self._addresses), self._records), self._node)
        await compare(script, *models, concurrent=concurrent)
