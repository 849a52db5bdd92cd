"""What a machine or an operator can do to one node of a cluster under load, and what must hold all the while.

Every trial leaves the cluster whole, and says in a line how it went. What was acknowledged meanwhile is
checked at the very end, by `check_cluster`.
"""

import asyncio
import errno
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from bpmnd.bpmn.keys import partition_of
from tests.bpmn.playground import END, START, path, process, task
from tests.end_to_end.cluster_crashes import served
from tests.end_to_end.load import Load
from tests.end_to_end.machines import Machine
from tests.nodes import RunningCluster

_SERVED_SECONDS_MAX: Final = 60.0
"""Then nobody waits any longer. How long it took is printed, not judged: machines are slow and fast."""
_EXIT_SECONDS_MAX: Final = 30.0
_DAY_MS: Final = 24 * 60 * 60 * 1000
_TIMER_SECONDS: Final = 2.0
_SENT_AGAIN_SECONDS_MAX: Final = 20.0
CLOCK_MODEL: Final = process(
    START
    + task("hold", "clock-hold")
    + '<boundaryEvent id="late" attachedToRef="hold"><timerEventDefinition>'
    + "<timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>"
    + END
    + path("start", "hold", "end")
    + path("late", "end"),
    process_id="clock",
)
TIMER_MODEL: Final = process(
    START
    + '<intermediateCatchEvent id="two-seconds"><timerEventDefinition>'
    + "<timeDuration>PT2S</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    + END
    + path("start", "two-seconds", "end"),
    process_id="timer",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A cluster under load, on machines that can be made to fail."""

    cluster: RunningCluster
    load: Load
    machines: Mapping[int, Machine]
    chance: random.Random

    async def any_leader(self) -> int:
        leaders = await asyncio.to_thread(self.cluster.wait_for_leaders)
        return self.chance.choice(sorted(leaders.values()))

    async def served(self, since: float, *addresses: str, seconds_max: float = _SERVED_SECONDS_MAX) -> float:
        return await served(self.load, self.cluster.partitions, since, seconds_max, addresses)

    async def recovered(self, since: float) -> float:
        """Seconds until all partitions and all nodes have acknowledged something new."""
        return await self.served(since, *self.cluster.addresses)


Trial = Callable[[Stage], Awaitable[str]]


async def _disk_fails(stage: Stage, fail: Callable[[Machine], None], how: str) -> str:
    node = await stage.any_leader()
    machine = stage.machines[node]
    failed, begin = machine.failed, time.monotonic()
    fail(machine)
    try:
        status = await asyncio.to_thread(stage.cluster.nodes[node].exit_status, _EXIT_SECONDS_MAX)
    finally:
        machine.repair()
    exited = time.monotonic()
    assert status == 1, f"node {node} exited with {status}"
    assert machine.failed > failed, "nothing failed: the node exited for another reason"
    takeover = await stage.served(exited)
    await asyncio.to_thread(stage.cluster.start, node)
    recovery = await stage.recovered(time.monotonic())
    return (
        f"{how} of node {node}: it exits after {exited - begin:.2f} s, all is served {takeover:.2f} s later,"
        f" and by all {recovery:.2f} s after its restart"
    )


async def _stands_still(stage: Stage, seconds: float) -> str:
    node = await stage.any_leader()
    running = stage.cluster.nodes[node]
    others = [one.address for number, one in stage.cluster.nodes.items() if number != node]
    paused = time.monotonic()
    running.pause()
    try:
        takeover = await stage.served(paused, *others)
        await asyncio.sleep(max(0.0, paused + seconds - time.monotonic()))
    finally:
        running.go_on()
    woken = time.monotonic()
    recovery = await stage.recovered(woken)
    late = sum(
        one.address == running.address and one.sent < paused and one.at > woken
        for one in stage.load.acknowledged
    )
    return (
        f"node {node} stands still for {woken - paused:.1f} s: served by others after {takeover:.2f} s,"
        f" by all {recovery:.2f} s after it woke, {late} late answers"
    )


async def _clock_jumps(stage: Stage, milliseconds: int, *, everywhere: bool = False) -> str:
    """No timer fires before its time for it, and none waits for the clock; what is lent stays lent."""
    await asyncio.to_thread(stage.cluster.wait_for_leaders)
    address = stage.cluster.addresses[0]
    async with aiohttp.ClientSession() as session:
        created = await _post(session, address, "process-instances", {"processDefinitionId": "clock"})
        instance = int(created["processInstanceKey"])
        (job,) = await _activate(session, address, wait_ms=5000)
        leader = stage.cluster.leader_of(partition_of(instance))
        assert leader, "the leader is gone already"
        shifted = list(stage.machines) if everywhere else [leader]
        for node in shifted:
            stage.machines[node].shift_clock(milliseconds)
        try:
            begin = time.monotonic()
            timers = [_timer(session, one) for one in stage.cluster.addresses]
            seconds = await asyncio.gather(*timers)
            served_after = await stage.served(begin, *stage.cluster.addresses)
            assert await _activate(session, address, wait_ms=-1) == [], "a lent job was lent again"
            await _post(session, address, f"jobs/{job['jobKey']}/completion", {})
        finally:
            for node in shifted:
                stage.machines[node].shift_clock(0)
    recovery = await stage.recovered(time.monotonic())
    assert min(seconds) > 0.8 * _TIMER_SECONDS, f"timers of {_TIMER_SECONDS} s took {seconds}"
    return (
        f"the clock of {shifted} jumps by {milliseconds / 1000:.0f} s and back: timers of 2 s took"
        f" {min(seconds):.2f} to {max(seconds):.2f} s, served after {served_after:.2f} and {recovery:.2f} s"
    )


async def _timer(session: aiohttp.ClientSession, address: str) -> float:
    begin = time.monotonic()
    body = {"processDefinitionId": "timer", "awaitCompletion": True}
    await _post(session, address, "process-instances", body)
    return time.monotonic() - begin


async def _rolling_restart(stage: Stage) -> str:
    """SIGTERM to one node after the other: no request may break, none be answered but as usual, or by 503."""
    load = stage.load
    broken, unknown, refused = len(load.broken), load.unknown, load.refused
    longest = 0.0
    for number, node in stage.cluster.nodes.items():
        begin = time.monotonic()
        assert await asyncio.to_thread(node.terminate) == 0, f"node {number} did not stop in order"
        longest = max(longest, await stage.served(begin))
        await asyncio.to_thread(stage.cluster.start, number)
        await asyncio.to_thread(stage.cluster.wait_for_leaders)
        await stage.recovered(time.monotonic())
    assert not load.broken[broken:], f"requests got no answer: {load.broken[broken:]}"
    return (
        f"rolling restart: {load.refused - refused} refused, {load.unknown - unknown} unknown,"
        f" every partition served within {longest:.2f} s of a stop"
    )


async def _post(session: aiohttp.ClientSession, address: str, path: str, body: object) -> Any:
    """Sent again with its key while leaders change, which a wrong clock makes them do."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    deadline = time.monotonic() + _SENT_AGAIN_SECONDS_MAX
    while True:
        async with session.post(f"{address}/v2/{path}", json=body, headers=headers) as answer:
            text = await answer.text()
            if answer.status != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                assert answer.status in (200, 204), f"{path}: {answer.status} {text}"
                return await answer.json() if text else None
        await asyncio.sleep(0.1)


async def _activate(session: aiohttp.ClientSession, address: str, *, wait_ms: int) -> list[Any]:
    body = {
        "type": "clock-hold",
        "timeout": 10 * 60 * 1000,
        "maxJobsToActivate": 1,
        "requestTimeout": wait_ms,
    }
    jobs: list[Any] = (await _post(session, address, "jobs/activation", body))["jobs"]
    return jobs


def _no_space(machine: Machine) -> None:
    machine.fail_writes(errno.ENOSPC)


WRITES_FAIL: Final[Trial] = partial(_disk_fails, fail=Machine.fail_writes, how="failing writes")
SYNCS_FAIL: Final[Trial] = partial(_disk_fails, fail=Machine.fail_syncs, how="failing syncs")
NO_SPACE: Final[Trial] = partial(_disk_fails, fail=_no_space, how="no room for writes")
STANDS_STILL: Final[Trial] = partial(_stands_still, seconds=6.0)
STANDS_STILL_LONG: Final[Trial] = partial(_stands_still, seconds=30.0)
A_DAY_AHEAD: Final[Trial] = partial(_clock_jumps, milliseconds=_DAY_MS)
A_DAY_BACK: Final[Trial] = partial(_clock_jumps, milliseconds=-_DAY_MS)
ALL_A_DAY_AHEAD: Final[Trial] = partial(_clock_jumps, milliseconds=_DAY_MS, everywhere=True)
ALL_A_DAY_BACK: Final[Trial] = partial(_clock_jumps, milliseconds=-_DAY_MS, everywhere=True)
ROLLING_RESTART: Final[Trial] = _rolling_restart
