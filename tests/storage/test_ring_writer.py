import asyncio
import errno
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, final

import pytest

from bpmnd.storage import ring_writer
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.entry import HardState
from bpmnd.storage.errors import ClosedError
from bpmnd.storage.io_uring import Completion, IoUring
from bpmnd.storage.log import Appended, AppendFailed, Log
from bpmnd.storage.mark import read_mark
from bpmnd.storage.ring_writer import RingWriter, open_writer
from bpmnd.storage.writer import InlineWriter, ThreadWriter, Writer
from tests.judged import JUDGE
from tests.storage.rings import needs_io_uring

DISK: Final = RealDisk()
SEGMENT_SIZE: Final = 64 << 10
SECONDS_MAX: Final = 10.0


@final
class Owner:
    """Who owns a log, and what it was told."""

    def __init__(self, directory: Path, writer: Writer) -> None:
        self.directory = directory
        if not Log.exists(DISK, directory):
            Log.create(DISK, directory)
        self._loop = asyncio.get_running_loop()
        self.told: list[Appended | AppendFailed] = []
        self.log = Log.open(
            DISK,
            directory,
            writer=writer,
            post=self._post,
            then=self.told.append,
            segment_size=SEGMENT_SIZE,
        )

    def _post(self, call: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(call)

    def append(self, payload: bytes) -> None:
        self.log.append([(self.log.last_index + 1, 1, 0, payload)])

    @property
    def tickets(self) -> list[int]:
        return [told.ticket for told in self.told if isinstance(told, Appended)]

    @property
    def failures(self) -> list[AppendFailed]:
        return [told for told in self.told if isinstance(told, AppendFailed)]

    @property
    def is_done(self) -> bool:
        return self.tickets[-1:] == [self.log.ticket]

    def descriptor(self, name: str) -> int:
        """The file descriptor that writes one of its files."""
        path = str(self.directory / name)
        links = {int(number): _link(number) for number in os.listdir("/proc/self/fd")}
        (found,) = [number for number, link in links.items() if link == path]
        return found


def _link(number: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except FileNotFoundError:
        return ""


def swap(descriptor: int, path: str | Path, flags: int) -> None:
    """Have a descriptor lead elsewhere."""
    other = os.open(path, flags)
    os.dup2(other, descriptor)
    os.close(other)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)


def in_a_thread(call: Callable[[], object]) -> None:
    """Of its own, which ends with the call."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(SECONDS_MAX)
    assert not thread.is_alive(), "it hangs"


def reopened(directory: Path) -> Log:
    return Log.open(
        DISK,
        directory,
        writer=InlineWriter(),
        post=lambda call: call(),
        then=lambda _: None,
        segment_size=SEGMENT_SIZE,
    )


def payloads(directory: Path) -> list[bytes]:
    log = reopened(directory)
    found = [entry.payload for entry in log.entries(log.first_index)]
    log.close()
    return found


@pytest.fixture
async def writer() -> AsyncIterator[RingWriter]:
    writer = RingWriter(asyncio.get_running_loop(), IoUring(64), None)
    yield writer
    in_a_thread(writer.close)


@final
class HeldMarks:
    """Completions of marks are kept while `held`, and then say that they failed if they are to `fail`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held = True
        self.fail = False
        self.under_way: set[int] = set()
        self.kept: list[Completion] = []
        write, completions = IoUring.write, IoUring.completions

        def noting(ring: IoUring, file: int, data: bytes, offset: int, token: int) -> None:
            write(ring, file, data, offset, token)
            if len(data) < 4096:
                self.under_way.add(token)

        def holding(ring: IoUring) -> list[Completion]:
            found = self.kept + completions(ring)
            self.kept = [done for done in found if self.held and done.token in self.under_way]
            found = [done for done in found if done not in self.kept]
            if self.fail:
                found = [
                    Completion(done.token, -errno.EIO) if done.token in self.under_way else done
                    for done in found
                ]
            self.under_way -= {done.token for done in found}
            return found

        monkeypatch.setattr(IoUring, "write", noting)
        monkeypatch.setattr(IoUring, "completions", holding)


@needs_io_uring
async def test_the_appends_of_many_logs_are_written_in_order(tmp_path: Path, writer: RingWriter) -> None:
    owners = [Owner(tmp_path / str(number), writer) for number in range(12)]
    for index in range(60):
        for owner in owners:
            owner.append(b"%d" % index)
        if index % 3 == 0:
            await asyncio.sleep(0)
    await until(lambda: all(owner.is_done for owner in owners))
    for owner in owners:
        assert owner.tickets == sorted(set(owner.tickets))
        owner.log.close()
        assert payloads(owner.directory) == [b"%d" % index for index in range(60)]


@needs_io_uring
async def test_more_logs_than_the_ring_has_room_for_are_all_written(tmp_path: Path) -> None:
    writer = RingWriter(asyncio.get_running_loop(), IoUring(1), None)
    owners = [Owner(tmp_path / str(number), writer) for number in range(12)]
    for index in range(20):
        for owner in owners:
            owner.append(b"%d" % index)
        await asyncio.sleep(0)
    await until(lambda: all(owner.is_done for owner in owners))
    for owner in owners:
        owner.log.close()
        assert payloads(owner.directory) == [b"%d" % index for index in range(20)]
    writer.close()


@needs_io_uring
@pytest.mark.parametrize(("path", "flags"), [("/", os.O_RDONLY), ("/dev/full", os.O_WRONLY)])
async def test_a_write_that_fails_is_told_once_and_is_the_last(
    tmp_path: Path, writer: RingWriter, path: str, flags: int
) -> None:
    bad, good = Owner(tmp_path / "bad", writer), Owner(tmp_path / "good", writer)
    for owner in (bad, good):
        owner.append(b"before")
    await until(lambda: bad.is_done and good.is_done)
    swap(bad.descriptor("0000000001.log"), path, flags)

    for owner in (bad, good):
        owner.append(b"fails")
        owner.append(b"waits")
    await until(lambda: bool(bad.failures) and good.is_done)
    good.append(b"after")
    await until(lambda: good.is_done)

    assert (len(bad.failures), bad.tickets) == (1, [1])
    with pytest.raises(ClosedError):
        bad.append(b"after")
    bad.log.close()
    good.log.close()
    assert payloads(bad.directory) == [b"before"]
    assert payloads(good.directory) == [b"before", b"fails", b"waits", b"after"]


@needs_io_uring
async def test_a_mark_that_cannot_be_synced_ends_its_log_alone(
    tmp_path: Path, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_writer, "MARK_LAG_MAX", 1)  # It is the kernel that fails at it.
    bad, good = Owner(tmp_path / "bad", writer), Owner(tmp_path / "good", writer)
    swap(bad.descriptor("mark"), "/", os.O_RDONLY)
    for owner in (bad, good):
        owner.append(b"first")
    await until(lambda: bool(bad.failures) and good.is_done)
    assert (len(bad.failures), bad.tickets) == (1, [1])
    bad.log.close()
    good.log.close()
    assert payloads(bad.directory) == payloads(good.directory) == [b"first"]


@needs_io_uring
async def test_what_the_kernel_wrote_in_part_is_written_to_its_end(
    tmp_path: Path, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, sizes = IoUring.write, list[int]()

    def in_parts(ring: IoUring, file: int, data: bytes, offset: int, token: int) -> None:
        sizes.append(len(data))
        write(ring, file, data[:5000], offset, token)

    monkeypatch.setattr(IoUring, "write", in_parts)
    owner = Owner(tmp_path / "log", writer)
    owner.append(b"x" * 20_000)
    owner.append(b"y")
    await until(lambda: owner.is_done)
    owner.log.close()
    assert sizes[:5] == [20480, 15480, 10480, 5480, 480]
    assert payloads(owner.directory) == [b"x" * 20_000, b"y"]


@needs_io_uring
async def test_what_the_kernel_does_not_take_fails(
    tmp_path: Path, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EBUSY, "busy")

    owner = Owner(tmp_path / "log", writer)
    with monkeypatch.context() as patch:
        patch.setattr(IoUring, "write", refuse)
        owner.append(b"one")
        owner.log.append([(2, 1, 0, b"two")])
        await until(lambda: bool(owner.failures))
    await asyncio.sleep(0.01)
    assert owner.told == owner.failures[:1]
    owner.log.close()
    assert payloads(owner.directory) == []


@needs_io_uring
async def test_a_thread_that_closes_a_log_and_ends_takes_no_writes_of_others_along(
    tmp_path: Path, writer: RingWriter
) -> None:
    """The kernel calls off what a thread has asked for when that ends."""
    others = [Owner(tmp_path / str(number), writer) for number in range(16)]
    for number in range(2):
        closing = Owner(tmp_path / f"closing-{number}", writer)
        closing.append(b"x" * 10_000)
        for _ in range(3):
            for owner in others:
                owner.append(b"x" * 500)
        in_a_thread(closing.log.close)  # The loop is blocked meanwhile.
        await until(lambda: all(owner.is_done or owner.failures for owner in others))
    assert [owner.failures for owner in others] == [[]] * 16
    for owner in others:
        owner.log.close()
        assert payloads(owner.directory) == [b"x" * 500] * 6


@needs_io_uring
async def test_closing_in_the_loop_writes_what_is_queued(tmp_path: Path, writer: RingWriter) -> None:
    owner = Owner(tmp_path / "log", writer)
    for index in range(40):
        owner.append(b"%d" % index)
    owner.log.close()
    assert payloads(owner.directory) == [b"%d" % index for index in range(40)]
    assert read_mark(DISK, owner.directory).position.index == 40


@needs_io_uring
def test_closing_after_the_loop_is_closed_comes_to_an_end(tmp_path: Path) -> None:
    loop = asyncio.new_event_loop()

    async def begin() -> tuple[RingWriter, Owner]:
        writer = RingWriter(loop, IoUring(4), None)
        owner = Owner(tmp_path / "log", writer)
        for index in range(4):
            owner.append(b"%d" % index)
        return writer, owner

    writer, owner = loop.run_until_complete(begin())
    loop.close()
    in_a_thread(owner.log.close)
    in_a_thread(writer.close)
    assert payloads(owner.directory)[:1] == [b"0"]


@needs_io_uring
async def test_a_closed_writer_takes_nothing_more_and_its_logs_can_be_closed(tmp_path: Path) -> None:
    writer = RingWriter(asyncio.get_running_loop(), IoUring(4), None)
    owner, idle = Owner(tmp_path / "log", writer), Owner(tmp_path / "idle", writer)
    owner.append(b"one")
    writer.close()
    with pytest.raises(ClosedError):
        owner.append(b"late")
    in_a_thread(owner.log.close)
    in_a_thread(idle.log.close)
    writer.close()
    await asyncio.sleep(0)
    assert owner.tickets == [1]
    assert payloads(owner.directory) == [b"one"]


@needs_io_uring
async def test_closing_a_log_waits_for_its_mark(
    tmp_path: Path, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = HeldMarks(monkeypatch)
    monkeypatch.setattr(ring_writer, "MARK_LAG_MAX", 1)
    owner = Owner(tmp_path / "log", writer)
    owner.append(b"one")
    await until(lambda: owner.is_done)
    assert len(marks.under_way) == 1

    closing = threading.Thread(target=owner.log.close, daemon=True)
    closing.start()
    closing.join(0.03)
    assert closing.is_alive()
    marks.held = False
    closing.join(SECONDS_MAX)
    assert not closing.is_alive()


@needs_io_uring
async def test_what_may_block_waits_until_the_mark_is_synced(
    tmp_path: Path, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It notes its batch in the mark, too: two writes to one slot would come in no order."""
    marks = HeldMarks(monkeypatch)
    monkeypatch.setattr(ring_writer, "MARK_LAG_MAX", 1)
    owner, other = Owner(tmp_path / "log", writer), Owner(tmp_path / "other", writer)
    owner.append(b"one")
    await until(lambda: owner.is_done)
    owner.log.append([(2, 1, 0, b"two")], HardState(3, 1))
    other.log.append((), HardState(3, 1))
    await until(lambda: other.is_done)
    assert owner.tickets == [1]

    marks.held = False
    other.append(b"has the completions looked at")
    await until(lambda: owner.is_done)
    assert reopened(owner.directory).hard_state == HardState(3, 1)
    owner.log.close()
    other.log.close()


@needs_io_uring
async def test_what_waits_for_a_mark_that_fails_is_not_written(
    tmp_path: Path, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = HeldMarks(monkeypatch)
    monkeypatch.setattr(ring_writer, "MARK_LAG_MAX", 1)
    owner, other = Owner(tmp_path / "log", writer), Owner(tmp_path / "other", writer)
    owner.append(b"one")
    await until(lambda: owner.is_done)
    owner.log.append([(2, 1, 0, b"two")], HardState(3, 1))
    marks.held, marks.fail = False, True
    other.append(b"has the completions looked at")
    await until(lambda: bool(owner.failures))
    in_a_thread(owner.log.close)
    await asyncio.sleep(0)
    assert (len(owner.failures), owner.tickets) == (1, [1])
    log = reopened(owner.directory)
    assert (log.last_index, log.hard_state) == (1, HardState())
    log.close()


@needs_io_uring
async def test_a_write_under_way_when_the_mark_fails_is_not_told(
    tmp_path: Path, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = HeldMarks(monkeypatch)
    monkeypatch.setattr(ring_writer, "MARK_LAG_MAX", 1)
    owner = Owner(tmp_path / "log", writer)
    owner.append(b"one")
    await until(lambda: bool(marks.kept))
    marks.held, marks.fail = False, True
    owner.append(b"two")  # Its completion comes behind that of the mark.
    await until(lambda: bool(owner.failures))
    in_a_thread(owner.log.close)
    await asyncio.sleep(0)
    assert (len(owner.failures), owner.tickets) == (1, [1])


@needs_io_uring
async def test_a_batch_that_comes_while_the_mark_is_synced_is_marked_without_another(
    tmp_path: Path, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_writer, "MARK_SECONDS", 0.01)
    monkeypatch.setattr(ring_writer, "MARK_LAG_MAX", 2)
    marks = HeldMarks(monkeypatch)
    owner, other = Owner(tmp_path / "log", writer), Owner(tmp_path / "other", writer)
    for _ in range(3):
        owner.append(b"x")
        await until(lambda: owner.is_done)
    assert len(marks.under_way) == 1
    await asyncio.sleep(0.03)  # Marks would have been synced by now.

    marks.held = False
    other.append(b"has the completions looked at")
    await until(lambda: read_mark(DISK, owner.directory).sequence == 3)
    owner.log.close()
    other.log.close()


@needs_io_uring
async def test_an_idle_log_has_its_mark_synced(
    tmp_path: Path, writer: RingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_writer, "MARK_SECONDS", 0.01)
    marks = HeldMarks(monkeypatch)
    owner = Owner(tmp_path / "log", writer)
    owner.append(b"x")
    await until(lambda: bool(marks.under_way))
    marks.held = False
    owner.log.close()


@needs_io_uring
async def test_the_owner_hears_of_its_writes_in_order_whoever_wrote_them(
    tmp_path: Path, writer: RingWriter
) -> None:
    owner = Owner(tmp_path / "log", writer)
    for number in range(60):
        owner.append(b"x" * 3000)
        if number % 4 == 0:
            owner.log.append((), HardState(number + 1, None))
        await asyncio.sleep(0)
    await until(lambda: owner.is_done)
    assert owner.tickets == sorted(set(owner.tickets))
    owner.log.close()
    assert len(payloads(owner.directory)) == 60


@final
class Play:
    """One log and the plain list that it has to be equal to."""

    def __init__(self, chance: random.Random, directory: Path, writer: Writer) -> None:
        self._chance = chance
        self._writer = writer
        self.owner = Owner(directory, writer)
        self.entries: list[tuple[int, bytes]] = []
        self.hard_state = HardState()
        self.term = 1

    def step(self) -> None:
        chance, log = self._chance, self.owner.log
        match chance.choices(["append", "large", "vote", "cut", "trim", "close"], [60, 2, 6, 8, 6, 2])[0]:
            case "append":
                self._append(
                    [chance.randbytes(chance.randrange(3000)) for _ in range(chance.randrange(1, 4))]
                )
            case "large":
                self._append([chance.randbytes(300 << 10)])
            case "vote":
                self.hard_state = HardState(self.hard_state.term + 1, chance.choice([None, 1, 2]))
                log.append((), self.hard_state)
            case "cut" if log.last_index > log.base.index:
                after = chance.randrange(max(log.base.index, log.last_index - 5), log.last_index)
                log.truncate(after, commit=after)
                del self.entries[after:]
                self.term += 1
            case "trim":
                log.trim(chance.randrange(log.synced_index + 1))
            case "close":
                in_a_thread(log.close)
                self.owner = Owner(self.owner.directory, self._writer)
            case _:
                pass

    def _append(self, parts: list[bytes]) -> None:
        first = self.owner.log.last_index + 1
        self.owner.log.append([(first + number, self.term, 0, part) for number, part in enumerate(parts)])
        self.entries += [(self.term, part) for part in parts]

    def check(self) -> None:
        told = self.owner.told
        assert not self.owner.failures
        assert self.owner.tickets == sorted(set(self.owner.tickets)), f"{told}"
        self.owner.log.close()
        mark = read_mark(DISK, self.owner.directory)
        log = reopened(self.owner.directory)
        kept = [(entry.term, entry.payload) for entry in log.entries(log.first_index)]
        assert (log.base.index, kept) == (log.base.index, self.entries[log.base.index :])
        assert (log.last_index, log.hard_state) == (len(self.entries), self.hard_state)
        assert mark.position.hash == log.synced.hash or not kept
        log.close()


@needs_io_uring
@pytest.mark.parametrize("seed", range(200 if JUDGE else 3))
async def test_whatever_is_played_the_logs_are_what_a_list_would_be(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"seed {seed}")
    chance, write = random.Random(seed), IoUring.write

    def sometimes_in_parts(ring: IoUring, file: int, data: bytes, offset: int, token: int) -> None:
        size = chance.randrange(1, len(data)) if chance.random() < 0.1 else len(data)
        write(ring, file, data[:size], offset, token)

    monkeypatch.setattr(IoUring, "write", sometimes_in_parts)
    await play_all(
        tmp_path, chance, RingWriter(asyncio.get_running_loop(), IoUring(chance.choice([1, 8])), None)
    )


@pytest.mark.parametrize("seed", range(200 if JUDGE else 1))
async def test_the_same_holds_where_a_thread_writes(tmp_path: Path, seed: int) -> None:
    print(f"seed {seed}")
    await play_all(tmp_path, random.Random(seed), ThreadWriter())


async def play_all(tmp_path: Path, chance: random.Random, writer: RingWriter | ThreadWriter) -> None:
    plays = [Play(chance, tmp_path / str(number), writer) for number in range(4)]
    for _ in range(120):
        chance.choice(plays).step()
        if chance.random() < 0.4:
            await asyncio.sleep(chance.choice([0, 0, 0.0005]))
    await until(lambda: all(play.owner.is_done or not play.owner.log.ticket for play in plays))
    for play in plays:
        play.check()
    writer.close()


_ENDLESS = """
import asyncio, os, sys
from pathlib import Path
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.io_uring import IoUring
from bpmnd.storage.log import Log
from bpmnd.storage.ring_writer import RingWriter

async def main():
    loop, disk = asyncio.get_running_loop(), RealDisk()
    writer = RingWriter(loop, IoUring(64), None)
    logs = []
    def told(number):
        return lambda done: os.write(1, b"%d %d\\n" % (number, done.index))
    for number in range(3):
        directory = Path(sys.argv[1]) / str(number)
        Log.create(disk, directory)
        logs.append(Log.open(disk, directory, writer=writer, post=loop.call_soon_threadsafe,
                             then=told(number), segment_size=64 << 10))
    while True:
        for log in logs:
            if log.last_index - log.synced_index < 20:
                log.append([(log.last_index + 1, 1, 0, b"%d" % (log.last_index + 1) * 50)])
            if log.last_index % 50 == 49:
                log.trim(log.synced_index - 20)
        await asyncio.sleep(0)

asyncio.run(main())
"""


@needs_io_uring
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    acknowledged = dict.fromkeys(range(3), 0)
    process = subprocess.Popen(
        [sys.executable, "-c", _ENDLESS, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    with process, process.stdout as lines:
        for count, line in enumerate(lines):
            number, index = map(int, line.split())
            acknowledged[number] = index
            if count == 300:
                process.send_signal(signal.SIGKILL)
    assert min(acknowledged.values()) > 0
    for number, index in acknowledged.items():
        directory = tmp_path / str(number)
        mark = read_mark(DISK, directory).position.index
        log = reopened(directory)
        assert mark <= log.last_index >= index
        for entry in log.entries(log.first_index):
            assert entry.payload == b"%d" % entry.index * 50
        log.close()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM, errno.ENOMEM])
async def test_where_io_uring_is_refused_a_thread_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(IoUring, "_call", refuse)
    writer = open_writer(asyncio.get_running_loop(), None, io_uring=True)
    assert isinstance(writer, ThreadWriter)
    owner = Owner(tmp_path / "log", writer)
    owner.append(b"one")
    await until(lambda: owner.is_done)
    owner.log.close()
    writer.close()


async def test_io_uring_can_be_forgone() -> None:
    writer = open_writer(asyncio.get_running_loop(), None, io_uring=False)
    assert isinstance(writer, ThreadWriter)
    writer.close()


@needs_io_uring
async def test_logs_are_closed_aside_while_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their descriptors are taken over by others at once: nothing may be on its way to them any more."""
    monkeypatch.setattr(ring_writer, "MARK_SECONDS", 0.0002)
    loop, chance = asyncio.get_running_loop(), random.Random(1)
    writer = RingWriter(loop, IoUring(8), None)
    counts = [0] * 6

    async def live(number: int) -> None:
        for _ in range(50 if JUDGE else 6):
            owner = Owner(tmp_path / str(number), writer)
            for _ in range(chance.randrange(1, 12)):
                counts[number] += 1
                owner.append(b"%d %d" % (number, counts[number]))
                if chance.random() < 0.5:
                    await asyncio.sleep(chance.choice([0, 0.0002]))
            await loop.run_in_executor(None, owner.log.close)
            await asyncio.sleep(0)
            assert not owner.failures, f"{owner.failures}"

    await asyncio.gather(*(live(number) for number in range(6)))
    for number, count in enumerate(counts):
        directory = tmp_path / str(number)
        assert read_mark(DISK, directory).position.index == count
        assert payloads(directory) == [b"%d %d" % (number, index) for index in range(1, count + 1)]
    writer.close()
