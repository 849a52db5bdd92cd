"""How long a cluster is without service when a leader dies: creations at a steady pace, and SIGKILL."""

import asyncio
import itertools
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, final

import msgspec
import uvloop

from benchmarks.clusters import BpmndCluster
from benchmarks.wire import Endpoint, Pool
from benchmarks.workloads import START_ONLY, Requests
from bpmnd.bpmn.keys import partition_of

_PACE_SECONDS: Final = 0.005
_CONNECTIONS: Final = 64
_BEFORE_SECONDS: Final = 1.0
_SERVED_SECONDS_MAX: Final = 30.0
_LOOK_SECONDS: Final = 0.02


@final
@dataclass(frozen=True, slots=True)
class Takeover:
    """Of the partitions that one node led when it was killed."""

    partitions: tuple[int, ...]
    silence_seconds: float
    """The longest time without any acknowledged creation, by the gateways that were left."""
    takeover_seconds: float
    """From the kill until a creation sent after it was acknowledged in each of the partitions."""
    failed: int
    """Creations that were not acknowledged."""


@final
@dataclass(frozen=True, slots=True)
class Creation:
    """One that was acknowledged."""

    sent: float
    at: float
    partition: int


class _Created(msgspec.Struct, rename="camel"):
    process_instance_key: int | str


_CREATED: Final = msgspec.json.Decoder(_Created)


def takeovers(cluster: BpmndCluster, variables: bytes, count: int) -> list[Takeover]:
    """Kill a leader, measure, start it again, so many times; the partitions take turns."""
    running = cluster.running
    found: list[Takeover] = []
    for number in range(count):
        leaders = running.wait_for_leaders()
        victim = leaders[running.partitions[number % len(running.partitions)]]
        led = [partition for partition, leader in leaders.items() if leader == victim]
        bases = [node.address for other, node in running.nodes.items() if other != victim]
        found.append(uvloop.run(_Creations(bases, variables).through(partial(running.kill, victim), led)))
        running.start()
    return found


def silence_of(creations: Sequence[Creation], begun: float, ended: float) -> float:
    """The longest time within a span in which none was acknowledged."""
    times = sorted(creation.at for creation in creations if begun < creation.at < ended)
    return max(later - earlier for earlier, later in itertools.pairwise([begun, *times, ended]))


def served_at(creations: Sequence[Creation], partitions: Collection[int], since: float) -> float | None:
    """When all of the partitions had acknowledged a creation sent after a moment; None if one has not."""
    first: dict[int, float] = {}
    for creation in sorted(creations, key=lambda creation: creation.at):
        if creation.sent > since and creation.partition in partitions:
            first.setdefault(creation.partition, creation.at)
    return max(first.values()) if len(first) == len(set(partitions)) else None


@final
class _Creations:
    """Starts instances at a fixed pace, whatever comes back, through several gateways in turn."""

    def __init__(self, bases: Sequence[str], variables: bytes) -> None:
        name = f"takeover-{time.time_ns() // 1_000_000:x}"
        endpoints = [Endpoint.of(base) for base in bases]
        self._pools = [Pool(endpoint) for endpoint in endpoints]
        self._requests = [Requests(endpoint, name, name, variables) for endpoint in endpoints]
        self._clock = time.perf_counter
        self._creations: list[Creation] = []
        self._failed = 0

    async def through(self, kill: Callable[[], None], led: Sequence[int]) -> Takeover:
        """Create before, while and after `kill` is called, until the partitions it concerned serve again."""
        for pool in self._pools:
            await pool.open(_CONNECTIONS)
        status, body = await self._pools[0].ask(self._requests[0].deploy(START_ONLY))
        assert status == 200, f"the deployment was answered with {status}: {body!r}"
        pacing = asyncio.create_task(self._pace())
        try:
            await asyncio.sleep(_BEFORE_SECONDS)
            killed = self._clock()
            await asyncio.to_thread(kill)
            ended = await self._served(led, killed)
        finally:
            pacing.cancel()
            await asyncio.gather(pacing, return_exceptions=True)
            for pool in self._pools:
                await pool.close()
        silence = silence_of(self._creations, killed, ended)
        return Takeover(tuple(led), round(silence, 3), round(ended - killed, 3), self._failed)

    async def _served(self, led: Sequence[int], since: float) -> float:
        while (at := served_at(self._creations, led, since)) is None:
            waited = self._clock() - since
            assert waited < _SERVED_SECONDS_MAX, f"partitions {led} do not serve after {waited:.0f} s"
            await asyncio.sleep(_LOOK_SECONDS)
        return at

    async def _pace(self) -> None:
        begun = self._clock()
        for number in itertools.count():
            await asyncio.sleep(max(0.0, begun + number * _PACE_SECONDS - self._clock()))
            which = number % len(self._pools)
            self._pools[which].post(self._requests[which].create, partial(self._created, self._clock()))

    def _created(self, sent: float, status: int, body: bytes) -> None:
        if status == 200:
            key = int(_CREATED.decode(body).process_instance_key)
            self._creations.append(Creation(sent, self._clock(), partition_of(key)))
        else:
            self._failed += 1
