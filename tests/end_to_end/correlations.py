"""Instances that each wait for a message of their own, on a cluster whose slots move meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, final

import aiohttp

from tests.bpmn.events import catch, message, on_message
from tests.bpmn.playground import END, START, path, process

MODEL: Final = process(
    START + catch("wait", on_message("m")) + END + path("start", "wait", "end"),
    process_id="waits",
    definitions=message("m", "paid", "=order"),
)
_GONE: Final = (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError)
_PAUSE_SECONDS: Final = 0.05
_TRIES_MAX: Final = 600


@final
class Correlations:
    """Every request has an id, and is sent to one node after the other until it is answered."""

    def __init__(self, addresses: Callable[[], Sequence[str]], count: int) -> None:
        self.orders: Final = [f"order-{number}" for number in range(count)]
        self._addresses = addresses
        self._created: dict[str, dict[str, Any]] = {}

    async def create(self) -> None:
        """An instance for each order."""
        for order in self.orders:
            self._created[order] = await self._create(order)

    async def correlate(self, orders: Sequence[str]) -> None:
        """Each message is taken by the instance that waits for it."""
        for order in orders:
            body = {"name": "paid", "correlationKey": order}
            answer = await self._ask("/v2/messages/correlation", body, f"paid-{order}")
            assert answer["processInstanceKey"] == self._created[order]["processInstanceKey"], order

    async def repeat(self) -> None:
        """Creations that are sent again are answered as the first time."""
        for order in self.orders:
            assert await self._create(order) == self._created[order]

    async def _create(self, order: str) -> dict[str, Any]:
        body = {"processDefinitionId": "waits", "businessId": order, "variables": {"order": order}}
        return await self._ask("/v2/process-instances", body, f"create-{order}")

    async def _ask(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        said = ""
        timeout = aiohttp.ClientTimeout(total=20)
        async with aiohttp.ClientSession(timeout=timeout, headers={"Idempotency-Key": key}) as session:
            for attempt in range(_TRIES_MAX):
                addresses = self._addresses()
                try:
                    async with session.post(addresses[attempt % len(addresses)] + path, json=body) as answer:
                        said = f"{answer.status} {await answer.text()}"
                        if answer.status == 200:
                            answered: dict[str, Any] = await answer.json()
                            return answered
                        assert answer.status == 503, said
                except _GONE as error:
                    said = repr(error)
                await asyncio.sleep(_PAUSE_SECONDS)
        raise AssertionError(f"{path} with {body} was never answered: {said}")
