"""The official Python client, unmodified, against a real node: the whole path of a job worker."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from camunda_orchestration_sdk import (
    CamundaAsyncClient,
    JobActivationRequest,
    JobChangeset,
    JobCompletionRequest,
    JobErrorRequest,
    JobFailRequest,
    JobUpdateRequest,
    MessageCorrelationRequest,
    MessagePublicationRequest,
    ProcessCreationById,
    ProcessDefinitionId,
    SignalBroadcastRequest,
)
from camunda_orchestration_sdk.errors import ConflictError, NotFoundError, UnexpectedStatus
from camunda_orchestration_sdk.models import (
    ActivatedJobResult,
    JobCompletionRequestVariables,
    MessagePublicationRequestVariables,
    ProcessInstanceCreationInstructionByIdVariables,
)
from camunda_orchestration_sdk.semantic_types import IncidentKey

from bpmnd.bpmn.events import IncidentCreated
from tests.bpmn.events import boundary, catch, event, message, on_message, on_signal, signal
from tests.bpmn.playground import END, START, flow, path, process, task
from tests.end_to_end.load import events_of
from tests.nodes import RunningNode

pytestmark = pytest.mark.end_to_end

MODEL = process(
    START
    + task("pay")
    + '<boundaryEvent id="declined" attachedToRef="pay"><errorEventDefinition errorRef="e"/></boundaryEvent>'
    + task("tell")
    + END
    + path("start", "pay", "end")
    + path("declined", "tell"),
    process_id="sdk",
    definitions='<error id="e" errorCode="DECLINED"/>',
)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    with RunningNode(tmp_path_factory.mktemp("sdk") / "data") as node:
        yield node


@pytest.fixture
async def sdk(node: RunningNode, tmp_path: Path) -> AsyncIterator[CamundaAsyncClient]:
    async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address}) as client:
        file = tmp_path / "sdk.bpmn"
        file.write_bytes(MODEL)
        deployment = await client.deploy_resources_from_files([file])
        assert [process.process_definition_id for process in deployment.processes] == ["sdk"]
        yield client


def creation(**variables: object) -> ProcessCreationById:
    return ProcessCreationById(
        process_definition_id=ProcessDefinitionId("sdk"),
        variables=ProcessInstanceCreationInstructionByIdVariables.from_dict(variables),
    )


async def activate(sdk: CamundaAsyncClient, job_type: str) -> ActivatedJobResult:
    request = JobActivationRequest(
        type_=job_type, timeout=60_000, max_jobs_to_activate=1, request_timeout=5000
    )
    (job,) = (await sdk.activate_jobs(data=request)).jobs
    return job


def incident_of(node: RunningNode, job_key: int) -> IncidentCreated:
    """Out of the log: the API's search comes with the history."""
    for _ in range(100):  # The log is read up to its mark, which may be one write behind.
        for happened in events_of(node.directory):
            if isinstance(happened, IncidentCreated) and happened.job_key == job_key:
                return happened
    raise AssertionError(f"no incident of job {job_key}")


async def test_it_creates_works_and_awaits_the_result(sdk: CamundaAsyncClient) -> None:
    instance = await sdk.create_process_instance(data=creation(amount=12.5))
    job = await activate(sdk, "pay")
    assert job.process_instance_key == instance.process_instance_key
    assert job.variables.to_dict() == {"amount": 12.5}

    variables = JobCompletionRequestVariables.from_dict({"paid": True})
    await sdk.complete_job(job.job_key, data=JobCompletionRequest(variables=variables))

    with pytest.raises(NotFoundError):
        await sdk.complete_job(job.job_key)


async def test_it_fails_a_job_and_gets_it_again(sdk: CamundaAsyncClient) -> None:
    await sdk.create_process_instance(data=creation())
    job = await activate(sdk, "pay")

    await sdk.fail_job(job.job_key, data=JobFailRequest(retries=2, error_message="not now"))

    again = await activate(sdk, "pay")
    assert (again.job_key, again.retries) == (job.job_key, 2)
    await sdk.complete_job(again.job_key)


async def test_it_throws_an_error_that_the_model_catches(sdk: CamundaAsyncClient) -> None:
    await sdk.create_process_instance(data=creation())
    job = await activate(sdk, "pay")

    await sdk.throw_job_error(job.job_key, data=JobErrorRequest(error_code="DECLINED"))

    told = await activate(sdk, "tell")
    assert told.process_instance_key == job.process_instance_key
    await sdk.complete_job(told.job_key)


