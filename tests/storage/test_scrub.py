"""Every flipped bit in what lies still is found by reading it through, and nothing else is taken for one."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpmnd.storage.archive import Archive, ArchiveRetention
from bpmnd.storage.checkpoint import CheckpointStore
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError, StorageError
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.scrub import scrub_archive, scrub_log
from tests.storage.test_verify import ARCHIVE, FIRST_ARCHIVED, PARTITION, THIRD, partition

P1, P2 = Position(10, 1, b"a" * 32), Position(20, 2, b"b" * 32)
_ROWS = 3000


@pytest.fixture
def disk() -> MemoryDisk:
    """Two segments in the archive, one sealed, and one in use."""
    made = MemoryDisk()
    partition(made)
    return made


def test_a_whole_log_is_read_batch_by_batch(disk: MemoryDisk) -> None:
    assert list(scrub_log(disk, PARTITION)) == [4096] * 4
    assert len(list(scrub_archive(disk, PARTITION))) == 48


@pytest.mark.parametrize("offset", [0, 40, 100, 200, 3000, 4090, 8192 + 150, 2 * 4096 + 4095])
def test_a_flipped_bit_in_the_log_is_found(disk: MemoryDisk, offset: int) -> None:
    disk.flip(THIRD, offset, 0x10)
    with pytest.raises(DamageError):
        list(scrub_log(disk, PARTITION))


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_bit_in_the_archive_is_found(disk: MemoryDisk, seed: int) -> None:
    chance = random.Random(seed)
    disk.flip(FIRST_ARCHIVED, chance.randrange(len(disk.bytes_of(FIRST_ARCHIVED))), 1 << chance.randrange(8))
    with pytest.raises(DamageError):
        list(scrub_archive(disk, PARTITION))


def test_what_was_written_since_it_began_is_not_judged(disk: MemoryDisk) -> None:
    pieces = scrub_log(disk, PARTITION)
    next(pieces)
    written = len(bytes(disk.bytes_of(THIRD)).rstrip(b"\0"))

    disk.bytes_of(THIRD)[written + 4000] = 0xFF

    assert sum(1 for _ in pieces) == 3


def test_a_file_that_is_dropped_meanwhile_is_no_damage(disk: MemoryDisk) -> None:
    pieces = scrub_archive(disk, PARTITION)
    next(pieces)
    Archive(disk, ARCHIVE).retain(ArchiveRetention(size_max=1), now=10)

    with pytest.raises(StorageError) as raised:
        list(pieces)
    assert not isinstance(raised.value, DamageError)


# Checkpoints


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CheckpointStore]:
    made = CheckpointStore(tmp_path / "store", cache_bytes=1 << 20)
    chance = random.Random(1)
    made.write([(b"i%06d" % number, chance.randbytes(60)) for number in range(_ROWS)])
    made.commit(P1)
    yield made
    made.close()


def test_every_row_of_a_checkpoint_is_read(store: CheckpointStore, tmp_path: Path) -> None:
    assert sum(store.scan(tmp_path / "aside")) > _ROWS * 67
    assert len(list(store.scan(tmp_path / "aside"))) > 3
    assert not (tmp_path / "aside").exists()


@pytest.mark.parametrize("seed", range(12))
def test_a_flipped_bit_in_a_checkpoint_is_found(store: CheckpointStore, tmp_path: Path, seed: int) -> None:
    (file,) = (tmp_path / "store").glob("*.sst")
    chance, rows = random.Random(seed), _ROWS * 60
    data = bytearray(file.read_bytes())
    data[chance.randrange(rows)] ^= 1 << chance.randrange(8)
    file.write_bytes(data)

    with pytest.raises(DamageError) as raised:
        list(store.scan(tmp_path / "aside"))

    assert raised.value.file == tmp_path / "store"
    assert not (tmp_path / "aside").exists()


def test_a_checkpoint_may_be_made_while_the_last_one_is_read(store: CheckpointStore, tmp_path: Path) -> None:
    pieces = store.scan(tmp_path / "aside")
    size = next(pieces)
    store.write([(b"i%06d" % number, None) for number in range(_ROWS)])
    store.commit(P2)

    assert size + sum(pieces) > _ROWS * 67
    assert store.range(b"", b"z", 10) == []


def test_what_a_crash_left_is_no_hindrance(store: CheckpointStore, tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    (tmp_path / "aside" / "CURRENT").write_text("MANIFEST-000001\n")

    assert sum(store.scan(tmp_path / "aside")) > _ROWS * 67
