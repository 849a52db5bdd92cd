"""A gateway over the histories of two partitions with a few instances."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.registry import CollectorRegistry

from bpmnd.bpmn.commands import (
    CreateProcessInstance,
    Deploy,
    EvaluateDecision,
    FailJob,
    PublishMessage,
    Resource,
    SetVariables,
)
from bpmnd.bpmn.outcomes import DecisionEvaluated, ProcessInstanceCreated, Rejected
from bpmnd.gateway.server import Gateway
from tests.actors.history.histories import LocalHistory, frames_of, write_history
from tests.bpmn.dmn.decisions import decision, dmn, needs, table
from tests.bpmn.events import catch, event, message, on_message
from tests.bpmn.playground import END, START, flow, path, process, task
from tests.bpmn.test_partitions import Cluster
from tests.gateway.fakes import FakeCluster

CALLING = process(
    START
    + '<callActivity id="call"><extensionElements><zeebe:calledElement processId="order"/>'
    + "</extensionElements></callActivity>"
    + path("start", "call"),
    process_id="calling",
)
ORDER = process(
    START
    + event("startEvent", "begun", on_message("m1"))
    + task("work")
    + catch("paid", on_message("m2"))
    + END
    + path("start", "work", "paid", "end")
    + flow("begun", "work"),
    process_id="order",
    definitions=message("m1", "begin") + message("m2", "pay", "=id"),
).replace(b'<process id="order"', b'<process id="order" name="Order of goods"')


GRADE = dmn(
    decision("base", "x + 1")
    + decision(
        "grade", table("FIRST", ["base"], ["o"], ["< 5", '"low"'], ["-", '"high"']), requires=needs("base")
    )
    + decision("strict", table("UNIQUE", ["x"], ["o"], ["-", "1"], ["-", "2"]))
)
TASK = process(
    START
    + '<subProcess id="box"><startEvent id="in"/>'
    + '<userTask id="approve" name="Approve"><extensionElements><zeebe:userTask/>'
    + '<zeebe:assignmentDefinition assignee="=who" candidateGroups="=[&quot;sales&quot;,&quot;hr&quot;]"/>'
    + '<zeebe:taskSchedule dueDate="=&quot;2030-01-01T00:00:00Z&quot;"/>'
    + '<zeebe:ioMapping><zeebe:input source="=1" target="level"/></zeebe:ioMapping>'
    + "</extensionElements></userTask>"
    + path("in", "approve")
    + "</subProcess>"
    + path("start", "box"),
    process_id="approval",
)


class Played:
    """What was done, by its keys."""

    def __init__(self, directory: Path) -> None:
        cluster = Cluster(2)
        cluster.deploy(ORDER, CALLING, TASK)
        self.failing = self._create(cluster, 1, "order", {"id": b'"1"', "long": b'"%s"' % (b"x" * 9000)})
        (job,) = cluster[1].jobs("work", 1)
        self.job = job
        cluster[1].do(FailJob(job.key, 0, 0, "broken", {}))
        self.waiting = self._create(cluster, 2, "order", {"id": b'"2"'})
        cluster[2].work("work")
        cluster.settle()
        self.over = self._create(cluster, 1, "order", {"id": b'"3"'})
        cluster[1].work("work")
        cluster.settle()
        cluster.for_key("3").do(PublishMessage("pay", "3", 1000, "", {}))
        cluster.settle()
        self.caller = self._create(cluster, 1, "calling", {"id": b'"4"'})
        cluster.settle()
        self.called = int(cluster[1].jobs("work", 1)[0].process_instance_key)
        cluster[1].do(SetVariables(self.called, {"id": b'"5"'}))
        cluster.for_key("9").do(PublishMessage("begin", "9", 1000, "", {"id": b'"9"'}))
        cluster.settle()
        self.definition = job.definition_key
        self.tasks = [
            self._create(cluster, partition, "approval", {"who": b'"%s"' % who, "level": b"0"})
            for partition, who in ((1, b"ann"), (2, b"bob"))
        ]
        self.evaluations = self._evaluate(cluster)
        self.files: dict[int, Path] = {}
        for partition, frames in frames_of(cluster).items():
            self.files[partition] = directory / f"{partition}.sqlite"
            write_history(self.files[partition], partition, frames)

    def _evaluate(self, cluster: Cluster) -> tuple[int, int]:
        """One that comes to its end on one partition, and one that fails on the other."""
        outcome = cluster[1].do(Deploy((Resource("grade.dmn", GRADE),)))
        assert not isinstance(outcome, Rejected), outcome
        cluster.settle()
        keys: list[int] = []
        for partition, name in ((1, "grade"), (2, "strict")):
            evaluated = cluster[partition].do(EvaluateDecision(name, variables={"x": b"3"}))
            assert isinstance(evaluated, DecisionEvaluated), evaluated
            keys.append(evaluated.key)
        return keys[0], keys[1]

    def _create(self, cluster: Cluster, partition: int, process_id: str, variables: dict[str, bytes]) -> int:
        outcome = cluster[partition].do(CreateProcessInstance(process_id, variables=variables))
        assert isinstance(outcome, ProcessInstanceCreated), outcome
        return outcome.key


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("history"))


@pytest.fixture
def history(played: Played) -> Iterator[LocalHistory]:
    history = LocalHistory(played.files)
    yield history
    history.close()


@pytest.fixture
async def address(history: LocalHistory) -> AsyncIterator[str]:
    gateway = Gateway(FakeCluster(2), CollectorRegistry(), history)
    port = await gateway.start("127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}"
    await gateway.stop(drain_s=1)


@pytest.fixture
async def client(address: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(address) as session:
        yield session


async def ask(client: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with client.request(method, f"/v2{path}", json=body) as response:
        is_json = "json" in response.content_type
        return response.status, await (response.json() if is_json else response.read())
