"""A cluster changes and mends itself under load: nothing acknowledged is lost, no one lifts a hand."""

import asyncio
import itertools
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.end_to_end.cluster_crashes import MODEL, check_cluster
from tests.end_to_end.correlations import MODEL as WAITING
from tests.end_to_end.correlations import Correlations
from tests.end_to_end.load import Load
from tests.end_to_end.operations import begin, do, ended, join, report, until, where
from tests.judged import JUDGE
from tests.nodes import RunningCluster, RunningNode

pytestmark = pytest.mark.end_to_end

CREATORS: Final = 1


async def start_load(cluster: RunningCluster) -> Load:
    load = Load(cluster.addresses, "crash", "crash-work")
    await load.deploy(MODEL)
    return load


async def stop(cluster: RunningCluster, load: Load) -> None:
    """Work all off, stop all, and check what the logs say."""
    await load.work_off()
    statuses = await asyncio.to_thread(cluster.terminate)
    assert statuses == [0] * len(cluster.nodes), cluster.said()[-6000:]
    check_cluster(cluster, load)


def is_whole(cluster: RunningCluster, node: int) -> bool:
    """Another node says that all replicas of this one are well."""
    other = next(number for number in cluster.running if number != node)
    replicas = [
        replica["health"]
        for broker in cluster.topology(other)["brokers"]
        if broker["nodeId"] == node
        for replica in broker["partitions"]
    ]
    return len(replicas) == len(cluster.partitions) and set(replicas) == {"healthy"}


async def wait_whole(cluster: RunningCluster, node: int, seconds: float = 30) -> None:
    for _ in range(int(seconds / 0.1)):
        if await asyncio.to_thread(is_whole, cluster, node):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"node {node} is not whole after {seconds} s:\n{cluster.said()[-6000:]}")


