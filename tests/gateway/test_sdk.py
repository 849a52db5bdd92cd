"""The unmodified official client understands every answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from camunda_orchestration_sdk import (
    CamundaAsyncClient,
    JobActivationRequest,
    JobChangeset,
    JobCompletionRequest,
    JobErrorRequest,
    JobFailRequest,
    JobKey,
    JobUpdateRequest,
    ProcessCreationById,
    ProcessDefinitionId,
    SetVariableRequest,
)
from camunda_orchestration_sdk.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    ServiceUnavailableError,
)
from camunda_orchestration_sdk.models import JobCompletionRequestVariables, SetVariableRequestVariables
from camunda_orchestration_sdk.semantic_types import ElementInstanceKey, IncidentKey, ProcessInstanceKey

from bpmnd.actors.errors import Refused
from bpmnd.bpmn.commands import CompleteJob, FailJob, SetVariables, ThrowJobError, UpdateJob
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import (
    DeployedProcess,
    DeploymentCreated,
    ProcessInstanceCreated,
    Rejected,
    RejectionType,
)
from tests.gateway.fakes import FakePartition, job_of

NUMBER = first_key(1) + 5
JOB = JobKey(str(NUMBER))


@pytest.fixture
async def sdk(port: int) -> AsyncIterator[CamundaAsyncClient]:
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": f"http://127.0.0.1:{port}"}) as client:
        yield client


async def test_it_reads_what_the_node_is(sdk: CamundaAsyncClient) -> None:
    assert (await sdk.get_topology()).partitions_count == 1
    assert (await sdk.get_license()).license_type == "unknown"
    assert (await sdk.get_authentication()).username == "anonymous"
    await sdk.get_status()


async def test_it_deploys_files(sdk: CamundaAsyncClient, partition: FakePartition, tmp_path: Path) -> None:
    partition.outcome = DeploymentCreated(7, "<default>", (DeployedProcess(8, "order", 1, "order.bpmn"),))
    path = tmp_path / "order.bpmn"
    path.write_bytes(b"<a/>")

    deployment = await sdk.deploy_resources_from_files([path])

    assert [process.process_definition_key for process in deployment.processes] == ["8"]


async def test_it_creates_and_cancels_an_instance(sdk: CamundaAsyncClient, partition: FakePartition) -> None:
    partition.outcome = ProcessInstanceCreated(NUMBER, 8, "order", 1, "<default>", (), None, {})
    creation = ProcessCreationById(process_definition_id=ProcessDefinitionId("order"))
    instance = await sdk.create_process_instance(data=creation)
    assert instance.process_instance_key == str(NUMBER)

    partition.outcome = Rejected(RejectionType.NOT_FOUND, "it has ended")
    with pytest.raises(NotFoundError, match="it has ended"):
        # Without `data` this release of the client fails by itself: it tries to send its own "unset".
        await sdk.cancel_process_instance(ProcessInstanceKey(str(NUMBER)), data=None)


async def test_it_activates_jobs(sdk: CamundaAsyncClient, partition: FakePartition) -> None:
    partition.add_jobs(job_of(5, total=b"274.5"))
    asked = JobActivationRequest(type_="work", timeout=1000, max_jobs_to_activate=5, request_timeout=-1)

    (job,) = (await sdk.activate_jobs(data=asked)).jobs

    assert job.job_key == JOB
    assert job.variables.to_dict() == {"total": 274.5}
    assert job.custom_headers.to_dict() == {"colour": "red"}


async def test_it_completes_fails_and_changes_jobs(sdk: CamundaAsyncClient, partition: FakePartition) -> None:
    variables = JobCompletionRequestVariables.from_dict({"a": 1})
    await sdk.complete_job(JOB, data=JobCompletionRequest(variables=variables))
    await sdk.complete_job(JOB)
    await sdk.fail_job(JOB, data=JobFailRequest(retries=2, error_message="no", retry_back_off=5))
    await sdk.throw_job_error(JOB, data=JobErrorRequest(error_code="E"))
    await sdk.update_job(JOB, data=JobUpdateRequest(changeset=JobChangeset(retries=4)))
    await sdk.create_element_instance_variables(
        ElementInstanceKey(str(NUMBER)),
        data=SetVariableRequest(variables=SetVariableRequestVariables.from_dict({"b": 2}), local=True),
    )

    assert partition.commands == [
        CompleteJob(NUMBER, {"a": b"1"}),
        CompleteJob(NUMBER),
        FailJob(NUMBER, 2, 5, "no"),
        ThrowJobError(NUMBER, "E"),
        UpdateJob(NUMBER, retries=4),
        SetVariables(NUMBER, {"b": b"2"}, local=True),
    ]


async def test_it_tells_problems_apart(sdk: CamundaAsyncClient, partition: FakePartition) -> None:
    partition.outcome = Rejected(RejectionType.INVALID_STATE, "not activated")
    with pytest.raises(ConflictError, match="not activated"):
        await sdk.complete_job(JOB)

    partition.outcome = Rejected(RejectionType.INVALID_ARGUMENT, "not so")
    with pytest.raises(BadRequestError, match="not so"):
        await sdk.resolve_incident(IncidentKey(str(NUMBER)))

    partition.outcome = Refused("busy")
    with pytest.raises(ServiceUnavailableError, match="RESOURCE_EXHAUSTED"):
        await asyncio.wait_for(sdk.resolve_incident(IncidentKey(str(NUMBER))), 10)
