"""Every read of the API is answered by a real node, in the shape that the API describes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import aiohttp
import pytest

from tests.bpmn.dmn.decisions import decision, dmn
from tests.bpmn.events import catch, message, on_message
from tests.bpmn.people import formed, user_task
from tests.bpmn.playground import END, START, path, process, task
from tests.gateway.schemas import API_FILE, ApiDescription
from tests.nodes import Place, RunningNode

pytestmark = pytest.mark.end_to_end

_FORM: Final = b'{"id":"form","components":[]}'
_LINKED: Final = '<zeebe:formDefinition formId="form"/>'
_CALL: Final = (
    '<callActivity id="call"><extensionElements><zeebe:calledElement processId="called"/>'
    "</extensionElements></callActivity>"
)
_DECIDE: Final = (
    '<businessRuleTask id="decide"><extensionElements><zeebe:calledDecision decisionId="decided"'
    ' resultVariable="result"/></extensionElements></businessRuleTask>'
)
_FILES: Final = {
    "main.bpmn": process(
        f'<startEvent id="start"><extensionElements>{_LINKED}</extensionElements></startEvent>'
        + _CALL
        + _DECIDE
        + catch("wait", on_message("message"))
        + user_task("see", formed(formId="form"))
        + END
        + path("start", "call", "decide", "wait", "see", "end"),
        process_id="main",
        definitions=message("message", "go", "=key"),
    ),
    "called.bpmn": process(START + END + path("start", "end"), process_id="called"),
    "failing.bpmn": process(START + task("work") + END + path("start", "work", "end"), process_id="failing"),
    "decided.dmn": dmn(decision("decided", "key"), id="graph"),
    "form.form": _FORM,
    "note.txt": b"a note",
}

_READS: Final = (
    "getTopology GET /topology",
    "getAuthentication GET /authentication/me",
    "getLicense GET /license",
    "getResource GET /resources/{resource}",
    "getResourceContent GET /resources/{resource}/content",
    "searchProcessInstances POST /process-instances/search",
    "getProcessInstance GET /process-instances/{instance}",
    "getProcessInstanceCallHierarchy GET /process-instances/{instance}/call-hierarchy",
    "getProcessInstanceSequenceFlows GET /process-instances/{instance}/sequence-flows",
    "getProcessInstanceStatistics GET /process-instances/{instance}/statistics/element-instances",
    "searchProcessInstanceIncidents POST /process-instances/{failing}/incidents/search",
    "searchIncidents POST /incidents/search",
    "getIncident GET /incidents/{incident}",
    "getProcessInstanceStatisticsByError POST /incidents/statistics/process-instances-by-error",
    "getProcessInstanceStatisticsByDefinition POST /incidents/statistics/process-instances-by-definition",
    "searchElementInstances POST /element-instances/search",
    "getElementInstance GET /element-instances/{element}",
    "searchElementInstanceIncidents POST /element-instances/{element}/incidents/search",
    "searchJobs POST /jobs/search",
    "searchVariables POST /variables/search",
    "getVariable GET /variables/{variable}",
    "searchProcessDefinitions POST /process-definitions/search",
    "getProcessDefinition GET /process-definitions/{definition}",
    "getProcessDefinitionXML GET /process-definitions/{definition}/xml",
    "getStartProcessForm GET /process-definitions/{definition}/form",
    "getProcessDefinitionStatistics POST /process-definitions/{definition}/statistics/element-instances",
    "getProcessDefinitionInstanceStatistics POST /process-definitions/statistics/process-instances",
    "getProcessDefinitionInstanceVersionStatistics"
    " POST /process-definitions/statistics/process-instances-by-version",
    "getProcessDefinitionMessageSubscriptionStatistics"
    " POST /process-definitions/statistics/message-subscriptions",
    "searchMessageSubscriptions POST /message-subscriptions/search",
    "searchCorrelatedMessageSubscriptions POST /correlated-message-subscriptions/search",
    "searchUserTasks POST /user-tasks/search",
    "getUserTask GET /user-tasks/{task}",
    "getUserTaskForm GET /user-tasks/{task}/form",
    "searchUserTaskVariables POST /user-tasks/{task}/variables/search",
    "searchUserTaskEffectiveVariables POST /user-tasks/{task}/effective-variables/search",
    "searchUserTaskAuditLogs POST /user-tasks/{task}/audit-logs/search",
    "getGlobalTaskListener GET /global-task-listeners/listener",
    "searchGlobalTaskListeners POST /global-task-listeners/search",
    "searchDecisionDefinitions POST /decision-definitions/search",
    "getDecisionDefinition GET /decision-definitions/{decision}",
    "getDecisionDefinitionXML GET /decision-definitions/{decision}/xml",
    "searchDecisionInstances POST /decision-instances/search",
    "getDecisionInstance GET /decision-instances/{evaluation}",
    "searchDecisionRequirements POST /decision-requirements/search",
    "getDecisionRequirements GET /decision-requirements/{requirements}",
    "getDecisionRequirementsXML GET /decision-requirements/{requirements}/xml",
    "searchAuditLogs POST /audit-logs/search",
    "getAuditLog GET /audit-logs/{audit}",
)
_BODIES: Final[dict[str, Any]] = {
    "getProcessInstanceStatisticsByDefinition": {"filter": {"errorHashCode": -1}},
    "getProcessDefinitionInstanceVersionStatistics": {"filter": {"processDefinitionId": "main"}},
}
_UNDESCRIBED: Final = ("text/xml", "text/plain", "application/octet-stream")
"""What is as it was deployed, and has no shape."""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    directory = tmp_path_factory.mktemp("reads") / "data"
    place = Place(environment={"BPMND_HISTORY__ENABLED": "true"})
    with RunningNode(directory, "--partitions", "2", place=place) as running:
        yield running


@pytest.fixture
async def session(node: RunningNode) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(node.address) as session:
        yield session


async def post(session: aiohttp.ClientSession, path: str, body: Any, *, status: int = 200) -> Any:
    async with session.post(f"/v2{path}", json=body) as response:
        assert response.status == status, await response.text()
        return await response.json() if status != 204 else None


async def first(session: aiohttp.ClientSession, path: str, **filter: Any) -> Any:
    """What is found, as soon as something is."""
    async with asyncio.timeout(20):
        while True:
            items = (await post(session, f"{path}/search", {"filter": filter}))["items"]
            if items:
                return items[0]
            await asyncio.sleep(0.02)


async def prepare(session: aiohttp.ClientSession) -> dict[str, str]:
    """Let something of everything happen; the keys of it."""
    form = aiohttp.FormData()
    for name, content in _FILES.items():
        form.add_field("resources", content, filename=name)
    async with session.post("/v2/deployments", data=form) as response:
        assert response.status == 200, await response.text()
        deployed = (await response.json())["deployments"]
    (resource,) = [one["resource"]["resourceKey"] for one in deployed if one["resource"]]
    listener = {"id": "listener", "type": "hears", "eventTypes": ["assigning"]}
    await post(session, "/global-task-listeners", listener, status=201)
    failing = await post(session, "/process-instances", {"processDefinitionId": "failing"})
    body = {"type": "work", "timeout": 60_000, "maxJobsToActivate": 1, "requestTimeout": 10_000}
    (job,) = (await post(session, "/jobs/activation", body))["jobs"]
    failure = {"retries": 0, "errorMessage": "broken"}
    await post(session, f"/jobs/{job['jobKey']}/failure", failure, status=204)
    creation = {"processDefinitionId": "main", "variables": {"key": "k"}}
    main = await post(session, "/process-instances", creation)
    published = {"name": "go", "correlationKey": "k", "timeToLive": 60_000}
    await post(session, "/messages/publication", published)
    instance = main["processInstanceKey"]
    task_key = (await first(session, "/user-tasks", processInstanceKey=instance))["userTaskKey"]
    decided = await first(session, "/decision-instances", processInstanceKey=instance)
    of_main = await first(session, "/decision-definitions", decisionDefinitionId="decided")
    return {
        "resource": resource,
        "instance": instance,
        "failing": failing["processInstanceKey"],
        "definition": main["processDefinitionKey"],
        "element": job["elementInstanceKey"],
        "incident": (await first(session, "/incidents"))["incidentKey"],
        "variable": (await first(session, "/variables", processInstanceKey=instance))["variableKey"],
        "task": task_key,
        "decision": of_main["decisionDefinitionKey"],
        "requirements": of_main["decisionRequirementsKey"],
        "evaluation": decided["decisionEvaluationInstanceKey"],
        "audit": (await first(session, "/audit-logs"))["auditLogKey"],
    }


async def test_every_read_is_answered(session: aiohttp.ClientSession) -> None:
    keys = await prepare(session)
    description = ApiDescription(API_FILE) if API_FILE.exists() else None
    for read in _READS:
        operation, method, path_ = read.split()
        body = _BODIES.get(operation, {}) if method == "POST" else None
        async with session.request(method, f"/v2{path_.format(**keys)}", json=body) as response:
            assert response.status == 200, (read, await response.text())
            kind = response.content_type
            if description is not None and kind not in _UNDESCRIBED:
                assert description.complaints(operation, 200, kind, await response.json()) == [], read