async def test_a_single_node_grows_to_three_and_one_of_them_leaves(tmp_path: Path) -> None:
    settings = ("--replication", "1")
    with await asyncio.to_thread(
        RunningCluster, tmp_path / "cluster", *settings, nodes=1, partitions=2
    ) as cluster:
        load = await start_load(cluster)
        async with load.running(creators=CREATORS, workers=1):
            for number in (2, 3):
                await join(cluster, tmp_path / "cluster" / f"node-{number}", number)
            await do(cluster, "set-replication", replication=3)

            waiting = Correlations(lambda: [cluster.nodes[one].address for one in cluster.running], 30)
            await load.deploy(WAITING)
            await waiting.create()
            number = await begin(cluster, "add-partitions", count=1)
            await kill_leader_of_controller(cluster)
            await waiting.correlate(waiting.orders[:20])
            shown = await ended(cluster, number)
            assert all(where(shown, group) == {1, 2, 3} for group in (1, 2, 3))
            assert set(shown["slots"]["owned"].values()) == {16_384 // 3, 16_384 // 3 + 1}
            await acknowledged_in(load, partition=3)
            await waiting.correlate(waiting.orders[20:])
            await waiting.repeat()

            await do(cluster, "set-replication", replication=2)
            shown = await do(cluster, "remove-node", node=2)
            assert all(where(shown, group) == {1, 3} for group in (0, 1, 2, 3))
            await until(cluster, lambda shown: not any(one["nodeId"] == 2 for one in shown["members"]))
        await until(cluster, lambda _: "is no member of cluster" in cluster.nodes[2].said(), seconds=10)
        cluster.nodes.pop(2).kill()
        cluster.partitions += (3,)
        await stop(cluster, load)


@pytest.mark.skipif(not JUDGE, reason="longer: BPMND_JUDGE=1")
async def test_no_message_is_refused_while_the_slots_of_many_move(tmp_path: Path) -> None:
    """How long the slowest of them waits is printed (docs/slots.md)."""
    waits: list[float] = []
    with await asyncio.to_thread(
        RunningCluster, tmp_path / "cluster", "--replication", "1", nodes=1, partitions=1
    ) as cluster:
        async with aiohttp.ClientSession(cluster.addresses[0]) as session:

            async def publish(number: int) -> None:
                body = {"name": "note", "correlationKey": f"key-{number}", "timeToLive": 3_600_000}
                began = time.monotonic()
                async with session.post("/v2/messages/publication", json=body) as answer:
                    assert answer.status == 200, await answer.text()
                waits.append(time.monotonic() - began)

            for first in range(0, 20_000, 200):
                await asyncio.gather(*map(publish, range(first, first + 200)))
            waits.clear()
            growing = asyncio.create_task(do(cluster, "add-partitions", count=3))
            numbers = itertools.count(20_000, 20)
            while not growing.done():
                first = next(numbers)
                await asyncio.gather(*map(publish, range(first, first + 20)))
                await asyncio.sleep(0.02)
            shown = await growing
    assert set(shown["slots"]["owned"].values()) == {4096}
    print(f"{len(waits)} messages; the slowest has waited {max(waits):.2f} s")


async def test_a_wiped_disk_and_a_flipped_bit_are_made_good_from_the_others(tmp_path: Path) -> None:
    with await asyncio.to_thread(RunningCluster, tmp_path / "cluster", partitions=2) as cluster:
        load = await start_load(cluster)
        async with load.running(creators=CREATORS, workers=1):
            await asyncio.sleep(0.5)
            await restarted_after(cluster, 2, wipe)
            await until(cluster, lambda shown: [one["kind"] for one in shown["finished"]] == ["replace-node"])
            await wait_whole(cluster, 2)

            await restarted_after(cluster, 3, flip_in_log)
            await wait_whole(cluster, 3)
            assert "damaged, and rebuilt from its peers" in cluster.nodes[3].said()
        await stop(cluster, load)


@pytest.mark.skipif(not JUDGE, reason="longer: BPMND_JUDGE=1")
async def test_replicas_move_and_checkpoints_are_made_good_and_nothing_is_lost(tmp_path: Path) -> None:
    settings = ("--replication", "2")
    with await asyncio.to_thread(
        RunningCluster, tmp_path / "cluster", *settings, nodes=4, partitions=4
    ) as cluster:
        load = await start_load(cluster)
        async with load.running(creators=CREATORS, workers=1):
            for partition in cluster.partitions:
                replicas = where(await report(cluster), partition)
                source, target = min(replicas), min({1, 2, 3, 4} - replicas)
                number = await begin(cluster, "move-replica", partition=partition, node=source, to=target)
                await kill_leader_of_controller(cluster)
                shown = await ended(cluster, number)
                assert where(shown, partition) == replicas - {source} | {target}
            await asyncio.sleep(6)
            for node in (1, 2, 3, 4):
                await restarted_after(cluster, node, flip_in_checkpoint)
                await until(cluster, lambda shown: all(group["reached"] for group in shown["groups"]))
        await stop(cluster, load)


async def acknowledged_in(load: Load, partition: int) -> None:
    """Wait until an instance has been created there."""
    for _ in range(200):
        if any(key >> 51 == partition for key in load.created):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"nothing was created in partition {partition}")


async def kill_leader_of_controller(cluster: RunningCluster) -> None:
    shown: dict[str, Any] = await report(cluster)
    leader = shown["controllerLeader"]
    assert leader, shown
    await asyncio.to_thread(cluster.nodes[leader].restart)


async def restarted_after(cluster: RunningCluster, number: int, harm: Callable[[RunningNode], None]) -> None:
    """Kill a node, do something to its disk, start it again."""
    node = cluster.nodes[number]
    await asyncio.to_thread(node.kill)
    harm(node)
    await asyncio.to_thread(node.restart)


def wipe(node: RunningNode) -> None:
    shutil.rmtree(node.directory)


def flip_in_log(node: RunningNode) -> None:
    """In the first write batch of a log, which is far from its end."""
    path = min((node.directory / "partitions" / "1" / "log").glob("*.log"))
    flip(path, 150)


def flip_in_checkpoint(node: RunningNode) -> None:
    for partition in (node.directory / "partitions").iterdir():
        for path in sorted(partition.glob("checkpoint*/*.sst"))[:1]:
            flip(path, path.stat().st_size - 30)


def flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0x40]))
