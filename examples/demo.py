"""The demo: orders on a durable node, killed half-way. `python -m examples.demo`, see `make demo`.

Everything it knows of the orders it reads from the node's log. DEMO_ORDERS sets how many there are.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
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
from tests.nodes import RunningNode

SECONDS_MAX: Final = 55.0


@final
class Demo:
    """One run, from the first order to the last."""

    def __init__(self, node: RunningNode, client: CamundaAsyncClient, count: int) -> None:
        self._node = node
        self._client = client
        self._count = count
        self._begin = time.monotonic()
        self._ledger = Ledger(())
        self._repeats = 0

    async def run(self) -> bool:
        """Whether anything went wrong."""
        ordering = asyncio.create_task(self._order_all())
        try:
            await self._until(lambda ledger: len(ledger.by_id) >= (self._count + 1) // 2)
            await self._kill_and_restart()
            await self._until(lambda _: ordering.done())
            await ordering
            await self._until(lambda ledger: ledger.ended + len(ledger.incidents()) >= self._count)
            await self._resolve_until_all_ended()
        finally:
            ordering.cancel()
        return self._summary()

    async def _order_all(self) -> None:
        for number in range(self._count):
            await self._order(number)
            await asyncio.sleep(max(0.1, 3 / self._count))  # There must be time to kill the node.

    async def _order(self, number: int) -> None:
        """Place an order once. Without an answer nobody knows whether it was taken: the log does."""
        creation = creation_of(number)
        while True:
            try:
                await self._client.create_process_instance(data=creation)
                return
            except (httpx.HTTPError, ApiError):
                self._repeats += 1
                await asyncio.sleep(0.5)
                if self._node.runs and order_id(number) in (await self._read()).by_id:
                    return

    async def _kill_and_restart(self) -> None:
        ledger = await self._read()
        say(f"\n  SIGKILL to the node while {len(ledger.by_id) - ledger.ended} orders are under way ...")
        await asyncio.to_thread(self._node.kill)
        killed = await self._read()
        begin = time.monotonic()
        await asyncio.to_thread(self._node.restart)
        seconds = time.monotonic() - begin
        say(f"  ... its log has {len(killed.by_id)} orders; ready again after {seconds:.1f} s\n")

    async def _resolve_until_all_ended(self) -> None:
        while self._ledger.ended < self._count:
            for incident in self._ledger.incidents():
                say(f"  incident {incident.key}: {incident.message!r}: address added, resolved")
                await resolve(self._client, incident)
            await self._tick()

    async def _until(self, holds: Callable[[Ledger], bool]) -> None:
        while not holds(self._ledger):
            await self._tick()

    async def _tick(self) -> None:
        await asyncio.sleep(1)
        ledger, seconds = await self._read(), time.monotonic() - self._begin
        say(
            f"  {seconds:4.0f} s  started {len(ledger.by_id):3}  shipped {ledger.count('shipped'):3}"
            f"  declined {ledger.count('declined'):3}  canceled {ledger.count('canceled'):3}"
            f"  incidents {len(ledger.incidents()):3}"
        )

    async def _read(self) -> Ledger:
        self._ledger = await asyncio.to_thread(read_ledger, self._node.directory)
        return self._ledger

    def _summary(self) -> bool:
        ledger, orders = self._ledger, self._ledger.by_id
        wrong = wrong_in(ledger, self._count)
        say(f"\n  orders started        {len(orders):4}   of {self._count}")
        for outcome in OUTCOMES:
            say(f"    {outcome:<18}  {ledger.count(outcome):4}")
        say(f"  jobs tried again      {sum(order.retries for order in orders.values()):4}")
        say(f"  incidents resolved    {sum(order.resolved for order in orders.values()):4}")
        say(f"  orders placed anew    {self._repeats:4}   tries, as the node was away")
        say(f"  lost, stuck or wrong  {len(wrong):4}   {' '.join(wrong)}".rstrip())
        say(f"  doubled               {len(ledger.doubled):4}   {' '.join(ledger.doubled)}".rstrip())
        return bool(wrong or ledger.doubled)

    def interesting_instance(self) -> str:
        """The order with the most to tell."""
        return max(
            self._ledger.by_id.values(), key=lambda order: (order.resolved, order.retries)
        ).instance_key


def main() -> int:
    count = int(os.environ.get("DEMO_ORDERS", "40"))
    say("starting a node")
    with (
        tempfile.TemporaryDirectory(prefix="bpmnd-demo-") as directory,
        RunningNode(Path(directory) / "data") as node,
    ):
        data = str(node.directory)
        say(f"  {node.address}, data in {data}")
        bpmnd("deploy", str(HERE / "order.bpmn"), "--address", node.address)
        with working(node.address, node.address, Path(directory) / "workers.stderr"):
            say(f"\nplacing {count} orders")
            try:
                wrong, instance_key = asyncio.run(asyncio.wait_for(_play(node, count), SECONDS_MAX))
            except TimeoutError:
                say(f"\nfailed: not done after {SECONDS_MAX:.0f} s")
                return 1
        say("\nis the log what was written?")
        damaged = bpmnd("log", "verify", data)
        say("\nthe audit trail of one order, by `bpmnd log export --instance KEY --format text`")
        lacking = bpmnd("log", "export", data, "--instance", instance_key, "--format", "text")
    return 1 if wrong or damaged or lacking else 0


async def _play(node: RunningNode, count: int) -> tuple[bool, str]:
    """Whether anything went wrong, and the instance with the most to tell."""
    async with CamundaAsyncClient(configuration={"CAMUNDA_REST_ADDRESS": node.address}) as client:
        demo = Demo(node, client, count)
        return await demo.run(), demo.interesting_instance()


if __name__ == "__main__":
    sys.exit(main())
