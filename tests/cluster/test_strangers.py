"""Whoever else calls at the port of a node."""

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import replace

import pytest

from bpmnd.cluster.handshake import Hello, headers_of
from tests.cluster.nodes import HASTE, Node, joined, request, some_attempts, until

SESSION = "0123456789abcdef"


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}
HELLO = headers_of(Hello(2, 5, "c"), SESSION)


def upgrade(headers: dict[str, str]) -> bytes:
    return request("GET /peer", {**UPGRADE, **headers})


async def ask(node: Node, headers: dict[str, str], *, more: bytes = b"") -> bytes:
    """The head of the answer to an upgrade with these headers; empty if there is none."""
    reader, writer = await asyncio.open_connection(*node.address)
    try:
        writer.write(upgrade(headers) + more)
        async with asyncio.timeout(5):
            return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        return error.partial
    finally:
        writer.transport.abort()


async def test_a_node_that_has_this_nodes_own_id_is_refused() -> None:
    async with Node(1) as one:
        answer = await ask(one, headers_of(Hello(1, 5, "c"), SESSION))

        assert answer.startswith(b"HTTP/1.1 403")
        assert b"Bpmnd-Reason: node id 1 is taken" in answer


async def test_another_version_of_the_protocol_is_refused() -> None:
    async with Node(1) as one:
        answer = await ask(one, {**HELLO, "Bpmnd-Version": "99"})

        assert answer.startswith(b"HTTP/1.1 403")
        assert b"Bpmnd-Reason: protocol version 99 is not 1" in answer


async def test_a_caller_without_a_hello_is_refused() -> None:
    async with Node(1) as one:
        answer = await ask(one, {})

        assert answer.startswith(b"HTTP/1.1 403")


async def test_a_handler_that_fails_to_judge_lets_nobody_in() -> None:
    async with Node(1) as one:
        one.fails_to_judge = True
        answer = await ask(one, HELLO)

        assert answer.startswith(b"HTTP/1.1 403")
        assert len(one.failures) == 1


async def test_a_caller_that_does_not_confirm_is_never_connected() -> None:
    async with Node(1) as one:
        answer = await ask(one, HELLO)

        assert answer.startswith(b"HTTP/1.1 101")
        assert one.events == []


@pytest.mark.parametrize(
    "text",
    [
        b"\x81\x85\0\0\0\0wrong",
        b"\x81\x90\0\0\0\0" + b"0" * 16,
        b"\x82\x90\0\0\0\0" + b"0" * 16,
        b"\xff" * 64,
    ],
    ids=["no token", "another token", "binary", "noise"],
)
async def test_a_caller_that_confirms_with_something_else_is_never_connected(text: bytes) -> None:
    async with Node(1) as one:
        await ask(one, HELLO, more=text)
        await until(lambda: one.transport.peers[2].holds(""))

        assert one.events == []


async def test_a_token_that_is_none_confirms_nothing() -> None:
    async with Node(9) as nine:
        await ask(nine, HELLO, more=b"\x81\x85\0\0\0\0wrong")
        await some_attempts(nine)

        assert nine.events == []


async def test_a_node_that_is_forgotten_while_it_calls_is_not_connected() -> None:
    async with Node(9) as nine:
        reader, writer = await asyncio.open_connection(*nine.address)
        writer.write(upgrade(HELLO))
        await reader.readuntil(b"\r\n\r\n")
        nine.transport.forget(2)
        writer.write(b"\x81\x90\0\0\0\0" + b"0" * 16)

        async with asyncio.timeout(3):
            with suppress(ConnectionError):
                await reader.read()
        writer.transport.abort()
        assert nine.events == []


