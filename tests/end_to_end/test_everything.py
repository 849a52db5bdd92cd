"""Every element type and every kind of event at each of its positions runs through HTTP on a real node."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, final

import aiohttp
import pytest

from tests.end_to_end.everything import CALLED, CASES, DECIDED, supported
from tests.nodes import RunningNode

pytestmark = pytest.mark.end_to_end

_NAMES: Final = sorted(CASES)
_WAIT_MS: Final = 10_000
_BETWEEN_BROADCASTS_MS: Final = 50


@final
class Client:
    """What a client does for one process, at one node."""

    def __init__(self, session: aiohttp.ClientSession, address: str, process_id: str) -> None:
        self._session = session
        self._address = address
        self._process_id = process_id
        self._result: asyncio.Task[Any] | None = None

    async def deploy(self, *files: tuple[str, bytes]) -> None:
        form = aiohttp.FormData()
        for name, content in files:
            form.add_field("resources", content, filename=name)
        async with self._session.post(f"{self._address}/v2/deployments", data=form) as response:
            assert response.status == 200, await response.text()

    async def create(self) -> None:
        """Begun, but not awaited: the answer comes when the instance has completed."""
        body = {"processDefinitionId": self._process_id, "awaitCompletion": True, "requestTimeout": 30_000}
        self._result = asyncio.create_task(self._post("process-instances", body))

    async def publish(self) -> None:
        body = {"name": f"{self._process_id}.message", "correlationKey": "key", "timeToLive": 60_000}
        await self._post("messages/publication", body)

    async def evaluate_conditions(self) -> None:
        await self._post("conditionals/evaluation", {"variables": {"chosen": self._process_id}})

    async def work(self, job: str, *, broadcast: bool = False) -> None:
        taken = await self._take(job, broadcast=broadcast)
        await self._post(f"jobs/{taken['jobKey']}/completion", {}, status=204)

    async def complete_user_task(self, job: str) -> None:
        taken = await self._take(job)
        await self._post(f"jobs/{taken['jobKey']}/completion", {}, status=204)
        await self._post(f"user-tasks/{taken['userTask']['userTaskKey']}/completion", {}, status=204)

    async def ended(self) -> None:
        assert self._result is not None, "only what was created can be awaited"
        await self._result

    async def _take(self, job: str, *, broadcast: bool = False) -> Any:
        body = {
            "type": f"{self._process_id}.{job}",
            "timeout": 60_000,
            "maxJobsToActivate": 1,
            "requestTimeout": _BETWEEN_BROADCASTS_MS if broadcast else _WAIT_MS,
        }
        for _ in range(_WAIT_MS // _BETWEEN_BROADCASTS_MS if broadcast else 1):
            if broadcast:
                await self._post("signals/broadcast", {"signalName": f"{self._process_id}.signal"})
            for taken in (await self._post("jobs/activation", body))["jobs"]:
                return taken
        raise AssertionError(f"no job {body['type']}")

    async def _post(self, path: str, body: dict[str, Any], *, status: int = 200) -> Any:
        async with self._session.post(f"{self._address}/v2/{path}", json=body) as response:
            assert response.status == status, await response.text()
            return await response.json() if status == 200 else None


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    directory: Path = tmp_path_factory.mktemp("everything")
    with RunningNode(directory / "data") as running:
        yield running


@pytest.mark.parametrize("number", range(len(_NAMES)), ids=_NAMES)
async def test_it_runs_to_its_end(node: RunningNode, number: int) -> None:
    case, process_id = CASES[_NAMES[number]], f"everything_{number}"
    async with aiohttp.ClientSession() as session:
        client = Client(session, node.address, process_id)
        await client.deploy(
            (f"{process_id}.bpmn", case.content(process_id)),
            ("called.bpmn", CALLED),
            ("decided.dmn", DECIDED),
        )
        await case.script(client)


def test_nothing_that_is_supported_is_left_out() -> None:
    assert supported() - set(CASES) == set()
