"""Call activities, loops, scripts, linked resources and inclusive gateways, through HTTP on a real node."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import aiohttp
import pytest

from tests.bpmn.playground import END, START, again, flow, many, path, process, task
from tests.bpmn.test_call_activity import CALLER, CHILD
from tests.nodes import Place, RunningNode

pytestmark = pytest.mark.end_to_end

WITH_HISTORY = Place(environment={"BPMND_HISTORY__ENABLED": "true"})


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("node") / "data"
    with RunningNode(directory, "--partitions", "1", place=WITH_HISTORY) as node:
        yield f"{node.address}/v2"


class Client:
    """What the tests ask of the node, in a few words."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def deploy(self, *contents: bytes, kind: str = "bpmn") -> None:
        form = aiohttp.FormData()
        for number, content in enumerate(contents):
            form.add_field("resources", content, filename=f"{number}.{kind}")
        async with self._session.post(f"{self._address}/deployments", data=form) as answer:
            assert answer.status == 200, await answer.text()

    async def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        async with self._session.post(f"{self._address}/{path}", json=body) as answer:
            text = await answer.text()
            return answer.status, await answer.json(content_type=None) if text else None

    async def create(self, variables: Mapping[str, Any], process_id: str = "process", **more: Any) -> Any:
        creation = {"processDefinitionId": process_id, "variables": variables, **more}
        status, answer = await self.post("process-instances", creation)
        assert status == 200, answer
        return answer

    async def jobs(self, job_type: str, count: int = 1) -> list[Any]:
        request = {"type": job_type, "timeout": 60_000, "maxJobsToActivate": count, "requestTimeout": 5000}
        status, answer = await self.post("jobs/activation", request)
        assert status == 200, answer
        assert len(answer["jobs"]) == count
        return list(answer["jobs"])

    async def complete(self, job: Any, variables: Mapping[str, Any] | None = None) -> None:
        status, answer = await self.post(f"jobs/{job['jobKey']}/completion", {"variables": variables or {}})
        assert status == 204, answer

    async def content(self, resource_key: str) -> Any:
        async with self._session.get(f"{self._address}/resources/{resource_key}/content") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json(content_type=None)

    async def search(self, path: str, condition: Mapping[str, Any]) -> list[Any]:
        async with asyncio.timeout(30):
            while True:
                status, answer = await self.post(f"{path}/search", {"filter": condition})
                if status != 503:
                    assert status == 200, answer
                    return list(answer["items"])
                await asyncio.sleep(0.1)


@pytest.fixture
async def client(address: str) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, address)


async def test_a_called_instance_knows_its_caller_and_gives_back_its_variables(client: Client) -> None:
    await client.deploy(CHILD, CALLER)
    result = asyncio.create_task(client.create({"a": 1}, awaitCompletion=True))
    (job,) = await client.jobs("inner")
    root, child = job["rootProcessInstanceKey"], job["processInstanceKey"]
    assert root != child
    (found,) = await client.search("process-instances", {"processInstanceKey": child})
    assert found["parentProcessInstanceKey"] == root

    await client.complete(job, {"r": 2})
    (after,) = await client.jobs("after")
    await client.complete(after)

    assert (await result)["variables"] == {"a": 1, "r": 2}


async def test_only_the_root_can_be_cancelled_and_takes_along_what_it_called(client: Client) -> None:
    await client.deploy(CHILD, CALLER)
    key = (await client.create({}))["processInstanceKey"]
    (job,) = await client.jobs("inner")

    status, problem = await client.post(f"process-instances/{job['processInstanceKey']}/cancellation", {})
    assert (status, problem["title"]) == (409, "INVALID_STATE")
    status, _ = await client.post(f"process-instances/{key}/cancellation", {})
    assert status == 204

    found = await client.search("process-instances", {"processInstanceKey": job["processInstanceKey"]})
    assert [item["state"] for item in found] == ["TERMINATED"]


@pytest.mark.parametrize("sequential", [False, True])
async def test_a_task_runs_for_each_item_and_its_outputs_are_collected(
    client: Client, sequential: bool
) -> None:
    activity = many(task("each"), "=items", sequential=sequential, outputs=("results", "=r"))
    await client.deploy(process(START + activity + END + path("start", "each", "end")))
    result = asyncio.create_task(client.create({"items": [1, 2, 3]}, awaitCompletion=True))
    for _ in range(3):
        (job,) = await client.jobs("each")
        await client.complete(job, {"r": job["variables"]["item"] * 10})
    ended = await result
    assert ended["variables"] == {"items": [1, 2, 3], "results": [10, 20, 30]}
    condition = {"processInstanceKey": ended["processInstanceKey"], "elementId": "each"}
    found = await client.search("element-instances", condition)
    types = sorted(item["type"] for item in found)
    assert types == ["MULTI_INSTANCE_BODY", *["SERVICE_TASK"] * 3]


@pytest.mark.parametrize(("before", "rounds"), [(False, 3), (True, 2)])
async def test_a_task_in_a_standard_loop_runs_as_long_as_the_condition_holds(
    client: Client, before: bool, rounds: int
) -> None:
    activity = again(task("round"), condition="=loopCounter &lt; 3", before=before)
    await client.deploy(process(START + activity + END + path("start", "round", "end")))
    result = asyncio.create_task(client.create({}, awaitCompletion=True))
    for number in range(1, rounds + 1):
        (job,) = await client.jobs("round")
        assert job["variables"]["loopCounter"] == number
        await client.complete(job, {"done": number})
    assert (await result)["variables"] == {"done": rounds}