NO_WEBSOCKET = b"Bpmnd-Reason: it asks for no websocket"
REQUESTS = {
    "no upgrade": (request("GET /peer", HELLO), b"403", NO_WEBSOCKET),
    "no key": (upgrade({**HELLO, "Sec-WebSocket-Key": "short"}), b"403", NO_WEBSOCKET),
    "another upgrade": (upgrade({**HELLO, "Upgrade": "h2c"}), b"403", NO_WEBSOCKET),
    "no upgrade and no hello": (request("GET /peer", {}), b"403", b"Bpmnd-Reason: protocol version none"),
    "another method": (request("POST /peer", {**UPGRADE, **HELLO}, b"body"), b"404", b""),
    "another path": (request("GET /peer/more", {**UPGRADE, **HELLO}), b"404", b""),
    "a large body": (request("POST /else", HELLO, bytes(4 << 20)), b"404", b""),
}


async def exchange(node: Node, asked: bytes) -> bytes:
    """All that is answered until the node closes the connection."""
    reader, writer = await asyncio.open_connection(*node.address)
    answer = bytearray()
    try:
        writer.write(asked)
        async with asyncio.timeout(5):
            with suppress(ConnectionError):  # Hung up while there was more to read.
                while data := await reader.read(1 << 16):
                    answer += data
    finally:
        writer.transport.abort()
    return bytes(answer)


@pytest.mark.parametrize(("asked", "status", "reason"), REQUESTS.values(), ids=REQUESTS.keys())
async def test_a_request_for_no_websocket_is_answered_once_and_hung_up_on(
    asked: bytes, status: bytes, reason: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with Node(1, settings=replace(HASTE, handshake_seconds_max=30)) as one:
        answer = await exchange(one, asked + request("GET /peer", HELLO))

        assert answer.startswith(b"HTTP/1.1 " + status)
        assert reason in answer
        assert answer.count(b"HTTP/1.1 ") == 1
        assert one.events == []
        assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_request_for_no_websocket_takes_nothing_from_the_caller_before_it() -> None:
    async with Node(1) as one:
        reader, writer = await asyncio.open_connection(*one.address)
        writer.write(upgrade(HELLO))
        head = await reader.readuntil(b"\r\n\r\n")
        token = head.partition(b"Bpmnd-Token: ")[2][:16]
        await exchange(one, request("GET /peer", HELLO))

        writer.write(b"\x81\x90\0\0\0\0" + token)

        await until(lambda: one.events == ["connected 2"])
        writer.transport.abort()


GARBAGE = {
    "random bytes": random.Random(3).randbytes(4000),
    "endless line": b"GET /" + b"a" * 100_000,
    "endless headers": b"GET /peer HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    "tls": bytes.fromhex("1603010200010001fc0303") + bytes(500),
    "half a request": b"GET /peer HT",
    "nothing": b"",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_on_the_port_is_hung_up_on_and_harms_nobody(
    garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with Node(1) as one, Node(2) as two:
        await joined(one, two)
        reader, writer = await asyncio.open_connection(*one.address)
        writer.write(garbage)
        async with asyncio.timeout(3):
            with suppress(ConnectionError):  # Hung up while there was more to read.
                await reader.read()
        writer.transport.abort()
        one.transport.send(2, b"still here")
        await until(lambda: two.items == [b"still here"])

        assert one.events == ["connected 2"]
        assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("end", [1, 2])
async def test_a_message_beyond_the_bound_ends_the_connection_of_its_sender_alone(end: int) -> None:
    bold = replace(HASTE, message_size_max=4 << 20)
    async with Node(end, settings=bold) as one, Node(3 - end) as two, Node(3) as three:
        await joined(one, two)
        await joined(two, three)
        one.transport.send(two.id, bytes(3 << 20))

        await until(lambda: f"disconnected {end}" in two.events)

        assert three.events == [f"connected {two.id}"]
        assert two.items == []


async def test_more_connections_than_there_may_be_are_closed() -> None:
    settings = replace(HASTE, connections_max=3, handshake_seconds_max=5)
    async with Node(1, settings=settings) as one:
        kept = [await asyncio.open_connection(*one.address) for _ in range(3)]
        reader, writer = await asyncio.open_connection(*one.address)

        assert await reader.read() == b""

        for _, open_writer in [*kept, (reader, writer)]:
            open_writer.transport.abort()
