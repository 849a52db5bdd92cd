"""The demo: orders on a durable node, killed half-way. `python -m examples.demo`, see `make demo`.

Everything it knows of the orders it reads from the node's log. DEMO_ORDERS sets how many there are.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, final

import httpx
from camunda_orchestration_sdk import CamundaAsyncClient
from camunda_orchestration_sdk.errors import ApiError
from camunda_orchestration_sdk.models.job_changeset import JobChangeset
from camunda_orchestration_sdk.models.job_update_request import JobUpdateRequest
from camunda_orchestration_sdk.models.process_creation_by_id import ProcessCreationById
from camunda_orchestration_sdk.models.process_instance_creation_instruction_by_id_variables import (
    ProcessInstanceCreationInstructionByIdVariables as Variables,
)
from camunda_orchestration_sdk.models.set_variable_request import SetVariableRequest
from camunda_orchestration_sdk.models.set_variable_request_variables import SetVariableRequestVariables
from camunda_orchestration_sdk.semantic_types import (
    BusinessId,
    ElementInstanceKey,
    IncidentKey,
    JobKey,
    ProcessDefinitionId,
)

from examples.order.ledger import Ledger, read_ledger
from tests.nodes import RunningNode

SECONDS_MAX: Final = 55.0
_EXAMPLE: Final = Path(__file__).parent / "order"
_PLAIN: Final[dict[str, Any]] = {
    "item": "teapot",
    "quantity": 1,
    "price": 19.90,
    "card": "good",
    "shipTo": "Tearoom 1",
    "express": False,
}
_KINDS: Final[tuple[tuple[dict[str, Any], str], ...]] = (
    ({}, "shipped"),
    ({"card": "flaky"}, "shipped"),
    ({"express": True}, "shipped"),
    ({"card": "declined"}, "declined"),
    ({"quantity": 6}, "shipped"),
    ({"item": "unobtainium"}, "canceled"),
    ({"shipTo": "", "express": True}, "shipped"),
    ({"card": "flaky", "express": True}, "shipped"),
)
"""What is special about an order, and how it must end. The kinds take turns."""


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
        order_id, details = f"order-{number + 1}", {**_PLAIN, **_KINDS[number % len(_KINDS)][0]}
        creation = ProcessCreationById(
            process_definition_id=ProcessDefinitionId("order"),
            variables=Variables.from_dict({"order": details}),
            business_id=BusinessId(order_id),
        )
        while True:
            try:
                await self._client.create_process_instance(data=creation)
                return
            except (httpx.HTTPError, ApiError):
                self._repeats += 1
                await asyncio.sleep(0.5)
                if self._node.runs and order_id in (await self._read()).by_id:
                    return

    async def _kill_and_restart(self) -> None:
        ledger = await self._read()
        _say(f"\n  SIGKILL to the node while {len(ledger.by_id) - ledger.ended} orders are under way ...")
        await asyncio.to_thread(self._node.kill)
        killed = await self._read()
        begin = time.monotonic()
        await asyncio.to_thread(self._node.restart)
        seconds = time.monotonic() - begin
        _say(f"  ... its log has {len(killed.by_id)} orders; ready again after {seconds:.1f} s\n")

    async def _resolve_until_all_ended(self) -> None:
        """What an operator does: look what is wrong, put it right, give the job new tries, resolve."""
        while self._ledger.ended < self._count:
            for incident in self._ledger.incidents():
                _say(f"  incident {incident.key}: {incident.message!r}: address added, resolved")
                await self._client.create_element_instance_variables(
                    ElementInstanceKey(incident.element_instance_key),
                    data=SetVariableRequest(
                        SetVariableRequestVariables.from_dict({"address": "Tearoom 2"}), local=True
                    ),
                )
                await self._client.update_job(
                    JobKey(incident.job_key), data=JobUpdateRequest(JobChangeset(retries=2))
                )
                await self._client.resolve_incident(IncidentKey(incident.key))
            await self._tick()

    async def _until(self, holds: Callable[[Ledger], bool]) -> None:
        while not holds(self._ledger):
            await self._tick()

    async def _tick(self) -> None:
        await asyncio.sleep(1)
        ledger, seconds = await self._read(), time.monotonic() - self._begin
        _say(
            f"  {seconds:4.0f} s  started {len(ledger.by_id):3}  shipped {ledger.count('shipped'):3}"
            f"  declined {ledger.count('declined'):3}  canceled {ledger.count('canceled'):3}"
            f"  incidents {len(ledger.incidents()):3}"
        )

    async def _read(self) -> Ledger:
        self._ledger = await asyncio.to_thread(read_ledger, self._node.directory)
        return self._ledger

    def _summary(self) -> bool:
        ledger, orders = self._ledger, self._ledger.by_id
        wrong = [
            f"order-{number + 1}"
            for number in range(self._count)
            if (order := orders.get(f"order-{number + 1}")) is None
            or not order.ended
            or order.outcome != _KINDS[number % len(_KINDS)][1]
        ]
        _say(f"\n  orders started        {len(orders):4}   of {self._count}")
        for outcome in ("shipped", "declined", "canceled"):
            _say(f"    {outcome:<18}  {ledger.count(outcome):4}")
        _say(f"  jobs tried again      {sum(order.retries for order in orders.values()):4}")
        _say(f"  incidents resolved    {sum(order.resolved for order in orders.values()):4}")
        _say(f"  orders placed anew    {self._repeats:4}   tries, as the node was away")
        _say(f"  lost, stuck or wrong  {len(wrong):4}   {' '.join(wrong)}".rstrip())
        _say(f"  doubled               {len(ledger.doubled):4}   {' '.join(ledger.doubled)}".rstrip())
        return bool(wrong or ledger.doubled)

    def interesting_instance(self) -> str:
        """The order with the most to tell."""
        return max(
            self._ledger.by_id.values(), key=lambda order: (order.resolved, order.retries)
        ).instance_key


def main() -> int:
    count = int(os.environ.get("DEMO_ORDERS", "40"))
    _say("starting a node")
    with (
        tempfile.TemporaryDirectory(prefix="bpmnd-demo-") as directory,
        RunningNode(Path(directory) / "data") as node,
    ):
        data = str(node.directory)
        _say(f"  {node.address}, data in {data}")
        _bpmnd("deploy", str(_EXAMPLE / "order.bpmn"), "--address", node.address)
        with _workers(node.address, Path(directory) / "workers.stderr"):
            _say(f"\nplacing {count} orders")
            try:
                wrong, instance_key = asyncio.run(asyncio.wait_for(_play(node, count), SECONDS_MAX))
            except TimeoutError:
                _say(f"\nfailed: not done after {SECONDS_MAX:.0f} s")
                return 1
        _say("\nis the log what was written?")
        damaged = _bpmnd("log", "verify", data)
        _say("\nthe audit trail of one order, by `bpmnd log export --instance KEY --format text`")
        lacking = _bpmnd("log", "export", data, "--instance", instance_key, "--format", "text")
    return 1 if wrong or damaged or lacking else 0


async def _play(node: RunningNode, count: int) -> tuple[bool, str]:
    """Whether anything went wrong, and the instance with the most to tell."""
    async with CamundaAsyncClient(configuration={"CAMUNDA_REST_ADDRESS": node.address}) as client:
        demo = Demo(node, client, count)
        return await demo.run(), demo.interesting_instance()


@contextmanager
def _workers(address: str, log_file: Path) -> Generator[None, None, None]:
    """Two processes: one with the SDK for four types of jobs, one that runs a shell script for the fifth."""
    shell = ("--concurrency", "8", "--timeout", "5", "--back-off", "0.5", "--name", "shell")
    script = ("--", "sh", str(_EXAMPLE / "ship_parcel.sh"))
    commands = (
        (sys.executable, "-m", "examples.order.workers", address),
        (sys.executable, "-m", "bpmnd", "work", "ship-parcel", "--address", address, *shell, *script),
    )
    with log_file.open("wb") as log:
        processes = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(10)


def _bpmnd(*arguments: str) -> int:
    return subprocess.run((sys.executable, "-m", "bpmnd", *arguments), check=False).returncode


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
