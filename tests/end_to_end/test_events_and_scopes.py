"""Events and scopes over HTTP, on a node that is killed in the middle: what waits still waits."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Final, TypeAlias, final

import aiohttp
import pytest
import pytest_asyncio

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

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

_SECONDS_MAX: Final = 10.0


def timer(kind: str, value: str) -> str:
    return f"<timerEventDefinition><{kind}>{value}</{kind}></timerEventDefinition>"


def when(condition: str) -> str:
    return f"<conditionalEventDefinition><condition>{condition}</condition></conditionalEventDefinition>"


@final
class Client:
    """What a client asks for, each with the answer that it expects. Process, job types, messages and signals
    are its own: the model's names, with `name` before them."""

    def __init__(self, session: aiohttp.ClientSession, node: RunningNode, name: str) -> None:
        self._session = session
        self._node = node
        self._name = name

    async def deploy(self, content: bytes) -> None:
        own = content.replace(b'"process"', f'"{self._name}"'.encode())
        own = re.sub(rb'(type|name)="(\w+)"', rf'\1="{self._name}-\2"'.encode(), own)
        form = aiohttp.FormData()
        form.add_field("resources", own, filename="process.bpmn")
        async with self._session.post(f"{self._node.address}/v2/deployments", data=form) as response:
            assert response.status == 200, await response.text()

    async def post(self, path: str, body: dict[str, Any], *, status: int = 200) -> Any:
        async with self._session.post(f"{self._node.address}/v2/{path}", json=body) as response:
            assert response.status == status, await response.text()
            return await response.json() if status == 200 else None

    async def create(self, **variables: Any) -> str:
        body = {"processDefinitionId": self._name, "variables": variables}
        return str((await self.post("process-instances", body))["processInstanceKey"])

    async def result(self, **variables: Any) -> dict[str, Any]:
        """The variables of an instance that needs no worker, when it has completed."""
        body = {"processDefinitionId": self._name, "variables": variables, "awaitCompletion": True}
        found: dict[str, Any] = (await self.post("process-instances", body))["variables"]
        return found

    async def work(self, job_type: str, **variables: Any) -> dict[str, Any]:
        """Complete one job, which may be yet to come; the variables that it had."""
        (job,) = await self._jobs(job_type, 1, int(_SECONDS_MAX * 1000))
        await self.post(f"jobs/{job['jobKey']}/completion", {"variables": variables}, status=204)
        found: dict[str, Any] = job["variables"]
        return found

    async def lend_all(self, job_type: str) -> None:
        """Take all jobs that are there by now."""
        while await self._jobs(job_type, 100, -1):
            pass

    async def _jobs(self, job_type: str, count: int, wait_ms: int) -> Any:
        body = {
            "type": f"{self._name}-{job_type}",
            "timeout": 60_000,
            "maxJobsToActivate": count,
            "requestTimeout": wait_ms,
        }
        return (await self.post("jobs/activation", body))["jobs"]

    async def publish(self, name: str, correlation_key: str, **variables: Any) -> None:
        body = {"name": f"{self._name}-{name}", "correlationKey": correlation_key, "variables": variables}
        await self.post("messages/publication", body)

    async def broadcast(self, name: str, **variables: Any) -> None:
        await self.post("signals/broadcast", {"signalName": f"{self._name}-{name}", "variables": variables})

    async def change(self, scope_key: str, **variables: Any) -> None:
        address = f"{self._node.address}/v2/element-instances/{scope_key}/variables"
        async with self._session.put(address, json={"variables": variables}) as response:
            assert response.status == 204, await response.text()


Life: TypeAlias = AsyncGenerator[None]
_LIVES: Final[dict[str, Callable[[Client], Life]]] = {}


def over_a_kill(life: Callable[[Client], Life]) -> Callable[[Client], Life]:
    """Lived up to its `yield` before the node is killed, and on from there when it has come back."""
    _LIVES[life.__name__] = life
    return life


