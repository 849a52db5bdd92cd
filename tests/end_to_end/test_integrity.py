"""What goes wrong on one node without anybody noticing is found, and made good from the others."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.cluster_crashes import MODEL, check_cluster
from tests.end_to_end.load import Load
from tests.nodes import Place, RunningCluster

pytestmark = pytest.mark.end_to_end

VICTIM: Final = 3
OTHER_APPLIER: Final = """
import os
from msgspec.structs import replace
from bpmnd.bpmn.appliers import APPLIERS
from bpmnd.bpmn.events import JobCreated

created = APPLIERS[JobCreated]


def created_otherwise(state, event):
    more = os.path.exists(os.environ["DIFFERS"])
    created(state, replace(event, retries=event.retries + more))


APPLIERS[JobCreated] = created_otherwise
"""
"""As `sitecustomize` of a node: it makes something else of its log than the others, while a file exists."""


async def until(holds: Callable[[], bool], cluster: RunningCluster, seconds: float = 60) -> None:
    for _ in range(int(seconds / 0.1)):
        if await asyncio.to_thread(holds):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {seconds} s:\n{cluster.said()[-6000:]}")


async def test_a_node_with_another_state_is_found_and_rebuilt(tmp_path: Path) -> None:
    differs = tmp_path / "differs"
    differs.touch()
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "sitecustomize.py").write_text(OTHER_APPLIER)
    place = Place(environment={"PYTHONPATH": str(tmp_path / "code"), "DIFFERS": str(differs)})
    with await asyncio.to_thread(
        RunningCluster, tmp_path / "cluster", partitions=1, places={VICTIM: place}
    ) as cluster:
        load = Load(cluster.addresses, "crash", "crash-work")
        await load.deploy(MODEL)
        async with load.running(creators=1, workers=0):
            await until(lambda: "others have another state" in cluster.nodes[VICTIM].said(), cluster)
            differs.unlink()
            await until(lambda: "the damaged replica is whole again" in cluster.nodes[VICTIM].said(), cluster)
        assert all("another state" not in cluster.nodes[other].said() for other in (1, 2))
        await load.work_off()
        assert await asyncio.to_thread(cluster.terminate) == [0, 0, 0], cluster.said()[-6000:]
    check_cluster(cluster, load)
