"""User tasks through the official client against a real node: people, listeners, forms, and a SIGKILL while
a change waits."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from camunda_orchestration_sdk import (
    CamundaAsyncClient,
    Changeset,
    CreateGlobalTaskListenerRequest,
    DeleteResourceRequest,
    JobActivationRequest,
    JobCompletionRequest,
    JobResultCorrections,
    JobResultUserTask,
    ProcessCreationById,
    ProcessDefinitionId,
    UpdateGlobalTaskListenerRequest,
    UserTaskAssignmentRequest,
    UserTaskCompletionRequest,
    UserTaskUpdateRequest,
)
from camunda_orchestration_sdk.errors import ConflictError, NotFoundError, UnexpectedStatus
from camunda_orchestration_sdk.models import (
    ActivatedJobResult,
    ActivatedJobResultUserTask,
    GlobalTaskListenerSearchQueryRequest,
    UserTaskCompletionRequestVariables,
)
from camunda_orchestration_sdk.semantic_types import UserTaskKey

from bpmnd.bpmn.events import (
    ElementCompleted,
    UserTaskAssigned,
    UserTaskCompleted,
    UserTaskCreated,
    UserTaskUpdated,
)
from tests.bpmn.people import assigned, formed, heard, user_task
from tests.bpmn.playground import END, START, path, process
from tests.end_to_end.load import events_of
from tests.nodes import RunningNode

pytestmark = pytest.mark.end_to_end

FORM = b'{"id":"approval","components":[]}'
MODEL = process(
    '<extensionElements><zeebe:executionListeners><zeebe:executionListener eventType="end" type="closes"/>'
    "</zeebe:executionListeners></extensionElements>"
    + START
    + user_task(
        "approve",
        assigned(candidateGroups="bosses"),
        formed(formId="approval"),
        heard(("completing", "check")),
    )
    + END
    + path("start", "approve", "end"),
    process_id="people",
)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    with RunningNode(tmp_path_factory.mktemp("people") / "data", "--partitions", "2") as node:
        yield node


async def deploy(sdk: CamundaAsyncClient, directory: Path, **contents: bytes) -> Any:
    files: list[str | Path] = []
    for name, content in contents.items():
        file = directory / name.replace("_", ".")
        file.write_bytes(content)
        files.append(file)
    return await sdk.deploy_resources_from_files(files)


async def start(
    sdk: CamundaAsyncClient, node: RunningNode, process_id: str = "people"
) -> tuple[int, UserTaskKey]:
    """An instance, and the key of its user task."""
    known = {event.key for event in events_of(node.directory) if isinstance(event, UserTaskCreated)}
    creation = ProcessCreationById(process_definition_id=ProcessDefinitionId(process_id))
    instance = int((await sdk.create_process_instance(data=creation)).process_instance_key)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for event in events_of(node.directory):
            if isinstance(event, UserTaskCreated) and event.key not in known:
                return instance, UserTaskKey(str(event.key))
        await asyncio.sleep(0.05)
    raise AssertionError("no user task was created")


async def activate(sdk: CamundaAsyncClient, job_type: str) -> ActivatedJobResult:
    request = JobActivationRequest(
        type_=job_type, timeout=60_000, max_jobs_to_activate=1, request_timeout=10_000, worker="w"
    )
    (job,) = (await sdk.activate_jobs(data=request)).jobs
    return job


def completed(result: JobResultUserTask) -> JobCompletionRequest:
    result.type_ = "userTask"
    return JobCompletionRequest(result=result)


async def test_a_task_is_claimed_updated_denied_corrected_and_completed(
    node: RunningNode, tmp_path: Path
) -> None:
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address}) as sdk:
        deployment = await deploy(sdk, tmp_path, people_bpmn=MODEL, approval_form=FORM)
        assert [form.form_id for form in deployment.forms] == ["approval"]
        instance, task = await start(sdk, node)
        assert (await sdk.get_user_task_form(task)).schema == FORM.decode()

        claim = UserTaskAssignmentRequest(assignee="ann", allow_override=False)
        await sdk.assign_user_task(task, data=claim)
        with pytest.raises(ConflictError):
            await sdk.assign_user_task(
                task, data=UserTaskAssignmentRequest(assignee="bob", allow_override=False)
            )
        await sdk.update_user_task(task, data=UserTaskUpdateRequest(changeset=Changeset(priority=80)))

        variables = UserTaskCompletionRequestVariables.from_dict({"approved": True})
        request = UserTaskCompletionRequest(variables=variables, action="approve")
        completion = asyncio.create_task(sdk.complete_user_task(task, data=request))
        job = await activate(sdk, "check")
        assert (job.kind, job.listener_event_type) == ("TASK_LISTENER", "COMPLETING")
        assert isinstance(job.user_task, ActivatedJobResultUserTask)
        assert (job.user_task.assignee, job.user_task.action) == ("ann", "approve")
        assert job.user_task.priority == 80
        denial = completed(JobResultUserTask(denied=True, denied_reason="not yet"))
        await sdk.complete_job(job.job_key, data=denial)
        with pytest.raises(ConflictError, match="not yet"):
            await completion

        completion = asyncio.create_task(sdk.complete_user_task(task, data=request))
        job = await activate(sdk, "check")
        corrections = JobResultCorrections(candidate_groups=["audit"])
        await sdk.complete_job(job.job_key, data=completed(JobResultUserTask(corrections=corrections)))
        await completion
        job = await activate(sdk, "closes")
        assert job.variables.to_dict() == {"approved": True}
        await sdk.complete_job(job.job_key)

        with pytest.raises(NotFoundError):
            await sdk.unassign_user_task(task)
    happened = list(events_of(node.directory))
    (done,) = [event for event in happened if isinstance(event, UserTaskCompleted) and event.key == int(task)]
    assert (done.attributes.assignee, done.attributes.candidate_groups) == ("ann", ("audit",))
    (updated,) = [event for event in happened if isinstance(event, UserTaskUpdated)]
    assert updated.changed == ("priority",)
    assert any(isinstance(event, ElementCompleted) and event.key == instance for event in happened)


async def test_a_change_that_waits_survives_a_kill(node: RunningNode, tmp_path: Path) -> None:
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address}) as sdk:
        await deploy(sdk, tmp_path, people_bpmn=MODEL, approval_form=FORM)
        _, task = await start(sdk, node)
        completion = asyncio.create_task(sdk.complete_user_task(task))
        job = await activate(sdk, "check")
        await asyncio.to_thread(node.kill)
        with pytest.raises(httpx.TransportError):
            await completion
        await asyncio.to_thread(node.restart)

        with pytest.raises(ConflictError, match="COMPLETING"):
            await sdk.complete_user_task(task)
        await sdk.complete_job(job.job_key)
        await sdk.complete_job((await activate(sdk, "closes")).job_key)
        with pytest.raises(NotFoundError):
            await sdk.complete_user_task(task)


async def test_what_is_deleted_is_not_used_any_more(node: RunningNode, tmp_path: Path) -> None:
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address}) as sdk:
        model = MODEL.replace(b'"people"', b'"gone"')
        deployment = await deploy(sdk, tmp_path, gone_bpmn=model, approval_form=FORM, notes_txt=b"remember")
        (kept,) = [entry.resource for entry in deployment.deployments if entry.resource]
        resource = await sdk.get_resource(kept.resource_key)
        assert (resource.resource_id, resource.resource_name) == ("notes.txt", "notes.txt")
        _, task = await start(sdk, node, "gone")

        for key in (
            deployment.processes[0].process_definition_key,
            deployment.forms[0].form_key,
            kept.resource_key,
        ):
            deleted = await sdk.delete_resource(key, data=DeleteResourceRequest())
            assert deleted.resource_key == key

        creation = ProcessCreationById(process_definition_id=ProcessDefinitionId("gone"))
        for _ in range(2):  # On each partition.
            with pytest.raises(UnexpectedStatus, match="404"):
                await sdk.create_process_instance(data=creation)
        with pytest.raises(NotFoundError):
            await sdk.get_resource(kept.resource_key)
        assert (await sdk.get_user_task_form(task)).form_id == "approval"
        completion = asyncio.create_task(sdk.complete_user_task(task))
        await sdk.complete_job((await activate(sdk, "check")).job_key)
        await completion


async def test_a_global_listener_hears_of_assignments_also_changed_until_it_is_deleted(
    node: RunningNode, tmp_path: Path
) -> None:
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address}) as sdk:
        model = MODEL.replace(b'"people"', b'"heard"')
        await deploy(sdk, tmp_path, heard_bpmn=model, approval_form=FORM)
        listener = CreateGlobalTaskListenerRequest.from_dict(
            {"id": "watch", "type": "watches", "eventTypes": ["assigning"]}
        )
        created = await sdk.create_global_task_listener(data=listener)
        assert (created.id, created.priority, created.source) == ("watch", 50, "API")
        with pytest.raises(ConflictError):
            await sdk.create_global_task_listener(data=listener)
        search = GlobalTaskListenerSearchQueryRequest.from_dict({"filter": {"eventTypes": ["assigning"]}})
        found = await sdk.search_global_task_listeners(data=search)
        assert [item.id for item in found.items] == ["watch"]
        _, task = await start(sdk, node, "heard")

        assignment = UserTaskAssignmentRequest(assignee="ann")
        assigning = asyncio.create_task(sdk.assign_user_task(task, data=assignment))
        job = await activate(sdk, "watches")
        assert job.listener_event_type == "ASSIGNING"
        await sdk.complete_job(job.job_key)
        await assigning

        elsewhere = UpdateGlobalTaskListenerRequest.from_dict({"type": "looks", "eventTypes": ["assigning"]})
        await sdk.update_global_task_listener("watch", data=elsewhere)
        unassigning = asyncio.create_task(sdk.unassign_user_task(task))
        await sdk.complete_job((await activate(sdk, "looks")).job_key)
        await unassigning

        await sdk.delete_global_task_listener("watch")
        await sdk.assign_user_task(task, data=UserTaskAssignmentRequest(assignee="bob"))
    changes = [
        (event.before.assignee, event.attributes.assignee)
        for event in events_of(node.directory)
        if isinstance(event, UserTaskAssigned) and event.key == int(task)
    ]
    assert changes == [("", "ann"), ("ann", ""), ("", "bob")]
