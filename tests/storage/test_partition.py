from pathlib import Path

import pytest

from bpmnd.storage.checkpoint import CheckpointStores
from bpmnd.storage.cold_store import MemoryStore
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError, GapError
from bpmnd.storage.log import Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.partition import check_meets, open_partition_storage
from bpmnd.storage.writer import InlineWriter

DIRECTORY = Path("/partition")


def log_from(base: Position, count: int) -> Log:
    disk = MemoryDisk()
    Log.create(disk, DIRECTORY, base)
    log = Log.open(
        disk,
        DIRECTORY,
        writer=InlineWriter(),
        post=lambda call: call(),
        then=lambda _: None,
        segment_size=32768,
    )
    for index in range(base.index + 1, base.index + 1 + count):
        log.append([(index, 1, 0, b"%d" % index)])
    return log


def store_at(position: Position) -> MemoryStore:
    store = MemoryStore()
    store.commit(position)
    return store


BASE = Position(10, 1, b"b" * 32)


@pytest.mark.parametrize("index", [10, 12, 15])
def test_a_checkpoint_within_the_log_is_fine(index: int) -> None:
    log = log_from(BASE, 5)
    check_meets(log, store_at(Position(index, 1, log.hash_at(index))), DIRECTORY)


def test_a_log_from_the_origin_needs_no_checkpoint() -> None:
    check_meets(log_from(Position(0, 0, bytes(32)), 3), MemoryStore(), DIRECTORY)


def test_a_log_that_begins_later_needs_a_checkpoint() -> None:
    with pytest.raises(GapError, match="no checkpoint, but the log begins with entry 11"):
        check_meets(log_from(BASE, 5), MemoryStore(), DIRECTORY)


def test_a_gap_between_checkpoint_and_log_is_refused() -> None:
    with pytest.raises(GapError, match="ends at entry 9, the log begins with 11"):
        check_meets(log_from(BASE, 5), store_at(Position(9, 1, bytes(32))), DIRECTORY)


def test_a_checkpoint_ahead_of_the_log_is_damage() -> None:
    with pytest.raises(DamageError, match="at entry 16, but the log ends at 15"):
        check_meets(log_from(BASE, 5), store_at(Position(16, 1, bytes(32))), DIRECTORY)


def test_a_checkpoint_of_another_history_is_damage() -> None:
    with pytest.raises(DamageError, match="different hashes"):
        check_meets(log_from(BASE, 5), store_at(Position(12, 1, bytes(32))), DIRECTORY)


def test_a_partition_is_replayed_from_its_checkpoint(tmp_path: Path) -> None:
    disk, writer = RealDisk(), InlineWriter()
    Log.create(disk, tmp_path / "log")
    for expected in (1, 3):
        storage = open_partition_storage(
            disk,
            CheckpointStores(),
            tmp_path,
            writer=writer,
            post=lambda call: call(),
            then=lambda _: None,
            segment_size=32768,
        )
        assert storage.replay_from == expected
        storage.log.append([(storage.log.last_index + at, 1, 0, b"x") for at in (1, 2)])
        storage.store.commit(storage.log.synced)
        storage.log.close()
        storage.store.close()
