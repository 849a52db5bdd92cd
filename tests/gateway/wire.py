"""HTTP as bytes, for what a well-behaved client would not send, and a wait for a state."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import msgspec


async def eventually(holds: Callable[[], bool]) -> None:
    """Let others run until it holds."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110  what is waited for does not know that it is
            await asyncio.sleep(0.001)


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class RawConnection:
    """One connection that sends what it is given and reads one response at a time."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def send(self, *pieces: bytes) -> None:
        self._writer.write(b"".join(pieces))
        await self._writer.drain()

    async def post(self, path: str, body: bytes, *headers: str) -> None:
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: localhost",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *headers,
        ]
        await self.send("\r\n".join(lines).encode(), b"\r\n\r\n", body)

    async def response(self) -> Response:
        async with asyncio.timeout(5):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
            return Response(int(head[0].split()[1]), headers, body)

    async def is_closed(self) -> bool:
        """Whether the server closes the connection, having sent nothing more."""
        async with asyncio.timeout(5):
            return await self._reader.read(1) == b""

    def close_now(self) -> None:
        """Close the socket without a turn of the event loop."""
        self._writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def hang_up(self) -> None:
        self._writer.transport.abort()
