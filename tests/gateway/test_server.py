import asyncio
import socket

import aiohttp
import pytest
from prometheus_client.registry import CollectorRegistry

from bpmnd.bpmn.commands import CompleteJob
from bpmnd.bpmn.keys import first_key
from bpmnd.gateway.answers import has_hung_up
from bpmnd.gateway.server import Gateway
from bpmnd.gateway.submission import NoAnswerInTime, Submissions
from tests.gateway.fakes import FakeCluster, FakePartition
from tests.gateway.wire import RawConnection, eventually

COMPLETION = f"/v2/jobs/{first_key(1) + 1}/completion"
ACTIVATION = "/v2/jobs/activation"
POLL = b'{"type":"work","timeout":1000,"maxJobsToActivate":5,"requestTimeout":60000}'


async def test_a_connection_serves_many_requests(port: int) -> None:
    async with RawConnection(port) as connection:
        for _ in range(3):
            await connection.post(COMPLETION, b"{}")
            assert (await connection.response()).status == 204


async def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    async with RawConnection(port) as connection:
        await connection.post(COMPLETION, b"{}")
        await connection.post("/v2/nope", b"{}")
        await connection.post(COMPLETION, b"")
        assert [(await connection.response()).status for _ in range(3)] == [204, 404, 204]


async def test_the_last_answer_of_a_connection_says_so(port: int) -> None:
    async with RawConnection(port) as connection:
        await connection.post(COMPLETION, b"{}", "Connection: close")
        response = await connection.response()
        assert (response.status, response.headers["connection"]) == (204, "close")
        assert await connection.is_closed()


@pytest.mark.parametrize(
    ("header", "connection"), [("", "close"), ("Connection: keep-alive\r\n", "keep-alive")]
)
async def test_http_1_0_is_served(port: int, header: str, connection: str) -> None:
    async with RawConnection(port) as raw:
        await raw.send(f"GET /v2/license HTTP/1.0\r\n{header}\r\n".encode())
        response = await raw.response()
    assert (response.status, response.headers["connection"]) == (200, connection)


