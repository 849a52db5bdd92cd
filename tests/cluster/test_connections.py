"""How two nodes find each other, how they part, and whom they turn away."""

import asyncio
import logging
import random
from dataclasses import replace
from functools import partial

import pytest

from bpmnd.cluster.handshake import Hello
from bpmnd.cluster.listener import is_loopback
from tests.cluster.nodes import HASTE, IMPATIENCE, Node, Wire, are_joined, joined, some_attempts, until

SIGNS_OF_LIFE = 16
"""Pieces that pass an idle connection, both ways, in longer than a silence may last."""


def both_have(one: Node, two: Node, count: int) -> bool:
    return len(one.items) == len(two.items) == count


async def test_a_node_presents_itself_to_the_other() -> None:
    async with Node(1, incarnation=11) as one, Node(2, incarnation=22) as two:
        await joined(one, two)

        assert one.hellos == [Hello(2, 22, "c", b"extra")]
        assert two.hellos == [Hello(1, 11, "c", b"extra")]


@pytest.mark.parametrize("dialer", [1, 2])
async def test_one_node_that_knows_the_address_is_enough(dialer: int) -> None:
    async with Node(dialer) as one, Node(3 - dialer) as two:
        await joined(one, two)

        assert one.events == [f"connected {two.id}"]
        assert two.events == [f"connected {one.id}"]


@pytest.mark.parametrize("attempt", range(20))
async def test_when_both_dial_at_once_one_connection_is_made_and_stays(attempt: int) -> None:
    async with Node(1) as one, Node(2) as two:
        one.transport.learn(2, two.address)
        two.transport.learn(1, one.address)
        await until(lambda: are_joined(one, two))
        for number in range(20):
            one.transport.send(2, b"%d" % number)
            two.transport.send(1, b"%d" % number)
            await until(partial(both_have, one, two, number + 1))

        assert one.events == ["connected 2"]
        assert two.events == ["connected 1"]


@pytest.mark.parametrize("seed", range(4))
async def test_any_two_of_many_nodes_that_all_dial_have_one_connection(seed: int) -> None:
    nodes = [Node(number) for number in range(5)]
    for node in nodes:
        await node.__aenter__()
    pairs = [(one, two) for one in nodes for two in nodes if one is not two]
    random.Random(seed).shuffle(pairs)
    for one, two in pairs:
        one.transport.learn(two.id, two.address)
        await asyncio.sleep(0)
    await until(lambda: all(one.transport.is_connected(two.id) for one, two in pairs))
    await asyncio.gather(*(some_attempts(node) for node in nodes))

    for node in nodes:
        assert sorted(node.events) == [f"connected {other.id}" for other in nodes if other is not node]
    await asyncio.gather(*(node.transport.stop() for node in nodes))


async def test_a_node_that_starts_again_is_found_again() -> None:
    async with Node(1) as one:
        async with Node(2, incarnation=1) as two:
            await joined(one, two)
        async with Node(2, incarnation=2, port=two.port) as again:
            await until(lambda: are_joined(one, again))

            assert one.events == ["connected 2", "disconnected 2", "connected 2"]
            assert one.hellos[-1].incarnation == 2
            assert one.transport.peers[2].counters.connections == 2


async def test_a_node_is_dialed_until_it_is_there() -> None:
    async with Node(2) as gone:
        pass
    async with Node(1) as one, Wire(gone.address) as wire:
        one.transport.learn(2, wire.address)
        await until(lambda: wire.calls > 3)
        async with Node(2, port=gone.port) as two:
            await until(lambda: are_joined(one, two))


async def test_another_address_takes_effect_at_once(caplog: pytest.LogCaptureFixture) -> None:
    settings = replace(HASTE, pause_min_seconds=30, pause_max_seconds=30)
    async with Node(2) as gone:
        pass
    async with Node(1, settings=settings) as one, Node(2) as two:
        one.transport.learn(2, gone.address)
        await until(lambda: "no connection to node 2" in caplog.text)

        await joined(one, two)


async def test_a_connection_that_breaks_is_noticed_at_once() -> None:
    async with Node(1) as one, Node(2) as two:
        async with Wire(two.address) as wire:
            one.transport.learn(2, wire.address)
            await until(lambda: are_joined(one, two))

        await until(lambda: "disconnected 2" in one.events and "disconnected 1" in two.events)


@pytest.mark.parametrize("host", ["no such host", "x" * 300, "host.invalid", "", "a/b"])
async def test_what_is_no_address_is_complained_about(host: str, caplog: pytest.LogCaptureFixture) -> None:
    async with Node(1) as one:
        one.transport.learn(2, (host, 1))
        await until(lambda: "no connection to node 2" in caplog.text)

        assert not one.failures


@pytest.mark.parametrize("silent", [1, 2])
async def test_a_peer_that_falls_silent_is_given_up(silent: int) -> None:
    """Idle, or with something to send that nobody takes."""
    async with (
        Node(1, settings=IMPATIENCE) as one,
        Node(2, settings=IMPATIENCE) as two,
        Wire(two.address) as wire,
    ):
        one.transport.learn(2, wire.address)
        await until(lambda: are_joined(one, two))
        wire.fall_silent()
        if silent == 1:
            one.transport.send(2, bytes(30 << 20))

        async with asyncio.timeout(3):
            await until(lambda: "disconnected 2" in one.events and "disconnected 1" in two.events)

        wire.speak()
        await until(lambda: are_joined(one, two))


