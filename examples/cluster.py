"""A cluster of three nodes at work: `python -m examples.cluster [--stay]`, see `make cluster`.

Orders are placed and worked as in the demonstration of one node, through all nodes. In the middle the one
that leads most is killed; the others take over. `--stay` keeps the cluster running until Ctrl-C, for trying
things by hand. CLUSTER_ORDERS sets how many orders there are.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, final

import httpx
from camunda_orchestration_sdk import CamundaAsyncClient
from camunda_orchestration_sdk.errors import ApiError

from examples.order.ledger import Ledger, read_ledger
from examples.order.orders import (
    HERE,
    OUTCOMES,
    bpmnd,
    creation_of,
    order_id,
    resolve,
    say,
    working,
    wrong_in,
)
from tests.nodes import RunningCluster

SECONDS_MAX: Final = 60.0
_PAUSE_SECONDS: Final = 0.2


@final
class Demo:
    """One run: orders through all nodes, while one of them dies and comes back."""

    def __init__(
        self,
        cluster: RunningCluster,
        clients: Mapping[int, CamundaAsyncClient],
        victim: int,
        count: int,
    ) -> None:
        self._cluster = cluster
        self._clients = clients
        self._victim = victim
        self._observer = next(number for number in cluster.nodes if number != victim)
        """Its log tells what became of the orders; it stays up."""
        self._count = count
        self._begin = time.monotonic()
        self._ledger = Ledger(())
        self._placed = 0
        self._turned_away = 0
        self._longest = 0.0
        self._seconds_without_leader = 0.0

    async def run(self) -> bool:
        """Whether anything went wrong."""
        ordering = asyncio.create_task(self._order_all())
        try:
            await self._until(lambda: self._placed >= self._count // 3)
            await self._kill()
            await self._until(lambda: self._placed >= self._count * 2 // 3)
            await self._bring_back()
            await ordering
            await self._until(lambda: self._ledger.ended + len(self._ledger.incidents()) >= self._count)
            await self._resolve_until_all_ended()
        finally:
            ordering.cancel()
        return self._summary()

    async def _order_all(self) -> None:
        for number in range(self._count):
            started = time.monotonic()
            await self._order(number)
            self._placed += 1
            self._longest = max(self._longest, time.monotonic() - started)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _order(self, number: int) -> None:
        """Place an order once, at the nodes in turn. Without an answer nobody knows whether it was taken:
        when all partitions are led again, their logs do."""
        creation, nodes = creation_of(number), list(self._clients)
        while True:
            for attempt in range(len(nodes)):
                node = nodes[(number + attempt) % len(nodes)]
                try:
                    await self._clients[node].create_process_instance(data=creation)
                    return
                except httpx.ConnectError:
                    self._turned_away += 1  # Nobody is there: nothing was done.
                except (httpx.HTTPError, ApiError):
                    self._turned_away += 1
                    await asyncio.to_thread(self._cluster.wait_for_leaders)
                    if await self._is_taken(number):
                        return
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _is_taken(self, number: int) -> bool:
        for node in self._cluster.running:
            ledger = await asyncio.to_thread(read_ledger, self._cluster.nodes[node].directory)
            if order_id(number) in ledger.by_id:
                return True
        return False

    async def _kill(self) -> None:
        leaders = await asyncio.to_thread(self._cluster.wait_for_leaders)
        led = sum(leader == self._victim for leader in leaders.values())
        under_way = len(self._ledger.by_id) - self._ledger.ended
        say(f"\n  SIGKILL to node {self._victim}, which leads {led} of {len(leaders)} partitions,", end=" ")
        say(f"while {under_way} orders are under way ...")
        begin = time.monotonic()
        await asyncio.to_thread(self._cluster.kill, self._victim)
        leaders = await asyncio.to_thread(self._cluster.wait_for_leaders)
        self._seconds_without_leader = time.monotonic() - begin
        say(f"  ... after {self._seconds_without_leader:.1f} s: {_shown(leaders)}\n")

    async def _bring_back(self) -> None:
        begin = time.monotonic()
        await asyncio.to_thread(self._cluster.start, self._victim)
        seconds = time.monotonic() - begin
        say(f"\n  node {self._victim} is started again, and takes requests after {seconds:.1f} s\n")

    async def _resolve_until_all_ended(self) -> None:
        client = self._clients[self._victim]  # Any node will do, so let it be the one that was away.
        while self._ledger.ended < self._count:
            for incident in self._ledger.incidents():
                say(f"  incident {incident.key}: {incident.message!r}: address added, resolved")
                await resolve(client, incident)
            await self._tick()

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._tick()

    async def _tick(self) -> None:
        await asyncio.sleep(0.5)
        directory = self._cluster.nodes[self._observer].directory
        self._ledger = ledger = await asyncio.to_thread(read_ledger, directory)
        seconds = time.monotonic() - self._begin
        counts = "".join(f"  {outcome} {ledger.count(outcome):3}" for outcome in OUTCOMES)
        incidents = len(ledger.incidents())
        say(f"  {seconds:4.0f} s  started {len(ledger.by_id):3}{counts}  incidents {incidents:3}")

    def _summary(self) -> bool:
        ledger = self._ledger
        wrong = wrong_in(ledger, self._count)
        say(f"\n  orders started         {len(ledger.by_id):4}   of {self._count}")
        for outcome in OUTCOMES:
            say(f"    {outcome:<18}   {ledger.count(outcome):4}")
        say(f"  partitions led again    {self._seconds_without_leader:4.1f} s after the kill")
        say(f"  longest for an order    {self._longest:4.1f} s")
        say(f"  tries elsewhere        {self._turned_away:4}   as a node was away, or could not say")
        say(f"  lost, stuck or wrong   {len(wrong):4}   {' '.join(wrong)}".rstrip())
        say(f"  doubled                {len(ledger.doubled):4}   {' '.join(ledger.doubled)}".rstrip())
        return bool(wrong or ledger.doubled)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make cluster", description="Three nodes, orders, a kill.")
    parser.add_argument("--stay", action="store_true", help="keep the cluster running until Ctrl-C")
    stay = parser.parse_args().stay
    count = int(os.environ.get("CLUSTER_ORDERS", "32"))
    say("starting three nodes")
    with (
        tempfile.TemporaryDirectory(prefix="bpmnd-cluster-") as directory,
        RunningCluster(Path(directory)) as cluster,
    ):
        for number, node in cluster.nodes.items():
            say(f"  node {number}  {node.address}  monitoring {node.monitoring}  data {node.directory}")
        leaders = cluster.wait_for_leaders()
        say(f"  {_shown(leaders)}")
        victim = Counter(leaders.values()).most_common(1)[0][0]
        others = [node.address for number, node in cluster.nodes.items() if number != victim]
        if bpmnd("deploy", str(HERE / "order.bpmn"), "--address", others[0]):
            return 1
        with working(others[0], others[1], Path(directory) / "workers.stderr"):
            say(f"\nplacing {count} orders")
            try:
                wrong = asyncio.run(asyncio.wait_for(_play(cluster, victim, count), SECONDS_MAX))
            except TimeoutError:
                say(f"\nfailed: not done after {SECONDS_MAX:.0f} s")
                return 1
            if stay:
                _wait_for_interrupt(cluster)
        statuses = cluster.terminate()
        say("\nis each log what was written?")
        damaged = [bpmnd("log", "verify", str(node.directory)) for node in cluster.nodes.values()]
    return 1 if wrong or any(statuses) or any(damaged) else 0


async def _play(cluster: RunningCluster, victim: int, count: int) -> bool:
    async with AsyncExitStack() as stack:
        clients = {
            number: await stack.enter_async_context(
                CamundaAsyncClient(configuration={"CAMUNDA_REST_ADDRESS": node.address})
            )
            for number, node in cluster.nodes.items()
        }
        return await Demo(cluster, clients, victim, count).run()


def _wait_for_interrupt(cluster: RunningCluster) -> None:
    say("\nThe cluster and the workers stay until Ctrl-C. For instance:\n")
    address, pid = cluster.nodes[1].address, cluster.nodes[1].pid
    say(f"  .venv/bin/bpmnd run order --variables @examples/order/order.json --address {address}")
    say(f"  .venv/bin/bpmnd status --address {address} --monitoring {cluster.nodes[1].monitoring}")
    say(f"  kill -9 {pid}   # node 1; the others go on")
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


def _shown(leaders: Mapping[int, int]) -> str:
    return ", ".join(f"partition {partition} is led by node {node}" for partition, node in leaders.items())


if __name__ == "__main__":
    sys.exit(main())
