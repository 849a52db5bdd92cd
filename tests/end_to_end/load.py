"""Load on a real node that may vanish at any moment, and what was acknowledged meanwhile."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

from bpmnd.actors.exporters.reading import PartitionFiles
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.events import ElementCompleted, Event, JobCompleted, ProcessInstanceCreated
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.disk import RealDisk
from tests.nodes import RunningNode

_GONE: Final = (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError)


class Load:
    """Creates instances of a one-task process and works their jobs, as fast as a few connections can."""

    def __init__(self, node: RunningNode, process_id: str, job_type: str) -> None:
        self.node = node
        self.created: set[int] = set()
        """Instances whose creation was acknowledged."""
        self.completed: set[int] = set()
        """Jobs whose completion was acknowledged."""
        self.twice: list[int] = []
        """Jobs whose completion was acknowledged a second time."""
        self.unexpected: list[str] = []
        """Answers that no crash explains."""
        self._process_id = process_id
        self._job_type = job_type

    async def deploy(self, content: bytes) -> None:
        form = aiohttp.FormData()
        form.add_field("resources", content, filename="process.bpmn")
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.node.address}/v2/deployments", data=form) as answer,
        ):
            assert answer.status == 200, await answer.text()

    async def run(self, seconds: float, *, creators: int = 8, workers: int = 2) -> None:
        """Create and work until the time is over, or the node is gone."""
        await self._all([*[self._create] * creators, *[self._work] * workers], seconds)

    async def work_off(self, seconds: float = 60) -> None:
        """Work until nothing has come for a while."""
        deadline = asyncio.get_running_loop().time() + seconds
        async with aiohttp.ClientSession() as session:
            idle = 0
            while idle < 3 and asyncio.get_running_loop().time() < deadline:
                idle = 0 if await self._work_once(session, 700) else idle + 1

    async def _all(
        self, kinds: Sequence[Callable[[aiohttp.ClientSession], Coroutine[Any, Any, None]]], seconds: float
    ) -> None:
        timeout = aiohttp.ClientTimeout(total=20)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            tasks = [asyncio.ensure_future(kind(session)) for kind in kinds]
            await asyncio.sleep(seconds)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _create(self, session: aiohttp.ClientSession) -> None:
        body = {"processDefinitionId": self._process_id, "variables": {"a": 1, "text": "x" * 50}}
        while True:
            try:
                async with session.post(f"{self.node.address}/v2/process-instances", json=body) as answer:
                    if answer.status == 200:
                        self.created.add(int((await answer.json())["processInstanceKey"]))
                    elif answer.status != 503:
                        self.unexpected.append(f"create: {answer.status} {await answer.text()}")
            except _GONE:
                await asyncio.sleep(0.02)

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while True:
            if not await self._work_once(session, 500):
                await asyncio.sleep(0.02)

    async def _work_once(self, session: aiohttp.ClientSession, wait_ms: int) -> int:
        """Activate some jobs and complete them; how many there were."""
        body = {
            "type": self._job_type,
            "worker": "w",
            "timeout": 2000,
            "maxJobsToActivate": 32,
            "requestTimeout": wait_ms,
        }
        with contextlib.suppress(*_GONE):
            async with session.post(f"{self.node.address}/v2/jobs/activation", json=body) as answer:
                if answer.status != 200:
                    return 0
                jobs = (await answer.json())["jobs"]
            await asyncio.gather(*[self._complete(session, int(job["jobKey"])) for job in jobs])
            return len(jobs)
        return 0

    async def _complete(self, session: aiohttp.ClientSession, key: int) -> None:
        path = f"{self.node.address}/v2/jobs/{key}/completion"
        async with session.post(path, json={"variables": {"done": True}}) as answer:
            if answer.status == 204:
                if key in self.completed:
                    self.twice.append(key)
                self.completed.add(key)
            elif answer.status not in (404, 503):  # 404: completed by a try whose answer got lost.
                self.unexpected.append(f"complete: {answer.status} {await answer.text()}")


def events_of(directory: Path, *, running: bool = True) -> Iterator[Event]:
    """All events in the data directory of a node, partition for partition."""
    for partition in sorted((directory / "partitions").iterdir()):
        for entry in PartitionFiles(RealDisk(), partition, running=running).entries():
            if entry.kind == EntryKind.COMMAND:
                yield from decode_frame(entry.payload).events


class History:
    """What the log of a stopped node says happened, counted."""

    def __init__(self, directory: Path) -> None:
        self.created: Counter[int] = Counter()
        self.ended: Counter[int] = Counter()
        self.jobs: Counter[int] = Counter()
        for event in events_of(directory, running=False):
            match event:
                case ProcessInstanceCreated(key=key):
                    self.created[key] += 1
                case ElementCompleted(key=key, instance_key=instance_key) if key == instance_key:
                    self.ended[key] += 1
                case JobCompleted(key=key):
                    self.jobs[key] += 1
                case _:
                    pass
