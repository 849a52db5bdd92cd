"""What a damaged replica remembers when its files are put aside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bpmnd.storage.batch import PAGE
from bpmnd.storage.entry import HardState, Position
from bpmnd.storage.errors import DamageError
from bpmnd.storage.layout import (
    LOG,
    checkpoint_directory,
    next_checkpoint_directory,
    remove_old_checkpoints,
    switch_checkpoint,
)
from bpmnd.storage.log import Log
from bpmnd.storage.mark import read_vote
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.setting_aside import begin_after, claimed_end, set_aside
from bpmnd.storage.writer import InlineWriter
from tests.storage.power import after_every_call

DIRECTORY = Path("/partition")
VOTE = HardState(7, 3)
END = (5, 12)


def open_log(disk: MemoryDisk) -> Log:
    return Log.open(
        disk,
        DIRECTORY / LOG,
        writer=InlineWriter(),
        post=lambda call: call(),
        then=lambda _: None,
        segment_size=3 * PAGE,
    )


def written() -> MemoryDisk:
    """Six write batches of two entries in two segments, and a vote."""
    disk = MemoryDisk()
    Log.create(disk, DIRECTORY / LOG)
    log = open_log(disk)
    for number in range(6):
        first = 2 * number + 1
        log.append([(first, number, 0, b"one"), (first + 1, number, 0, b"two")], VOTE)
    log.close()
    return disk


def segments(disk: MemoryDisk) -> list[Path]:
    return [path for path in disk.paths() if path.parent == DIRECTORY / LOG and path.suffix == ".log"]


def flips(disk: MemoryDisk) -> Iterator[tuple[Path, int]]:
    """Bytes of all that is written: the ends of each page closely, what is between them here and there."""
    for path in (*segments(disk), DIRECTORY / LOG / "mark"):
        size = len(disk.bytes_of(path))
        step = PAGE if path.suffix else 512
        for page in range(0, size, step):
            for offset in (*range(0, 120, 9), *range(200, step - 120, 501), *range(step - 120, step, 9)):
                if page + offset < size:
                    yield path, page + offset


def test_the_claim_is_where_the_log_ended() -> None:
    assert claimed_end(written(), DIRECTORY / LOG) == END


def test_whatever_byte_is_damaged_and_found_out_the_claim_is_where_the_log_ended() -> None:
    whole, found = written(), 0
    for path, offset in flips(whole):
        disk = whole.crash()
        disk.bytes_of(path)[offset] ^= 0xFF
        try:
            open_log(disk).close()
        except DamageError:
            found += 1
            assert claimed_end(disk, DIRECTORY / LOG) == END, (path, offset)

    assert found > 100


def test_the_claim_survives_the_loss_of_the_mark() -> None:
    disk = written()
    disk.remove(DIRECTORY / LOG / "mark")

    assert claimed_end(disk, DIRECTORY / LOG) == END


def test_the_claim_survives_the_loss_of_all_segments_but_for_the_last_batch() -> None:
    disk = written()
    for path in segments(disk):
        disk.bytes_of(path)[:] = b"\xff" * len(disk.bytes_of(path))

    assert claimed_end(disk, DIRECTORY / LOG) in (END, (4, 10))


def test_without_its_vote_nothing_is_put_aside() -> None:
    disk = written()
    disk.bytes_of(DIRECTORY / LOG / "vote")[:] = b"\xff" * 1024

    with pytest.raises(DamageError):
        claimed_end(disk, DIRECTORY / LOG)


def test_one_damaged_copy_of_the_vote_is_enough() -> None:
    disk = written()
    disk.bytes_of(DIRECTORY / LOG / "vote")[0] ^= 0xFF

    assert claimed_end(disk, DIRECTORY / LOG) == END


def test_what_is_put_aside_leaves_an_empty_log_with_the_vote() -> None:
    disk = written()
    before = [path.name for path in segments(disk)]

    kept = set_aside(disk, DIRECTORY)

    assert open_log(disk).last_index == 0
    assert read_vote(disk, DIRECTORY / LOG) == VOTE
    assert disk.names(kept) == before


def test_it_may_be_interrupted_anywhere_and_done_again() -> None:
    for when, disk in after_every_call(written, lambda failing: set_aside(failing, DIRECTORY)):
        set_aside(disk, DIRECTORY)

        assert open_log(disk).last_index == 0, when
        assert read_vote(disk, DIRECTORY / LOG) == VOTE, when
        assert disk.names(checkpoint_directory(disk, DIRECTORY)) == [], when


def test_while_it_is_interrupted_the_claim_never_grows_beyond_the_end() -> None:
    for when, disk in after_every_call(written, lambda failing: set_aside(failing, DIRECTORY)):
        assert claimed_end(disk, DIRECTORY / LOG) <= END, when


def test_the_empty_checkpoint_is_empty_although_a_transfer_was_on_its_way() -> None:
    disk = written()
    half = next_checkpoint_directory(disk, DIRECTORY)
    disk.make_directory(half)
    disk.create(half / "000012.sst", 10)

    set_aside(disk, DIRECTORY)

    assert checkpoint_directory(disk, DIRECTORY) == half
    assert disk.names(half) == []


def with_checkpoints() -> MemoryDisk:
    disk = MemoryDisk()
    for name in ("checkpoint", "checkpoint-1"):
        disk.make_directory(DIRECTORY / name)
        file = disk.create(DIRECTORY / name / "rows", 10)
        file.sync()
        disk.sync_directory(DIRECTORY / name)
    disk.sync_directory(DIRECTORY)
    return disk


def test_a_checkpoint_is_switched_at_one_stroke() -> None:
    seen: set[str] = set()
    new = DIRECTORY / "checkpoint-1"
    for when, disk in after_every_call(
        with_checkpoints, lambda failing: switch_checkpoint(failing, DIRECTORY, new)
    ):
        current = checkpoint_directory(disk, DIRECTORY)
        seen.add(current.name)
        assert disk.names(current) == ["rows"], when
        remove_old_checkpoints(disk, DIRECTORY)
        assert disk.names(current) == ["rows"], when

    assert seen == {"checkpoint", "checkpoint-1"}


def test_only_the_checkpoint_that_counts_stays_with_the_file_of_its_next_commit() -> None:
    disk = with_checkpoints()
    switch_checkpoint(disk, DIRECTORY, DIRECTORY / "checkpoint-1")
    for name in ("checkpoint.staged", "checkpoint-1.staged"):
        disk.create(DIRECTORY / name, 1)

    remove_old_checkpoints(disk, DIRECTORY)

    left = {name for name in disk.names(DIRECTORY) if name.startswith("checkpoint")}
    assert left == {"checkpoint-1", "checkpoint-1.staged"}


def test_a_log_goes_on_after_a_position_that_its_entries_do_not_reach() -> None:
    disk = written()
    position = Position(40, 9, b"h" * 32)

    begin_after(disk, DIRECTORY, position)

    log = open_log(disk)
    assert (log.first_index, log.last_index, log.synced) == (41, 40, position)
    assert log.hard_state == VOTE