async def test_it_resolves_an_incident_after_new_retries(sdk: CamundaAsyncClient, node: RunningNode) -> None:
    await sdk.create_process_instance(data=creation())
    job = await activate(sdk, "pay")
    await sdk.fail_job(job.job_key, data=JobFailRequest(retries=0, error_message="broken"))
    incident = incident_of(node, int(job.job_key))
    assert incident.message == "broken"
    key = IncidentKey(str(incident.key))

    with pytest.raises(ConflictError):
        await sdk.resolve_incident(key)
    await sdk.update_job(job.job_key, data=JobUpdateRequest(changeset=JobChangeset(retries=1)))
    await sdk.resolve_incident(key)

    again = await activate(sdk, "pay")
    assert again.job_key == job.job_key
    await sdk.complete_job(again.job_key)


async def test_it_cancels_an_instance(sdk: CamundaAsyncClient) -> None:
    instance = await sdk.create_process_instance(data=creation())
    await sdk.cancel_process_instance(instance.process_instance_key, data=None)
    with pytest.raises(NotFoundError):
        await sdk.cancel_process_instance(instance.process_instance_key, data=None)


MESSAGES = process(
    START
    + event("startEvent", "ordered", on_message("m1"))
    + catch("paid", on_message("m2"))
    + task("ship")
    + boundary("stopped", "ship", on_signal("s"))
    + task("return")
    + path("start", "paid", "ship")
    + flow("ordered", "paid")
    + flow("stopped", "return"),
    process_id="messages",
    definitions=message("m1", "ordered") + message("m2", "paid", "=order") + signal("s", "stop"),
)


async def test_messages_and_signals_move_an_instance(sdk: CamundaAsyncClient, tmp_path: Path) -> None:
    file = tmp_path / "messages.bpmn"
    file.write_bytes(MESSAGES)
    await sdk.deploy_resources_from_files([file])

    variables = MessagePublicationRequestVariables.from_dict({"order": "7"})
    started = MessagePublicationRequest(name="ordered", correlation_key="7", variables=variables)
    await sdk.publish_message(data=started)
    paid = MessagePublicationRequest(name="paid", correlation_key="7", time_to_live=60_000, message_id="p")
    await sdk.publish_message(data=paid)
    with pytest.raises(UnexpectedStatus, match="ALREADY_EXISTS"):
        await sdk.publish_message(data=paid)  # The client does not expect the 409 that Zeebe answers, too.
    job = await activate(sdk, "ship")
    await sdk.broadcast_signal(data=SignalBroadcastRequest(signal_name="stop"))
    returned = await activate(sdk, "return")
    assert returned.process_instance_key == job.process_instance_key
    with pytest.raises(NotFoundError):
        await sdk.complete_job(job.job_key)
    await sdk.complete_job(returned.job_key)


async def test_a_correlation_tells_which_instance_took_the_message(
    sdk: CamundaAsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "messages.bpmn"
    file.write_bytes(MESSAGES)
    await sdk.deploy_resources_from_files([file])
    order = ProcessInstanceCreationInstructionByIdVariables.from_dict({"order": "8"})
    created = await sdk.create_process_instance(
        data=ProcessCreationById(process_definition_id=ProcessDefinitionId("messages"), variables=order)
    )

    request = MessageCorrelationRequest(name="paid", correlation_key="8")
    correlated = await sdk.correlate_message(data=request)

    assert correlated.process_instance_key == created.process_instance_key
    with pytest.raises(NotFoundError):
        await sdk.correlate_message(data=request)


async def test_messages_find_their_way_over_partitions(tmp_path: Path) -> None:
    file = tmp_path / "messages.bpmn"
    file.write_bytes(MESSAGES)
    with RunningNode(tmp_path / "data", "--partitions", "3") as node:
        async with CamundaAsyncClient({"CAMUNDA_REST_ADDRESS": node.address}) as sdk:
            await sdk.deploy_resources_from_files([file])
            for number in range(12):
                order = ProcessInstanceCreationInstructionByIdVariables.from_dict({"order": number})
                name = ProcessDefinitionId("messages")
                await sdk.create_process_instance(
                    data=ProcessCreationById(process_definition_id=name, variables=order)
                )
            for number in range(12):
                paid = MessagePublicationRequest(
                    name="paid", correlation_key=str(number), time_to_live=60_000
                )
                await sdk.publish_message(data=paid)
            shipped = [await activate(sdk, "ship") for _ in range(12)]
            assert sorted(job.variables.to_dict()["order"] for job in shipped) == list(range(12))
            node.kill()
            node.restart()
            await sdk.broadcast_signal(data=SignalBroadcastRequest(signal_name="stop"))
            for _ in range(12):
                await sdk.complete_job((await activate(sdk, "return")).job_key)
