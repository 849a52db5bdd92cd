"""What should never be sent: a clear problem, nothing changed, the node unharmed, also after a restart."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from html import escape
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from tests.bpmn.playground import END, ONE_TASK, START, flow, path, process, task
from tests.end_to_end.endless import ENDLESS, MORE
from tests.judged import JUDGE
from tests.nodes import RunningNode

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    with RunningNode(tmp_path_factory.mktemp("hostile") / "data") as node:
        yield node


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def deploy(session: aiohttp.ClientSession, node: RunningNode, content: bytes) -> tuple[int, str]:
    form = aiohttp.FormData()
    form.add_field("resources", content, filename="process.bpmn")
    async with session.post(f"{node.address}/v2/deployments", data=form) as answer:
        return answer.status, await answer.text()


async def post(
    session: aiohttp.ClientSession, node: RunningNode, path: str, body: bytes | Mapping[str, object]
) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    async with session.post(f"{node.address}/v2{path}", data=BytesIO(data), headers=headers) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else {}


async def works(session: aiohttp.ClientSession, node: RunningNode) -> bool:
    """A whole instance, from deployment to its end."""
    status, _ = await deploy(session, node, ONE_TASK)
    assert status == 200
    status, _ = await post(session, node, "/process-instances", {"processDefinitionId": "process"})
    assert status == 200
    asked = {"type": "work", "timeout": 60_000, "maxJobsToActivate": 100, "requestTimeout": 1000}
    status, answer = await post(session, node, "/jobs/activation", asked)
    assert status == 200
    jobs: list[dict[str, str]] = answer["jobs"]
    for job in jobs:
        status, _ = await post(session, node, f"/jobs/{job['jobKey']}/completion", b"")
        assert status == 204
    return bool(jobs)


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">&c;</definitions>'
)
HOSTILE_FILES = {
    "nothing": b"",
    "no XML": b"{}",
    "an entity bomb": BOMB,
    "an external entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "depth": b"<a>" * 5000 + b"</a>" * 5000,
    "bytes that are no text": b"\xff\xfe\x00<",
    "an unfinished document": ONE_TASK[:-40],
    "a deep expression": process(
        START + task("a", "=" + "(" * 5000 + "1" + ")" * 5000) + END + path("start", "a", "end")
    ),
}


@pytest.mark.parametrize("name", HOSTILE_FILES)
async def test_a_hostile_file_is_refused(
    session: aiohttp.ClientSession, node: RunningNode, name: str
) -> None:
    status, text = await deploy(session, node, HOSTILE_FILES[name])
    problem = json.loads(text)
    assert (status, problem["title"]) == (400, "INVALID_ARGUMENT")
    assert "process.bpmn" in problem["detail"]


HOSTILE_BODIES = {
    "no JSON": b"{",
    "depth": b'{"processDefinitionId":"process","variables":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "NaN": b'{"processDefinitionId":"process","variables":{"a":NaN}}',
    "a lone surrogate": b'{"processDefinitionId":"process","variables":{"a":"\\ud800"}}',
    "no UTF-8": b'{"processDefinitionId":"\xff"}',
    "a wrong type": b'{"processDefinitionId":7}',
    "an unknown property": b'{"processDefinitionId":"process","nonsense":1}',
    "variables that are no object": b'{"processDefinitionId":"process","variables":[1]}',
    "both ways to name it": b'{"processDefinitionId":"process","processDefinitionKey":"1"}',
    "none": b"",
}


@pytest.mark.parametrize("name", HOSTILE_BODIES)
async def test_a_hostile_body_is_refused(
    session: aiohttp.ClientSession, node: RunningNode, name: str
) -> None:
    status, problem = await post(session, node, "/process-instances", HOSTILE_BODIES[name])
    assert status == 400
    assert set(problem) >= {"type", "title", "status", "detail", "instance"}


async def test_a_body_of_ten_megabytes_is_refused(session: aiohttp.ClientSession, node: RunningNode) -> None:
    body = b'{"processDefinitionId":"process","variables":{"a":"' + b"x" * (10 << 20) + b'"}}'
    status, problem = await post(session, node, "/process-instances", body)
    assert status == 413
    assert problem["status"] == 413


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/1/completion",
        "/jobs/9223372036854775807/failure",
        "/jobs/2251799813685249/error",
        "/incidents/5/resolution",
        "/process-instances/2251799813685249/cancellation",
    ],
)
async def test_an_unknown_key_is_not_found(
    session: aiohttp.ClientSession, node: RunningNode, path: str
) -> None:
    body: dict[str, object] = {"errorCode": "E"} if path.endswith("/error") else {}
    status, problem = await post(session, node, path, body)
    assert (status, problem["title"]) == (404, "NOT_FOUND")


async def incidents(session: aiohttp.ClientSession, node: RunningNode) -> int:
    async with session.get(f"{node.monitoring}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return int(sum(float(line.split()[-1]) for line in lines if line.startswith("bpmnd_incidents{")))


HOSTILE_EXPRESSIONS = {
    "a huge range": "count(for i in 1..1000000000 return i) = 1",
    "ranges within ranges": "count(for a in 1..9999, b in 1..9999, c in 1..9999 return a) = 1",
    "a huge power": "2**10000000 > 1",
    "powers of powers": "(10**6000)**(10**6000) > 1",
    "an exponential regular expression": f'matches("{"a" * 40}!", "(a|aa)+$") = false and 1',
    "endless recursion": "{f: function(n) f(n + 1), r: f(1)}.r = 1",
    "a text that doubles": '{f: function(s, n) if n = 0 then s else f(s + s, n - 1), r: f("aaaaaaaa", 99)}.r',
    "a list that doubles": "{f: function(l, n) if n = 0 then l else f(append(l, l), n - 1), r: f([1], 99)}.r",
    "a filter over everything": "count((for i in 1..90000 return i)[count((1..90000)[item > 1]) > 1]) = 1",
}


def choosing(condition: str, process_id: str) -> bytes:
    """A process whose gateway asks the condition."""
    return process(
        START
        + '<exclusiveGateway id="x" default="x_a"/>'
        + task("a")
        + task("b")
        + flow("start", "x")
        + flow("x", "a")
        + flow("x", "b", escape(f"={condition}")),
        process_id=process_id,
    )


@pytest.mark.parametrize("name", HOSTILE_EXPRESSIONS)
async def test_a_runaway_expression_stops_one_instance_and_no_more(
    session: aiohttp.ClientSession, node: RunningNode, name: str
) -> None:
    process_id = name.replace(" ", "-")
    status, text = await deploy(session, node, choosing(HOSTILE_EXPRESSIONS[name], process_id))
    assert status == 200, text
    before = await incidents(session, node)
    status, created = await post(session, node, "/process-instances", {"processDefinitionId": process_id})
    assert status == 200
    assert await incidents(session, node) == before + 1
    assert await works(session, node)
    key = created["processInstanceKey"]
    status, _ = await post(session, node, f"/process-instances/{key}/cancellation", b"")
    assert status == 204


@pytest.mark.parametrize("name", HOSTILE_EXPRESSIONS)
async def test_a_runaway_expression_is_answered_when_it_is_tried_out(
    session: aiohttp.ClientSession, node: RunningNode, name: str
) -> None:
    body = {"expression": f"={HOSTILE_EXPRESSIONS[name]}"}
    status, _ = await post(session, node, "/expression/evaluation", body)
    assert status in {200, 400}


async def test_what_goes_round_for_ever_is_held_up_by_an_incident_also_after_a_restart(
    session: aiohttp.ClientSession, node: RunningNode
) -> None:
    """Others go on meanwhile."""
    models = {**ENDLESS, **MORE} if JUDGE else ENDLESS
    keys: list[str] = []
    for content in models.values():
        status, text = await deploy(session, node, content)
        assert status == 200, text
    for name in models:
        before = await incidents(session, node)
        status, created = await post(session, node, "/process-instances", {"processDefinitionId": name})
        assert status == 200
        keys.append(created["processInstanceKey"])
        assert await works(session, node)
        while await incidents(session, node) == before:  # noqa: ASYNC110  it is in another process
            await asyncio.sleep(0.01)

    node.restart()

    async with aiohttp.ClientSession() as new_session:
        assert await works(new_session, node)
        assert await incidents(new_session, node) >= len(keys)
        for key in keys:
            status, _ = await post(new_session, node, f"/process-instances/{key}/cancellation", b"")
            assert status == 204
        assert await works(new_session, node)


async def test_the_node_works_after_all_this_and_after_a_restart(
    session: aiohttp.ClientSession, node: RunningNode
) -> None:
    assert await works(session, node)
    node.restart()
    async with aiohttp.ClientSession() as new_session:
        assert await works(new_session, node)
    assert "Traceback" not in node.said()
