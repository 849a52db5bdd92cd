"""Committed entries in portions, however far the one who reads is behind."""

import pytest

from bpmnd.actors.exporters.entries import CommittedEntries
from bpmnd.storage.entry import ORIGIN, Position
from bpmnd.storage.follow import ChainError
from tests.actors.exporters.deliveries import DIRECTORY, Written


def read_all(entries: CommittedEntries, count_max: int = 200) -> list[list[int]]:
    """The indexes in each portion."""
    portions: list[list[int]] = []
    while portion := entries.read(count_max):
        portions.append([entry.index for entry in portion])
    return portions


def test_all_that_is_told_is_read_once() -> None:
    written = Written()
    entries = CommittedEntries(written.disk, DIRECTORY, ORIGIN)
    found: list[int] = []
    for _ in range(5):
        written.create(3)
        entries.tell(written.log.synced)
        found += [index for portion in read_all(entries, 2) for index in portion]
    assert found == list(range(1, written.log.last_index + 1))
    assert entries.position == written.log.synced


def test_nothing_is_read_beyond_what_is_wanted() -> None:
    written = Written()
    entries = CommittedEntries(written.disk, DIRECTORY, ORIGIN)
    middle = written.create(3)
    entries.tell(written.log.synced)
    written.create(3)
    entries.tell(written.log.synced)
    assert entries.read(200, middle - 1) == []
    assert [entry.index for entry in entries.read(200, middle + 1)] == list(range(1, middle + 1))
    assert entries.read(200, middle + 1) == []


@pytest.mark.parametrize("begins", ["at the first entry", "where it stopped"])
def test_a_long_way_is_read_in_small_portions(begins: str) -> None:
    """From where it stopped, too: then more must be read at once than is kept until it is proven."""
    written = Written()
    entries = CommittedEntries(written.disk, DIRECTORY, ORIGIN)
    first = 1
    if begins == "where it stopped":
        entries.tell(written.log.synced)
        first = len(entries.read(200)) + 1
    for _ in range(20):
        written.playground.create(variables={"text": b'"' + b"x" * 1_000_000 + b'"'})
    written.write()
    entries.tell(written.log.synced)
    portions = read_all(entries)
    assert [index for portion in portions for index in portion] == list(
        range(first, written.log.last_index + 1)
    )
    assert max(map(len, portions)) <= 4, "of which two are large"


def test_an_entry_that_is_another_than_was_read_is_met() -> None:
    written = Written()
    entries = CommittedEntries(written.disk, DIRECTORY, ORIGIN)
    entries.tell(written.log.synced)
    assert entries.read(200)
    entries.tell(Position(entries.position.index, 1, bytes(32)))
    with pytest.raises(ChainError):
        entries.read(200)
