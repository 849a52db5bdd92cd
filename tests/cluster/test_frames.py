import random

import pytest

from bpmnd.cluster.errors import FrameError
from bpmnd.cluster.frames import HEADER_SIZE, Inbox, Outbox


def outbox(*, message: int = 1024, control: int = 10_000, bulk: int = 10_000) -> Outbox:
    return Outbox(
        item_size_max=10_000, message_size_max=message, control_size_max=control, bulk_size_max=bulk
    )


def messages_of(box: Outbox) -> list[bytes]:
    messages: list[bytes] = []
    while (message := box.take()) is not None:
        messages.append(message)
    return messages


def test_the_bytes_of_a_message_are_as_the_page_has_them() -> None:
    box = outbox()
    box.put(b"bulk", control=False)
    box.put(b"now", control=True)

    assert box.take() == bytes.fromhex("01000000 01000000 00000000 03000000 04000000") + b"nowbulk"


def test_an_item_that_does_not_fit_goes_on_in_the_next_message() -> None:
    box = outbox(message=64)
    box.put(bytes(range(100)), control=False)

    first, second = messages_of(box)

    assert first == bytes.fromhex("00000000 01000000 01000000 3c000000") + bytes(range(60))
    assert second == bytes.fromhex("00000000 01000000 00000000 28000000") + bytes(range(60, 100))


def test_control_items_pass_between_the_pieces_of_a_large_one() -> None:
    box, inbox = outbox(message=64), Inbox(item_size_max=1000)
    box.put(b"x" * 150, control=False)

    taken = [inbox.take(box.take() or b"")]
    box.put(b"now", control=True)
    taken += [inbox.take(message) for message in messages_of(box)]

    assert taken == [[], [b"now"], [b"x" * 150]]


def test_a_message_never_exceeds_its_bound() -> None:
    box = outbox(message=128)
    for size in (0, 1, 500, 3, 124, 125, 0):
        box.put(bytes(size), control=False)
        box.put(bytes(size % 100), control=True)

    assert max(map(len, messages_of(box))) <= 128 + HEADER_SIZE


@pytest.mark.parametrize("seed", range(200))
def test_items_arrive_whole_and_in_the_order_of_their_lane(seed: int) -> None:
    chance = random.Random(seed)
    box, inbox = outbox(message=64, control=1 << 20, bulk=1 << 20), Inbox(item_size_max=10_000)
    sent: dict[bool, list[bytes]] = {True: [], False: []}
    arrived: dict[bool, list[bytes]] = {True: [], False: []}

    def deliver(message: bytes | None) -> None:
        for item in inbox.take(message) if message is not None else []:
            arrived[item[:1] == b"c"].append(item)

    for _ in range(chance.randrange(1, 60)):
        control = chance.random() < 0.4
        size = chance.randrange(50) if control else chance.choice((0, 20, 55, 56, 60, 61, 300))
        item = (b"c" if control else b"b") + chance.randbytes(size)
        assert box.put(item, control)
        sent[control].append(item)
        if chance.random() < 0.3:
            deliver(box.take())
    for message in messages_of(box):
        deliver(message)

    assert arrived == sent
    assert (box.control_size, box.bulk_size, box.is_empty) == (0, 0, True)
    assert box.items_taken == len(sent[True]) + len(sent[False])


@pytest.mark.parametrize("control", [True, False])
def test_a_full_lane_refuses_and_has_room_again_when_it_is_emptied(control: bool) -> None:
    box = outbox(control=100, bulk=100)
    assert box.put(bytes(60), control)
    assert not box.put(bytes(60), control)
    assert box.put(bytes(60), not control)

    box.take()

    assert box.put(bytes(60), control)


def test_an_item_that_is_sent_in_part_is_charged_to_its_end() -> None:
    box = outbox(message=64, bulk=204)
    box.put(bytes(200), control=False)

    box.take()

    assert not box.put(b"", control=False)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        bytes(HEADER_SIZE - 1),
        bytes.fromhex("ffffffff ffffffff 00000000"),
        bytes.fromhex("01000000 00000000 00000000 05000000") + b"four",
        bytes.fromhex("01000000 00000000 00000000 03000000") + b"four",
        bytes.fromhex("01000000 00000000 01000000 04000000") + b"four",
        bytes.fromhex("00000000 01000000 02000000 04000000") + b"four",
        bytes.fromhex("00000000 01000000 01000000 00000000"),
    ],
    ids=["empty", "no header", "many", "short", "long", "control goes on", "unknown mark", "no piece"],
)
def test_a_malformed_message_is_refused(message: bytes) -> None:
    with pytest.raises(FrameError):
        Inbox(item_size_max=100).take(message)


def test_random_bytes_are_refused_or_read_but_break_nothing() -> None:
    chance = random.Random(1)
    for _ in range(2000):
        header = bytes.fromhex("01000000 02000000 01000000") if chance.random() < 0.5 else b""
        message = header + chance.randbytes(chance.randrange(80))
        try:
            items = Inbox(item_size_max=100).take(message)
        except FrameError:
            continue
        assert sum(map(len, items)) <= len(message)


def test_pieces_beyond_the_bound_of_an_item_are_refused() -> None:
    piece = bytes.fromhex("00000000 01000000 01000000 3c000000") + bytes(60)
    inbox = Inbox(item_size_max=100)
    inbox.take(piece)

    with pytest.raises(FrameError):
        inbox.take(piece)
