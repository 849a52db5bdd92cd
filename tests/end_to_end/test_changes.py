"""Process instances changed by hand over HTTP, with a node that is killed in between."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.bpmn.events import boundary, message, on_message
from tests.bpmn.playground import START, flow, path, process, task
from tests.nodes import RunningNode

pytestmark = pytest.mark.end_to_end

BESIDE = message("go", "go", "=k")


def version(activity: str, event_id: str) -> bytes:
    """A sub-process with one activity that a message interrupts."""
    inner = f'<startEvent id="inside"/>{task(activity)}{path("inside", activity)}'
    return process(
        START
        + task("first")
        + f'<subProcess id="sub">{inner}</subProcess>'
        + boundary(event_id, "sub", on_message("go"))
        + task("last")
        + path("start", "first", "sub", "last")
        + flow(event_id, "last"),
        definitions=BESIDE,
    )


class Client:
    def __init__(self, session: aiohttp.ClientSession, node: RunningNode) -> None:
        self._session = session
        self._node = node

    async def post(self, path_: str, body: Any, status: int = 204) -> Any:
        async with self._session.post(f"{self._node.address}/v2/{path_}", json=body) as response:
            text = await response.text()
            assert response.status == status, text
            return await response.json(content_type=None) if text else None

    async def deploy(self, content: bytes) -> str:
        form = aiohttp.FormData()
        form.add_field("resources", content, filename="process.bpmn")
        async with self._session.post(f"{self._node.address}/v2/deployments", data=form) as response:
            (deployed,) = (await response.json())["deployments"]
            return str(deployed["processDefinition"]["processDefinitionKey"])

    async def job(self, job_type: str) -> Any:
        body = {"type": job_type, "timeout": 60_000, "maxJobsToActivate": 1, "requestTimeout": 5000}
        (job,) = (await self.post("jobs/activation", body, 200))["jobs"]
        return job


async def test_an_instance_is_modified_and_migrated(tmp_path: Path) -> None:
    with await asyncio.to_thread(RunningNode, tmp_path / "data") as node:
        async with aiohttp.ClientSession() as session:
            client = Client(session, node)
            await client.deploy(version("old", "told"))
            creation = {"processDefinitionId": "process", "variables": {"k": "1"}}
            instance = (await client.post("process-instances", creation, 200))["processInstanceKey"]
            first = await client.job("first")

            modification = {
                "activateInstructions": [
                    {"elementId": "old", "variableInstructions": [{"variables": {"v": 1}, "scopeId": "sub"}]}
                ],
                "terminateInstructions": [{"elementInstanceKey": first["elementInstanceKey"]}],
            }
            await client.post(f"process-instances/{instance}/modification", modification)
            await client.post(f"jobs/{first['jobKey']}/completion", {}, 404)
            old = await client.job("old")
            assert old["variables"] == {"k": "1", "v": 1}

            target = await client.deploy(version("new", "heard"))
            migration = {
                "targetProcessDefinitionKey": target,
                "mappingInstructions": [
                    {"sourceElementId": source, "targetElementId": element}
                    for source, element in (("sub", "sub"), ("old", "new"), ("told", "heard"))
                ],
            }
            incomplete = migration | {"mappingInstructions": migration["mappingInstructions"][:1]}
            await client.post(f"process-instances/{instance}/migration", incomplete, 409)
            await client.post(f"process-instances/{instance}/migration", migration)
        await asyncio.to_thread(node.restart)
        async with aiohttp.ClientSession() as session:
            client = Client(session, node)
            move = {
                "sourceElementInstruction": {"sourceType": "byId", "sourceElementId": "new"},
                "targetElementId": "new",
                "ancestorScopeInstruction": {"ancestorScopeType": "inferred"},
            }
            await client.post(f"process-instances/{instance}/modification", {"moveInstructions": [move]})
            moved = await client.job("new")
            assert (moved["elementId"], moved["processDefinitionVersion"]) == ("new", 2)

            message_ = {"name": "go", "correlationKey": "1"}
            correlated = await client.post("messages/correlation", message_, 200)
            assert correlated["processInstanceKey"] == instance
            last = await client.job("last")
            await client.post(f"jobs/{last['jobKey']}/completion", {})
            await client.post(f"process-instances/{instance}/modification", {}, 404)
