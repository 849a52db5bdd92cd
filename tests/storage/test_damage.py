from pathlib import Path

import pytest

from bpmnd.storage.errors import DamageError
from bpmnd.storage.log import Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter

DIRECTORY = Path("/log")
FIRST = DIRECTORY / "0000000001.log"
SECOND = DIRECTORY / "0000000002.log"


def open_log(disk: MemoryDisk) -> Log:
    if not Log.exists(disk, DIRECTORY):
        Log.create(disk, DIRECTORY)
    return Log.open(
        disk,
        DIRECTORY,
        writer=InlineWriter(),
        post=lambda call: call(),
        then=lambda _: None,
        segment_size=3 * 4096,
    )


def four_batches() -> MemoryDisk:
    """Three batches of two entries fill the first segment, the fourth begins the second."""
    disk = MemoryDisk()
    log = open_log(disk)
    for first in (1, 3, 5, 7):
        log.append([(first, 1, 0, b"first"), (first + 1, 1, 0, b"second")])
    return disk


def before_the_last_mark() -> bytes:
    """The mark as it is while the fourth batch is not yet noted."""
    disk = MemoryDisk()
    log = open_log(disk)
    for first in (1, 3, 5):
        log.append([(first, 1, 0, b"first"), (first + 1, 1, 0, b"second")])
    return bytes(disk.bytes_of(DIRECTORY / "mark"))


def damage_of(disk: MemoryDisk) -> DamageError:
    with pytest.raises(DamageError) as raised:
        open_log(disk)
    return raised.value


@pytest.mark.parametrize(("path", "batch"), [(FIRST, 0), (FIRST, 1), (FIRST, 2), (SECOND, 0)])
def test_a_flipped_bit_in_a_synced_batch_is_named_damage(path: Path, batch: int) -> None:
    disk = four_batches()
    data = disk.bytes_of(path)
    for at in [*range(0, 300), *range(300, 4000, 53), *range(4000, 4096)]:
        data[batch * 4096 + at] ^= 1 << (at % 8)
        damage = damage_of(disk)
        data[batch * 4096 + at] ^= 1 << (at % 8)
        assert damage.file == path
        assert damage.offset is not None
        assert batch * 4096 <= damage.offset < (batch + 1) * 4096, f"bit in byte {at}"
    assert open_log(disk).last_index == 8


def test_a_flipped_bit_in_the_last_batch_before_the_mark_is_cut_only_without_its_trailer() -> None:
    mark = before_the_last_mark()
    whole = bytes(four_batches().bytes_of(SECOND))
    disk = four_batches()
    for at in [*range(0, 300), *range(300, 4000, 53), *range(4000, 4096)]:
        disk.bytes_of(SECOND)[:] = whole
        disk.bytes_of(SECOND)[at] ^= 1
        disk.bytes_of(DIRECTORY / "mark")[:] = mark
        in_trailer = at >= 4096 - 76
        if in_trailer:
            assert open_log(disk).last_index == 6, f"bit in byte {at}"
            disk = four_batches()
        else:
            assert damage_of(disk).index in (7, 8), f"bit in byte {at}"


def test_damage_in_a_body_names_the_entry_and_its_offset() -> None:
    disk = four_batches()
    disk.bytes_of(FIRST)[4096 + 96 + 56 + 5 + 56] ^= 1

    damage = damage_of(disk)

    assert (damage.kind, damage.file, damage.index) == ("body", FIRST, 4)
    assert damage.offset == 4096 + 96 + 56 + 5


def test_a_batch_of_zeros_before_others_is_damage() -> None:
    disk = four_batches()
    disk.bytes_of(FIRST)[4096:8192] = bytes(4096)
    assert (damage_of(disk).index, damage_of(disk).offset) == (3, 4096)


def test_a_lost_end_is_damage_when_the_mark_knows_it() -> None:
    disk = four_batches()
    disk.bytes_of(SECOND)[:] = bytes(len(disk.bytes_of(SECOND)))
    assert (damage_of(disk).kind, damage_of(disk).index) == ("truncated", 7)


