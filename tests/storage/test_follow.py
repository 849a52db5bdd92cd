"""Following a log while it is written: only what is for good, and all of it."""

from pathlib import Path

import pytest

from bpmnd.storage.archive import Archive
from bpmnd.storage.batch import PAGE
from bpmnd.storage.entry import ORIGIN, Position
from bpmnd.storage.errors import StorageError
from bpmnd.storage.follow import ChainError, LogFollower
from bpmnd.storage.log import Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter

DIRECTORY = Path("/partitions/1")
LOG = DIRECTORY / "log"


class Written:
    """A log of a page an entry and four entries a segment."""

    def __init__(self) -> None:
        self.disk = MemoryDisk()
        Log.create(self.disk, LOG)
        self.log = Log.open(
            self.disk,
            LOG,
            writer=InlineWriter(),
            post=lambda call: call(),
            then=lambda _: None,
            segment_size=4 * PAGE,
        )
        self.follower = LogFollower(self.disk, DIRECTORY)
        self.at = ORIGIN

    def append(self, count: int, term: int = 1) -> Position:
        for _ in range(count):
            index = self.log.last_index + 1
            self.log.append([(index, term, 3, b"%d of %d" % (index, term))])
        return self.log.synced

    def read(self, to: Position) -> list[bytes]:
        read = [entry.payload for entry in self.follower.entries(self.at, to)]
        self.at = to
        return read

    def archive(self, up_to: int) -> None:
        sealed = self.log.sealed(up_to)
        for segment in sealed:
            Archive(self.disk, DIRECTORY / "archive").store(LOG, segment, at=0)
        self.log.drop(sealed)


def test_it_goes_on_where_it_stopped_over_the_ends_of_segments() -> None:
    written = Written()
    assert written.read(written.append(2)) == [b"1 of 1", b"2 of 1"]
    for number in range(3, 12):
        position = written.append(1)
        assert written.follower.goes_on_from(written.at)
        assert written.read(position) == [b"%d of 1" % number]


def test_what_comes_after_the_position_that_was_told_is_not_read() -> None:
    written = Written()
    told = written.append(2)
    written.append(3)
    assert written.read(told) == [b"1 of 1", b"2 of 1"]
    assert written.read(written.log.synced) == [b"3 of 1", b"4 of 1", b"5 of 1"]


def test_what_was_superseded_is_not_taken_for_what_is_committed() -> None:
    written = Written()
    written.read(written.append(3))
    written.append(2)
    written.log.truncate(3, commit=3)
    position = written.append(2, term=2)

    with pytest.raises(ChainError):  # The old entries still stand where it stopped.
        list(written.follower.entries(written.at, position))
    assert written.read(position) == [b"4 of 2", b"5 of 2"]


def test_what_has_moved_to_the_archive_is_found_there() -> None:
    written = Written()
    written.read(written.append(2))
    position = written.append(12)
    written.archive(10)
    assert written.log.first_index > 4

    fresh = LogFollower(written.disk, DIRECTORY)
    assert [entry.index for entry in fresh.entries(written.at, position)] == list(range(3, 15))
    assert fresh.begin() == ORIGIN
    assert fresh.end() == 14


def test_a_segment_that_goes_while_it_waits_is_looked_for_in_the_archive() -> None:
    written = Written()
    written.read(written.append(4))
    position = written.append(9)
    written.archive(12)
    with pytest.raises(StorageError):  # The next segment is not there any more.
        list(written.follower.entries(written.at, position))
    assert len(written.read(position)) == 9


def test_a_position_of_another_history_is_refused() -> None:
    written = Written()
    position = written.append(4)
    other = Position(2, 1, bytes(32))
    with pytest.raises(ChainError):
        list(written.follower.entries(other, position))


def test_of_a_log_whose_beginning_was_dropped_the_first_entry_is_known() -> None:
    written = Written()
    written.append(12)
    written.log.trim(8)
    before = written.follower.begin()
    assert before.index == written.log.base.index > 0
    assert before.hash == written.log.base.hash
