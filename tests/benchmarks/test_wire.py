"""Responses as they come off the wire, whole and in pieces."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from benchmarks.wire import LOST, Endpoint, Pool, Response, parse_response

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"jobs":[]}'
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
CHUNKED = (
    b'HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{"jobs\r\n5;name=value\r\n":[]}\r\n0\r\n\r\n'
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (OK, Response(200, b'{"jobs":[]}', closes=False)),
        (NO_CONTENT, Response(204, b"", closes=False)),
        (CHUNKED, Response(200, b'{"jobs":[]}', closes=False)),
        (
            b"HTTP/1.1 503 \r\nconnection: Close\r\ncontent-length: 4\r\n\r\nfull",
            Response(503, b"full", closes=True),
        ),
    ],
)
def test_a_response_is_read_once_its_last_byte_is_there(data: bytes, expected: Response) -> None:
    assert [parse_response(data[:end]) for end in range(len(data))] == [None] * len(data)
    assert parse_response(data) == expected


def test_a_post_says_how_long_it_is() -> None:
    request = Endpoint.of("http://127.0.0.1:8080").post("/v2/jobs/activation", b"{}")

    head, _, body = request.partition(b"\r\n\r\n")
    assert body == b"{}"
    assert head.split(b"\r\n") == [
        b"POST /v2/jobs/activation HTTP/1.1",
        b"Host: 127.0.0.1:8080",
        b"Content-Type: application/json",
        b"Content-Length: 2",
    ]


class Echo(asyncio.Protocol):
    """Gives the same answer to whatever comes; hangs up without one if it is empty."""

    def __init__(self, answer: bytes, ended: asyncio.Semaphore) -> None:
        self._answer = answer
        self._ended = ended
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.release()

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if self._answer:
            self._transport.write(self._answer)
        else:
            self._transport.close()


@asynccontextmanager
async def pool_to(answer: bytes, *, connections: int) -> AsyncGenerator[Pool]:
    """A pool of one connection at a time; so many of them will have ended at the end."""
    ended = asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Echo(answer, ended), "127.0.0.1", 0) as server:
        pool = Pool(Endpoint("127.0.0.1", server.sockets[0].getsockname()[1]))
        await pool.open(1)
        try:
            yield pool
        finally:
            await pool.close()
            for _ in range(connections):
                await ended.acquire()


async def test_what_is_posted_while_all_connections_are_in_use_waits_for_its_turn() -> None:
    async with pool_to(OK, connections=1) as pool:
        request = pool.endpoint.post("/", b"")
        answers = await asyncio.gather(pool.ask(request), pool.ask(request), pool.ask(request))

    assert list(answers) == [(200, b'{"jobs":[]}')] * 3


async def test_a_broken_connection_is_told_and_replaced() -> None:
    async with pool_to(b"", connections=3) as pool:
        request = pool.endpoint.post("/", b"")
        answers = await pool.ask(request), await pool.ask(request)

    assert [status for status, _ in answers] == [LOST, LOST]