@pytest.mark.parametrize("sender", [1, 2])
async def test_a_large_item_over_a_slow_line_does_not_look_like_silence(sender: int) -> None:
    async with (
        Node(1, settings=IMPATIENCE) as one,
        Node(2, settings=IMPATIENCE) as two,
        Wire(two.address) as wire,
    ):
        wire.pause_seconds = 0.02
        one.transport.learn(2, wire.address)
        await until(lambda: are_joined(one, two))
        source, target = (one, two) if sender == 1 else (two, one)
        source.transport.send(target.id, bytes(8 << 20))

        await until(lambda: len(target.items) == 1)

        assert (one.events, two.events) == (["connected 2"], ["connected 1"])


async def test_an_idle_connection_stays() -> None:
    async with (
        Node(1, settings=IMPATIENCE) as one,
        Node(2, settings=IMPATIENCE) as two,
        Wire(two.address) as wire,
    ):
        one.transport.learn(2, wire.address)
        await until(lambda: are_joined(one, two))
        begun = wire.pieces

        await until(lambda: wire.pieces > begun + SIGNS_OF_LIFE)

        assert (one.events, two.events) == (["connected 2"], ["connected 1"])


@pytest.mark.parametrize("loser", [1, 2])
async def test_who_lost_the_connection_may_replace_it_before_the_other_notices(loser: int) -> None:
    async with Node(loser, settings=IMPATIENCE) as one, Node(3 - loser) as two, Wire(two.address) as wire:
        one.transport.learn(two.id, wire.address)
        await until(lambda: are_joined(one, two))
        wire.fall_silent()
        await until(lambda: f"disconnected {two.id}" in one.events)

        one.transport.learn(two.id, two.address)

        await until(lambda: two.events[1:] == [f"disconnected {loser}", f"connected {loser}"])
        one.transport.send(two.id, b"anew")
        await until(lambda: two.items == [b"anew"])


async def test_a_process_that_began_anew_replaces_the_connection_of_the_old_one() -> None:
    """The machine of the old one lost its power, so nothing told the other node."""
    async with Node(1) as one, Wire(one.address) as wire:
        async with Node(2) as two:
            two.transport.learn(1, wire.address)
            await until(lambda: are_joined(one, two))
            wire.fall_silent()
        async with Node(2) as again:
            await joined(again, one)


async def test_a_forgotten_node_is_dialed_no_more() -> None:
    async with Node(1) as one, Node(2) as two, Wire(two.address) as wire:
        one.transport.learn(2, wire.address)
        await until(lambda: are_joined(one, two))

        one.transport.forget(2)

        await until(lambda: two.events == ["connected 1", "disconnected 1"])
        assert one.events == ["connected 2", "disconnected 2"]
        await some_attempts(one)
        assert wire.calls == 1


async def test_a_handler_may_forget_a_node_as_soon_as_it_is_connected() -> None:
    async with Node(1) as one, Node(2) as two:
        one.forgets_at_once = True
        one.transport.learn(2, two.address)

        await until(lambda: one.events == ["connected 2", "disconnected 2"])

        assert not one.failures


async def test_a_refused_node_reads_the_reason_and_logs_it_once(caplog: pytest.LogCaptureFixture) -> None:
    async with Node(1) as one, Node(2) as two, Wire(two.address) as wire:
        two.refusals[1] = "nobody knows its incarnation"
        one.transport.learn(2, wire.address)
        await until(lambda: wire.calls > 5)

        complaints = [record.message for record in caplog.records if record.levelno == logging.WARNING]
        assert len([text for text in complaints if "no connection to node 2" in text]) == 1
        assert len([text for text in complaints if text.startswith("refused 127.0.0.1")]) == 1
        assert all("nobody knows its incarnation" in text for text in complaints)
        assert (one.events, two.events) == ([], [])


async def test_the_node_that_dials_may_refuse_the_other(caplog: pytest.LogCaptureFixture) -> None:
    async with Node(1) as one, Node(2) as two, Wire(two.address) as wire:
        one.refusals[2] = "it was removed"
        one.transport.learn(2, wire.address)
        await until(lambda: wire.calls > 5)

        assert "it was removed" in caplog.text
        assert (one.events, two.events) == ([], [])


async def test_a_node_of_another_cluster_is_let_in_by_nobody() -> None:
    async with Node(1, cluster="a") as one, Node(2, cluster="b") as two, Wire(two.address) as wire:
        one.transport.learn(2, wire.address)
        await until(lambda: wire.calls > 5)

        assert (one.events, two.events) == ([], [])


async def test_a_refused_node_is_connected_once_it_is_welcome() -> None:
    async with Node(1, cluster="") as one, Node(2) as two, Wire(two.address) as wire:
        one.transport.learn(2, wire.address)
        await until(lambda: wire.calls > 2)

        one.transport.hello = replace(one.transport.hello, cluster="c")

        await until(lambda: are_joined(one, two))


async def test_an_address_where_another_node_answers_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with Node(1) as one, Node(2) as two, Wire(two.address) as wire:
        one.transport.learn(3, wire.address)
        await until(lambda: wire.calls > 5)

        assert "is the address of node 2, not of node 3" in caplog.text
        assert (one.events, two.events) == ([], [])


async def test_an_address_of_something_else_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with Node(1) as one:
        one.transport.learn(2, server.sockets[0].getsockname()[:2])
        await until(lambda: "it is no peer address" in caplog.text)
    server.close()


async def test_a_transport_that_stops_while_it_dials_leaves_nothing_behind() -> None:
    called = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()
        writer.transport.abort()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    before = asyncio.all_tasks()
    async with Node(1) as one:
        one.transport.learn(2, server.sockets[0].getsockname()[:2])
        await called.wait()
    server.close()

    await until(lambda: asyncio.all_tasks() <= before)


@pytest.mark.parametrize(("host", "warns"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True)])
def test_only_loopback_goes_without_a_warning_when_there_is_no_tls(host: str, warns: bool) -> None:
    assert is_loopback(host) is not warns
