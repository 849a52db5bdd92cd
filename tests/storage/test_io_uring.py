import errno
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpmnd.storage.io_uring import Completion, IoUring
from tests.storage.rings import needs_io_uring

pytestmark = needs_io_uring


@pytest.fixture
def ring() -> Iterator[IoUring]:
    ring = IoUring(8)
    yield ring
    ring.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(descriptor, 0, 1 << 16)  # As segments are: a write that makes it longer takes long.
    yield descriptor
    os.close(descriptor)


def wait_for(ring: IoUring, count: int) -> list[Completion]:
    poll = select.poll()
    poll.register(ring, select.POLLIN)
    found: list[Completion] = []
    deadline = time.monotonic() + 10
    while len(found) < count:
        assert time.monotonic() < deadline, f"{count - len(found)} of {count} completions never came"
        poll.poll(1000)
        found += ring.completions()
    assert len(found) == count
    return found


def test_a_write_lands_at_its_offset(ring: IoUring, file: int) -> None:
    ring.write(file, b"abc", 5, 7)
    assert wait_for(ring, 1) == [Completion(7, 3)]
    assert os.pread(file, 10, 0) == bytes(5) + b"abc" + bytes(2)


def test_without_completions_there_are_none(ring: IoUring) -> None:
    assert ring.completions() == []


def test_the_queues_go_round_many_times(ring: IoUring, file: int) -> None:
    chance = random.Random(1)
    written, expected = 0, bytearray(200 * 64)
    while written < 200:
        count = min(chance.randrange(1, 8), 200 - written)
        for number in range(written, written + count):
            data = b"%064d" % number
            expected[number * 64 : number * 64 + 64] = data
            ring.write(file, data, number * 64, number)
        found = wait_for(ring, count)
        assert {token for token, _ in found} == set(range(written, written + count))
        written += count
    assert os.pread(file, len(expected), 0) == expected


def test_a_buffer_stays_while_the_kernel_reads_it(ring: IoUring, file: int) -> None:
    for number in range(8):
        ring.write(file, bytes([65 + number]) * (1 << 20), number << 20, number)
    noise = [bytes([number]) * (1 << 20) for number in range(32)]  # It would come to lie where they were.
    wait_for(ring, 8)
    assert len(noise) == 32
    for number in range(8):
        assert os.pread(file, 1 << 20, number << 20) == bytes([65 + number]) * (1 << 20)


def test_more_than_there_is_room_for_is_refused_and_the_rest_is_done(ring: IoUring, file: int) -> None:
    for number in range(32):
        ring.write(file, b"%08d" % number, number * 8, number)
    with pytest.raises(OSError, match=os.strerror(errno.EBUSY)):
        ring.write(file, b"more", 0, 32)
    assert ring.is_full
    assert {completion.token for completion in wait_for(ring, 32)} == set(range(32))
    assert not ring.is_full
    ring.write(file, b"again", 0, 0)
    assert wait_for(ring, 1) == [Completion(0, 5)]


@pytest.mark.parametrize(
    ("path", "flags", "number"), [("/dev/full", os.O_WRONLY, errno.ENOSPC), ("/", os.O_RDONLY, errno.EBADF)]
)
def test_a_write_that_fails_says_why(ring: IoUring, path: str, flags: int, number: int) -> None:
    descriptor = os.open(path, flags)
    ring.write(descriptor, b"x", 0, 1)
    assert wait_for(ring, 1) == [Completion(1, -number)]
    os.close(descriptor)


def test_what_the_kernel_refuses_leaves_no_trace(
    ring: IoUring, file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EAGAIN, "not now")

    with monkeypatch.context() as patch:
        patch.setattr(IoUring, "_call", refuse)
        with pytest.raises(OSError, match="not now"):
            ring.write(file, b"first", 0, 1)
    ring.write(file, b"second", 10, 1)
    assert wait_for(ring, 1) == [Completion(1, 6)]
    assert os.pread(file, 5, 0) == bytes(5)


_LIMITED = """
import os, resource, select, sys
from bpmnd.storage.io_uring import IoUring
ring = IoUring(4)
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
for data, offset in ((b"x" * 8000, 0), (b"y" * 8000, 6000)):
    ring.write(file, data, offset, 1)
    select.select([ring], [], [], 5)
    print(ring.completions()[0].result)
ring.close()
"""


def test_a_write_may_be_done_in_part(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path / "file")], check=True, capture_output=True, timeout=30
    )
    assert done.stdout.split() == [b"6000", b"%d" % -errno.EFBIG]
