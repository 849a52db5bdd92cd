"""Every answer has the shape that the API description gives it."""

from io import BytesIO
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from bpmnd.actors.errors import Refused
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import (
    Accepted,
    ConditionalsEvaluated,
    DecisionRead,
    DeployedFile,
    DeployedProcess,
    DeployedRequirements,
    DeploymentCreated,
    ExpressionEvaluated,
    FileRead,
    GlobalListenerRead,
    MessageCorrelated,
    MessagePublished,
    Outcome,
    ProcessInstanceCreated,
    Rejected,
    RejectionType,
    RequirementsRead,
    SignalBroadcasted,
    TaskProperties,
)
from bpmnd.bpmn.user_tasks import GlobalListener, TaskAttributes
from tests.gateway.fakes import FakeCluster, FakePartition, job_of
from tests.gateway.schemas import API_FILE, ApiDescription
from tests.gateway.test_decisions import DECISION, EVALUATED

pytestmark = pytest.mark.skipif(not API_FILE.exists(), reason=f"there is no API description at {API_FILE}")

KEY = first_key(1) + 5
CREATED = ProcessInstanceCreated(KEY, KEY, "order", 1, "<default>", ("t",), "b", {"a": b"1"})
PLAIN = ProcessInstanceCreated(KEY, KEY, "order", 1, "<default>", (), None, {})
DEPLOYED = DeploymentCreated(
    KEY,
    "<default>",
    (DeployedProcess(KEY, "order", 1, "order.bpmn"),),
    (DECISION,),
    (DeployedRequirements(KEY, "drg", "Graph", 2, "a.dmn"),),
    (DeployedFile(KEY, "form", 1, "a.form"),),
    (DeployedFile(KEY, "robot", 1, "a.rpa"),),
)
FILE = FileRead(KEY, "form", 1, "", "a.form", "<default>", b'{"id":"form"}')
ACTIVATION = {"type": "work", "timeout": 1, "maxJobsToActivate": 5, "requestTimeout": -1}
COMPLETION = f"/jobs/{KEY}/completion"
MODIFICATION = f"/process-instances/{KEY}/modification"
MIGRATION = f"/process-instances/{KEY}/migration"
MAPPING = {
    "targetProcessDefinitionKey": str(KEY),
    "mappingInstructions": [{"sourceElementId": "a", "targetElementId": "b"}],
}
CREATION = {"processDefinitionId": "order"}
AD_HOC = f"/element-instances/ad-hoc-activities/{KEY}/activation"
TASK = f"/user-tasks/{KEY}"
NAMED = {"name": "m"}
CONDITIONALS = "/conditionals/evaluation"
CONDITIONALS_EVALUATED = ConditionalsEvaluated(KEY, "<default>", ((KEY, KEY),))
DECISIONS = "/decision-definitions/evaluation"
ONE = ExpressionEvaluated(b"1", ("odd",))
GRAPH_READ = RequirementsRead(DeployedRequirements(KEY, "drg", "Graph", 2, "a.dmn"), "<default>", b"<a/>")
DECISION_READ = DecisionRead(DECISION, GRAPH_READ)
NOT_FOUND = Rejected(RejectionType.NOT_FOUND, "none")
TWICE = Rejected(RejectionType.ALREADY_EXISTS, "there is one")
UPDATED = {"type": "check", "eventTypes": ["all"], "priority": 7, "afterNonGlobal": True}
LISTENER = {"id": "l", **UPDATED}
HEARD = GlobalListenerRead(GlobalListener("l", "check", ("all",)))
NOT_NOW = Rejected(RejectionType.INVALID_STATE, "not now")


@pytest.fixture(scope="module")
def description() -> ApiDescription:
    return ApiDescription(API_FILE)