async def test_a_worker_is_told_the_resources_that_the_model_links(client: Client) -> None:
    entry = '<zeebe:linkedResource resourceId="0.rpa" resourceType="RPA" linkName="main"/>'
    linked = f"<zeebe:linkedResources>{entry}</zeebe:linkedResources></extensionElements>"
    activity = task("linked").replace("</extensionElements>", linked)
    await client.deploy(process(START + activity + END + path("start", "linked", "end")))
    key = (await client.create({}))["processInstanceKey"]
    (incident,) = await client.search("incidents", {"processInstanceKey": key})
    assert incident["errorType"] == "RESOURCE_NOT_FOUND"

    await client.deploy(b"robot", kind="rpa")
    status, _ = await client.post(f"incidents/{incident['incidentKey']}/resolution", {})
    assert status == 204

    (job,) = await client.jobs("linked")
    (link,) = json.loads(job["customHeaders"]["linkedResources"])
    assert (link["resourceType"], link["linkName"]) == ("RPA", "main")
    assert await client.content(link["resourceKey"]) == "robot"
    await client.complete(job)


async def test_an_inclusive_gateway_forks_and_joins_around_scripts(client: Client) -> None:
    def script(element_id: str, expression: str) -> str:
        extension = f'<zeebe:script expression="{expression}" resultVariable="{element_id}"/>'
        return (
            f'<scriptTask id="{element_id}"><extensionElements>{extension}</extensionElements></scriptTask>'
        )

    body = START + '<inclusiveGateway id="fork" default="fork_c"/><inclusiveGateway id="join"/>'
    body += script("a", "=n + 1") + script("b", "=n + 2") + script("c", "=n + 3") + END
    body += path("start", "fork") + flow("fork", "a", "=n &gt; 1") + flow("fork", "b", "=n &gt; 2")
    body += flow("fork", "c") + "".join(flow(each, "join") for each in "abc") + flow("join", "end")
    await client.deploy(process(body))

    ended = await client.create({"n": 3}, awaitCompletion=True)
    assert ended["variables"] == {"n": 3, "a": 4, "b": 5}
    ended = await client.create({"n": 0}, awaitCompletion=True)
    assert ended["variables"] == {"n": 0, "c": 3}
    condition = {"processInstanceKey": ended["processInstanceKey"], "elementId": "join"}
    (join,) = await client.search("element-instances", condition)
    assert join["type"] == "INCLUSIVE_GATEWAY"


async def test_an_ad_hoc_sub_process_begins_what_a_request_names(client: Client) -> None:
    inside = task("tool") + task("other") + "<completionCondition>=done</completionCondition>"
    tools = f'<adHocSubProcess id="tools">{inside}</adHocSubProcess>'
    await client.deploy(process(START + tools + END + path("start", "tools", "end")))
    key = (await client.create({"done": False}))["processInstanceKey"]
    (found,) = await client.search("element-instances", {"processInstanceKey": key, "elementId": "tools"})
    assert (found["type"], found["state"]) == ("AD_HOC_SUB_PROCESS", "ACTIVE")

    activation = f"element-instances/ad-hoc-activities/{found['elementInstanceKey']}/activation"
    status, _ = await client.post(activation, {"elements": [{"elementId": "nothing"}]})
    assert status == 404
    status, _ = await client.post(activation, {"elements": [{"elementId": "tool", "variables": {"x": 1}}]})
    assert status == 204
    (job,) = await client.jobs("tool")
    assert job["variables"] == {"done": False, "x": 1}
    await client.complete(job, {"done": True})

    (ended,) = await client.search("process-instances", {"processInstanceKey": key})
    assert ended["state"] == "COMPLETED"


async def test_the_worker_of_an_ad_hoc_sub_process_decides_what_begins(client: Client) -> None:
    extensions = '<extensionElements><zeebe:taskDefinition type="agent"/></extensionElements>'
    agent = f'<adHocSubProcess id="tools">{extensions}{task("tool")}{task("other")}</adHocSubProcess>'
    await client.deploy(process(START + agent + END + path("start", "tools", "end")))
    key = (await client.create({}))["processInstanceKey"]
    (job,) = await client.jobs("agent")
    assert job["kind"] == "AD_HOC_SUB_PROCESS"
    assert [each["elementId"] for each in job["variables"]["adHocSubProcessElements"]] == ["tool", "other"]
    (found,) = await client.search("jobs", {"processInstanceKey": key})
    assert found["kind"] == "AD_HOC_SUB_PROCESS"

    begins = {"type": "adHocSubProcess", "activateElements": [{"elementId": "tool", "variables": {"x": 1}}]}
    status, answer = await client.post(f"jobs/{job['jobKey']}/completion", {"result": begins})
    assert status == 204, answer
    (tool,) = await client.jobs("tool")
    assert tool["variables"]["x"] == 1
    await client.complete(tool)
    (job,) = await client.jobs("agent")
    done = {"type": "adHocSubProcess", "isCompletionConditionFulfilled": True}
    status, answer = await client.post(f"jobs/{job['jobKey']}/completion", {"result": done})
    assert status == 204, answer

    (ended,) = await client.search("process-instances", {"processInstanceKey": key})
    assert ended["state"] == "COMPLETED"
