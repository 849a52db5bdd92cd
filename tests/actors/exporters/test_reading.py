from pathlib import Path
from threading import Timer

import pytest

from bpmnd.actors.exporters.reading import PartitionFiles, records_in
from bpmnd.bpmn.codec import CodecError, encode_frame
from bpmnd.bpmn.commands import Continue
from bpmnd.bpmn.events import ContinuationRemoved
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.archive import Archive
from bpmnd.storage.batch import PAGE
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError, StorageError
from bpmnd.storage.log import Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.segment import segment_path
from bpmnd.storage.writer import InlineWriter

DIRECTORY = Path("/partitions/1")
LOG = DIRECTORY / "log"


def frame(number: int) -> bytes:
    return encode_frame(number, 0, [(Continue, number, 1)], [ContinuationRemoved(number)])


class Partition:
    """A log with a page an entry and eight entries a segment, whose writer can be held."""

    def __init__(self, count: int) -> None:
        self.disk = MemoryDisk()
        self.writer = InlineWriter()
        Log.create(self.disk, LOG)
        self.log = Log.open(
            self.disk,
            LOG,
            writer=self.writer,
            post=lambda call: call(),
            then=lambda _: None,
            segment_size=8 * PAGE,
        )
        self.log.append([(1, 1, EntryKind.NOOP, b"")])
        for index in range(2, count + 1):
            self.log.append([(index, 1, EntryKind.COMMAND, frame(index))])

    def archive(self, up_to: int) -> None:
        archive = Archive(self.disk, DIRECTORY / "archive")
        sealed = self.log.sealed(up_to)
        for segment in sealed:
            archive.store(LOG, segment, at=0)
        self.log.drop(sealed)

    def files(self, *, running: bool = False) -> PartitionFiles:
        return PartitionFiles(self.disk, DIRECTORY, running=running)

    def damage(self, segment: int, offset: int) -> None:
        file = self.disk.open(segment_path(LOG, segment), writable=True)
        file.write([b"\xff"], offset, durable=True)


def indexes(files: PartitionFiles) -> list[int]:
    return [entry.index for entry in files.entries()]


@pytest.mark.parametrize("running", [False, True])
def test_entries_come_from_the_archive_and_then_from_the_log(running: bool) -> None:
    partition = Partition(30)
    partition.archive(20)
    assert partition.log.first_index == 17

    assert indexes(partition.files(running=running)) == list(range(1, 31))


def test_what_retention_has_dropped_is_not_asked_for() -> None:
    partition = Partition(30)
    partition.archive(20)
    last = partition.log.base
    Archive(partition.disk, DIRECTORY / "archive").begin_after(Position(last.index, last.term, last.hash))

    assert indexes(partition.files()) == list(range(17, 31))


def test_what_was_superseded_is_left_out() -> None:
    partition = Partition(5)
    partition.log.truncate(3, commit=3)
    partition.log.append([(4, 2, EntryKind.COMMAND, frame(44))])

    found = {entry.index: entry for entry in partition.files().entries()}

    assert sorted(found) == [1, 2, 3, 4]
    assert (found[4].term, found[4].payload) == (2, frame(44))


def test_a_running_node_may_archive_what_is_being_read() -> None:
    partition = Partition(30)
    entries = partition.files(running=True).entries()
    read = [next(entries).index for _ in range(3)]

    partition.archive(30)
    read += [entry.index for entry in entries]

    assert read == list(range(1, 31))


def test_a_log_that_vanishes_from_a_stopped_node_is_an_error() -> None:
    partition = Partition(30)
    entries = partition.files().entries()
    next(entries)

    partition.archive(30)

    with pytest.raises(StorageError):
        list(entries)


def test_of_a_running_node_nothing_after_the_mark_is_read() -> None:
    """Whether it is on disk is not known, however long one waits."""
    partition = Partition(5)
    mark = partition.disk.open(LOG / "mark")
    behind = mark.read(8192, 0)
    partition.log.append([(6, 1, EntryKind.COMMAND, frame(6))])
    partition.disk.open(LOG / "mark", writable=True).write([behind], 0, durable=True)

    files = PartitionFiles(partition.disk, DIRECTORY, running=True, mark_seconds_max=0.01)
    assert indexes(files) == [1, 2, 3, 4, 5]
    assert indexes(partition.files()) == [1, 2, 3, 4, 5, 6]


def test_of_a_running_node_what_was_there_is_waited_for() -> None:
    partition = Partition(5)
    mark = partition.disk.open(LOG / "mark", writable=True)
    behind = mark.read(8192, 0)
    partition.log.append([(6, 1, EntryKind.COMMAND, frame(6))])
    ahead = mark.read(8192, 0)
    mark.write([behind], 0, durable=True)

    writing = Timer(0.05, lambda: mark.write([ahead], 0, durable=True))
    writing.start()
    read = indexes(partition.files(running=True))
    writing.join()

    assert read == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("running", [False, True])
def test_damage_is_raised_and_never_skipped(running: bool) -> None:
    partition = Partition(12)
    partition.damage(segment=1, offset=4 * PAGE + 100)

    with pytest.raises(DamageError) as raised:
        indexes(partition.files(running=running))

    assert raised.value.index == 5


def test_a_frame_of_a_later_build_stops_the_export() -> None:
    partition = Partition(2)
    partition.log.append([(3, 1, EntryKind.COMMAND, b"\x80")])

    with pytest.raises(CodecError):
        list(records_in(partition.disk, DIRECTORY, 1, running=False))


def test_records_carry_position_time_and_hash_of_their_entry() -> None:
    partition = Partition(3)

    (first, second) = records_in(partition.disk, DIRECTORY, 1, running=False)

    assert (first.position, second.position) == ((2, 1), (3, 1))
    assert second.time == "1970-01-01T00:00:00.003Z"
    assert second.cause == "CONTINUATION/CONTINUE"
    assert second.hash == partition.log.last_hash.hex()
