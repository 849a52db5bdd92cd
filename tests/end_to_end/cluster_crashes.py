"""Kill the nodes of a cluster under load, again and again: nothing acknowledged is lost or doubled."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bpmnd.bpmn.keys import partition_of
from tests.bpmn.playground import END, START, path, process, task
from tests.end_to_end.load import History, Load, check_history
from tests.end_to_end.replicas import agreed_events
from tests.nodes import RunningCluster

MODEL: Final = process(
    START + task("work", "crash-work") + END + path("start", "work", "end"), process_id="crash"
)
SERVED_SECONDS_MAX: Final = 20.0
KINDS: Final = ("the leader of one", "any node", "all three")


@dataclass(frozen=True, slots=True)
class Round:
    """One kill, and how long nobody was served."""

    kind: str
    killed: tuple[int, ...]
    led: int
    """So many partitions were led by what was killed."""
    acknowledged: int
    """Creations that were acknowledged since the round before."""
    unknown: int
    takeover: float
    """Seconds from the kill until a creation was acknowledged in every partition again; of all nodes at once:
    from the moment on that the last of them was ready again."""
    silence: float
    """The longest time without any acknowledged creation."""


async def kill_under_load(directory: Path, kinds: Iterable[str], seed: int) -> tuple[list[Round], Load]:
    """For every kind: some load, SIGKILL, wait for service, restart. Then work all off, stop, check."""
    chance = random.Random(seed)
    rounds: list[Round] = []
    with await asyncio.to_thread(RunningCluster, directory) as cluster:
        load = Load(cluster.addresses, "crash", "crash-work")
        await load.deploy(MODEL)
        async with load.running():
            for kind in kinds:
                await asyncio.sleep(chance.uniform(0.2, 0.8))
                rounds.append(await _round(cluster, load, kind, chance))
                print(rounds[-1], flush=True)
        await load.work_off()
        assert await asyncio.to_thread(cluster.terminate) == [0, 0, 0]
    check_cluster(cluster, load)
    return rounds, load


def check_cluster(cluster: RunningCluster, load: Load) -> None:
    """The cluster has stopped: what was acknowledged must be in its logs, once, and every instance ended."""
    directories = [node.directory for node in cluster.nodes.values()]
    check_history(load, History(agreed_events(directories, cluster.partitions)))


async def served(
    load: Load,
    partitions: Sequence[int],
    since: float,
    seconds_max: float,
    addresses: Sequence[str] = (),
) -> float:
    """Wait until every one of these partitions, and every one of these addresses, has acknowledged a creation
    that was sent after `since`; the seconds from then on."""
    wanted: set[int | str] = {*partitions, *addresses}
    first: dict[int | str, float] = {}
    position = 0
    while wanted - set(first):
        missing = wanted - set(first)
        assert time.monotonic() < since + seconds_max, f"not served after {seconds_max:.1f} s: {missing}"
        await asyncio.sleep(0.01)
        for one in load.acknowledged[position:]:
            if one.sent > since:
                first.setdefault(partition_of(one.key), one.at)
                first.setdefault(one.address, one.at)
        position = len(load.acknowledged)
    return max(first[one] for one in wanted) - since


def silence_of(load: Load, begin: float, end: float) -> float:
    """The longest time between two acknowledged creations, in a span of time."""
    times = [begin, *(one.at for one in load.acknowledged if begin < one.at < end), end]
    return max(later - earlier for earlier, later in itertools.pairwise(times))


async def _round(cluster: RunningCluster, load: Load, kind: str, chance: random.Random) -> Round:
    leaders = await asyncio.to_thread(cluster.wait_for_leaders)
    victims: tuple[int, ...]
    match kind:
        case "the leader of one":
            victims = (leaders[chance.choice(cluster.partitions)],)
        case "any node":
            victims = (chance.choice(list(cluster.nodes)),)
        case _:
            victims = tuple(cluster.nodes)
    acknowledged, unknown, killed = len(load.acknowledged), load.unknown, time.monotonic()
    await asyncio.to_thread(cluster.kill, *victims)
    since = time.monotonic()
    if len(victims) == len(cluster.nodes):
        await asyncio.to_thread(cluster.start)
        since = time.monotonic()
    takeover = await served(load, cluster.partitions, since, SERVED_SECONDS_MAX)
    silence = silence_of(load, killed, since + takeover)
    await asyncio.to_thread(cluster.start)
    return Round(
        kind,
        victims,
        sum(leader in victims for leader in leaders.values()),
        len(load.acknowledged) - acknowledged,
        load.unknown - unknown,
        takeover,
        silence,
    )


def table(rounds: Sequence[Round]) -> Iterator[str]:
    """The rounds as lines of Markdown."""
    yield "| round | killed | node | led | acknowledged | unknown | takeover (s) | longest silence (s) |"
    yield "|---:|---|---|---:|---:|---:|---:|---:|"
    for number, one in enumerate(rounds, start=1):
        nodes = ", ".join(map(str, one.killed))
        yield (
            f"| {number} | {one.kind} | {nodes} | {one.led} | {one.acknowledged} | {one.unknown}"
            f" | {one.takeover:.2f} | {one.silence:.2f} |"
        )
