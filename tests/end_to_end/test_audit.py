"""An audit from outside: what users did over HTTP is found with their names, also out of a sealed archive and
after the history was made anew; and nobody can alter it unseen."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bpmnd.cli import main
from tests.bpmn.people import user_task
from tests.bpmn.playground import END, START, path, process
from tests.nodes import Place, RunningNode

pytestmark = pytest.mark.end_to_end

PLACE = Place(
    environment={
        "BPMND_HISTORY__ENABLED": "true",
        "BPMND_HTTP__USER_HEADER": "X-User",
        "BPMND_LOG__SEGMENT_MIB": "1",
        "BPMND_CHECKPOINTS__EVERY_SECONDS": "0.2",
    }
)
MODEL = process(START + user_task("approve") + END + path("start", "approve", "end"), process_id="approval")


class User:
    """Somebody behind the proxy that names him."""

    def __init__(self, session: aiohttp.ClientSession, node: RunningNode, name: str) -> None:
        self._session = session
        self._node = node
        self._headers = {"X-User": name} if name else {}

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self._node.address}/v2/{path}"
        async with asyncio.timeout(30):
            while True:
                async with self._session.request(method, url, json=body, headers=self._headers) as response:
                    if response.status == 503:
                        await asyncio.sleep(0.05)  # A history that is made anew is not there yet.
                        continue
                    assert response.status < 300, await response.text()
                    is_json = response.content_type == "application/json"
                    return await response.json() if is_json else await response.text()

    async def deploy(self, content: bytes) -> None:
        form = aiohttp.FormData()
        form.add_field("resources", content, filename="approval.bpmn")
        url = f"{self._node.address}/v2/deployments"
        async with self._session.post(url, data=form, headers=self._headers) as response:
            assert response.status == 200, await response.text()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def fill_a_segment(user: User) -> None:
    """With work of nobody's interest."""
    big = {"processDefinitionId": "approval", "variables": {"x": "x" * 300_000}}
    for _ in range(5):
        created = await user.ask("POST", "process-instances", big)
        await user.ask("POST", f"process-instances/{created['processInstanceKey']}/cancellation")


async def archived(node: RunningNode) -> Path:
    """The first file of the archive, once it is there."""
    async with asyncio.timeout(30):
        while True:
            found = sorted((node.directory / "partitions/1/archive").glob("*.zst"))
            if found:
                return found[0]
            await asyncio.sleep(0.05)


async def test_what_users_did_is_told_with_their_names_and_cannot_be_altered_unseen(
    session: aiohttp.ClientSession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with RunningNode(tmp_path / "data", place=PLACE) as node:
        ann, bob, nobody = (User(session, node, name) for name in ("ann", "bob", ""))
        await ann.deploy(MODEL)
        creation = {"processDefinitionId": "approval", "variables": {"amount": 1}}
        key = (await ann.ask("POST", "process-instances", creation))["processInstanceKey"]
        await bob.ask("PUT", f"element-instances/{key}/variables", {"variables": {"amount": 2}})
        of_instance = {"filter": {"processInstanceKey": key}}
        task = (await nobody.ask("POST", "user-tasks/search", of_instance))["items"][0]["userTaskKey"]
        await bob.ask("POST", f"user-tasks/{task}/assignment", {"assignee": "eve"})
        await nobody.ask("POST", f"user-tasks/{task}/completion")

        sort = [{"field": "auditLogKey"}]
        searched = await nobody.ask("POST", "audit-logs/search", {**of_instance, "sort": sort})
        of_task = await nobody.ask("POST", f"user-tasks/{task}/audit-logs/search", {"sort": sort})
        one = await nobody.ask("GET", f"audit-logs/{searched['items'][0]['auditLogKey']}")
        before = await nobody.ask("GET", f"bpmnd/process-instances/{key}/trail?format=text")

        told = [(item["actorId"], item["operationType"], item["entityType"]) for item in searched["items"]]
        assert told == [
            ("ann", "CREATE", "PROCESS_INSTANCE"),
            ("bob", "UPDATE", "VARIABLE"),
            ("bob", "ASSIGN", "USER_TASK"),
            (None, "COMPLETE", "USER_TASK"),
        ]
        assert of_task["items"] == searched["items"][2:]
        assert one == searched["items"][0]
        assert "amount = 2 (was 1)" in before
        assert "assignee=eve" in before

        await fill_a_segment(nobody)
        sealed = await archived(node)
        main(["history", "rebuild", str(node.directory)])
        again = await nobody.ask("POST", "audit-logs/search", {**of_instance, "sort": sort})
        after = await nobody.ask("GET", f"bpmnd/process-instances/{key}/trail?format=text")
        assert again["items"] == searched["items"]
        assert after == before

        capfd.readouterr()
        assert main(["log", "head", str(node.directory)]) == 0
        note = tmp_path / "head"
        note.write_text(capfd.readouterr().out)
        data = ["log", "export", str(node.directory), "--instance", key, "--format", "text"]
        assert main(data) == 0
        assert capfd.readouterr().out == before
        assert await asyncio.to_thread(node.terminate) == 0

        copy = tmp_path / "copy"
        shutil.copytree(node.directory, copy)
        assert main(["log", "verify", str(copy), "--head", str(note)]) == 0
        tampered = copy / sealed.relative_to(node.directory)
        content = bytearray(tampered.read_bytes())
        content[len(content) // 2] ^= 1
        tampered.write_bytes(content)
        assert main(["log", "verify", str(copy), "--head", str(note)]) == 1
        assert f"DAMAGED (archive) in {tampered}" in capfd.readouterr().out
