"""Events and scopes over HTTP, on a node that is killed in the middle: what waits still waits."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, final

import aiohttp
import pytest

from tests.bpmn.events import (
    boundary,
    compensable,
    event,
    event_sub_process,
    message,
    on_compensation,
    on_message,
    on_signal,
    signal,
    together,
)
from tests.bpmn.playground import START, flow, path, process, task
from tests.nodes import RunningNode

pytestmark = pytest.mark.end_to_end

_SECONDS_MAX: Final = 10.0


def timer(kind: str, value: str) -> str:
    return f"<timerEventDefinition><{kind}>{value}</{kind}></timerEventDefinition>"


def when(condition: str) -> str:
    return f"<conditionalEventDefinition><condition>{condition}</condition></conditionalEventDefinition>"


@final
class Client:
    """What a client of one node asks for, each with the answer that it expects."""

    def __init__(self, session: aiohttp.ClientSession, node: RunningNode) -> None:
        self._session = session
        self._node = node

    async def deploy(self, content: bytes) -> None:
        form = aiohttp.FormData()
        form.add_field("resources", content, filename="process.bpmn")
        async with self._session.post(f"{self._node.address}/v2/deployments", data=form) as response:
            assert response.status == 200, await response.text()

    async def post(self, path: str, body: dict[str, Any], *, status: int = 200) -> Any:
        async with self._session.post(f"{self._node.address}/v2/{path}", json=body) as response:
            assert response.status == status, await response.text()
            return await response.json() if status == 200 else None

    async def create(self, **variables: Any) -> str:
        body = {"processDefinitionId": "process", "variables": variables}
        return str((await self.post("process-instances", body))["processInstanceKey"])

    async def result(self, **variables: Any) -> dict[str, Any]:
        """The variables of an instance that needs no worker, when it has completed."""
        body = {"processDefinitionId": "process", "variables": variables, "awaitCompletion": True}
        found: dict[str, Any] = (await self.post("process-instances", body))["variables"]
        return found

    async def work(self, job_type: str, **variables: Any) -> dict[str, Any]:
        """Complete one job; the variables that it had."""
        body = {
            "type": job_type,
            "timeout": 60_000,
            "maxJobsToActivate": 1,
            "requestTimeout": int(_SECONDS_MAX * 1000),
        }
        (job,) = (await self.post("jobs/activation", body))["jobs"]
        await self.post(f"jobs/{job['jobKey']}/completion", {"variables": variables}, status=204)
        found: dict[str, Any] = job["variables"]
        return found

    async def change(self, scope_key: str, **variables: Any) -> None:
        address = f"{self._node.address}/v2/element-instances/{scope_key}/variables"
        async with self._session.put(address, json={"variables": variables}) as response:
            assert response.status == 204, await response.text()

    async def kill(self) -> None:
        await asyncio.to_thread(self._node.kill)
        await asyncio.to_thread(self._node.restart)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    with await asyncio.to_thread(RunningNode, tmp_path / "data") as node:
        async with aiohttp.ClientSession() as session:
            yield Client(session, node)


async def test_an_event_sub_process_is_triggered_after_a_kill(client: Client) -> None:
    inside = task("b") + path("es_start", "b")
    body = START + task("a") + path("start", "a") + event_sub_process("es", on_message("m"), inside)
    await client.deploy(process(body, definitions=message("m", "go", "=k")))
    await client.create(k="1")
    await client.kill()
    await client.post("messages/publication", {"name": "go", "correlationKey": "1", "variables": {"v": 2}})
    assert await client.work("b") == {"k": "1", "v": 2}


async def test_an_escalation_is_caught(client: Client) -> None:
    escalation = '<escalationEventDefinition escalationRef="e"/>'
    inner = '<startEvent id="s"/>' + event("endEvent", "raise", escalation) + path("s", "raise")
    body = START + f'<subProcess id="sub">{inner}</subProcess>' + boundary("x", "sub", escalation)
    body += task("b") + flow("start", "sub") + flow("x", "b")
    await client.deploy(process(body, definitions='<escalation id="e" escalationCode="E"/>'))
    await client.create()
    await client.work("b")


async def test_a_terminate_end_event_and_a_link(client: Client) -> None:
    link = '<linkEventDefinition name="L"/>'
    body = START + '<parallelGateway id="fork"/>' + task("a") + path("start", "fork", "a")
    body += event("intermediateThrowEvent", "there", link) + event("intermediateCatchEvent", "here", link)
    body += event("endEvent", "halt", "<terminateEventDefinition/>") + path("fork", "there")
    body += path("here", "halt")
    await client.deploy(process(body))
    assert await client.result(v=1) == {"v": 1}


async def test_timers_start_a_process_also_after_a_kill(client: Client) -> None:
    begin = f'<startEvent id="begin">{timer("timeCycle", "R/PT1S")}</startEvent>'
    await client.deploy(process(begin + task("a") + path("begin", "a")))
    await client.work("a")
    await client.kill()
    await client.work("a")


async def test_compensation_goes_on_after_a_kill(client: Client) -> None:
    undo = task("undo").replace("<serviceTask", '<serviceTask isForCompensation="true"')
    body = START + task("a") + compensable("a", undo, "undo") + task("b")
    body += event("intermediateThrowEvent", "throw", on_compensation("throw"))
    await client.deploy(process(body + path("start", "a", "throw", "b")))
    await client.create()
    await client.work("a")
    await client.kill()
    await client.work("undo")
    await client.work("b")


async def test_of_two_that_must_occur_one_is_known_after_a_kill(client: Client) -> None:
    both = on_message("m") + on_signal("s")
    body = START + task("a") + boundary("x", "a", both, interrupting=False) + task("b")
    body = together(body + path("start", "a") + flow("x", "b"), "x")
    await client.deploy(process(body, definitions=message("m", "go", "=k") + signal("s", "bell")))
    await client.create(k="1")
    await client.post("signals/broadcast", {"signalName": "bell", "variables": {"v": 1}})
    await client.kill()
    await client.post("messages/publication", {"name": "go", "correlationKey": "1", "variables": {"w": 2}})
    assert await client.work("b") == {"k": "1", "v": 1, "w": 2}


async def test_an_event_sub_process_undoes_the_one_around_it_after_a_kill(client: Client) -> None:
    undoes = event_sub_process("es", on_compensation("es_start"), task("undo") + path("es_start", "undo"))
    inner = '<startEvent id="s"/>' + task("a") + path("s", "a") + undoes
    body = START + f'<subProcess id="sub">{inner}</subProcess>' + task("b")
    body += event("endEvent", "throw", on_compensation("throw")) + path("start", "sub", "b", "throw")
    await client.deploy(process(body))
    await client.create()
    await client.work("a")
    await client.kill()
    await client.work("b")
    await client.work("undo")


async def test_a_transaction_is_cancelled_after_a_kill(client: Client) -> None:
    cancel = "<cancelEventDefinition/>"
    undo = task("undo").replace("<serviceTask", '<serviceTask isForCompensation="true"')
    inner = '<startEvent id="s"/>' + task("a") + compensable("a", undo, "undo") + task("b")
    inner += event("endEvent", "cancels", cancel) + path("s", "a", "b", "cancels")
    body = START + f'<transaction id="deal">{inner}</transaction>' + boundary("x", "deal", cancel)
    await client.deploy(process(body + task("after") + flow("start", "deal") + flow("x", "after")))
    await client.create()
    await client.work("a")
    await client.kill()
    await client.work("b")
    await client.work("undo")
    await client.work("after")


async def test_a_condition_is_looked_at_after_a_kill(client: Client) -> None:
    body = START + task("a") + boundary("x", "a", when("=v &gt; 10")) + task("b")
    await client.deploy(process(body + path("start", "a") + flow("x", "b")))
    key = await client.create(v=5)
    await client.kill()
    await client.change(key, v=11)
    assert await client.work("b") == {"v": 11}


async def test_a_conditional_start_event_is_evaluated(client: Client) -> None:
    begin = f'<startEvent id="begin">{when("=v &gt; 10")}</startEvent>'
    await client.deploy(process(begin + task("a") + path("begin", "a")))
    nobody = await client.post("conditionals/evaluation", {"variables": {"v": 5}})
    assert nobody["processInstances"] == []
    started = await client.post("conditionals/evaluation", {"variables": {"v": 11}})
    assert len(started["processInstances"]) == 1
    assert await client.work("a") == {"v": 11}
