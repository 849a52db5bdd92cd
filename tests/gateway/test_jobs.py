import asyncio
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from bpmnd.actors.errors import Refused, Unavailable
from bpmnd.bpmn.commands import (
    ActivateJobs,
    AdHocResult,
    ClientCommand,
    CompleteJob,
    FailJob,
    Origin,
    TaskResult,
    ThrowJobError,
    UpdateJob,
)
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import Rejected, RejectionType, TaskProperties
from bpmnd.bpmn.user_tasks import TaskAttributes, TaskChanges
from tests.gateway.fakes import FakePartition, job_of
from tests.gateway.wire import RawConnection, eventually

KEY = first_key(1) + 5
JOB = f"/v2/jobs/{KEY}"
ACTIVATION = "/v2/jobs/activation"


def asking(**changes: Any) -> dict[str, Any]:
    return {"type": "work", "timeout": 1000, "maxJobsToActivate": 5, "requestTimeout": -1} | changes


@pytest.mark.parametrize(
    ("method", "path", "body", "command"),
    [
        ("POST", "completion", {}, CompleteJob(KEY)),
        ("POST", "completion", {"variables": {"a": [1, "x"]}}, CompleteJob(KEY, {"a": b'[1, "x"]'})),
        (
            "POST",
            "completion",
            {"result": {"type": "userTask", "denied": True, "deniedReason": "no"}},
            CompleteJob(KEY, task_result=TaskResult(denied=True, reason="no")),
        ),
        (
            "POST",
            "completion",
            {
                "result": {
                    "type": "adHocSubProcess",
                    "activateElements": [{"elementId": "a", "variables": {"x": 1}}, {"elementId": "b"}],
                    "isCompletionConditionFulfilled": True,
                    "isCancelRemainingInstances": True,
                }
            },
            CompleteJob(KEY, ad_hoc_result=AdHocResult((("a", {"x": b"1"}), ("b", {})), True, True)),
        ),
        (
            "POST",
            "completion",
            {"result": {"corrections": {"assignee": "", "candidateUsers": ["a"], "priority": 0}}},
            CompleteJob(
                KEY,
                task_result=TaskResult(
                    corrections=TaskChanges(assignee="", candidate_users=("a",), priority=0)
                ),
            ),
        ),
        ("POST", "failure", {}, FailJob(KEY)),
        (
            "POST",
            "failure",
            {"retries": 2, "retryBackOff": 500, "errorMessage": "no", "variables": {"a": 1}},
            FailJob(KEY, 2, 500, "no", {"a": b"1"}),
        ),
        ("POST", "failure", {"retries": -1, "retryBackOff": -5}, FailJob(KEY)),
        ("POST", "error", {"errorCode": "E"}, ThrowJobError(KEY, "E")),
        (
            "POST",
            "error",
            {"errorCode": "E", "errorMessage": "no", "variables": {"a": 1}},
            ThrowJobError(KEY, "E", "no", {"a": b"1"}),
        ),
        ("PATCH", "", {"changeset": {"retries": 2}}, UpdateJob(KEY, retries=2)),
        ("PATCH", "", {"changeset": {"timeout": 7, "retries": None}}, UpdateJob(KEY, timeout_ms=7)),
        (
            "PATCH",
            "",
            {"changeset": {"retries": 1}, "operationReference": 4},
            UpdateJob(KEY, retries=1, origin=Origin(4)),
        ),
    ],
)
async def test_a_request_becomes_its_command(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    method: str,
    path: str,
    body: dict[str, Any],
    command: ClientCommand,
) -> None:
    async with client.request(method, f"{JOB}/{path}".rstrip("/"), json=body) as response:
        assert response.status == 204
        assert await response.read() == b""
    assert partition.commands == [command]