@final
class Killed:
    """A node that was killed while `lives` were under way, and has come back."""

    def __init__(self, session: aiohttp.ClientSession, node: RunningNode, lives: dict[str, Life]) -> None:
        self._session = session
        self._node = node
        self.lives = lives

    def client(self, name: str) -> Client:
        return Client(self._session, self._node, name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def killed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Killed]:
    directory = tmp_path_factory.mktemp("killed")
    with await asyncio.to_thread(RunningNode, directory / "data") as node:
        async with aiohttp.ClientSession() as session:
            lives = {name: life(Client(session, node, name)) for name, life in _LIVES.items()}
            for life in lives.values():
                await anext(life)
            await asyncio.to_thread(node.kill)
            await asyncio.to_thread(node.restart)
            yield Killed(session, node, lives)


@pytest.fixture
def client(killed: Killed, request: pytest.FixtureRequest) -> Client:
    return killed.client(request.function.__name__)


@over_a_kill
async def an_event_sub_process_is_triggered(client: Client) -> Life:
    inside = task("b") + path("es_start", "b")
    body = START + task("a") + path("start", "a") + event_sub_process("es", on_message("m"), inside)
    await client.deploy(process(body, definitions=message("m", "go", "=k")))
    await client.create(k="1")
    yield
    await client.publish("go", "1", v=2)
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


@over_a_kill
async def timers_start_a_process(client: Client) -> Life:
    begin = f'<startEvent id="begin">{timer("timeCycle", "R/PT1S")}</startEvent>'
    await client.deploy(process(begin + task("a") + path("begin", "a")))
    await client.work("a")
    yield
    await client.lend_all("a")
    await client.work("a")


@over_a_kill
async def compensation_goes_on(client: Client) -> Life:
    undo = task("undo").replace("<serviceTask", '<serviceTask isForCompensation="true"')
    body = START + task("a") + compensable("a", undo, "undo") + task("b")
    body += event("intermediateThrowEvent", "throw", on_compensation("throw"))
    await client.deploy(process(body + path("start", "a", "throw", "b")))
    await client.create()
    await client.work("a")
    yield
    await client.work("undo")
    await client.work("b")


@over_a_kill
async def of_two_that_must_occur_one_is_known(client: Client) -> Life:
    both = on_message("m") + on_signal("s")
    body = START + task("a") + boundary("x", "a", both, interrupting=False) + task("b")
    body = together(body + path("start", "a") + flow("x", "b"), "x")
    await client.deploy(process(body, definitions=message("m", "go", "=k") + signal("s", "bell")))
    await client.create(k="1")
    await client.broadcast("bell", v=1)
    yield
    await client.publish("go", "1", w=2)
    assert await client.work("b") == {"k": "1", "v": 1, "w": 2}


@over_a_kill
async def an_event_sub_process_undoes_the_one_around_it(client: Client) -> Life:
    undoes = event_sub_process("es", on_compensation("es_start"), task("undo") + path("es_start", "undo"))
    inner = '<startEvent id="s"/>' + task("a") + path("s", "a") + undoes
    body = START + f'<subProcess id="sub">{inner}</subProcess>' + task("b")
    body += event("endEvent", "throw", on_compensation("throw")) + path("start", "sub", "b", "throw")
    await client.deploy(process(body))
    await client.create()
    await client.work("a")
    yield
    await client.work("b")
    await client.work("undo")


@over_a_kill
async def a_transaction_is_cancelled(client: Client) -> Life:
    cancel = "<cancelEventDefinition/>"
    undo = task("undo").replace("<serviceTask", '<serviceTask isForCompensation="true"')
    inner = '<startEvent id="s"/>' + task("a") + compensable("a", undo, "undo") + task("b")
    inner += event("endEvent", "cancels", cancel) + path("s", "a", "b", "cancels")
    body = START + f'<transaction id="deal">{inner}</transaction>' + boundary("x", "deal", cancel)
    await client.deploy(process(body + task("after") + flow("start", "deal") + flow("x", "after")))
    await client.create()
    await client.work("a")
    yield
    await client.work("b")
    await client.work("undo")
    await client.work("after")


@over_a_kill
async def a_condition_is_looked_at(client: Client) -> Life:
    body = START + task("a") + boundary("x", "a", when("=v &gt; 10")) + task("b")
    await client.deploy(process(body + path("start", "a") + flow("x", "b")))
    key = await client.create(v=5)
    yield
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


@pytest.mark.parametrize("life", _LIVES)
async def test_what_waits_goes_on_after_a_kill(killed: Killed, life: str) -> None:
    with pytest.raises(StopAsyncIteration):
        await anext(killed.lives[life])
