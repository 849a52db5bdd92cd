"""Streams are whole, or they fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from bpmnd.cluster.errors import RefusedError, TransportError
from bpmnd.cluster.handshake import Hello, headers_of
from tests.cluster.nodes import HASTE, Node, Wire, joined, until


@pytest.fixture
async def one() -> AsyncIterator[Node]:
    async with Node(1) as node:
        yield node


@pytest.fixture
async def two(one: Node) -> AsyncIterator[Node]:
    async with Node(2) as node:
        await joined(one, node)
        yield node


async def read(node: Node, name: str, body: bytes = b"", *, at: int = 2) -> list[bytes]:
    return [chunk async for chunk in node.transport.stream(at, name, body)]


async def test_a_stream_answers_a_request(one: Node, two: Node) -> None:
    assert await read(one, "echo", b"what was asked") == [b"echo for 1: ", b"what was asked"]


async def test_a_large_stream_is_whole(one: Node, two: Node) -> None:
    assert sum(map(len, await read(one, "large"))) == 72 * 2**20 + len("large for 1: ")


async def test_items_pass_while_a_stream_runs(one: Node, two: Node) -> None:
    async with aclosing(one.transport.stream(2, "large", b"")) as chunks:
        await anext(chunks)
        one.transport.send(2, b"item")
        await until(lambda: two.items == [b"item"])


async def test_a_stream_needs_no_websocket(one: Node) -> None:
    async with Node(2) as two:
        two.refusals[1] = "not yet"
        one.transport.learn(2, two.address)
        await asyncio.sleep(0.02)
        two.refusals.clear()
        one.transport.learn(2, two.address)

        assert await read(one, "echo", b"x") == [b"echo for 1: ", b"x"]


async def test_why_the_other_node_ends_a_stream_is_told(one: Node, two: Node) -> None:
    with pytest.raises(TransportError, match="there is no such partition"):
        await read(one, "refused")


async def test_a_stream_whose_handler_fails_breaks_off(one: Node, two: Node) -> None:
    with pytest.raises(TransportError, match="broke off"):
        await read(one, "unknown")

    assert [str(error) for error in two.failures] == ["a bug"]


@pytest.mark.parametrize("size", [100, 1000, 1 << 20, 3 << 20, 70 << 20])
async def test_a_stream_that_is_cut_never_looks_complete(one: Node, size: int) -> None:
    async with Node(2) as two, Wire(two.address) as wire:
        wire.cut_after = size
        two.refusals[1] = "only streams"
        one.transport.learn(2, wire.address)
        two.refusals.clear()

        with pytest.raises(TransportError):
            await read(one, "large")


async def answers(node: Node, body: bytes) -> list[bytes]:
    """What a node reads of a stream whose answer is whole for HTTP."""
    head = [f"{name}: {value}" for name, value in headers_of(Hello(2, 1, "c"), "0" * 16).items()]
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *head, "", ""]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        node.refusals[2] = "only streams"
        node.transport.learn(2, server.sockets[0].getsockname()[:2])
        node.refusals.clear()
        return await read(node, "name")
    finally:
        server.close()


WHOLE = bytes.fromhex("03000000 616263 00000000 01000000 64 ffffffff 0400000000000000")


async def test_a_stream_is_read_as_the_page_has_it(one: Node) -> None:
    assert await answers(one, WHOLE) == [b"abc", b"", b"d"]


@pytest.mark.parametrize("size", range(len(WHOLE)))
async def test_a_stream_without_its_mark_is_broken_off_even_if_http_is_content(one: Node, size: int) -> None:
    with pytest.raises(TransportError, match="broke off"):
        await answers(one, WHOLE[:size])


@pytest.mark.parametrize(
    "body",
    [WHOLE[:-8] + b"\5" + WHOLE[-7:], WHOLE + b"more", bytes.fromhex("01001000") + bytes(1 << 21)],
    ids=["another sum", "more than all", "too large a chunk"],
)
async def test_a_stream_that_no_node_sends_is_an_error(one: Node, body: bytes) -> None:
    with pytest.raises(TransportError, match="the stream has"):
        await answers(one, body)


async def test_a_stream_that_stalls_is_given_up(one: Node, two: Node) -> None:
    with pytest.raises(TransportError):
        await read(one, "stalled")


async def test_a_reader_that_leaves_ends_the_stream_at_the_other_node(one: Node, two: Node) -> None:
    async with aclosing(one.transport.stream(2, "large", b"")) as chunks:
        await anext(chunks)

    await until(lambda: two.streams_closed == 1)


async def test_a_reader_that_does_not_read_ends_the_stream_at_the_other_node(one: Node, two: Node) -> None:
    async with aclosing(one.transport.stream(2, "large", b"")) as chunks:
        await anext(chunks)
        await until(lambda: two.streams_closed == 1)

        with pytest.raises(TransportError):
            async for _ in chunks:
                pass


async def test_who_is_not_admitted_gets_no_stream(one: Node, two: Node) -> None:
    two.refusals[1] = "it was removed"

    with pytest.raises(RefusedError, match="it was removed"):
        await read(one, "echo")


async def test_a_node_of_another_cluster_gets_no_stream(one: Node, two: Node) -> None:
    one.transport.hello = replace(one.transport.hello, cluster="else")

    with pytest.raises(RefusedError, match="cluster else is not c"):
        await read(one, "echo")


async def test_a_request_beyond_the_bound_of_the_other_node_is_refused(one: Node) -> None:
    async with Node(2, settings=replace(HASTE, request_size_max=100)) as two:
        await joined(one, two)

        with pytest.raises(RefusedError, match="the request has more than 100 bytes"):
            await read(one, "echo", bytes(101))


async def test_an_unknown_address_is_an_error(one: Node) -> None:
    with pytest.raises(TransportError, match="the address of node 9 is not known"):
        await read(one, "echo", at=9)


async def test_a_node_that_is_away_is_an_error(one: Node) -> None:
    async with Node(2) as gone:
        pass
    one.transport.learn(2, gone.address)

    with pytest.raises(TransportError):
        await read(one, "echo")


async def test_more_streams_than_there_may_be_are_refused(one: Node) -> None:
    async with Node(2, settings=replace(HASTE, streams_max=1)) as two:
        await joined(one, two)
        async with aclosing(one.transport.stream(2, "large", b"")) as chunks:
            await anext(chunks)

            with pytest.raises(RefusedError, match="1 streams are served already"):
                await read(one, "echo")


async def test_a_transport_that_stops_ends_the_streams_it_serves(one: Node, two: Node) -> None:
    async with aclosing(one.transport.stream(2, "stalled", b"")) as chunks:
        await anext(chunks)
        await two.transport.stop()

        with pytest.raises(TransportError):
            await anext(chunks)
        assert two.streams_closed == 1