async def test_completing_without_body_or_content_type_is_fine(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    async with client.post(f"{JOB}/completion", skip_auto_headers=["Content-Type"]) as response:
        assert response.status == 204
    assert partition.commands == [CompleteJob(KEY)]


@pytest.mark.parametrize(
    ("method", "path", "body", "detail"),
    [
        ("POST", f"{JOB}/error", {}, "No errorCode provided."),
        ("POST", f"{JOB}/error", {"errorCode": ""}, "No errorCode provided."),
        ("PATCH", JOB, {}, "At least one of [retries, timeout] is required."),
        ("PATCH", JOB, {"changeset": {}}, "At least one of [retries, timeout] is required."),
        (
            "PATCH",
            JOB,
            {"changeset": {"retries": 1}, "operationReference": 0},
            "The value for operationReference is '0' but must be > 0.",
        ),
        ("POST", ACTIVATION, {}, "No type provided. No timeout provided. No maxJobsToActivate provided."),
        (
            "POST",
            ACTIVATION,
            {"type": "", "timeout": 0, "maxJobsToActivate": -1},
            "No type provided. The value for timeout is '0' but must be greater than 0. "
            "The value for maxJobsToActivate is '-1' but must be greater than 0.",
        ),
        (
            "POST",
            ACTIVATION,
            asking(tenantIds=["<default>", "other"]),
            "Expected to handle request Activate Jobs with tenant identifiers [<default>, other], "
            "but multi-tenancy is disabled",
        ),
    ],
)
async def test_what_is_not_acceptable_is_told_in_zeebes_words(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    method: str,
    path: str,
    body: dict[str, Any],
    detail: str,
) -> None:
    async with client.request(method, path, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"], problem["detail"]) == (400, "INVALID_ARGUMENT", detail)
    assert partition.commands == []


async def test_a_value_outside_an_enum_is_told_which_ones_there_are(client: aiohttp.ClientSession) -> None:
    async with client.post(ACTIVATION, json=asking(tenantFilter="ALL")) as response:
        problem = await response.json()
    assert problem["title"] == "Bad Request"
    assert problem["detail"].endswith("Use any of the following values: [ASSIGNED, PROVIDED]")


@pytest.mark.parametrize(
    "result",
    ["no", {"denied": "x"}, {"corrections": {"priority": "x"}}, {"activateElements": [{"variables": "x"}]}],
)
async def test_a_result_of_the_wrong_shape_is_refused(client: aiohttp.ClientSession, result: object) -> None:
    async with client.post(f"{JOB}/completion", json={"result": result}) as response:
        problem = await response.json()
    assert response.status == 400
    assert problem["detail"].startswith("Request property [result")


@pytest.mark.parametrize(
    "key", ["abc", "1.5", "99999999999999999999", "\u0661", "-", "%20", "0x10", "1" * 30]
)
async def test_what_is_no_key_is_told_so(client: aiohttp.ClientSession, key: str) -> None:
    async with client.post(f"/v2/jobs/{key}/completion", json={}) as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (400, "Bad Request")
    assert problem["detail"].startswith("Failed to convert 'jobKey' with value: '")


async def test_a_key_may_be_percent_encoded(
    client: aiohttp.ClientSession, port: int, partition: FakePartition
) -> None:
    encoded = "".join(f"%{ord(digit):x}" for digit in str(KEY))
    async with RawConnection(port) as connection:
        await connection.post(f"/v2/jobs/{encoded}/completion", b"")
        assert (await connection.response()).status == 204
    assert partition.commands == [CompleteJob(KEY)]


@pytest.mark.parametrize("key", [0, 99, -5, first_key(2) + 1, 2**63 - 1])
async def test_a_key_of_no_partition_is_not_found(client: aiohttp.ClientSession, key: int) -> None:
    async with client.post(f"/v2/jobs/{key}/completion", json={}) as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (404, "NOT_FOUND")
    assert problem["detail"] == (
        f"Command 'COMPLETE' rejected with code 'NOT_FOUND': "
        f"Expected to complete job with key '{key}', but no such job was found"
    )


@pytest.mark.parametrize(
    ("rejection", "status"),
    [
        (RejectionType.NOT_FOUND, 404),
        (RejectionType.INVALID_ARGUMENT, 400),
        (RejectionType.INVALID_STATE, 409),
        (RejectionType.ALREADY_EXISTS, 409),
        (RejectionType.EXCEEDED_BATCH_RECORD_SIZE, 400),
        (RejectionType.PROCESSING_ERROR, 500),
    ],
)
async def test_a_rejection_is_a_problem_of_its_kind(
    client: aiohttp.ClientSession, partition: FakePartition, rejection: RejectionType, status: int
) -> None:
    partition.outcome = Rejected(rejection, "it is so")
    async with client.post(f"{JOB}/failure", json={}) as response:
        assert await response.json() == {
            "type": "about:blank",
            "title": rejection.value,
            "status": status,
            "detail": f"Command 'FAIL' rejected with code '{rejection.value}': it is so",
            "instance": f"{JOB}/failure",
        }
    assert response.status == status
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    ("error", "title"), [(Refused("busy"), "RESOURCE_EXHAUSTED"), (Unavailable("gone"), "UNAVAILABLE")]
)
async def test_a_partition_that_cannot_is_a_503(
    client: aiohttp.ClientSession, partition: FakePartition, error: Exception, title: str, later: bool
) -> None:
    if later:
        partition.outcome = error
    else:
        partition.refusal = error
    async with client.post(f"{JOB}/completion", json={}) as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (503, title)
    assert str(error) in problem["detail"]


async def test_activated_jobs_carry_their_variables_as_they_were_stored(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.add_jobs(job_of(1, total=b"274.00", name=b'"J\\u00e1n"', items=b"[ ]"))
    async with client.post(ACTIVATION, json=asking()) as response:
        text = await response.text()
        (job,) = (await response.json())["jobs"]

    assert '"total":274.00,"name":"J\\u00e1n","items":[ ]' in text
    assert job["jobKey"] == str(first_key(1) + 1)
    assert job["customHeaders"] == {"colour": "red"}
    assert job["rootProcessInstanceKey"] == job["processInstanceKey"]


async def test_an_activation_becomes_its_command(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    body = asking(worker="w", fetchVariable=["a", "b"], tenantIds=["<default>"], tenantFilter="PROVIDED")
    async with client.post(ACTIVATION, json=body) as response:
        assert await response.json() == {"jobs": []}
    assert partition.commands == [ActivateJobs("work", "w", 1000, 5, ("a", "b"))]


async def test_one_answer_has_a_thousand_jobs_at_most(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    async with client.post(ACTIVATION, json=asking(maxJobsToActivate=2**31 - 1)) as response:
        assert response.status == 200
    assert partition.claims[0].jobs_max == 1000


@pytest.mark.parametrize("request_timeout", [None, 0, 5000])
async def test_a_held_request_is_answered_by_the_first_job(
    client: aiohttp.ClientSession, partition: FakePartition, request_timeout: int | None
) -> None:
    poll = asyncio.create_task(client.post(ACTIVATION, json=asking(requestTimeout=request_timeout)))
    await eventually(lambda: partition.claims != [])
    partition.add_jobs(job_of(1))
    async with await poll as response:
        assert len((await response.json())["jobs"]) == 1


async def test_a_held_request_ends_empty_when_its_time_is_over(client: aiohttp.ClientSession) -> None:
    async with client.post(ACTIVATION, json=asking(requestTimeout=20)) as response:
        assert (response.status, await response.json()) == (200, {"jobs": []})


async def test_a_client_that_hangs_up_while_it_waits_swallows_no_job(
    client: aiohttp.ClientSession, port: int, partition: FakePartition
) -> None:
    async with RawConnection(port) as connection:
        await connection.post(ACTIVATION, b'{"type":"work","timeout":1000,"maxJobsToActivate":5}')
        await eventually(lambda: partition.subscriptions == {"work"})
    await eventually(lambda: partition.subscriptions == set())

    partition.add_jobs(job_of(1))
    async with client.post(ACTIVATION, json=asking()) as response:
        assert len((await response.json())["jobs"]) == 1


@pytest.mark.parametrize("abruptly", [False, True])
async def test_jobs_for_a_client_that_hung_up_during_the_claim_are_given_back(
    port: int, partition: FakePartition, abruptly: bool
) -> None:
    partition.add_jobs(job_of(1))
    partition.stall()
    async with RawConnection(port) as connection:
        await connection.post(ACTIVATION, b'{"type":"work","timeout":1000,"maxJobsToActivate":5}')
        await eventually(lambda: partition.claims != [])
        if abruptly:
            connection.hang_up()
    await asyncio.sleep(0)

    partition.resume()

    await eventually(lambda: partition.yielded == [first_key(1) + 1])


async def test_jobs_are_given_back_when_the_loop_has_yet_to_hear_of_the_hang_up(
    port: int, partition: FakePartition
) -> None:
    """The close lies in the socket unread when the answer is written: a write would go into the void."""
    partition.stall()
    async with RawConnection(port) as connection:
        await connection.post(ACTIVATION, b'{"type":"work","timeout":1000,"maxJobsToActivate":5}')
        await eventually(lambda: partition.claims != [])
        partition.jobs.append(job_of(1))

        partition.resume()
        connection.close_now()  # Without a turn of the loop in between.

        await eventually(lambda: partition.yielded == [first_key(1) + 1])


async def test_an_activation_request_has_a_limit_of_its_own(client: aiohttp.ClientSession) -> None:
    async with client.post(ACTIVATION, json=asking(fetchVariable=["x" * 70_000])) as response:
        assert response.status == 413


@pytest.mark.parametrize("corrections", [{"priority": 101}, {"dueDate": "tomorrow"}])
async def test_corrections_are_checked_like_changes(
    client: aiohttp.ClientSession, partition: FakePartition, corrections: object
) -> None:
    async with client.post(f"{JOB}/completion", json={"result": {"corrections": corrections}}) as response:
        assert (response.status, (await response.json())["title"]) == (400, "INVALID_ARGUMENT")
    assert partition.commands == []


async def test_the_job_of_a_task_listener_shows_its_task(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    attributes = TaskAttributes("ann", ("g",), (), "2024-01-01T10:00:00Z", "", 7)
    task = TaskProperties(KEY, attributes, "give", ("assignee",), 0)
    partition.add_jobs(replace(job_of(1), kind="TASK_LISTENER", listener_event="ASSIGNING", user_task=task))
    async with client.post(ACTIVATION, json=asking()) as response:
        (job,) = (await response.json())["jobs"]

    assert (job["kind"], job["listenerEventType"]) == ("TASK_LISTENER", "ASSIGNING")
    assert job["userTask"] == {
        "action": "give",
        "assignee": "ann",
        "candidateGroups": ["g"],
        "candidateUsers": [],
        "changedAttributes": ["assignee"],
        "dueDate": "2024-01-01T10:00:00Z",
        "followUpDate": None,
        "formKey": None,
        "priority": 7,
        "userTaskKey": str(KEY),
    }
