import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bpmnd.storage import writer as writer_module
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.errors import ClosedError
from bpmnd.storage.log import Appended, AppendFailed, Log
from bpmnd.storage.mark import read_mark
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.segment import segment_numbers
from bpmnd.storage.writer import InlineWriter, ThreadWriter

Posted = queue.SimpleQueue[Callable[[], None]]


@pytest.fixture
def seconds() -> list[float]:
    """How long each write took."""
    return []


@pytest.fixture
def threads(seconds: list[float]) -> Iterator[ThreadWriter]:
    writer = ThreadWriter(seconds.append)
    yield writer
    writer.close()


def open_log(directory: Path, writer: ThreadWriter, posted: Posted, then: Callable[[object], None]) -> Log:
    disk = RealDisk()
    if not Log.exists(disk, directory):
        Log.create(disk, directory)
    return Log.open(disk, directory, writer=writer, post=posted.put, then=then, segment_size=64 << 10)


def test_completions_come_by_way_of_post(tmp_path: Path, threads: ThreadWriter) -> None:
    posted: Posted = queue.SimpleQueue()
    seen: list[object] = []
    log = open_log(tmp_path, threads, posted, seen.append)

    ticket = log.append([(1, 1, 0, b"one")])
    completion = posted.get()

    assert seen == []
    completion()
    assert seen == [Appended(1, 1, 0, ticket, None)]
    log.close()


def test_many_appends_are_all_written_in_order(
    tmp_path: Path, threads: ThreadWriter, seconds: list[float]
) -> None:
    posted: Posted = queue.SimpleQueue()
    log = open_log(tmp_path, threads, posted, lambda _: None)
    for index in range(1, 2001):
        log.append([(index, 1, 0, b"%d" % index)])
    log.close()

    log = open_log(tmp_path, threads, posted, lambda _: None)
    assert [entry.payload for entry in log.entries(1)] == [b"%d" % index for index in range(1, 2001)]
    assert 0 < len(seconds) < 2000, "queued appends share a write"
    log.close()


def test_segments_are_prepared_and_cut_to_what_they_hold(tmp_path: Path, threads: ThreadWriter) -> None:
    posted: Posted = queue.SimpleQueue()
    log = open_log(tmp_path, threads, posted, lambda _: None)
    for index in range(1, 101):
        log.append([(index, 1, 0, bytes(3000))])
        posted.get()()
    log.close()

    sizes = [(tmp_path / name).stat().st_size for name in RealDisk().names(tmp_path) if name.endswith(".log")]

    assert len(segment_numbers(RealDisk(), tmp_path)) == len(sizes) > 6
    assert max(sizes) == 64 << 10


def test_closing_writes_what_is_queued(tmp_path: Path, threads: ThreadWriter) -> None:
    posted: Posted = queue.SimpleQueue()
    log = open_log(tmp_path, threads, posted, lambda _: None)
    log.append([(1, 1, 0, b"queued")])
    log.close()
    assert open_log(tmp_path, threads, posted, lambda _: None).last_index == 1


def test_a_closed_writer_takes_nothing_more(tmp_path: Path) -> None:
    writer = ThreadWriter()
    log = open_log(tmp_path, writer, queue.SimpleQueue(), lambda _: None)
    log.close()
    other = open_log(tmp_path, writer, queue.SimpleQueue(), lambda _: None)
    writer.close()
    with pytest.raises(ClosedError):
        other.append([(1, 1, 0, b"late")])


def test_one_log_that_fails_does_not_stop_the_other() -> None:
    writer, good, bad = InlineWriter(), MemoryDisk(), MemoryDisk()
    seen: list[Appended | AppendFailed] = []
    logs: list[Log] = []
    for disk in (bad, good):
        Log.create(disk, Path("/log"))
        logs.append(
            Log.open(
                disk,
                Path("/log"),
                writer=writer,
                post=lambda call: call(),
                then=seen.append,
                segment_size=32768,
            )
        )
    bad.failing = True
    for log in logs:
        log.append([(1, 1, 0, b"one")])
    assert [type(completion) for completion in seen] == [AppendFailed, Appended]


class Noting:
    """Notes whose completion came."""

    def __init__(self, order: list[int], number: int) -> None:
        self._order = order
        self._number = number

    def __call__(self, completion: object) -> None:
        self._order.append(self._number)


def test_each_round_writes_one_batch_of_each_log() -> None:
    writer = InlineWriter()
    writer.held = True
    disks = MemoryDisk(), MemoryDisk()
    order: list[int] = []
    for number, disk in enumerate(disks):
        Log.create(disk, Path("/log"))
        log = Log.open(
            disk,
            Path("/log"),
            writer=writer,
            post=lambda call: call(),
            then=Noting(order, number),
            segment_size=32768,
        )
        for index in range(1, 4):
            log.append([(index, 1, 0, bytes(3 << 20))])
    writer.run()
    assert order == [0, 1, 0, 1, 0, 1]


def test_a_log_can_be_closed_after_its_writer(tmp_path: Path) -> None:
    """A node told to stop while it opens a log closes its writer before the log is there to be closed."""
    writer = ThreadWriter()
    log = open_log(tmp_path, writer, queue.SimpleQueue(), lambda _: None)
    writer.close()

    closing = threading.Thread(target=log.close, daemon=True)
    closing.start()
    closing.join(5)

    assert not closing.is_alive()


def test_an_idle_log_has_its_mark_synced_while_another_is_busy(
    threads: ThreadWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "MARK_SECONDS", 0.05)
    directory, posted = Path("/log"), Posted()
    disks = idle, busy = MemoryDisk(), MemoryDisk()
    for disk in disks:
        Log.create(disk, directory)
    first, second = (
        Log.open(disk, directory, writer=threads, post=posted.put, then=lambda _: None, segment_size=1 << 15)
        for disk in disks
    )
    first.append([(1, 1, 0, b"x")])
    posted.get()()
    deadline = time.monotonic() + 5
    while read_mark(idle.crash(), directory).sequence == 0:
        assert time.monotonic() < deadline, f"not while {second.last_index} entries were written to another"
        second.append([(second.last_index + 1, 1, 0, b"x")])
        posted.get()()
    first.close()
    second.close()
    assert read_mark(busy.crash(), directory).position.index == second.last_index
