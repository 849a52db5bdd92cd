import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmnd.storage.errors import DamageError
from bpmnd.storage.log import Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter

DIRECTORY = Path("/log")
SEGMENT = DIRECTORY / "0000000001.log"


def open_log(disk: MemoryDisk) -> Log:
    if not Log.exists(disk, DIRECTORY):
        Log.create(disk, DIRECTORY)
    return Log.open(
        disk,
        DIRECTORY,
        writer=InlineWriter(),
        post=lambda call: call(),
        then=lambda _: None,
        segment_size=8 * 4096,
    )


def two_batches() -> tuple[MemoryDisk, bytes, bytes]:
    """A log of two synced batches, the mark that knows only the first, and the segment before the second."""
    disk = MemoryDisk()
    log = open_log(disk)
    log.append([(1, 1, 0, b"kept")])
    mark, segment = bytes(disk.bytes_of(DIRECTORY / "mark")), bytes(disk.bytes_of(SEGMENT))
    log.append([(2, 1, 0, b"torn" * 1000), (3, 1, 0, b"torn too")])
    return disk, mark, segment


def indexes(log: Log) -> list[int]:
    return [entry.index for entry in log.entries(1)]


# Around every field of header, entry heads and trailer; the long payload between in steps.
BYTES = [*range(4096, 4096 + 220), *range(4316, 12288 - 200, 97), *range(12288 - 200, 12288)]


@pytest.mark.parametrize("cut", BYTES[::7])
def test_a_write_torn_at_any_byte_is_cut(cut: int) -> None:
    disk, mark, before = two_batches()
    disk.bytes_of(DIRECTORY / "mark")[:] = mark
    disk.bytes_of(SEGMENT)[cut:] = before[cut:]

    log = open_log(disk)

    assert indexes(log) == [1]
    assert log.torn is None if cut == 4096 else log.torn is not None and log.torn.index == 2
    log.append([(2, 2, 0, b"anew")])
    assert [entry.payload for entry in open_log(disk.crash()).entries(1)] == [b"kept", b"anew"]


def test_every_byte_in_turn_is_a_possible_end() -> None:
    disk, mark, before = two_batches()
    whole = bytes(disk.bytes_of(SEGMENT))
    for cut in BYTES:
        disk.bytes_of(DIRECTORY / "mark")[:] = mark
        disk.bytes_of(SEGMENT)[:] = whole[:cut] + before[cut:]
        assert indexes(open_log(disk)) == [1], f"torn at {cut}"


def test_a_file_cut_off_at_any_byte_of_the_last_batch_is_a_torn_tail() -> None:
    for cut in BYTES:
        disk, mark, _ = two_batches()
        disk.bytes_of(DIRECTORY / "mark")[:] = mark
        del disk.bytes_of(SEGMENT)[cut:]
        log = open_log(disk)
        assert indexes(log) == [1], f"cut off at {cut}"
        log.append([(2, 2, 0, b"anew")])
        assert indexes(open_log(disk.crash())) == [1, 2]


def test_what_the_mark_knows_is_never_cut() -> None:
    disk, _, before = two_batches()
    whole = bytes(disk.bytes_of(SEGMENT))
    mark = bytes(disk.bytes_of(DIRECTORY / "mark"))
    for cut in BYTES:
        disk.bytes_of(DIRECTORY / "mark")[:] = mark
        disk.bytes_of(SEGMENT)[:] = whole[:cut] + before[cut:]
        with pytest.raises(DamageError) as raised:
            open_log(disk)
        assert raised.value.file == SEGMENT
        assert raised.value.offset is not None
        assert raised.value.offset >= 4096


def test_a_tear_in_the_first_batch_of_a_new_segment_is_cut() -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    for index in range(1, 9):
        log.append([(index, 1, 0, b"x")])
    mark = bytes(disk.bytes_of(DIRECTORY / "mark"))
    log.append([(9, 1, 0, b"y" * 9000)])
    second = DIRECTORY / "0000000002.log"
    disk.bytes_of(DIRECTORY / "mark")[:] = mark
    disk.bytes_of(second)[:4096] = bytes(4096)  # Only the later pages arrived.
    disk.bytes_of(second)[8192:] = bytes(len(disk.bytes_of(second)) - 8192)

    log = open_log(disk)

    assert log.last_index == 8
    log.append([(9, 2, 0, b"anew")])
    assert indexes(open_log(disk.crash())) == list(range(1, 10))


@given(seed=st.integers(0, 1 << 32), size=st.integers(0, 20_000), share=st.floats(0, 1))
def test_whatever_sectors_a_power_failure_leaves_nothing_synced_is_lost(
    seed: int, size: int, share: float
) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    log.append([(1, 1, 0, b"one")])
    log.append([(2, 1, 0, b"two")])
    disk.stopped = True  # The power fails while the write is under way.
    log.append([(3, 1, 0, b"z" * size)])
    chance = random.Random(seed)

    left = disk.crash(lambda _path, _sector: chance.random() < share)

    found, damaged_at = None, None
    try:
        found = indexes(open_log(left))
    except DamageError as damage:
        damaged_at = damage.index
    assert found in ([1, 2], [1, 2, 3]) or damaged_at == 3, f"found {found}, damage at {damaged_at}"
