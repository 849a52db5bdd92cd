"""Nodes that have nothing but a transport, and a wire between them that can be cut."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Final, final

from bpmnd.cluster.dialer import Address
from bpmnd.cluster.handshake import Hello
from bpmnd.cluster.settings import TransportSettings
from bpmnd.cluster.tls import TlsFiles
from bpmnd.cluster.transport import Transport

HASTE: Final = TransportSettings(
    pause_min_seconds=0.005,
    pause_max_seconds=0.05,
    handshake_seconds_max=1.0,
    silence_seconds_max=10.0,
    close_seconds_max=0.5,
)


NOBODY: Final = 99
"""A node that is never there."""
IMPATIENCE: Final = replace(HASTE, silence_seconds_max=0.6)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a state, not for a time."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for is not told by an event
            await asyncio.sleep(0.001)


async def some_attempts(node: "Node") -> None:
    """Until the node has tried several times to reach another that is not there: whatever else it would dial,
    it would have dialed meanwhile."""
    tried = 0

    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tried
        tried += 1
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    node.transport.learn(NOBODY, server.sockets[0].getsockname()[:2])
    await until(lambda: tried > 5)
    node.transport.forget(NOBODY)
    server.close()


@final
class Node:
    """A transport whose owner writes down what it is told."""

    def __init__(
        self,
        node: int,
        *,
        incarnation: int = 1,
        cluster: str = "c",
        settings: TransportSettings = HASTE,
        tls: TlsFiles | None = None,
        port: int = 0,
    ) -> None:
        self.id = node
        self.events: list[str] = []
        self.hellos: list[Hello] = []
        self.messages: list[list[bytes]] = []
        self.failures: list[Exception] = []
        self.refusals: dict[int, str] = {}
        self.raises_on: bytes | None = None
        self.fails_to_judge = False
        self.forgets_at_once = False
        self.forgets_on: bytes | None = None
        self.port = port
        self.transport = Transport(
            Hello(node, incarnation, cluster, b"extra"),
            self,
            address=("127.0.0.1", port),
            tls=tls,
            settings=settings,
        )

    @property
    def items(self) -> list[bytes]:
        return [item for message in self.messages for item in message]

    @property
    def address(self) -> Address:
        return "127.0.0.1", self.port

    async def __aenter__(self) -> "Node":
        self.port = await self.transport.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.transport.stop()

    def admit(self, hello: Hello) -> str | None:
        if self.fails_to_judge:
            raise ArithmeticError("a bug")
        if hello.cluster != self.transport.hello.cluster:
            return f"cluster {hello.cluster} is not {self.transport.hello.cluster}"
        return self.refusals.get(hello.node)

    def connected(self, node: int, hello: Hello) -> None:
        self.events.append(f"connected {node}")
        self.hellos.append(hello)
        if self.forgets_at_once:
            self.transport.forget(node)

    def disconnected(self, node: int) -> None:
        self.events.append(f"disconnected {node}")

    def received(self, node: int, items: list[bytes]) -> None:
        if self.raises_on in items:
            raise ArithmeticError("a bug")
        self.messages.append(items)
        if self.forgets_on in items:
            self.transport.forget(node)

    def failed(self, node: int, error: Exception) -> None:
        self.failures.append(error)


async def joined(first: Node, second: Node) -> None:
    """Until both know that they are connected, and what was tried beside it has come to its end."""
    first.transport.learn(second.id, second.address)
    await until(lambda: are_joined(first, second))


def are_joined(first: Node, second: Node) -> bool:
    return first.transport.is_connected(second.id) and second.transport.is_connected(first.id)


def request(line: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """What anybody may write to the port of a node."""
    head = {"Host": "node", **headers}
    if body:
        head["Content-Length"] = str(len(body))
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    return "\r\n".join(lines).encode() + body


@final
class Wire:
    """Passes bytes on to a port, unless it is silent."""

    def __init__(self, to: Address) -> None:
        self._to = to
        self._passes = asyncio.Event()
        self._passes.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.calls = 0
        self.pause_seconds = 0.0
        """Between two pieces of 64 KiB."""
        self.pieces = 0
        """So many have passed."""

    @property
    def address(self) -> Address:
        assert self._server is not None, "it was entered"
        return "127.0.0.1", self._server.sockets[0].getsockname()[1]

    def fall_silent(self) -> None:
        self._passes.clear()

    def speak(self) -> None:
        self._passes.set()

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None, "it was entered"
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # It may end before it begins.

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with AsyncExitStack() as stack:
            with suppress(ConnectionError):
                far_reader, far_writer = await asyncio.open_connection(*self._to)
                stack.callback(far_writer.transport.abort)
                ways = [
                    asyncio.ensure_future(self._pass(reader, far_writer)),
                    asyncio.ensure_future(self._pass(far_reader, writer)),
                ]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                    await self._passes.wait()  # That an end has closed does not pass either.
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            await self._passes.wait()
            self.pieces += 1
            writer.write(data)
            await writer.drain()
            if self.pause_seconds:
                await asyncio.sleep(self.pause_seconds)
