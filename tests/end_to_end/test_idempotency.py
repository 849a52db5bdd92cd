"""`Idempotency-Key` where it is needed: who was asked is killed, before or after the client is answered."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import pytest

from bpmnd.bpmn.slots import SlotTable
from tests.bpmn.playground import ONE_TASK
from tests.end_to_end.load import History, events_of
from tests.end_to_end.replicas import agreed_events
from tests.judged import JUDGE
from tests.nodes import RunningCluster, RunningNode

pytestmark = pytest.mark.end_to_end

KILLS: Final = 12 if JUDGE else 1
CREATORS: Final = 8
SECONDS_MAX: Final = 30
CREATION: Final = "/v2/process-instances"


class Answer(NamedTuple):
    status: int
    body: bytes


async def post(
    session: aiohttp.ClientSession, address: str, path: str, body: Any, key: str | None = None
) -> Answer:
    headers = {} if key is None else {"Idempotency-Key": key}
    async with session.post(address + path, json=body, headers=headers) as response:
        return Answer(response.status, await response.read())


async def deploy(session: aiohttp.ClientSession, address: str, key: str) -> Answer:
    form = aiohttp.FormData()
    form.add_field("resources", ONE_TASK, filename="process.bpmn")
    headers = {"Idempotency-Key": key}
    async with session.post(f"{address}/v2/deployments", data=form, headers=headers) as response:
        return Answer(response.status, await response.read())


def creation(key: str, **more: Any) -> dict[str, Any]:
    return {"processDefinitionId": "process", "businessId": key} | more


def activation(**more: Any) -> dict[str, Any]:
    return {"type": "work", "timeout": 60_000, "maxJobsToActivate": 10, "requestTimeout": 5000} | more


async def lend(session: aiohttp.ClientSession, address: str) -> str:
    """The key of the only job."""
    async with session.post(f"{address}/v2/jobs/activation", json=activation()) as response:
        (job,) = (await response.json())["jobs"]
        return str(job["jobKey"])


async def test_a_node_that_was_killed_answers_a_repeat_as_the_first_one(tmp_path: Path) -> None:
    with await asyncio.to_thread(RunningNode, tmp_path / "data") as node:
        async with aiohttp.ClientSession() as session:
            deployed = await deploy(session, node.address, "deployment")
            created = await post(session, node.address, CREATION, creation("a"), "creation")
            lent = await post(session, node.address, "/v2/jobs/activation", activation(), "activation")
            missing = await post(session, node.address, "/v2/jobs/7/completion", {}, "missing")
            message = {"name": "m", "timeToLive": 60_000}
            published = await post(session, node.address, "/v2/messages/publication", message, "message")
        assert [each.status for each in (deployed, created, lent, missing, published)] == [
            200,
            200,
            200,
            404,
            200,
        ]
        assert lent.body.count(b'"jobKey"') == 1

        await asyncio.to_thread(node.restart)

        async with aiohttp.ClientSession() as session:
            address = node.address
            assert await deploy(session, address, "deployment") == deployed
            assert await post(session, address, CREATION, creation("a"), "creation") == created
            assert await post(session, address, "/v2/jobs/activation", activation(), "activation") == lent
            assert await post(session, address, "/v2/jobs/7/completion", {}, "missing") == missing
            assert await post(session, address, "/v2/messages/publication", message, "message") == published
            other = await post(session, address, CREATION, creation("b"), "creation")
            assert other.status == 422
            assert b'"title":"IDEMPOTENCY_KEY_REUSED"' in other.body

    assert History(events_of(tmp_path / "data", running=False)).business_ids == {"a": 1}


async def test_a_repeat_after_a_kill_waits_for_the_result_that_the_first_one_waited_for(
    tmp_path: Path,
) -> None:
    body = creation("a", awaitCompletion=True, requestTimeout=60_000)
    with await asyncio.to_thread(RunningNode, tmp_path / "data") as node:
        async with aiohttp.ClientSession() as session:
            await deploy(session, node.address, "deployment")
            first = asyncio.create_task(post(session, node.address, CREATION, body, "k"))
            job = await lend(session, node.address)
            await asyncio.to_thread(node.kill)
            with pytest.raises(aiohttp.ClientError):
                await first
        await asyncio.to_thread(node.restart)
        async with aiohttp.ClientSession() as session:
            again = asyncio.create_task(post(session, node.address, CREATION, body, "k"))
            completion = {"variables": {"paid": True}}
            done = await post(session, node.address, f"/v2/jobs/{job}/completion", completion)
            answer = await again
            assert done.status == 204
            assert answer.status == 200
            assert b'"variables":{"paid":true}' in answer.body.replace(b" ", b"")
            assert await post(session, node.address, CREATION, body, "k") == answer

    history = History(events_of(tmp_path / "data", running=False))
    assert history.business_ids == {"a": 1}
    assert len(history.ended) == 1


class Creators:
    """Clients of a cluster that send one request until they have an answer, wherever that comes from."""

    def __init__(self, addresses: list[str]) -> None:
        self.answers: dict[str, Answer] = {}
        self.repeated = 0
        self._addresses = addresses

    async def work(self, name: str, first: int, end: asyncio.Event) -> None:
        async with aiohttp.ClientSession() as session:
            count = 0
            while not end.is_set():
                count += 1
                key = f"{name}-{count}"
                self.answers[key] = await self._create(session, key, first + count)

    async def repeat_all(self, keys: set[str]) -> None:
        """Every one is answered by any node as it was."""
        async with aiohttp.ClientSession() as session:
            for number, key in enumerate(sorted(keys)):
                assert await self._create(session, key, number) == self.answers[key]

    async def _create(self, session: aiohttp.ClientSession, key: str, turn: int) -> Answer:
        async with asyncio.timeout(SECONDS_MAX):
            while True:
                address = self._addresses[turn % len(self._addresses)]
                with suppress(aiohttp.ClientError):
                    answer = await post(session, address, CREATION, creation(key), key)
                    if answer.status == 200:
                        return answer
                    assert answer.status == 503, answer
                self.repeated += 1
                turn += 1
                await asyncio.sleep(0.02)


async def test_while_leaders_are_killed_every_key_has_one_effect(tmp_path: Path) -> None:
    with await asyncio.to_thread(RunningCluster, tmp_path / "cluster") as cluster:
        creators = Creators(cluster.addresses)
        async with aiohttp.ClientSession() as session:
            assert (await deploy(session, cluster.addresses[0], "deployment")).status == 200
        for round in range(KILLS):
            leaders = await asyncio.to_thread(cluster.wait_for_leaders)
            victim = leaders[round % len(leaders) + 1]
            before, end = set(creators.answers), asyncio.Event()
            async with asyncio.TaskGroup() as group:
                for number in range(CREATORS):
                    group.create_task(creators.work(f"{round}-{number}", number, end))
                await asyncio.sleep(0.5)
                await asyncio.to_thread(cluster.kill, victim)
                await asyncio.sleep(2)
                end.set()
            await asyncio.to_thread(cluster.start, victim)
            await creators.repeat_all(set(creators.answers) - before)
        await asyncio.to_thread(cluster.terminate)

    directories = [node.directory for node in cluster.nodes.values()]
    history = History(agreed_events(directories, cluster.partitions))
    print(f"{len(creators.answers)} keys, {creators.repeated} requests sent again, {KILLS} kills")
    assert creators.repeated > 0
    assert history.business_ids == dict.fromkeys(creators.answers, 1)


def _key_of(partition: int, partitions: int) -> str:
    slots = SlotTable.even(partitions)
    return next(key for key in map(str, range(1000)) if slots.partition_of(key) == partition)


async def test_a_gateway_brings_a_request_with_a_key_over_the_death_of_the_leader(tmp_path: Path) -> None:
    """Neither client tries anything again: the node that they are connected to does."""
    with await asyncio.to_thread(RunningCluster, tmp_path / "cluster") as cluster:
        leaders = await asyncio.to_thread(cluster.wait_for_leaders)
        partition, victim = next((each, node) for each, node in leaders.items() if each != 1)
        address = cluster.nodes[victim % 3 + 1].address
        awaited_key = _key_of(partition, len(leaders))
        body = creation("a", awaitCompletion=True, requestTimeout=60_000)
        async with aiohttp.ClientSession() as session:
            await deploy(session, address, "deployment")
            awaited = asyncio.create_task(post(session, address, CREATION, body, awaited_key))
            job = await lend(session, address)

            cluster.nodes[victim].signal_kill()
            created = await post(session, address, CREATION, creation("b"), awaited_key)
            assert created.status == 422
            completed = await post(session, address, f"/v2/jobs/{job}/completion", {}, "completion")

            assert completed.status == 204
            assert (await awaited).status == 200
        await asyncio.to_thread(cluster.kill, victim)
        await asyncio.to_thread(cluster.start, victim)
        await asyncio.to_thread(cluster.terminate)

    directories = [node.directory for node in cluster.nodes.values()]
    history = History(agreed_events(directories, cluster.partitions))
    assert history.business_ids == {"a": 1}
    assert len(history.ended) == 1
