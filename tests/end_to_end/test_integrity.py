"""What goes wrong on one node without anybody noticing is found, and made good from the others."""

import asyncio
import contextlib
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.end_to_end.cluster_crashes import MODEL
from tests.end_to_end.load import History, Load
from tests.end_to_end.replicas import agreed_events
from tests.end_to_end.test_membership import flip
from tests.nodes import Place, RunningCluster, RunningNode

pytestmark = pytest.mark.end_to_end

VICTIM: Final = 3
INSTANCES: Final = 20
TEXT_BYTES: Final = 500
"""Of each: it cannot be compressed to less."""
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


HIDDEN: Final = "damaged, and is to be rebuilt from its peers"
WHOLE: Final = "the damaged replica is whole again"
SCRUBBING: Final = {
    "BPMND_SCRUB__FIRST_AFTER_HOURS": "0.0005",
    "BPMND_SCRUB__EVERY_HOURS": "0.0003",
    "BPMND_SCRUB__MIB_PER_SECOND": "20",
    "BPMND_CHECKPOINTS__EVERY_SECONDS": "0.5",
}
"""All that lies on the disk is read through about once a second."""


async def until(
    holds: Callable[[], bool], cluster: RunningCluster | RunningNode, seconds: float = 60
) -> None:
    for _ in range(int(seconds / 0.1)):
        if await asyncio.to_thread(holds):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {seconds} s:\n{cluster.said()[-6000:]}")


def flip_in_checkpoint(node: RunningNode, flipped: set[int]) -> bool:
    """Flip a bit of a block that nobody needs, in each file that has none flipped yet: one that has may be
    merged into another before anybody reads it. False if the instances are in no checkpoint yet."""
    for path in (node.directory / "partitions" / "1").glob("checkpoint*/*.sst"):
        with contextlib.suppress(FileNotFoundError):  # Merged by now.
            about = path.stat()
            if about.st_size > 8 * TEXT_BYTES and about.st_ino not in flipped:
                flip(path, TEXT_BYTES)
                flipped.add(about.st_ino)
    return bool(flipped)


def flips_until_found(node: RunningNode) -> Callable[[], bool]:
    """Whether one more flipped bit is found; until then there is always one."""
    before, flipped = node.said().count(HIDDEN), set[int]()

    def is_found() -> bool:
        return flip_in_checkpoint(node, flipped) and node.said().count(HIDDEN) > before

    return is_found


def says(node: RunningNode, text: str) -> Callable[[], bool]:
    return lambda: text in node.said()


def is_ready(node: RunningNode) -> dict[str, Any]:
    with urllib.request.urlopen(f"{node.monitoring}/readyz", timeout=5) as answer:
        report: dict[str, Any] = json.load(answer)
    return report


async def create_waiting(address: str) -> None:
    """Instances of which some are in a checkpoint soon, and are not asked for again."""
    load = Load([address], "crash", "crash-work")
    await load.deploy(MODEL)
    async with aiohttp.ClientSession() as session:
        for _ in range(INSTANCES):
            variables = {"text": os.urandom(TEXT_BYTES).hex()}
            body = {"processDefinitionId": "crash", "variables": variables}
            async with session.post(f"{address}/v2/process-instances", json=body) as answer:
                assert answer.status == 200, await answer.text()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    """Three nodes with one partition, which read through all that they have. The applier of one is another
    while there is a file, which is the tests' to make and to remove."""
    directory = tmp_path_factory.mktemp("integrity")
    (directory / "code").mkdir()
    (directory / "code" / "sitecustomize.py").write_text(OTHER_APPLIER)
    code = {"PYTHONPATH": str(directory / "code"), "DIFFERS": str(directory / "differs")}
    places = {number: Place(environment=SCRUBBING) for number in (1, 2, 3)}
    places[VICTIM] = Place(environment=SCRUBBING | code)
    with RunningCluster(directory / "cluster", partitions=1, places=places) as made:
        yield made


async def test_a_node_with_another_state_is_found_and_rebuilt(cluster: RunningCluster) -> None:
    victim = cluster.nodes[VICTIM]
    differs = Path(victim.place.environment["DIFFERS"])
    load = Load(cluster.addresses, "crash", "crash-work")
    await load.deploy(MODEL)

    differs.touch()  # noqa: ASYNC240 - an empty file
    async with load.running(creators=1, workers=0):
        await until(says(victim, "others have another state"), cluster)
        differs.unlink()  # noqa: ASYNC240 - an empty file
        await until(says(victim, "the damaged replica is whole again"), cluster)

    await load.work_off()
    assert all("another state" not in cluster.nodes[other].said() for other in (1, 2))
    assert load.unexpected == []


@pytest.mark.parametrize("whose", ["follower", "leader"])
async def test_a_flipped_bit_in_a_checkpoint_is_found_and_made_good(
    cluster: RunningCluster, whose: str
) -> None:
    leader = (await asyncio.to_thread(cluster.wait_for_leaders))[1]
    await create_waiting(cluster.nodes[leader].address)
    others = [number for number in cluster.nodes if number not in (leader, VICTIM)]
    node = cluster.nodes[leader if whose == "leader" else others[0]]
    before = node.said().count(WHOLE)

    await until(flips_until_found(node), cluster)

    await until(lambda: node.said().count(WHOLE) > before, cluster)


async def test_all_that_was_damaged_is_as_it_was(cluster: RunningCluster) -> None:
    statuses = await asyncio.to_thread(cluster.terminate)

    assert statuses == [0, 0, 0], cluster.said()[-6000:]
    history = History(agreed_events([node.directory for node in cluster.nodes.values()], (1,)))
    assert len(history.created) > 2 * INSTANCES
    assert set(history.created.values()) == {1}


async def test_a_node_that_is_alone_says_what_is_damaged_and_goes_on(tmp_path: Path) -> None:
    place = Place(environment=SCRUBBING)
    with await asyncio.to_thread(RunningNode, tmp_path / "node", place=place) as node:
        await create_waiting(node.address)
        flipped = set[int]()

        await until(lambda: flip_in_checkpoint(node, flipped) and "damage" in is_ready(node), node)

        report = is_ready(node)
        assert report["status"] == "ready"
        assert "checksum" in report["damage"]["1"]
        await create_waiting(node.address)
