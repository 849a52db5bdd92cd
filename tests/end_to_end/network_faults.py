"""What can happen to a network, done to a cluster under load, and what must hold all the while."""

import asyncio
import random
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.end_to_end.cluster_crashes import MODEL, check_cluster, served
from tests.end_to_end.load import Load
from tests.end_to_end.networks import Networks, Switch
from tests.nodes import RunningCluster

_SERVED_SECONDS_MAX: Final = 60.0
_FLAPS: Final = 8
_LEADS = re.compile(r"partition (\d+): leads in term (\d+) ")


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    goes_on: bool = True
    """Whether every partition must be served while it lasts."""


LEADER_CUT_OFF: Final = Fault("a leader is cut off")
LEADER_MUTE: Final = Fault("a leader hears, but is not heard")
LEADER_DEAF: Final = Fault("a leader is heard, but hears nobody")
MINORITY: Final = Fault("a node that leads nothing is cut off")
ALL_ALONE: Final = Fault("nobody hears anybody", goes_on=False)
FLAPPING: Final = Fault("a leader is cut off again and again", goes_on=False)
LOSS: Final = Fault("30 % of all frames are lost")
ALL: Final = (LEADER_CUT_OFF, LEADER_MUTE, LEADER_DEAF, MINORITY, ALL_ALONE, FLAPPING, LOSS)


@dataclass(frozen=True, slots=True)
class Survived:
    fault: Fault
    node: int
    takeover: float
    """Seconds until all partitions were served in spite of it; 0 if that is not asked."""
    recovery: float
    """Seconds from the healing until all partitions and all nodes answered again."""
    acknowledged: int
    unknown: int

    def __str__(self) -> str:
        return (
            f"{self.fault.name} (node {self.node}): served after {self.takeover:.2f} s, healed within"
            f" {self.recovery:.2f} s, {self.acknowledged} acknowledged, {self.unknown} unknown"
        )


async def survive(
    directory: Path, networks: Networks, faults: Iterable[Fault], seed: int, *, seconds: float
) -> list[Survived]:
    """Every fault for some seconds, under load through all nodes. Then stop all and check everything."""
    chance = random.Random(seed)
    survived: list[Survived] = []
    places, peers = networks.places, networks.peer_addresses
    with await asyncio.to_thread(RunningCluster, directory, places=places, peer_addresses=peers) as cluster:
        load = Load(cluster.addresses, "crash", "crash-work")
        await load.deploy(MODEL)
        async with load.running(creators=9, workers=3):
            for fault in faults:
                survived.append(await _survive(cluster, networks.switch, load, fault, chance, seconds))
                print(survived[-1], flush=True)
        await load.work_off()
        assert await asyncio.to_thread(cluster.terminate) == [0, 0, 0]
    check_cluster(cluster, load)
    check_terms(cluster)
    return survived


def check_terms(cluster: RunningCluster) -> None:
    """By what the nodes said, no partition ever had two leaders in one term."""
    leaders = leaders_by_term({number: node.said() for number, node in cluster.nodes.items()})
    assert leaders, "nobody ever said that it leads"
    doubled = {term: nodes for term, nodes in leaders.items() if len(nodes) > 1}
    assert not doubled, f"(partition, term) with more than one leader: {doubled}"


def leaders_by_term(said: Mapping[int, str]) -> dict[tuple[int, int], set[int]]:
    """(partition, term) -> the nodes that say in their logs that they lead it."""
    leaders: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for node, text in said.items():
        for partition, term in _LEADS.findall(text):
            leaders[int(partition), int(term)].add(node)
    return leaders


async def _survive(
    cluster: RunningCluster,
    switch: Switch,
    load: Load,
    fault: Fault,
    chance: random.Random,
    seconds: float,
) -> Survived:
    leaders = await asyncio.to_thread(cluster.wait_for_leaders)
    node = _victim(fault, leaders, list(cluster.nodes), chance)
    acknowledged, unknown, begin = len(load.acknowledged), load.unknown, time.monotonic()
    try:
        takeover = await _suffer(cluster, switch, load, fault, node, begin, seconds, chance)
    finally:
        switch.heal()
    healed = time.monotonic()
    recovery = await served(load, cluster.partitions, healed, _SERVED_SECONDS_MAX, cluster.addresses)
    acknowledged, unknown = len(load.acknowledged) - acknowledged, load.unknown - unknown
    return Survived(fault, node, takeover, recovery, acknowledged, unknown)


def _victim(fault: Fault, leaders: dict[int, int], nodes: Sequence[int], chance: random.Random) -> int:
    idle = [node for node in nodes if node not in leaders.values()]
    if fault is MINORITY and idle:
        return idle[0]
    return chance.choice(sorted(leaders.values()))


async def _suffer(
    cluster: RunningCluster,
    switch: Switch,
    load: Load,
    fault: Fault,
    node: int,
    begin: float,
    seconds: float,
    chance: random.Random,
) -> float:
    if fault is FLAPPING:
        for _ in range(_FLAPS):
            switch.cut_off(node)
            await asyncio.sleep(chance.uniform(0.1, seconds / _FLAPS))
            switch.heal()
            await asyncio.sleep(chance.uniform(0.1, seconds / _FLAPS))
        return 0.0
    match fault:
        case _ if fault is LEADER_MUTE:
            switch.mute(node)
        case _ if fault is LEADER_DEAF:
            switch.deafen(node)
        case _ if fault is ALL_ALONE:
            switch.isolate_all()
        case _ if fault is LOSS:
            switch.lose(0.3)
        case _:
            switch.cut_off(node)
    takeover = 0.0
    if fault.goes_on:
        takeover = await served(load, cluster.partitions, begin, _SERVED_SECONDS_MAX)
    await asyncio.sleep(max(0.0, begin + seconds - time.monotonic()))
    return takeover
