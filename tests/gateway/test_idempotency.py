"""`Idempotency-Key`, as clients send it."""

import asyncio
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from prometheus_client.registry import CollectorRegistry

from bpmnd.actors.errors import NoLeader, OutcomeUnknown, Refused
from bpmnd.bpmn.commands import (
    ActivateJobs,
    BroadcastSignal,
    CancelProcessInstance,
    ClientCommand,
    CommandId,
    CompleteJob,
    CorrelateMessage,
    CreateProcessInstance,
    Deploy,
    DoOnce,
    EvaluateConditionals,
    FailJob,
    PublishMessage,
    ResolveIncident,
    SetVariables,
    ThrowJobError,
    UpdateJob,
    asked_for,
)
from bpmnd.bpmn.keys import first_key
from bpmnd.bpmn.outcomes import (
    Accepted,
    ConditionalsEvaluated,
    DeploymentCreated,
    MessageCorrelated,
    MessagePublished,
    Outcome,
    ProcessInstanceCreated,
    Rejected,
    RejectionType,
    SignalBroadcasted,
)
from bpmnd.gateway.server import Gateway
from bpmnd.gateway.submission import Submissions
from tests.gateway.fakes import FakeCluster, FakePartition, job_of
from tests.gateway.wire import RawConnection, eventually

KEY = first_key(1) + 5
CREATION = "/v2/process-instances"
COMPLETION = f"/v2/jobs/{KEY}/completion"
ACTIVATION = "/v2/jobs/activation"
CREATED = ProcessInstanceCreated(KEY, KEY, "p", 1, "<default>", (), None, {})
DO_ONCE = DoOnce(CommandId("s", "k", b"h"), CompleteJob(KEY))


def ids(partition: FakePartition) -> list[CommandId]:
    return [command.id for command in partition.commands if isinstance(command, DoOnce)]


async def send(
    client: aiohttp.ClientSession,
    path: str = COMPLETION,
    body: Any = None,
    key: str | None = "k",
    method: str = "POST",
) -> tuple[int, str, str | None]:
    """Status, text and when to try again."""
    headers = {} if key is None else {"Idempotency-Key": key}
    async with client.request(method, path, json=body or {}, headers=headers) as response:
        return response.status, await response.text(), response.headers.get("Retry-After")


OPERATIONS: list[tuple[str, str, dict[str, Any], type[ClientCommand], Outcome]] = [
    ("POST", CREATION, {"processDefinitionId": "p"}, CreateProcessInstance, CREATED),
    ("POST", f"{CREATION}/{KEY}/cancellation", {}, CancelProcessInstance, Accepted()),
    ("POST", COMPLETION, {}, CompleteJob, Accepted()),
    ("POST", f"/v2/jobs/{KEY}/failure", {}, FailJob, Accepted()),
    ("POST", f"/v2/jobs/{KEY}/error", {"errorCode": "E"}, ThrowJobError, Accepted()),
    ("PATCH", f"/v2/jobs/{KEY}", {"changeset": {"retries": 1}}, UpdateJob, Accepted()),
    ("POST", f"/v2/incidents/{KEY}/resolution", {}, ResolveIncident, Accepted()),
    ("PUT", f"/v2/element-instances/{KEY}/variables", {"variables": {"a": 1}}, SetVariables, Accepted()),
    ("POST", "/v2/messages/publication", {"name": "m"}, PublishMessage, MessagePublished(1, "")),
    ("POST", "/v2/messages/correlation", {"name": "m"}, CorrelateMessage, MessageCorrelated(1, "", 2)),
    ("POST", "/v2/signals/broadcast", {"signalName": "s"}, BroadcastSignal, SignalBroadcasted(1, "")),
    (
        "POST",
        "/v2/conditionals/evaluation",
        {"variables": {}},
        EvaluateConditionals,
        ConditionalsEvaluated(1, "", ()),
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "command", "outcome"), OPERATIONS)
async def test_every_operation_that_changes_something_takes_a_key(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    method: str,
    path: str,
    body: dict[str, Any],
    command: type[ClientCommand],
    outcome: Outcome,
) -> None:
    partition.outcome = outcome
    first = await send(client, path, body, method=method)
    again = await send(client, path, body, method=method)
    await send(client, path, body, method=method, key=None)

    assert first == again
    assert first[0] in (200, 204)
    one, other, without = partition.commands
    assert isinstance(one, DoOnce)
    assert one == other
    assert isinstance(one.asked, command)
    assert without == one.asked
    assert one.id.key == "k"
    assert command.__name__ in one.id.scope


def form(content: bytes) -> aiohttp.FormData:
    data = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    data.add_field("resources", BytesIO(content), filename="a.bpmn")
    return data


