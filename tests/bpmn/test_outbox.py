"""The outbox against a plain list, through captures, undone turns and restarts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bpmnd.bpmn.state.changes import Row
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.outbox import Outbox
from bpmnd.storage.cold_store import MemoryStore
from bpmnd.storage.entry import Position

WHAT = ["add", "acknowledge", "undo", "capture", "readable", "restart"]


def captured(outbox: Outbox) -> list[Row]:
    return [*outbox.last_numbers.capture(), *outbox.payloads.capture()]


def written(store: MemoryStore, rows: list[Row]) -> None:
    store.write(rows)
    store.commit(Position(1, 1, bytes(32)))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WHAT), st.integers(2, 3), st.integers(0, 9)), max_size=50))
def test_an_outbox_is_a_list_for_each_receiver(operations: list[tuple[str, int, int]]) -> None:
    store, journal = MemoryStore(), Journal()
    outbox = Outbox(store)
    expected: dict[int, list[tuple[int, bytes]]] = {2: [], 3: []}
    last = {2: 0, 3: 0}
    rows: list[Row] | None = None
    for what, receiver, number in operations:
        journal.start()
        match what:
            case "add":
                last[receiver] += 1
                outbox.add(receiver, b"%d" % number, journal)
                expected[receiver].append((last[receiver], b"%d" % number))
            case "acknowledge" if last[receiver]:
                outbox.acknowledge(receiver, number, journal)
                expected[receiver] = [each for each in expected[receiver] if each[0] > number]
            case "undo":
                outbox.add(receiver, b"undone", journal)
                outbox.acknowledge(receiver, number, journal)
                outbox.add(receiver, b"undone", journal)
                journal.undo()
            case "capture" if rows is None:
                rows = captured(outbox)
            case "readable" if rows is not None:
                written(store, rows)
                outbox.payloads.readable()
                rows = None
            case "restart" if rows is None:
                written(store, captured(outbox))
                store = store.reopened()
                outbox = Outbox(store)
            case _:
                pass
        for each, messages in expected.items():
            channel = outbox.get(each)
            assert (list(channel.messages) if channel else []) == messages
            assert (channel.last_number if channel else 0) == last[each]
            assert bool(channel and channel.messages) == bool(messages)


def test_what_the_store_has_of_a_long_outbox_is_not_in_memory() -> None:
    store, journal = MemoryStore(), Journal()
    outbox = Outbox(store)
    for number in range(1000):
        outbox.add(2, b"%d" % number, journal)
    written(store, captured(outbox))
    outbox.payloads.readable()

    assert outbox.payloads.count_in_memory() == 0
    channel = outbox.get(2)
    assert channel is not None
    assert [number for number, _ in channel.messages.between(998, 2000)] == [998, 999, 1000]
