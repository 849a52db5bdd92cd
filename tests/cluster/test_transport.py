"""Items between two nodes that are connected."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.cluster.nodes import HASTE, Node, Wire, are_joined, joined, until


@pytest.fixture
async def one() -> AsyncIterator[Node]:
    async with Node(1) as node:
        yield node


@pytest.fixture
async def two(one: Node) -> AsyncIterator[Node]:
    async with Node(2) as node:
        await joined(one, node)
        yield node


async def test_items_of_one_turn_leave_as_one_message(one: Node, two: Node) -> None:
    for number in range(100):
        assert one.transport.send(2, b"%d" % number)

    await until(lambda: len(two.messages) > 0)

    assert two.messages == [[b"%d" % number for number in range(100)]]


async def test_what_is_queued_within_the_pace_leaves_with_the_next_message() -> None:
    slow = replace(HASTE, pace_seconds=0.2)
    async with Node(1, settings=slow) as one, Node(2) as two:
        await joined(one, two)
        for item in (b"a", b"b", b"c"):
            one.transport.send(2, item)
            await asyncio.sleep(0.01)

        await until(lambda: len(two.items) == 3)

        assert two.messages == [[b"a"], [b"b", b"c"]]


async def test_control_items_go_before_bulk_items(one: Node, two: Node) -> None:
    two.transport.send(1, b"bulk")
    two.transport.send(1, b"control", control=True)

    await until(lambda: len(one.messages) > 0)

    assert one.messages == [[b"control", b"bulk"]]


async def test_the_accepting_side_sends_over_the_same_connection(one: Node, two: Node) -> None:
    two.transport.send(1, b"back")

    await until(lambda: one.items == [b"back"])

    assert one.transport.peers[2].counters.connections == 1


async def test_control_items_overtake_a_large_item(one: Node, two: Node) -> None:
    large = bytes(20 << 20)
    one.transport.send(2, large)
    await asyncio.sleep(0)
    for _ in range(3):
        await asyncio.sleep(0)
    assert one.transport.peers[2].queued_size > 0
    one.transport.send(2, b"urgent", control=True)

    await until(lambda: len(two.items) == 2)

    assert two.items == [b"urgent", large]


async def test_items_arrive_in_order_and_once(one: Node, two: Node) -> None:
    sent = [b"%d" % number * (1 + number % 7 * 30_000) for number in range(200)]
    for number, item in enumerate(sent):
        assert one.transport.send(2, item)
        if number % 9 == 0:
            await asyncio.sleep(0)

    await until(lambda: len(two.items) == len(sent))

    assert two.items == sent


async def test_nothing_is_queued_for_a_node_that_is_not_connected(one: Node) -> None:
    assert not one.transport.send(7, b"item")


async def test_the_counters_say_what_went_over(one: Node, two: Node) -> None:
    for size in (5, 0, 3 << 20):
        one.transport.send(2, bytes(size))

    await until(lambda: len(two.items) == 3)

    sent, received = one.transport.peers[2].counters, two.transport.peers[1].counters
    assert (sent.items_sent, received.items_received) == (3, 3)
    assert sent.bytes_sent == received.bytes_received > 3 << 20
    assert one.transport.peers[2].queued_size == 0


async def test_a_full_queue_refuses_until_the_other_side_reads_again() -> None:
    settings = replace(HASTE, item_size_max=1 << 20, bulk_queue_size_max=2 << 20)
    async with Node(1, settings=settings) as one, Node(2) as two, Wire(two.address) as wire:
        one.transport.learn(2, wire.address)
        await until(lambda: are_joined(one, two))
        wire.fall_silent()
        accepted = 0
        while accepted < 100 and one.transport.send(2, bytes(1 << 20)):
            accepted += 1
            await asyncio.sleep(0.005)  # The sockets take some.
        assert accepted < 100
        assert one.transport.peers[2].counters.dropped == 1
        assert one.transport.peers[2].queued_size <= 2 << 20
        assert one.transport.send(2, b"urgent", control=True)

        wire.speak()
        await until(lambda: len(two.items) == accepted + 1)

        assert one.transport.send(2, b"again")


async def test_an_item_that_could_never_be_sent_is_a_bug_of_the_caller(one: Node, two: Node) -> None:
    with pytest.raises(AssertionError):
        one.transport.send(2, bytes((1 << 20) + 1), control=True)
    with pytest.raises(AssertionError):
        one.transport.send(2, bytes((64 << 20) + 1))


async def test_what_is_queued_is_sent_before_the_transport_stops(one: Node, two: Node) -> None:
    one.transport.send(2, bytes(5 << 20))

    await one.transport.stop()

    await until(lambda: "disconnected 1" in two.events)
    assert [len(item) for item in two.items] == [5 << 20]


async def test_nothing_is_received_from_a_node_that_was_forgotten() -> None:
    async with Node(1, settings=replace(HASTE, message_size_max=64)) as one, Node(2) as two:
        await joined(one, two)
        two.forgets_on = b"5"
        for number in range(5000):
            one.transport.send(2, b"%d" % number)

        await until(lambda: "disconnected 1" in two.events and "disconnected 2" in one.events)

        assert b"5" in two.messages[-1]


async def test_a_handler_that_raises_loses_its_connection_and_its_owner_is_told(
    one: Node, two: Node, caplog: pytest.LogCaptureFixture
) -> None:
    two.raises_on = b"poison"

    one.transport.send(2, b"poison")
    await until(lambda: "disconnected 2" in one.events)

    assert [str(error) for error in two.failures] == ["a bug"]
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    await until(lambda: two.events == ["connected 1", "disconnected 1", "connected 1"])