async def test_a_deployment_is_the_same_whatever_its_form_is_parted_by(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = DeploymentCreated(7, "<default>", ())
    for content in (b"<a/>", b"<a/>", b"<b/>"):
        headers = {"Idempotency-Key": "k"}
        async with client.post("/v2/deployments", data=form(content), headers=headers) as response:
            assert response.status == 200
    first, again, other = ids(partition)
    assert first == again
    assert first.hash != other.hash
    assert {type(asked_for(command)) for command in partition.commands} == {Deploy}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (COMPLETION, {"variables": {"a": 2}}),
        (f"/v2/jobs/{KEY + 1}/completion", {"variables": {"a": 1}}),
    ],
)
async def test_another_path_or_another_body_is_another_request(
    client: aiohttp.ClientSession, partition: FakePartition, path: str, body: Any
) -> None:
    await send(client, COMPLETION, {"variables": {"a": 1}})
    await send(client, path, body)
    first, other = ids(partition)
    assert (first.scope, first.key) == (other.scope, other.key)
    assert first.hash != other.hash


async def test_a_query_does_not_make_another_request(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    await send(client, COMPLETION)
    await send(client, f"{COMPLETION}?a=1")
    first, other = ids(partition)
    assert first == other


async def test_another_operation_has_keys_of_its_own(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    await send(client, COMPLETION)
    await send(client, f"/v2/jobs/{KEY}/failure")
    first, other = ids(partition)
    assert first.scope != other.scope


@pytest.mark.parametrize("key", ["k", "!", "~" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a,b"])
async def test_a_key_is_any_visible_text(
    client: aiohttp.ClientSession, partition: FakePartition, key: str
) -> None:
    assert (await send(client, key=key))[0] == 204
    assert [id.key for id in ids(partition)] == [key]


@pytest.mark.parametrize("lines", [[""], ["x" * 256], ["a b"], ["\xe4"], ["a", "a"], ["a", "b"]])
async def test_what_is_no_key_is_refused(port: int, partition: FakePartition, lines: list[str]) -> None:
    async with RawConnection(port) as connection:
        await connection.post(COMPLETION, b"{}", *(f"Idempotency-Key: {line}" for line in lines))
        response = await connection.response()
    assert response.status == 400
    assert "Idempotency-Key" in response.json["detail"]
    assert partition.commands == []


async def test_a_key_means_nothing_where_nothing_is_changed(client: aiohttp.ClientSession) -> None:
    async with client.get("/v2/topology", headers={"Idempotency-Key": "a b"}) as response:
        assert response.status == 200


async def test_the_key_of_another_request_is_a_422(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = Rejected(RejectionType.IDEMPOTENCY_KEY_REUSED, "it is another one")
    status, text, _ = await send(client)
    assert status == 422
    assert '"title":"IDEMPOTENCY_KEY_REUSED"' in text
    assert "it is another one" in text


# Where to, and how often


async def test_what_could_begin_anywhere_begins_where_its_key_belongs(
    registry: CollectorRegistry,
) -> None:
    cluster = FakeCluster(3)
    gateway = Gateway(cluster, registry)
    port = await gateway.start("127.0.0.1", 0)
    for partition in cluster.all:
        partition.outcome = _created_or_broadcast
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        for _ in range(3):
            await send(client, CREATION, {"processDefinitionId": "p"}, "xx")
            await send(client, "/v2/signals/broadcast", {"signalName": "s"}, "xx")
    await gateway.stop(drain_s=1)
    assert [len(partition.commands) for partition in cluster.all] == [0, 6, 0]


def _created_or_broadcast(command: ClientCommand) -> Outcome:
    is_signal = isinstance(command, DoOnce) and isinstance(command.asked, BroadcastSignal)
    return SignalBroadcasted(1, "<default>") if is_signal else CREATED


async def test_without_a_proof_a_command_is_sent_again_only_with_a_key(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = after(OutcomeUnknown("its leader is gone"), Accepted())
    assert (await send(client))[0] == 204
    assert len(partition.commands) == 2

    partition.outcome = after(OutcomeUnknown("its leader is gone"), Accepted())
    status, text, retry_after = await send(client, key=None)
    assert (status, retry_after) == (503, None)
    assert "its leader is gone" in text
    assert len(partition.commands) == 3


def after(*outcomes: Outcome | Exception) -> Callable[[ClientCommand], Outcome]:
    """One after the other, and then the last one for ever."""
    left: Iterator[Outcome | Exception] = iter(outcomes)
    last = outcomes[-1]

    def outcome(command: ClientCommand) -> Outcome:
        now = next(left, last)
        if isinstance(now, Exception):
            raise now
        return now

    return outcome


@pytest.mark.parametrize("error", [NoLeader("none"), Refused("busy"), OutcomeUnknown("again")])
async def test_once_an_outcome_is_unknown_only_a_leader_that_knows_ends_the_wait(
    partition: FakePartition, error: Exception
) -> None:
    submissions = Submissions()
    partition.outcome = after(OutcomeUnknown("its leader is gone"), error, error, Accepted())
    assert await submissions.outcome_of(DO_ONCE, partition) == Accepted()
    submissions.close()


@pytest.mark.parametrize("error", [NoLeader("none"), Refused("busy")])
async def test_who_hears_nothing_better_is_told_that_the_outcome_is_unknown(
    partition: FakePartition, error: Exception
) -> None:
    submissions = Submissions(leader_wait_s=0.1)
    partition.outcome = after(OutcomeUnknown("its leader is gone"), error)
    with pytest.raises(OutcomeUnknown, match="its leader is gone"):
        await submissions.outcome_of(DO_ONCE, partition)
    submissions.close()


async def test_a_leader_that_is_always_just_gone_is_not_tried_for_ever(partition: FakePartition) -> None:
    submissions = Submissions(timeout_s=0.3, leader_wait_s=0.1)
    partition.outcome = after(OutcomeUnknown("its leader is gone"))
    with pytest.raises(OutcomeUnknown):
        async with asyncio.timeout(5):
            await submissions.outcome_of(DO_ONCE, partition)
    submissions.close()


async def test_a_refused_command_with_a_key_is_not_tried_again_by_itself(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = Refused("busy")
    status, text, retry_after = await send(client)
    assert (status, retry_after) == (503, "1")
    assert "Nothing was done" in text
    assert len(partition.commands) == 1


# Jobs


def asking(**changes: Any) -> dict[str, Any]:
    return {"type": "work", "timeout": 1000, "maxJobsToActivate": 5, "requestTimeout": -1} | changes


async def activated(client: aiohttp.ClientSession, key: str = "k", **changes: Any) -> list[int]:
    headers = {"Idempotency-Key": key}
    async with client.post(ACTIVATION, json=asking(**changes), headers=headers) as response:
        assert response.status == 200, await response.text()
        return [int(job["jobKey"]) for job in (await response.json())["jobs"]]


async def test_a_repeated_activation_gets_the_same_jobs_of_all_partitions(
    registry: CollectorRegistry,
) -> None:
    cluster = FakeCluster(3)
    gateway = Gateway(cluster, registry)
    port = await gateway.start("127.0.0.1", 0)
    cluster.all[0].add_jobs(job_of(1))
    cluster.all[1].add_jobs(job_of(1, partition_id=2), job_of(2, partition_id=2))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        first = await activated(client)
        cluster.all[2].add_jobs(job_of(1, partition_id=3))
        again = await activated(client)
        other = await activated(client, "other")
    await gateway.stop(drain_s=1)
    assert len(first) == len(set(first)) == 3
    assert sorted(again) == sorted(first)
    assert other == [first_key(3) + 1]


async def test_a_held_activation_with_a_key_does_not_get_a_job_twice(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    poll = asyncio.create_task(activated(client, requestTimeout=5000))
    await eventually(lambda: len(partition.claims) == 2)  # What it was lent before, and what there is.
    partition.add_jobs(job_of(1))
    assert await poll == [first_key(1) + 1]


async def test_a_job_lent_for_a_key_is_not_given_back_but_kept_for_the_repeat(
    client: aiohttp.ClientSession, port: int, partition: FakePartition, registry: CollectorRegistry
) -> None:
    body = b'{"type":"work","timeout":1000,"maxJobsToActivate":5}'
    async with RawConnection(port) as connection:
        await connection.post(ACTIVATION, body, "Idempotency-Key: k")
        await eventually(lambda: len(partition.claims) == 2)
        partition.stall()
        partition.add_jobs(job_of(1))
        await eventually(lambda: len(partition.claims) == 3)
        connection.hang_up()
    await eventually(lambda: registry.get_sample_value("bpmnd_gateway_waiting_polls") == 0)

    partition.resume()

    assert await activated(client) == [first_key(1) + 1]
    assert partition.yielded == []


async def test_an_activation_with_the_key_of_another_request_is_a_422(
    client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.outcome = Rejected(RejectionType.IDEMPOTENCY_KEY_REUSED, "it is another one")
    status, _, _ = await send(client, ACTIVATION, asking())
    assert status == 422
    (command,) = partition.commands
    assert isinstance(command, DoOnce)
    assert command.asked == ActivateJobs("work", "", 1000, 0)
