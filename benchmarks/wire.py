"""HTTP/1.1 as a load generator needs it: small requests made by hand, and a pool of keep-alive connections.

A server answers the requests of one connection one after the other. A pipelined request would wait for the
commit of the one before it, so load is spread over connections, each with one request under way.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias, cast, final

LOST: Final = 0
"""The status of a request whose connection broke before it was answered."""

_UNTIL_CLOSED: Final = -1
_CHUNKED: Final = -2
_RECONNECT_SECONDS: Final = 0.05

Then: TypeAlias = Callable[[int, bytes], None]
"""Takes the status and the body of a response."""


class Response(NamedTuple):
    status: int
    body: bytes
    closes: bool
    """The server closes the connection after it."""


class _Head(NamedTuple):
    status: int
    length: int
    closes: bool


class Endpoint(NamedTuple):
    host: str
    port: int

    @classmethod
    def of(cls, base: str) -> "Endpoint":
        """The endpoint of a base URL such as `http://127.0.0.1:8080`."""
        host, _, port = base.removeprefix("http://").rstrip("/").rpartition(":")
        return cls(host, int(port))

    def post(self, path: str, body: bytes, content_type: str = "application/json") -> bytes:
        """The bytes of a POST."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def parse_response(data: bytes) -> Response | None:
    """The response at the beginning of `data`; None while it is not all there."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = _head_of(data[:end])
    start = end + 4
    if head.length == _CHUNKED:
        body = _chunked(data, start)
        return None if body is None else Response(head.status, body, head.closes)
    assert head.length != _UNTIL_CLOSED, f"a response without a length: {data[:end]!r}"
    if len(data) < start + head.length:
        return None
    return Response(head.status, data[start : start + head.length], head.closes)


@lru_cache(maxsize=4096)
def _head_of(head: bytes) -> _Head:
    """Heads repeat, so each is parsed once."""
    status_line, *lines = head.split(b"\r\n")
    status = int(status_line.split(b" ", 2)[1])
    fields = dict(line.lower().split(b":", 1) for line in lines)
    closes = fields.get(b"connection", b"").strip() == b"close"
    if status == 204:
        return _Head(status, 0, closes)
    if fields.get(b"transfer-encoding", b"").strip() == b"chunked":
        return _Head(status, _CHUNKED, closes)
    return _Head(status, int(fields.get(b"content-length", _UNTIL_CLOSED)), closes)


def _chunked(data: bytes, start: int) -> bytes | None:
    chunks: list[bytes] = []
    while (end := data.find(b"\r\n", start)) >= 0:
        size = int(data[start:end].partition(b";")[0], 16)
        start = end + 2
        if len(data) < start + size + 2:
            return None
        if size == 0:
            return b"".join(chunks)
        chunks.append(data[start : start + size])
        start += size + 2
    return None


@final
class _Connection(asyncio.Protocol):
    """One connection; calls its pool back when it may be used again, or is gone."""

    __slots__ = ("_pool", "_received", "_then", "_transport")

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._received = b""
        self._then: Then | None = None
        self._transport: asyncio.Transport | None = None

    def send(self, request: bytes, then: Then) -> None:
        assert self._transport is not None, "not connected yet"
        self._then = then
        self._transport.write(request)

    def forget(self) -> None:
        """Call nobody back, whatever comes."""
        self._then = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        response = parse_response(data)
        if response is None:
            self._received = data
            return
        self._received = b""
        then, self._then = self._then, None
        assert then is not None, f"an answer to nothing: {data!r}"
        if response.closes:
            self.close()
        else:
            self._pool.freed(self)
        then(response.status, response.body)

    def connection_lost(self, exc: Exception | None) -> None:
        then, self._then = self._then, None
        self._pool.lost(self)
        if then is not None:
            then(LOST, b"the connection broke")


@final
class Pool:
    """Connections to one server. What is posted when all are in use waits for its turn."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint: Final = endpoint
        self._all: set[_Connection] = set()
        self._free: list[_Connection] = []
        self._waiting: deque[tuple[bytes, Then]] = deque()
        self._reconnecting: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self, count: int) -> None:
        await asyncio.gather(*(self._connect() for _ in range(count)))

    def post(self, request: bytes, then: Then) -> None:
        if self._free:
            self._free.pop().send(request, then)
        else:
            self._waiting.append((request, then))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """One request and its answer, for what need not be fast."""
        answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self.post(request, lambda status, body: answer.set_result((status, body)))
        return await answer

    async def close(self) -> None:
        """Drop all connections and wait until they are gone; nothing is called back any more."""
        self._closed = True
        self._waiting.clear()
        for connection in self._all:
            connection.forget()
            connection.close()
        while self._all or self._reconnecting:  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(0)

    def freed(self, connection: _Connection) -> None:
        if self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._free.append(connection)

    def lost(self, connection: _Connection) -> None:
        """Open another one in its place."""
        self._all.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        if not self._closed:
            task = asyncio.get_running_loop().create_task(self._connect())
            self._reconnecting.add(task)
            task.add_done_callback(self._reconnecting.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._closed:
            try:
                _, connection = await loop.create_connection(lambda: _Connection(self), *self.endpoint)
            except OSError:
                await asyncio.sleep(_RECONNECT_SECONDS)
                continue
            self._all.add(connection)
            if self._closed:
                connection.close()
            else:
                self.freed(connection)
            return
