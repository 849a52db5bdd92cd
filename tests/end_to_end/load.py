"""Load on a real node that may vanish at any moment, and what was acknowledged meanwhile."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, final

import aiohttp

from bpmnd.actors.exporters.reading import PartitionFiles
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.events import ElementCompleted, Event, JobCompleted, ProcessInstanceCreated
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.disk import RealDisk

_GONE: Final = (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError)
_REQUEST_SECONDS_MAX: Final = 20.0
_PAUSE_SECONDS: Final = 0.02
_GONE_SECONDS: Final = 0.5


class Acknowledged(NamedTuple):
    """A creation that was answered with 200."""

    sent: float
    """By the monotonic clock, as `at`, when it was answered."""
    at: float
    key: int
    address: str


class Load:
    """Creates instances of a one-task process and works their jobs, as fast as a few connections can.

    Every creator and worker has an address of its own, and goes to the others while that is gone. No command
    is sent twice: every creation has a business id of its own.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        process_id: str,
        job_type: str,
        *,
        request_seconds_max: float = _REQUEST_SECONDS_MAX,
    ) -> None:
        self.addresses: Final = tuple(addresses)
        self.acknowledged: list[Acknowledged] = []
        self.created: set[int] = set()
        """Instances whose creation was acknowledged."""
        self.completed: set[int] = set()
        """Jobs whose completion was acknowledged."""
        self.twice: list[int] = []
        """Jobs whose completion was acknowledged a second time."""
        self.unexpected: list[str] = []
        """Answers that no crash explains."""
        self.unknown = 0
        """Creations of which nobody said whether they were done: 503 that says so, or no answer at all."""
        self.refused = 0
        """Creations answered with a 503 that says that nothing was done."""
        self.broken: list[str] = []
        """Requests of any kind that reached a node and got no answer."""
        self._request_seconds_max = request_seconds_max
        self._process_id = process_id
        self._job_type = job_type
        self._last_number = 0
        self._last_place = 0

    async def deploy(self, content: bytes) -> None:
        form = aiohttp.FormData()
        form.add_field("resources", content, filename="process.bpmn")
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.addresses[0]}/v2/deployments", data=form) as answer,
        ):
            assert answer.status == 200, await answer.text()

    async def run(self, seconds: float, *, creators: int = 8, workers: int = 2) -> None:
        """Create and work until the time is over, whether any node is there or not."""
        async with self.running(creators=creators, workers=workers):
            await asyncio.sleep(seconds)

    @contextlib.asynccontextmanager
    async def running(self, *, creators: int = 8, workers: int = 2) -> AsyncGenerator[None]:
        """Create and work in the background. At the end what is under way is cut off, without an answer."""
        timeout = aiohttp.ClientTimeout(total=self._request_seconds_max)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            tasks = [asyncio.create_task(self._create(session, self._place())) for _ in range(creators)]
            tasks += [asyncio.create_task(self._work(session, self._place())) for _ in range(workers)]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                ends = await asyncio.gather(*tasks, return_exceptions=True)
        failures = [end for end in ends if not isinstance(end, asyncio.CancelledError)]
        assert not failures, f"the load itself failed: {failures}"

    async def work_off(self, seconds: float = 60) -> None:
        """Work until nothing has come for a while."""
        deadline = asyncio.get_running_loop().time() + seconds
        async with aiohttp.ClientSession() as session:
            place, idle = self._place(), 0
            while idle < 3 and asyncio.get_running_loop().time() < deadline:
                idle = 0 if await self._work_once(session, place, 700) else idle + 1

    def _place(self) -> "_Place":
        """Each caller has another address for its own."""
        self._last_place += 1
        start = self._last_place % len(self.addresses)
        return _Place(self.addresses[start:] + self.addresses[:start])

    async def _create(self, session: aiohttp.ClientSession, place: "_Place") -> None:
        while True:
            address = place.best()
            self._last_number += 1
            body = {
                "processDefinitionId": self._process_id,
                "variables": {"a": 1, "text": "x" * 50},
                "businessId": f"load-{self._last_number}",
            }
            sent = time.monotonic()
            try:
                async with session.post(f"{address}/v2/process-instances", json=body) as answer:
                    if answer.status == 200:
                        key = int((await answer.json())["processInstanceKey"])
                        self.created.add(key)
                        self.acknowledged.append(Acknowledged(sent, time.monotonic(), key, address))
                    elif answer.status == 503:
                        await self._note_unavailable(await answer.text())
                    else:
                        self.unexpected.append(f"create: {answer.status} {await answer.text()}")
            except aiohttp.ClientConnectorError:
                place.is_gone(address)
                await asyncio.sleep(_PAUSE_SECONDS)
            except _GONE as error:
                self.broken.append(f"create at {address}: {error!r}")
                self.unknown += 1
                place.is_gone(address)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _note_unavailable(self, text: str) -> None:
        if "unknown" in text:
            self.unknown += 1
        else:
            self.refused += 1
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _work(self, session: aiohttp.ClientSession, place: "_Place") -> None:
        while True:
            if not await self._work_once(session, place, 500):
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _work_once(self, session: aiohttp.ClientSession, place: "_Place", wait_ms: int) -> int:
        """Activate some jobs and complete them; how many there were."""
        body = {
            "type": self._job_type,
            "worker": "w",
            "timeout": 2000,
            "maxJobsToActivate": 32,
            "requestTimeout": wait_ms,
        }
        address = place.best()
        try:
            async with session.post(f"{address}/v2/jobs/activation", json=body) as answer:
                if answer.status != 200:
                    if answer.status != 503:
                        self.unexpected.append(f"activate: {answer.status} {await answer.text()}")
                    return 0
                jobs = (await answer.json())["jobs"]
        except aiohttp.ClientConnectorError:
            place.is_gone(address)
            return 0
        except _GONE as error:
            place.is_gone(address)
            self.broken.append(f"activate at {address}: {error!r}")
            return 0
        await asyncio.gather(*[self._complete(session, address, int(job["jobKey"])) for job in jobs])
        return len(jobs)

    async def _complete(self, session: aiohttp.ClientSession, address: str, key: int) -> None:
        path = f"{address}/v2/jobs/{key}/completion"
        try:
            async with session.post(path, json={"variables": {"done": True}}) as answer:
                if answer.status == 204:
                    if key in self.completed:
                        self.twice.append(key)
                    self.completed.add(key)
                elif answer.status not in (404, 503):  # 404: completed by a try whose answer got lost.
                    self.unexpected.append(f"complete: {answer.status} {await answer.text()}")
        except aiohttp.ClientConnectorError:
            pass  # Nobody is there; whoever gets the job next completes it.
        except _GONE as error:
            self.broken.append(f"complete at {address}: {error!r}")


