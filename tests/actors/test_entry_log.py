"""What a Raft member reads of its log: new entries from memory, old ones from the disk, none superseded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bpmnd.actors.consensus import Configurations
from bpmnd.actors.entry_log import EntryLog
from bpmnd.cluster.raft import Configuration, Entry, EntryKind, HardState
from bpmnd.storage.log import Appended, AppendFailed, Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter

DIRECTORY = Path("/log")


def entry(index: int, term: int = 1, size: int = 10) -> Entry:
    return Entry(index, term, EntryKind.COMMAND, bytes([index % 256]) * size)


def entry_log(disk: MemoryDisk, *, recent_bytes_max: int = 1 << 20, hold: bool = False) -> "Held":
    return Held(disk, recent_bytes_max, hold=hold)


class Held:
    """A log whose writes reach it when the test says so, or at once."""

    def __init__(self, disk: MemoryDisk, recent_bytes_max: int, *, hold: bool) -> None:
        self.posted: list[Callable[[], None]] = []
        self.done: list[Appended | AppendFailed] = []
        if not Log.exists(disk, DIRECTORY):
            Log.create(disk, DIRECTORY)
        log = Log.open(
            disk,
            DIRECTORY,
            writer=InlineWriter(),
            post=self.posted.append if hold else lambda call: call(),
            then=self.done.append,
            segment_size=1 << 16,
        )
        self.log = EntryLog(log, recent_bytes_max=recent_bytes_max)

    def write(self) -> None:
        for call in self.posted:
            call()
        self.posted.clear()


def test_entries_are_read_before_they_are_on_the_disk() -> None:
    held = entry_log(MemoryDisk(), hold=True)
    entries = [entry(1), entry(2)]

    held.log.store(None, entries)

    assert held.log.log.synced_index == 0
    assert held.log.entries(1, 3, 1 << 20) == entries


def test_after_a_restart_they_are_read_from_the_disk() -> None:
    disk = MemoryDisk()
    entries = [entry(1), entry(2), entry(3)]
    entry_log(disk).log.store(None, entries)

    again = entry_log(disk)

    assert list(again.log.entries(1, 4, 1 << 20)) == entries
    assert list(again.log.entries(2, 3, 1 << 20)) == entries[1:2]


@pytest.mark.parametrize("bytes_max", [0, 1, 10, 25, 1000])
def test_there_is_at_least_one_entry_and_no_more_bytes_than_wanted(bytes_max: int) -> None:
    disk = MemoryDisk()
    entries = [entry(index) for index in range(1, 8)]
    fresh = entry_log(disk)
    fresh.log.store(None, entries)
    wanted = entries[: max(1, min(7, bytes_max // 10))]

    assert list(fresh.log.entries(1, 8, bytes_max)) == wanted
    assert list(entry_log(disk).log.entries(1, 8, bytes_max)) == wanted


def test_what_is_in_memory_is_bounded_and_the_rest_comes_from_the_disk() -> None:
    held = entry_log(MemoryDisk(), recent_bytes_max=50)
    entries = [entry(index) for index in range(1, 21)]
    for one in entries:
        held.log.store(None, [one])

    read: list[Entry] = []
    while len(read) < 20:
        read += held.log.entries(len(read) + 1, 21, 1 << 20)

    assert read == entries
    assert held.log.recent_bytes <= 60


def test_what_is_not_on_the_disk_stays_in_memory_whatever_the_bound() -> None:
    held = entry_log(MemoryDisk(), recent_bytes_max=20, hold=True)
    entries = [entry(index) for index in range(1, 11)]
    for one in entries:
        held.log.store(None, [one])

    assert held.log.entries(1, 11, 1 << 20) == entries
    held.write()
    held.log.store(None, [entry(11)])
    assert held.log.recent_bytes <= 30


@pytest.mark.parametrize("after", [0, 1, 3, 4])
@pytest.mark.parametrize("hold", [True, False])
def test_superseded_entries_are_gone(after: int, hold: bool) -> None:
    disk = MemoryDisk()
    held = entry_log(disk, hold=hold)
    held.log.store(None, [entry(index, term=1) for index in range(1, 5)])
    new = [entry(index, term=2, size=3) for index in range(after + 1, after + 3)]

    held.log.store(None, new)
    held.write()

    kept = [entry(index, term=1) for index in range(1, after + 1)]
    assert list(held.log.entries(1, after + 3, 1 << 20)) == kept + new
    assert held.log.last_index == after + 2
    assert list(entry_log(disk).log.entries(1, after + 3, 1 << 20)) == kept + new


def test_the_hard_state_is_durable_with_the_entries() -> None:
    disk = MemoryDisk()
    entry_log(disk).log.store(HardState(7, 3), [entry(1)])

    again = entry_log(disk.crash())

    assert (again.log.log.hard_state.term, again.log.log.hard_state.voted_for) == (7, 3)


def test_the_configuration_at_an_index_is_the_last_one_before_it() -> None:
    configurations = Configurations(0, Configuration(voters=(1,)))
    configurations.changed(5, Configuration(voters=(1, 2)))
    configurations.changed(9, Configuration(voters=(1, 2, 3)))

    known = [len(configurations.at(index).voters) for index in (0, 4, 5, 8, 9, 100)]

    assert known == [1, 1, 2, 2, 3, 3]
    assert configurations.latest == Configuration(voters=(1, 2, 3))


def test_configurations_that_no_checkpoint_needs_are_forgotten() -> None:
    configurations = Configurations(0, Configuration(voters=(1,)))
    configurations.changed(5, Configuration(voters=(1, 2)))

    configurations.forget_before(7)

    assert configurations.at(7) == Configuration(voters=(1, 2))
    with pytest.raises(AssertionError):
        configurations.at(4)
