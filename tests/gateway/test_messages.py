"""Messages and signals: from requests to commands, to the right partition, and back."""

from typing import Any

import aiohttp
import pytest

from bpmnd.bpmn.commands import BroadcastSignal, ClientCommand, CorrelateMessage, PublishMessage
from bpmnd.bpmn.outcomes import (
    MessageCorrelated,
    MessagePublished,
    Outcome,
    Rejected,
    RejectionType,
    SignalBroadcasted,
)
from tests.gateway.fakes import FakeCluster, FakePartition

PUBLICATION, CORRELATION = "/v2/messages/publication", "/v2/messages/correlation"
BROADCAST = "/v2/signals/broadcast"
PUBLISHED = MessagePublished(7, "<default>")
CORRELATED = MessageCorrelated(7, "<default>", 9)
BROADCASTED = SignalBroadcasted(7, "<default>")
ALL: dict[str, Any] = {
    "name": "paid",
    "correlationKey": "1",
    "timeToLive": 5000,
    "messageId": "id",
    "variables": {"a": [1, 2]},
    "tenantId": "<default>",
}
PAID: dict[str, Any] = {key: ALL[key] for key in ("name", "correlationKey", "variables", "tenantId")}
BELL: dict[str, Any] = {"signalName": "bell", "variables": {"a": 1}}


@pytest.mark.parametrize(
    ("path", "body", "outcome", "command", "answer"),
    [
        (
            PUBLICATION,
            ALL,
            PUBLISHED,
            PublishMessage("paid", "1", 5000, "id", {"a": b"[1, 2]"}),
            {"messageKey": "7", "tenantId": "<default>"},
        ),
        (
            PUBLICATION,
            {"name": "paid", "correlationKey": None, "timeToLive": None},
            PUBLISHED,
            PublishMessage("paid"),
            {"messageKey": "7", "tenantId": "<default>"},
        ),
        (
            CORRELATION,
            PAID,
            CORRELATED,
            CorrelateMessage("paid", "1", {"a": b"[1, 2]"}),
            {"messageKey": "7", "tenantId": "<default>", "processInstanceKey": "9"},
        ),
        (
            CORRELATION,
            {"name": "paid"},
            CORRELATED,
            CorrelateMessage("paid"),
            {"messageKey": "7", "tenantId": "<default>", "processInstanceKey": "9"},
        ),
        (
            BROADCAST,
            BELL,
            BROADCASTED,
            BroadcastSignal("bell", {"a": b"1"}),
            {"signalKey": "7", "tenantId": "<default>"},
        ),
        (
            BROADCAST,
            {"signalName": ""},
            BROADCASTED,
            BroadcastSignal(""),
            {"signalKey": "7", "tenantId": "<default>"},
        ),
    ],
)
async def test_a_request_becomes_its_command_and_the_outcome_its_answer(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    path: str,
    body: dict[str, Any],
    outcome: Outcome,
    command: ClientCommand,
    answer: dict[str, str],
) -> None:
    partition.outcome = outcome
    async with client.post(path, json=body) as response:
        assert (response.status, await response.json()) == (200, answer)
    assert partition.commands == [command]


def _elsewhere(request: str) -> str:
    return (
        f"Expected to handle request {request} with tenant identifier 'other', but multi-tenancy is disabled"
    )


@pytest.mark.parametrize(
    ("path", "body", "title", "detail"),
    [
        (PUBLICATION, {}, "INVALID_ARGUMENT", "No name provided."),
        (PUBLICATION, {"name": ""}, "INVALID_ARGUMENT", "No name provided."),
        (PUBLICATION, ALL | {"tenantId": "other"}, "INVALID_ARGUMENT", _elsewhere("Publish Message")),
        (
            PUBLICATION,
            {"name": 5},
            "Bad Request",
            "Request property [name] cannot be parsed: Expected str, got int",
        ),
        (
            PUBLICATION,
            ALL | {"timeToLive": 2**63},
            "Bad Request",
            "Request property [timeToLive] cannot be parsed: Expected int <= 9223372036854775807",
        ),
        (CORRELATION, {"correlationKey": "1"}, "INVALID_ARGUMENT", "No messageName provided."),
        (CORRELATION, PAID | {"tenantId": "other"}, "INVALID_ARGUMENT", _elsewhere("Correlate Message")),
        (
            CORRELATION,
            PAID | {"timeToLive": 5},
            "Bad Request",
            "Request property [timeToLive] cannot be parsed: there is no such property",
        ),
        (BROADCAST, {}, "INVALID_ARGUMENT", "No signalName provided."),
        (BROADCAST, BELL | {"tenantId": "other"}, "INVALID_ARGUMENT", _elsewhere("Broadcast Signal")),
    ],
)
async def test_what_is_not_acceptable_is_refused(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    path: str,
    body: dict[str, Any],
    title: str,
    detail: str,
) -> None:
    async with client.post(path, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"], problem["detail"]) == (400, title, detail)
    assert partition.commands == []


@pytest.mark.parametrize(
    ("path", "body", "type_", "status", "name"),
    [
        (PUBLICATION, ALL, RejectionType.ALREADY_EXISTS, 409, "PUBLISH"),
        (CORRELATION, PAID, RejectionType.NOT_FOUND, 404, "CORRELATE"),
    ],
)
async def test_what_the_engine_refuses_is_a_problem(
    client: aiohttp.ClientSession,
    partition: FakePartition,
    path: str,
    body: dict[str, Any],
    type_: RejectionType,
    status: int,
    name: str,
) -> None:
    partition.outcome = Rejected(type_, "why")
    async with client.post(path, json=body) as response:
        problem = await response.json()
    assert (response.status, problem["title"]) == (status, type_)
    assert problem["detail"] == f"Command '{name}' rejected with code '{type_}': why"


async def test_a_message_goes_to_the_partition_of_its_key_and_signals_go_round(
    client: aiohttp.ClientSession, cluster: FakeCluster
) -> None:
    cluster.all.append(FakePartition(2))
    for partition in cluster.all:
        partition.outcome = lambda command: (
            BROADCASTED
            if isinstance(command, BroadcastSignal)
            else CORRELATED
            if isinstance(command, CorrelateMessage)
            else PUBLISHED
        )
    for path, body in (
        (PUBLICATION, {"name": "a", "correlationKey": "four"}),
        (CORRELATION, {"name": "b", "correlationKey": "one"}),
        (BROADCAST, {"signalName": "c"}),
        (BROADCAST, {"signalName": "d"}),
    ):
        async with client.post(path, json=body) as response:
            assert response.status == 200
    assert [partition.commands for partition in cluster.all] == [
        [PublishMessage("a", "four"), BroadcastSignal("c")],
        [CorrelateMessage("b", "one"), BroadcastSignal("d")],
    ]
