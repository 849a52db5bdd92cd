"""A node on which there is something of everything, and a client that needs it to work."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from tests.bpmn.dmn.decisions import decision, dmn
from tests.bpmn.people import formed, user_task
from tests.bpmn.playground import END, START, path, process, task
from tests.end_to_end.api_requests import BOUNDARY, form_of
from tests.end_to_end.everything import CALLED, CASES, DECIDED
from tests.nodes import RunningNode

_SECONDS_MAX: Final = 20
_FORM: Final = b'{"id":"form","components":[]}'
_LINKED: Final = '<zeebe:formDefinition formId="form"/>'
_TASKS: Final = process(
    f'<startEvent id="start"><extensionElements>{_LINKED}</extensionElements></startEvent>'
    + user_task("see", formed(formId="form"))
    + END
    + path("start", "see", "end"),
    process_id="tasks",
)
_ORDER: Final = process(
    START + task("work", "ordinary") + END + path("start", "work", "end"), process_id="ordinary"
)
_CASES: Final = {f"everything_{n}": CASES[name] for n, name in enumerate(sorted(CASES))}
FILES: Final = {
    "called.bpmn": CALLED,
    "decided.dmn": DECIDED,
    "table.dmn": dmn(decision("decided", "key"), id="graph"),
    "tasks.bpmn": _TASKS,
    "failing.bpmn": process(START + task("work") + END + path("start", "work", "end"), process_id="failing"),
    "ordinary.bpmn": _ORDER,
    "form.form": _FORM,
    "note.txt": b"a note",
    **{f"{process_id}.bpmn": case.content(process_id) for process_id, case in _CASES.items()},
}
WAITING: Final = ["tasks", "failing", *(name for name, case in _CASES.items() if case.body.startswith(START))]
"""The processes of which an instance can be created, and then waits, in most of them."""


def post(node: RunningNode, path: str, body: Any) -> Any:
    """The answer to a request that is in order."""
    return _sent(node, path, json.dumps(body).encode(), "application/json")


def deploy(node: RunningNode, files: Mapping[str, bytes]) -> Any:
    return _sent(node, "/deployments", form_of(files), f"multipart/form-data; boundary={BOUNDARY}")


def populate(node: RunningNode) -> Any:
    """Instances that wait at many elements, jobs that are lent, user tasks, incidents, decisions, messages.
    What was deployed."""
    deployed = deploy(node, FILES)
    post(node, "/global-task-listeners", {"id": "listener", "type": "hears", "eventTypes": ["canceling"]})
    for process_id in (*WAITING, "failing", "failing"):
        post(node, "/process-instances", {"processDefinitionId": process_id, "variables": {"key": "k"}})
    body = {"type": "work", "timeout": 3_600_000, "maxJobsToActivate": 2, "requestTimeout": 10_000}
    failing, *_ = post(node, "/jobs/activation", body)["jobs"]
    failure = {"retries": 0, "errorMessage": "broken"}
    post(node, f"/jobs/{failing['jobKey']}/failure", failure)
    post(
        node, "/decision-definitions/evaluation", {"decisionDefinitionId": "decided", "variables": {"key": 1}}
    )
    post(node, "/messages/publication", {"name": "go", "correlationKey": "k", "timeToLive": 3_600_000})
    return deployed


def works(node: RunningNode) -> None:
    """An ordinary instance, from deployment to its end."""
    deploy(node, {"ordinary.bpmn": _ORDER})
    key = post(node, "/process-instances", {"processDefinitionId": "ordinary"})["processInstanceKey"]
    body = {"type": "ordinary", "timeout": 60_000, "maxJobsToActivate": 100, "requestTimeout": 10_000}
    jobs = post(node, "/jobs/activation", body)["jobs"]
    assert key in {job["processInstanceKey"] for job in jobs}
    for job in jobs:
        post(node, f"/jobs/{job['jobKey']}/completion", {})


def _sent(node: RunningNode, path: str, body: bytes, content_type: str) -> Any:
    request = urllib.request.Request(
        f"{node.address}/v2{path}", body, {"Content-Type": content_type}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=_SECONDS_MAX) as answer:
        text = answer.read()
    return json.loads(text) if text else None