def test_a_lost_segment_is_damage() -> None:
    disk = four_batches()
    disk.remove(SECOND)
    assert damage_of(disk).index == 7


def test_a_lost_first_segment_is_damage_when_nothing_is_left() -> None:
    disk = four_batches()
    disk.remove(FIRST)
    disk.remove(SECOND)
    assert damage_of(disk).kind == "truncated"


def test_a_truncated_segment_is_damage() -> None:
    disk = four_batches()
    del disk.bytes_of(FIRST)[6000:]
    assert (damage_of(disk).index, damage_of(disk).offset) == (3, 4096)


def test_two_swapped_batches_are_damage() -> None:
    disk = four_batches()
    data = disk.bytes_of(FIRST)
    data[4096:8192], data[8192:12288] = data[8192:12288], data[4096:8192]
    assert (damage_of(disk).kind, damage_of(disk).index) == ("swapped", 3)


def test_a_batch_of_another_history_is_damage() -> None:
    disk, other = four_batches(), MemoryDisk()
    log = open_log(other)
    for first in (1, 3):
        log.append([(first, 1, 0, b"another"), (first + 1, 1, 0, b"history")])
    disk.bytes_of(FIRST)[4096:8192] = other.bytes_of(FIRST)[4096:8192]
    assert (damage_of(disk).kind, damage_of(disk).offset) == ("chain", 4096)


def test_a_last_batch_that_is_not_the_one_the_mark_names_is_damage() -> None:
    disk, other = four_batches(), MemoryDisk()
    log = open_log(other)
    for first in (1, 3, 5, 7):
        payload = b"first" if first < 7 else b"later"
        log.append([(first, 1, 0, payload), (first + 1, 1, 0, b"second")])
    disk.bytes_of(SECOND)[:] = other.bytes_of(SECOND)
    assert (damage_of(disk).kind, damage_of(disk).index) == ("chain", 8)


@pytest.mark.parametrize("name", ["mark", "vote"])
def test_a_small_file_with_no_readable_slot_is_damage(name: str) -> None:
    disk = four_batches()
    data = disk.bytes_of(DIRECTORY / name)
    data[10] ^= 1
    data[4096 + 10] ^= 1
    assert damage_of(disk).kind == name


@pytest.mark.parametrize("name", ["mark", "vote"])
def test_a_missing_small_file_is_damage(name: str) -> None:
    disk = four_batches()
    disk.remove(DIRECTORY / name)
    with pytest.raises(DamageError, match="missing"):
        Log.open(
            disk,
            DIRECTORY,
            writer=InlineWriter(),
            post=lambda call: call(),
            then=lambda _: None,
            segment_size=12288,
        )


def test_damage_changes_nothing_on_disk() -> None:
    disk = four_batches()
    disk.bytes_of(FIRST)[5000] ^= 1
    before = {name: bytes(disk.bytes_of(DIRECTORY / name)) for name in disk.names(DIRECTORY)}
    damage_of(disk)
    assert before == {name: bytes(disk.bytes_of(DIRECTORY / name)) for name in disk.names(DIRECTORY)}


def test_a_flipped_bit_after_opening_is_found_by_reading() -> None:
    disk = four_batches()
    log = open_log(disk)
    disk.bytes_of(FIRST)[96 + 60] ^= 1
    with pytest.raises(DamageError) as raised:
        list(log.entries(1))
    assert raised.value.file == FIRST


def test_a_later_batch_proves_that_a_bad_one_was_synced_when_the_mark_is_old() -> None:
    old_mark = MemoryDisk()
    open_log(old_mark).append([(1, 1, 0, b"first"), (2, 1, 0, b"second")])
    disk = four_batches()
    disk.bytes_of(DIRECTORY / "mark")[:] = old_mark.bytes_of(DIRECTORY / "mark")
    disk.bytes_of(FIRST)[3 * 4096 - 40] ^= 1  # The third batch's trailer: alone it would pass for a tear.
    assert (damage_of(disk).kind, damage_of(disk).file, damage_of(disk).index) == ("trailer", FIRST, 5)
