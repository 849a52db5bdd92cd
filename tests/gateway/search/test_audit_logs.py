"""Who has asked for what: each operation is found as the API describes it, with who it was."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.registry import CollectorRegistry

from bpmnd.bpmn.commands import (
    ActivateInstruction,
    AssignUserTask,
    CancelProcessInstance,
    CommandId,
    CompleteJob,
    CompleteUserTask,
    CreateProcessInstance,
    DeleteResource,
    Deploy,
    DoOnce,
    EvaluateDecision,
    FailJob,
    MigrateProcessInstance,
    ModifyProcessInstance,
    Origin,
    PublishMessage,
    ResolveIncident,
    Resource,
    SetVariables,
    TaskResult,
    UpdateJob,
    UpdateUserTask,
)
from bpmnd.bpmn.events import IncidentCreated, UserTaskCreating
from bpmnd.bpmn.outcomes import DecisionEvaluated, DeploymentCreated, ProcessInstanceCreated
from bpmnd.bpmn.user_tasks import TaskChanges
from bpmnd.gateway.server import Gateway
from tests.actors.history.histories import LocalHistory, frames_of, write_history
from tests.bpmn.dmn.decisions import decision, dmn, table
from tests.bpmn.people import assigned, heard, user_task
from tests.bpmn.playground import END, START, path, process, task
from tests.bpmn.test_partitions import Cluster
from tests.gateway.fakes import FakeCluster
from tests.gateway.schemas import API_FILE, ApiDescription
from tests.gateway.search.conftest import ask

ANN, BOB = Origin(user="ann"), Origin(7, "bob")
WORK = process(START + task("work") + END + path("start", "work", "end"), process_id="order")
APPROVAL = process(
    START
    + user_task("approve", assigned(assignee='="eve"'), heard(("completing", "check"), ("assigning", "see")))
    + END
    + path("start", "approve", "end"),
    process_id="approval",
)
GRADE = dmn(
    decision("grade", table("FIRST", ["x"], ["o"], ["-", '"high"']))
    + decision("strict", table("UNIQUE", ["x"], ["o"], ["-", "1"], ["-", "2"]))
)
FORM = b'{"components": [], "id": "ask", "type": "default", "schemaVersion": 16}'


class Office:
    """What people did on two partitions."""

    def __init__(self, directory: Path) -> None:
        cluster = self.cluster = Cluster(2)
        files = {"order.bpmn": WORK, "approval.bpmn": APPROVAL, "grade.dmn": GRADE, "ask.form": FORM}
        files["notes.txt"] = b"nothing"
        resources = tuple(Resource(name, content) for name, content in files.items())
        cluster[1].do(Deploy(resources, origin=ANN))
        cluster.settle()
        (deployed,) = cluster.answers().values()
        assert isinstance(deployed, DeploymentCreated), deployed
        self.deployment = deployed
        self.order, self.approval = (found.key for found in deployed.processes)
        self.instance = self.create("order", BOB)
        self.nobodys = self.create("order", Origin())
        (self.job, _) = cluster[1].jobs("work", 2)
        cluster[1].do(FailJob(self.job.key, 0, 0, "broken", {}))
        self.incident = cluster[1].happened(IncidentCreated)[-1].key
        cluster[1].do(UpdateJob(self.job.key, retries=3, origin=ANN))
        cluster[1].do(ResolveIncident(self.incident, origin=ANN))
        cluster[1].do(SetVariables(self.instance, {"old": b"1"}, origin=ANN))
        cluster[1].do(SetVariables(self.instance, {"old": b"2", "new": b"3"}, origin=BOB))
        cluster[1].do(
            ModifyProcessInstance(self.instance, (ActivateInstruction("work"),), (), (), origin=ANN)
        )
        cluster[1].do(MigrateProcessInstance(self.instance, self.order, (("work", "work"),), origin=ANN))
        cluster[1].do(CancelProcessInstance(self.instance, origin=BOB))
        once = DoOnce(CommandId("s", "k", b"h"), CancelProcessInstance(self.instance, origin=ANN))
        cluster[1].do(once)  # Refused, and noted all the same: there is no such instance any more.
        self.create("approval", ANN)
        self.hear("see")
        self.task = cluster[1].happened(UserTaskCreating)[-1].key
        cluster[1].do(AssignUserTask(self.task, "bob", origin=ANN))
        self.hear("see")
        cluster[1].do(AssignUserTask(self.task, "", action="unassign", origin=BOB))
        self.hear("see")
        cluster[1].do(UpdateUserTask(self.task, TaskChanges(priority=7), origin=BOB))
        cluster[1].do(CompleteUserTask(self.task, origin=BOB))
        self.hear("check", TaskResult(denied=True, reason="no"))
        cluster[1].do(CompleteUserTask(self.task))
        self.hear("check")
        self.evaluations: list[int] = []
        for name in ("grade", "strict"):
            evaluated = cluster[2].do(EvaluateDecision(name, variables={"x": b"3"}, origin=ANN))
            assert isinstance(evaluated, DecisionEvaluated), evaluated
            self.evaluations.append(evaluated.key)
        cluster[2].do(PublishMessage("m", "1", 0, "", {}, origin=ANN))
        for key in (self.order, deployed.requirements[0].key, deployed.forms[0].key):
            cluster[1].do(DeleteResource(key, origin=BOB))
            cluster.settle()
        self.files: dict[int, Path] = {}
        for partition, frames in frames_of(cluster).items():
            self.files[partition] = directory / f"{partition}.sqlite"
            write_history(self.files[partition], partition, frames)

    def create(self, process_id: str, origin: Origin) -> int:
        created = self.cluster[1].do(CreateProcessInstance(process_id, origin=origin))
        assert isinstance(created, ProcessInstanceCreated), created
        return created.key

    def hear(self, job_type: str, result: TaskResult | None = None) -> None:
        """Do the job of a listener."""
        lent = self.cluster[1].jobs(job_type, 1)
        assert len(lent) == 1, f"no listener is called by {job_type}"
        self.cluster[1].do(CompleteJob(lent[0].key, task_result=result or TaskResult()))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("office"))


@pytest.fixture
async def client(office: Office) -> AsyncIterator[aiohttp.ClientSession]:
    history = LocalHistory(office.files)
    gateway = Gateway(FakeCluster(2), CollectorRegistry(), history)
    port = await gateway.start("127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await gateway.stop(drain_s=1)
    history.close()


async def found(client: aiohttp.ClientSession, path: str = "/audit-logs/search", **filter: Any) -> list[Any]:
    body = {"filter": filter, "sort": [{"field": "auditLogKey"}]}
    status, answer = await ask(client, "POST", path, body)
    assert status == 200, answer
    items: list[Any] = answer["items"]
    return items


def told(items: list[Any]) -> list[tuple[str, ...]]:
    """Who did what, and what came of it."""
    names = ("actorId", "operationType", "entityType", "result")
    return [tuple(item[name] for name in names) for item in items]


@pytest.mark.skipif(not API_FILE.exists(), reason=f"{API_FILE} is not here")
async def test_the_reads_have_the_shape_of_the_description(
    client: aiohttp.ClientSession, office: Office
) -> None:
    description = ApiDescription(API_FILE)
    status, every = await ask(client, "POST", "/audit-logs/search", {})
    assert description.complaints("searchAuditLogs", status, "application/json", every) == []
    assert len(every["items"]) == 28
    key = every["items"][0]["auditLogKey"]
    status, one = await ask(client, "GET", f"/audit-logs/{key}")
    assert description.complaints("getAuditLog", status, "application/json", one) == []
    assert one == every["items"][0]
    status, of_task = await ask(client, "POST", f"/user-tasks/{office.task}/audit-logs/search", {})
    assert description.complaints("searchUserTaskAuditLogs", status, "application/json", of_task) == []
    assert of_task["items"]


async def test_a_deployment_is_an_operation_for_each_thing_in_it(
    client: aiohttp.ClientSession, office: Office
) -> None:
    items = await found(client, deploymentKey=str(office.deployment.key))
    assert {(item["actorId"], item["operationType"], item["category"]) for item in items} == {
        ("ann", "CREATE", "DEPLOYED_RESOURCES")
    }
    assert sorted((item["entityType"], item["entityDescription"]) for item in items) == [
        ("DECISION", "grade"),
        ("DECISION", "strict"),
        ("RESOURCE", "approval.bpmn"),
        ("RESOURCE", "ask.form"),
        ("RESOURCE", "grade.dmn"),
        ("RESOURCE", "notes.txt"),
        ("RESOURCE", "order.bpmn"),
    ]
    keys = {item["entityDescription"]: item for item in items}
    assert keys["order.bpmn"]["processDefinitionKey"] == str(office.order)
    assert keys["order.bpmn"]["processDefinitionId"] == "order"
    assert keys["ask.form"]["formKey"] == str(office.deployment.forms[0].key)
    assert keys["notes.txt"]["resourceKey"] == str(office.deployment.plain_files[0].key)
    assert keys["grade"]["decisionDefinitionId"] == "grade"
    assert keys["grade"]["decisionRequirementsKey"] == keys["grade.dmn"]["decisionRequirementsKey"]


async def test_an_instance_has_all_that_was_done_with_it(
    client: aiohttp.ClientSession, office: Office
) -> None:
    items = await found(client, processInstanceKey=str(office.instance))

    assert told(items) == [
        ("bob", "CREATE", "PROCESS_INSTANCE", "SUCCESS"),
        ("ann", "UPDATE", "JOB", "SUCCESS"),
        ("ann", "RESOLVE", "INCIDENT", "SUCCESS"),
        ("ann", "CREATE", "VARIABLE", "SUCCESS"),
        ("bob", "CREATE", "VARIABLE", "SUCCESS"),
        ("bob", "UPDATE", "VARIABLE", "SUCCESS"),
        ("ann", "MODIFY", "PROCESS_INSTANCE", "SUCCESS"),
        ("ann", "MIGRATE", "PROCESS_INSTANCE", "SUCCESS"),
        ("bob", "CANCEL", "PROCESS_INSTANCE", "SUCCESS"),
    ]
    assert [item["entityDescription"] for item in items] == [
        *("order", "work", None, "old", "new", "old", "order", "order", "order"),
    ]
    assert {item["rootProcessInstanceKey"] for item in items} == {str(office.instance)}
    assert items[1]["jobKey"] == items[2]["jobKey"] == str(office.job.key)
    assert items[2]["entityKey"] == str(office.incident)
    assert items[2]["elementInstanceKey"] == str(office.job.element_instance_key)
    assert items[3]["elementInstanceKey"] == str(office.instance)
    assert items[3]["entityKey"] == items[5]["entityKey"] != items[4]["entityKey"]


async def test_what_nobody_known_has_asked_for_was_anonymous(
    client: aiohttp.ClientSession, office: Office
) -> None:
    (item,) = await found(client, processInstanceKey=str(office.nobodys))
    assert (item["actorType"], item["actorId"]) == ("ANONYMOUS", None)
    (other, *_) = await found(client, processInstanceKey=str(office.instance))
    assert (other["actorType"], other["actorId"]) == ("USER", "bob")


async def test_a_user_task_has_what_people_did_with_it_also_when_listeners_decided_later(
    client: aiohttp.ClientSession, office: Office
) -> None:
    items = await found(client, f"/user-tasks/{office.task}/audit-logs/search")

    assert told(items) == [
        ("ann", "ASSIGN", "USER_TASK", "SUCCESS"),
        ("bob", "UNASSIGN", "USER_TASK", "SUCCESS"),
        ("bob", "UPDATE", "USER_TASK", "SUCCESS"),
        ("bob", "COMPLETE", "USER_TASK", "FAIL"),
        (None, "COMPLETE", "USER_TASK", "SUCCESS"),
    ]
    assert {(item["category"], item["userTaskKey"]) for item in items} == {("USER_TASKS", str(office.task))}
    related = [(item["relatedEntityType"], item["relatedEntityKey"]) for item in items]
    assert related == [("USER", "bob"), *[(None, None)] * 4]


@pytest.mark.parametrize(
    ("filter", "count"),
    [
        ({"operationType": "COMPLETE"}, 2),
        ({"result": {"$eq": "FAIL"}}, 1),
        ({"actorId": {"$like": "b*"}}, 3),
        ({"actorType": {"$neq": "USER"}}, 1),
        ({"timestamp": {"$gt": "2026-01-01T00:00:00Z"}}, 0),
    ],
)
async def test_what_was_done_with_a_user_task_can_be_filtered(
    client: aiohttp.ClientSession, office: Office, filter: dict[str, Any], count: int
) -> None:
    items = await found(client, f"/user-tasks/{office.task}/audit-logs/search", **filter)
    assert len(items) == count


async def test_what_was_done_with_a_user_task_is_filtered_by_nothing_else(
    client: aiohttp.ClientSession, office: Office
) -> None:
    path = f"/user-tasks/{office.task}/audit-logs/search"
    status, problem = await ask(client, "POST", path, {"filter": {"entityType": "JOB"}})
    assert status == 400
    assert "filter.entityType" in problem["detail"]


async def test_with_a_user_task_that_is_not_there_nothing_was_done(
    client: aiohttp.ClientSession, office: Office
) -> None:
    assert await found(client, f"/user-tasks/{office.task + 1}/audit-logs/search") == []


async def test_evaluations_tell_their_decision_and_whether_they_failed(
    client: aiohttp.ClientSession, office: Office
) -> None:
    items = await found(client, operationType="EVALUATE")
    assert told(items) == [
        ("ann", "EVALUATE", "DECISION", "SUCCESS"),
        ("ann", "EVALUATE", "DECISION", "FAIL"),
    ]
    assert [item["decisionEvaluationKey"] for item in items] == [str(key) for key in office.evaluations]
    assert [item["decisionDefinitionId"] for item in items] == ["grade", "strict"]
    assert {item["decisionRequirementsKey"] for item in items} == {str(office.deployment.requirements[0].key)}


async def test_what_is_deleted_is_named(client: aiohttp.ClientSession, office: Office) -> None:
    items = await found(client, operationType="DELETE")
    assert told(items) == [("bob", "DELETE", "RESOURCE", "SUCCESS")] * 3
    assert [item["entityDescription"] for item in items] == ["order.bpmn", "grade.dmn", None]
    assert items[0]["processDefinitionKey"] == str(office.order)
    assert items[2]["resourceKey"] == str(office.deployment.forms[0].key)


@pytest.mark.parametrize(
    ("filter", "count"),
    [
        ({"actorId": "bob", "entityType": "PROCESS_INSTANCE"}, 2),
        ({"category": "USER_TASKS"}, 5),
        ({"actorType": {"$like": "ANON*"}}, 2),
        ({"relatedEntityType": "USER", "relatedEntityKey": "bob"}, 1),
        ({"entityDescription": {"$like": "*.bpmn"}}, 3),
        ({"tenantId": "<default>"}, 28 - 1),
        ({"processDefinitionId": "approval", "entityType": {"$neq": "USER_TASK"}}, 2),
        ({"batchOperationType": {"$exists": False}}, 28),
        ({"agentElementId": {"$exists": True}}, 0),
        ({"userTaskKey": "nothing"}, 0),
        ({"entityKey": {"$notIn": ["nothing"]}}, 28),
    ],
)
async def test_operations_are_found_by_what_they_were(
    client: aiohttp.ClientSession, filter: dict[str, Any], count: int
) -> None:
    assert len(await found(client, **filter)) == count


async def test_an_operation_that_is_not_there_is_a_404(client: aiohttp.ClientSession) -> None:
    assert (await ask(client, "GET", "/audit-logs/7"))[0] == 404
    assert (await ask(client, "GET", "/audit-logs/x"))[0] == 400