@final
class _Place:
    """Addresses, the preferred one first. One that was gone is not tried again for a while."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._gone = dict.fromkeys(addresses, float("-inf"))

    def best(self) -> str:
        """The first that was not gone lately, or else the one that was gone first."""
        lately = time.monotonic() - _GONE_SECONDS
        fine = (address for address, at in self._gone.items() if at < lately)
        return next(fine, None) or min(self._gone, key=self._gone.__getitem__)

    def is_gone(self, address: str) -> None:
        self._gone[address] = time.monotonic()


def events_of(directory: Path, *, running: bool = True) -> Iterator[Event]:
    """All events in the data directory of a node, partition for partition."""
    for partition in sorted((directory / "partitions").iterdir()):
        for entry in PartitionFiles(RealDisk(), partition, running=running).entries():
            if entry.kind == EntryKind.COMMAND:
                yield from decode_frame(entry.payload).events


class History:
    """What a log says happened, counted."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.created: Counter[int] = Counter()
        self.business_ids: Counter[str] = Counter()
        self.ended: Counter[int] = Counter()
        self.jobs: Counter[int] = Counter()
        for event in events:
            match event:
                case ProcessInstanceCreated(key=key, business_id=business_id):
                    self.created[key] += 1
                    if business_id is not None:
                        self.business_ids[business_id] += 1
                case ElementCompleted(key=key, instance_key=instance_key) if key == instance_key:
                    self.ended[key] += 1
                case JobCompleted(key=key):
                    self.jobs[key] += 1
                case _:
                    pass


def check_history(load: Load, history: History) -> None:
    """Nothing acknowledged is lost, nothing is doubled, every instance has come to its end."""
    assert load.unexpected == []
    assert load.twice == []
    lost = load.created - set(history.created)
    assert not lost, f"{len(lost)} acknowledged instances are not in the log: {sorted(lost)[:20]}"
    lost = load.completed - set(history.jobs)
    assert not lost, f"{len(lost)} acknowledged completions are not in the log: {sorted(lost)[:20]}"
    stuck = set(history.created) - set(history.ended)
    assert not stuck, f"{len(stuck)} instances did not come to their end: {sorted(stuck)[:20]}"
    assert set(history.created) == set(history.ended), "an instance ended that was never created"
    for counted in (history.created, history.business_ids, history.ended, history.jobs):
        assert set(counted.values()) == {1}, f"doubled: {counted.most_common(5)}"
