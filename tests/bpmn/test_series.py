"""Tables over the store against plain dictionaries, through captures, undone turns and restarts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bpmnd.bpmn.state import series as series_module
from bpmnd.bpmn.state.changes import Row
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.series import ColdTable, Series
from bpmnd.storage.cold_store import MemoryStore
from bpmnd.storage.entry import Position

GROUPS = (b"\0\0a", b"\0\0b")
_WHAT = ["put", "remove", "undo", "capture", "readable", "restart", "next"]


def entry_of(number: int) -> bytes:
    return number.to_bytes(2, "big")


class _Life:
    """A series and what it should be; what is captured reaches the store with `readable`."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.series = Series(b"x", int, self.store)
        self.expected: dict[bytes, dict[int, int]] = {group: {} for group in GROUPS}
        self.rows: list[Row] | None = None
        self.journal = Journal()

    def put(self, group: bytes, number: int, value: int) -> None:
        is_new = number not in self.expected[group]
        self.series.put_in(group, entry_of(number), value, self.journal, is_new=is_new)
        self.expected[group][number] = value

    def remove(self, group: bytes, number: int) -> None:
        if number in self.expected[group]:
            self.series.remove_from(group, entry_of(number), self.journal)
            del self.expected[group][number]

    def undone(self, group: bytes, numbers: tuple[int, int], *, puts_first: bool) -> None:
        """A turn that puts one thing in and takes another out, and is undone."""
        before = {each: dict(content) for each, content in self.expected.items()}
        self.journal.start()
        if puts_first:
            self.put(group, numbers[0], 7)
        self.remove(group, numbers[1])
        self.series.next(GROUPS[0])
        self.series.next(GROUPS[1], entry_of(3))
        self.put(group, numbers[1], 8)
        self.remove(group, numbers[0])
        self.journal.undo()
        self.expected = before

    def readable(self) -> None:
        if self.rows is not None:
            self.store.write(self.rows)
            self.store.commit(Position(1, 1, bytes(32)))
            self.series.readable()
            self.rows = None

    def check(self) -> None:
        for group, numbers in self.expected.items():
            found: dict[int, int] = {}
            start = b""
            while (each := self.series.next(group, start)) is not None:
                found[int.from_bytes(each[0], "big")] = each[1]
                start = each[0] + b"\0"
            assert found == numbers
            assert list(found) == sorted(found)
            for number in range(0, 20, 3):
                assert self.series.get(group + entry_of(number)) == numbers.get(number)

    def check_walk(self) -> None:
        """In pieces of any size it comes upon everything, in the order of the keys."""
        for count in (1, 2, 3, 100):
            walked: list[tuple[bytes, int]] = []
            cursor: bytes | None = b""
            while cursor is not None:
                found, cursor = self.series.walk(count, cursor, count)
                walked += found
            assert walked == [
                (group + entry_of(number), value)
                for group, numbers in sorted(self.expected.items())
                for number, value in sorted(numbers.items())
            ]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(_WHAT), st.sampled_from(GROUPS), st.integers(0, 19), st.integers(0, 3)),
        max_size=60,
    )
)
def test_a_series_is_a_sorted_dictionary(operations: list[tuple[str, bytes, int, int]]) -> None:
    look, series_module._LOOK = series_module._LOOK, 2  # type: ignore[misc]  # pyright: ignore[reportPrivateUsage]
    try:
        life = _Life()
        for what, group, number, value in operations:
            life.journal.start()
            match what:
                case "put":
                    life.put(group, number, value)
                case "remove":
                    life.remove(group, number)
                case "undo":
                    life.undone(group, (number, value), puts_first=value > 1)
                case "capture" if life.rows is None:
                    life.rows = list(life.series.capture())
                case "readable":
                    life.readable()
                case "restart" if life.rows is None:
                    life.rows = list(life.series.capture())
                    life.readable()
                    life.store = life.store.reopened()
                    life.series = Series(b"x", int, life.store)
                case _:
                    life.series.next(group, entry_of(number))
            life.check()
        life.check_walk()
    finally:
        series_module._LOOK = look  # type: ignore[misc]  # pyright: ignore[reportPrivateUsage]


def test_what_comes_and_goes_between_two_captures_never_reaches_the_store() -> None:
    table, journal = ColdTable(b"x", int, MemoryStore()), Journal()
    table.put(b"a", 1, journal, is_new=True)
    table.remove(b"a", journal)
    assert list(table.capture()) == []


def test_what_was_captured_stays_as_it_was() -> None:
    table, journal = ColdTable(b"x", int, MemoryStore()), Journal()
    table.put(b"a", 1, journal, is_new=True)
    rows = table.capture()
    table.put(b"a", 2, journal)
    table.remove(b"a", journal)
    assert list(rows) == [(b"xa", b"\1")]
    assert table.get(b"a") is None


def test_what_the_store_has_is_not_in_memory() -> None:
    life = _Life()
    for number in range(20):
        life.put(GROUPS[0], number, number)
    life.rows = list(life.series.capture())
    life.readable()
    assert life.series.count_in_memory() == 0
    assert life.series._order == {}  # pyright: ignore[reportPrivateUsage]  # what must not grow
    life.check()
    assert life.series.count_in_memory() == 0