@pytest.mark.parametrize(
    ("operation", "method", "path", "body", "outcome", "status"),
    [
        ("getTopology", "GET", "/topology", None, Accepted(), 200),
        ("getStatus", "GET", "/status", None, Accepted(), 204),
        ("getLicense", "GET", "/license", None, Accepted(), 200),
        ("getAuthentication", "GET", "/authentication/me", None, Accepted(), 200),
        ("createProcessInstance", "POST", "/process-instances", CREATION, CREATED, 200),
        ("createProcessInstance", "POST", "/process-instances", CREATION, PLAIN, 200),
        (
            "createProcessInstance",
            "POST",
            "/process-instances",
            CREATION | {"awaitCompletion": True},
            CREATED,
            200,
        ),
        (
            "publishMessage",
            "POST",
            "/messages/publication",
            NAMED,
            MessagePublished(KEY, "<default>"),
            200,
        ),
        ("publishMessage", "POST", "/messages/publication", {}, Accepted(), 400),
        (
            "correlateMessage",
            "POST",
            "/messages/correlation",
            NAMED,
            MessageCorrelated(KEY, "<default>", KEY),
            200,
        ),
        ("correlateMessage", "POST", "/messages/correlation", NAMED, NOT_FOUND, 404),
        ("correlateMessage", "POST", "/messages/correlation", {}, Accepted(), 400),
        (
            "broadcastSignal",
            "POST",
            "/signals/broadcast",
            {"signalName": "s"},
            SignalBroadcasted(KEY, "<default>"),
            200,
        ),
        ("broadcastSignal", "POST", "/signals/broadcast", {}, Accepted(), 400),
        ("evaluateConditionals", "POST", CONDITIONALS, {"variables": {}}, CONDITIONALS_EVALUATED, 200),
        ("evaluateConditionals", "POST", CONDITIONALS, {"variables": {}}, NOT_FOUND, 404),
        ("evaluateConditionals", "POST", CONDITIONALS, {}, Accepted(), 400),
        ("evaluateDecision", "POST", DECISIONS, {"decisionDefinitionId": "d"}, EVALUATED, 200),
        ("evaluateDecision", "POST", DECISIONS, {"decisionDefinitionId": "d"}, NOT_FOUND, 404),
        ("evaluateDecision", "POST", DECISIONS, {}, Accepted(), 400),
        ("getDecisionDefinition", "GET", f"/decision-definitions/{KEY}", None, DECISION_READ, 200),
        ("getDecisionDefinition", "GET", f"/decision-definitions/{KEY}", None, NOT_FOUND, 404),
        ("getDecisionRequirements", "GET", f"/decision-requirements/{KEY}", None, GRAPH_READ, 200),
        ("getDecisionRequirements", "GET", f"/decision-requirements/{KEY}", None, NOT_FOUND, 404),
        ("evaluateExpression", "POST", "/expression/evaluation", {"expression": "=1"}, ONE, 200),
        ("evaluateExpression", "POST", "/expression/evaluation", {}, Accepted(), 400),
        ("createProcessInstance", "POST", "/process-instances", {}, Accepted(), 400),
        ("createProcessInstance", "POST", "/process-instances", CREATION, Refused(), 503),
        ("createProcessInstance", "POST", "/process-instances", CREATION, ZeroDivisionError(), 500),
        ("cancelProcessInstance", "POST", f"/process-instances/{KEY}/cancellation", None, Accepted(), 204),
        ("cancelProcessInstance", "POST", f"/process-instances/{KEY}/cancellation", None, NOT_FOUND, 404),
        ("modifyProcessInstance", "POST", MODIFICATION, {}, Accepted(), 204),
        ("modifyProcessInstance", "POST", MODIFICATION, {"moveInstructions": 1}, Accepted(), 400),
        ("modifyProcessInstance", "POST", MODIFICATION, {}, NOT_FOUND, 404),
        ("migrateProcessInstance", "POST", MIGRATION, MAPPING, Accepted(), 204),
        ("migrateProcessInstance", "POST", MIGRATION, {}, Accepted(), 400),
        ("migrateProcessInstance", "POST", MIGRATION, MAPPING, NOT_FOUND, 404),
        ("migrateProcessInstance", "POST", MIGRATION, MAPPING, NOT_NOW, 409),
        ("activateJobs", "POST", "/jobs/activation", ACTIVATION, Accepted(), 200),
        ("activateJobs", "POST", "/jobs/activation", {}, Accepted(), 400),
        ("activateJobs", "POST", "/jobs/activation", ACTIVATION, Refused(), 503),
        ("completeJob", "POST", COMPLETION, {}, Accepted(), 204),
        ("completeJob", "POST", COMPLETION, {"variables": 1}, Accepted(), 400),
        ("completeJob", "POST", COMPLETION, {}, NOT_FOUND, 404),
        ("completeJob", "POST", COMPLETION, {}, NOT_NOW, 409),
        ("failJob", "POST", f"/jobs/{KEY}/failure", {}, Accepted(), 204),
        ("throwJobError", "POST", f"/jobs/{KEY}/error", {"errorCode": "E"}, NOT_NOW, 409),
        ("updateJob", "PATCH", f"/jobs/{KEY}", {"changeset": {"retries": 1}}, Accepted(), 204),
        ("assignUserTask", "POST", f"{TASK}/assignment", {"assignee": "ann"}, Accepted(), 204),
        ("assignUserTask", "POST", f"{TASK}/assignment", {}, Accepted(), 400),
        ("assignUserTask", "POST", f"{TASK}/assignment", {"assignee": "ann"}, NOT_NOW, 409),
        ("unassignUserTask", "DELETE", f"{TASK}/assignee", None, Accepted(), 204),
        ("unassignUserTask", "DELETE", f"{TASK}/assignee", None, NOT_FOUND, 404),
        ("updateUserTask", "PATCH", TASK, {"action": "look"}, Accepted(), 204),
        ("updateUserTask", "PATCH", TASK, {}, Accepted(), 400),
        ("updateUserTask", "PATCH", TASK, {"action": "look"}, NOT_FOUND, 404),
        ("completeUserTask", "POST", f"{TASK}/completion", None, Accepted(), 204),
        ("completeUserTask", "POST", f"{TASK}/completion", {"variables": 1}, Accepted(), 400),
        ("completeUserTask", "POST", f"{TASK}/completion", {}, NOT_NOW, 409),
        ("createGlobalTaskListener", "POST", "/global-task-listeners", LISTENER, Accepted(), 201),
        ("createGlobalTaskListener", "POST", "/global-task-listeners", {}, Accepted(), 400),
        ("createGlobalTaskListener", "POST", "/global-task-listeners", LISTENER, TWICE, 409),
        ("updateGlobalTaskListener", "PUT", "/global-task-listeners/l", UPDATED, Accepted(), 200),
        ("updateGlobalTaskListener", "PUT", "/global-task-listeners/l", {}, Accepted(), 400),
        ("updateGlobalTaskListener", "PUT", "/global-task-listeners/l", UPDATED, NOT_FOUND, 404),
        ("deleteGlobalTaskListener", "DELETE", "/global-task-listeners/l", None, Accepted(), 204),
        ("deleteGlobalTaskListener", "DELETE", "/global-task-listeners/l", None, NOT_FOUND, 404),
        ("getGlobalTaskListener", "GET", "/global-task-listeners/l", None, HEARD, 200),
        ("getGlobalTaskListener", "GET", "/global-task-listeners/l", None, NOT_FOUND, 404),
        ("deleteResource", "POST", f"/resources/{KEY}/deletion", None, Accepted(), 200),
        ("deleteResource", "POST", f"/resources/{KEY}/deletion", {"other": 1}, Accepted(), 400),
        ("deleteResource", "POST", f"/resources/{KEY}/deletion", {}, NOT_FOUND, 404),
        ("getResource", "GET", f"/resources/{KEY}", None, FILE, 200),
        ("getResource", "GET", f"/resources/{KEY}", None, NOT_FOUND, 404),
        ("getResourceContent", "GET", f"/resources/{KEY}/content", None, FILE, 200),
        ("getResourceContent", "GET", f"/resources/{KEY}/content", None, NOT_FOUND, 404),
        ("getUserTaskForm", "GET", f"{TASK}/form", None, FILE, 200),
        ("getUserTaskForm", "GET", f"{TASK}/form", None, Accepted(), 204),
        ("getUserTaskForm", "GET", f"{TASK}/form", None, NOT_FOUND, 404),
        ("getStartProcessForm", "GET", f"/process-definitions/{KEY}/form", None, FILE, 200),
        ("getStartProcessForm", "GET", f"/process-definitions/{KEY}/form", None, Accepted(), 204),
        ("getStartProcessForm", "GET", f"/process-definitions/{KEY}/form", None, NOT_FOUND, 404),
        ("resolveIncident", "POST", f"/incidents/{KEY}/resolution", None, NOT_FOUND, 404),
        (
            "activateAdHocSubProcessActivities",
            "POST",
            AD_HOC,
            {"elements": [{"elementId": "a"}]},
            Accepted(),
            204,
        ),
        ("activateAdHocSubProcessActivities", "POST", AD_HOC, {}, Accepted(), 400),
        (
            "activateAdHocSubProcessActivities",
            "POST",
            AD_HOC,
            {"elements": [{"elementId": "a"}]},
            NOT_FOUND,
            404,
        ),
        (
            "createElementInstanceVariables",
            "PUT",
            f"/element-instances/{KEY}/variables",
            {"variables": {"a": 1}},
            Accepted(),
            204,
        ),
    ],
)
async def test_an_answer_has_its_shape(
    description: ApiDescription,
    client: aiohttp.ClientSession,
    partition: FakePartition,
    operation: str,
    method: str,
    path: str,
    body: Any,
    outcome: Outcome | Exception,
    status: int,
) -> None:
    partition.outcome = outcome
    partition.add_jobs(job_of(1, a=b"1", b=b'{"c":null}'), job_of(2))
    partition.add_jobs(replace(job_of(3), kind="EXECUTION_LISTENER", listener_event="END"))
    task = TaskProperties(KEY, TaskAttributes(), "complete", (), 7)
    partition.add_jobs(replace(job_of(4), kind="TASK_LISTENER", listener_event="COMPLETING", user_task=task))

    async with client.request(method, f"/v2{path}", json=body) as response:
        text = await response.text()
        answer = await response.json(content_type=None) if text else None

    assert response.status == status
    assert description.complaints(operation, status, response.content_type, answer) == []


async def test_a_deployment_has_its_shape(
    description: ApiDescription, client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = DEPLOYED
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("resources", BytesIO(b"<a/>"), filename="order.bpmn")
    async with client.post("/v2/deployments", data=form) as response:
        answer = await response.json()
    assert description.complaints("createDeployment", 200, response.content_type, answer) == []


async def test_a_node_without_leader_has_its_status(
    description: ApiDescription, client: aiohttp.ClientSession, cluster: FakeCluster
) -> None:
    cluster.has_leaders = False
    async with client.get("/v2/status") as response:
        answer = await response.json()
    assert response.status == 503
    assert description.complaints("getStatus", 503, response.content_type, answer) == []


def test_the_check_sees_what_is_missing(description: ApiDescription) -> None:
    complaints = description.complaints("getLicense", 200, "application/json", {"validLicense": "yes"})
    assert set(complaints) == {
        "$ lacks licenseType",
        "$ lacks isCommercial",
        "$ lacks expiresAt",
        "$.validLicense is 'yes', not boolean",
    }