@pytest.mark.parametrize(
    "rubbish",
    [
        b"rubbish\r\n\r\n",
        b"GET /v2/license HTTP/9.9\r\n\r\n",
        b"POST /v2/license HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /v2/license HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"x" * 20_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_problem_and_the_end_of_the_connection(port: int, rubbish: bytes) -> None:
    async with RawConnection(port) as connection:
        await connection.send(rubbish)
        response = await connection.response()
        assert await connection.is_closed()
    assert (response.status, response.headers["content-type"]) == (400, "application/problem+json")
    assert response.json["detail"].startswith("The request is no valid HTTP: ")


@pytest.mark.parametrize("path", [COMPLETION, "/v2/nope"])
async def test_a_body_that_cannot_be_unpacked_is_no_error_of_ours(
    port: int, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with RawConnection(port) as connection:
        await connection.post(path, b"no zip", "Content-Encoding: gzip")
        assert (await connection.response()).status in {400, 404}
        assert await connection.is_closed()
    assert caplog.records == []


async def test_an_address_with_host_is_served(port: int) -> None:
    async with RawConnection(port) as connection:
        await connection.send(b"GET http://example.org/v2/license?x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await connection.response()).status == 200


async def test_a_client_that_hangs_up_in_the_middle_of_its_body_harms_nothing(
    client: aiohttp.ClientSession, port: int, partition: FakePartition
) -> None:
    async with RawConnection(port) as connection:
        head = b"POST /v2/process-instances HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        await connection.send(head, b"Content-Length: 100\r\n\r\n{")
        connection.hang_up()
    async with client.get("/v2/license") as response:
        assert response.status == 200
    assert partition.commands == []


async def test_a_stop_answers_what_is_under_way_and_what_waits(
    gateway: Gateway, client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    poll = asyncio.create_task(
        client.post(ACTIVATION, data=POLL, headers={"Content-Type": "application/json"})
    )
    await eventually(lambda: partition.claims != [])
    await asyncio.sleep(0)
    partition.stall()
    completion = asyncio.create_task(client.post(COMPLETION, json={}))
    await eventually(lambda: partition.waiting != [])

    stop = asyncio.create_task(gateway.stop(drain_s=5))
    async with await poll as response:
        assert await response.json() == {"jobs": []}
    assert not stop.done()

    partition.resume()
    async with await completion as response:
        assert response.status == 204
    await stop
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.get("/v2/license")


async def test_a_stop_sends_clients_that_keep_their_connection_away_with_their_next_answer(
    gateway: Gateway, client: aiohttp.ClientSession
) -> None:
    async with client.get("/v2/license") as response:
        assert response.headers.get("Connection") != "close"

    stop = asyncio.create_task(gateway.stop())
    await asyncio.sleep(0.05)
    async with client.get("/v2/license") as response:
        assert response.status == 200
        assert response.headers["Connection"] == "close"
    async with asyncio.timeout(0.3):  # Nobody is left to wait for.
        await stop


async def test_a_stop_answers_who_has_connected_before_it_and_refuses_who_connects_after_it(
    gateway: Gateway, port: int
) -> None:
    request = b"GET /v2/license HTTP/1.1\r\nHost: here\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as client:  # Blocks: the gateway cannot have accepted.
        client.sendall(request)
        await gateway.stop()
        client.settimeout(1)
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


async def test_a_stop_does_not_wait_for_ever(
    gateway: Gateway, client: aiohttp.ClientSession, partition: FakePartition
) -> None:
    partition.stall()
    completion = asyncio.create_task(client.post(COMPLETION, json={}))
    await eventually(lambda: partition.waiting != [])
    async with asyncio.timeout(3):
        await gateway.stop(drain_s=0.05)
    with pytest.raises(aiohttp.ClientConnectionError):
        await completion


async def test_two_nodes_may_share_a_port() -> None:
    gateways = [Gateway(FakeCluster(), CollectorRegistry()) for _ in range(2)]
    port = await gateways[0].start("127.0.0.1", 0, reuse_port=True)
    assert await gateways[1].start("127.0.0.1", port, reuse_port=True) == port
    for gateway in gateways:
        await gateway.stop()


async def test_a_command_that_is_not_answered_in_time_ends(partition: FakePartition) -> None:
    partition.stall()
    submissions = Submissions(timeout_s=0, sweep_s=0.01)
    with pytest.raises(NoAnswerInTime):
        await submissions.outcome_of(CompleteJob(first_key(1) + 1), partition)
    partition.resume()  # Too late, and no harm.
    submissions.close()


async def test_requests_are_counted_by_operation_and_status(
    client: aiohttp.ClientSession, registry: CollectorRegistry
) -> None:
    for path in (COMPLETION, COMPLETION, "/v2/jobs/x/completion", "/v2/nope"):
        async with client.post(path, json={}):
            pass

    def count(operation: str, status: int) -> float | None:
        labels = {"operation": operation, "status": str(status)}
        return registry.get_sample_value("bpmnd_gateway_request_duration_seconds_count", labels)

    assert (count("completeJob", 204), count("completeJob", 400), count("none", 404)) == (2, 1, 1)


async def test_waiting_polls_are_counted(
    client: aiohttp.ClientSession, registry: CollectorRegistry, port: int
) -> None:
    def polls() -> float | None:
        return registry.get_sample_value("bpmnd_gateway_waiting_polls")

    async with RawConnection(port) as connection:
        await connection.post(ACTIVATION, POLL)
        await eventually(lambda: polls() == 1)
    await eventually(lambda: polls() == 0)


def test_a_hang_up_is_seen_before_the_loop_looks() -> None:
    ours, theirs = socket.socketpair()
    transport = _Transport(ours)
    assert not has_hung_up(transport)
    theirs.send(b"the next request")
    theirs.close()
    assert has_hung_up(transport)
    ours.close()


class _Transport(asyncio.Transport):
    def __init__(self, sock: socket.socket) -> None:
        super().__init__({"socket": sock})
