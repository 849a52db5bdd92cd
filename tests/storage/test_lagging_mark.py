"""The mark is written without a sync and synced now and then: whenever the power fails, nothing that was
acknowledged is lost, and the log opens, with either slot of the mark damaged, too."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bpmnd.storage.errors import DamageError, StorageError
from bpmnd.storage.log import Appended, AppendFailed, Log
from bpmnd.storage.mark import read_mark
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.segment import segment_numbers, segment_path
from bpmnd.storage.setting_aside import claimed_end
from bpmnd.storage.tail import MARK_LAG_MAX
from bpmnd.storage.writer import InlineWriter
from tests.judged import JUDGE
from tests.storage.power import Failing

DIRECTORY = Path("/log")
MARK = DIRECTORY / "mark"


def open_log(
    disk: MemoryDisk | Failing, then: Callable[[Appended | AppendFailed], None], pages: int = 6
) -> Log:
    return Log.open(
        disk,
        DIRECTORY,
        writer=InlineWriter(),
        post=lambda call: call(),
        then=then,
        segment_size=pages * 4096,
    )


def ignore(_: Appended | AppendFailed) -> None:
    """Nobody wants to know."""


class Story:
    """A log's life: batches, a cut now and then, trimming; and what of it was acknowledged."""

    def __init__(self, disk: Failing) -> None:
        self.acknowledged = 0
        self.trimmed = 0
        self._disk = disk
        self._generation = 0

    def _told(self, told: Appended | AppendFailed) -> None:
        if isinstance(told, Appended):
            self.acknowledged = told.index

    def run(self) -> None:
        """Raises StorageError when the power fails."""
        log = open_log(self._disk, self._told)
        term = 1
        for step in range(40):
            log.append([(log.last_index + 1, term, 0, b"%d" % (log.last_index + 1))])
            if step % 13 == 12:
                self.acknowledged = min(self.acknowledged, log.last_index - 2)
                log.truncate(log.last_index - 2, commit=0)
                term += 1
            if step in (16, 17, 35):
                self.trimmed = log.last_index - 2
                log.trim(self.trimmed)
        log.close()


def empty() -> MemoryDisk:
    disk = MemoryDisk()
    Log.create(disk, DIRECTORY)
    return disk


def damage(disk: MemoryDisk, slot: int) -> None:
    disk.flip(MARK, slot * 4096 + 20, 1)


def check(disk: MemoryDisk, story: Story, what: str) -> None:
    log = open_log(disk, ignore)
    assert log.last_index >= story.acknowledged, f"{what}: {log.last_index} of {story.acknowledged}"
    assert log.base.index <= story.trimmed, what
    assert [entry.payload for entry in log.entries(log.first_index)] == [
        b"%d" % index for index in range(log.first_index, log.last_index + 1)
    ], what
    log.append([(log.last_index + 1, 9, 0, b"anew")])
    again = open_log(disk.crash(), ignore)
    assert again.last_index == log.last_index, f"{what}: after another failure"


@pytest.mark.parametrize("slot", [None, 0, 1])
def test_whenever_the_power_fails_nothing_acknowledged_is_lost(slot: int | None) -> None:
    chance = random.Random(1)
    calls = 0
    while True:
        failing = Failing(empty(), calls)
        story = Story(failing)
        with contextlib.suppress(StorageError):
            story.run()
        ways = {
            "nothing unsynced is left": failing.disk.crash(),
            "some of it is": failing.disk.crash(lambda _path, _sector: chance.random() < 0.5),
            "it was the process that ended": failing.disk.killed(),
        }
        for what, left in ways.items():
            if slot is not None:
                damage(left, slot)
            check(left, story, f"after {calls} changes {what}, slot {slot} damaged")
        if failing.calls:
            break
        calls += 1 if JUDGE else 1 + chance.randrange(16)


def test_the_mark_on_disk_is_never_further_behind_than_is_said() -> None:
    disk = empty()
    log = open_log(disk, ignore)
    furthest = 0
    for index in range(1, 100):
        log.append([(index, 1, 0, b"x")])
        furthest = max(furthest, index - read_mark(disk.crash(), DIRECTORY).sequence)
    assert furthest == MARK_LAG_MAX - 1


def test_a_slot_of_the_mark_is_not_written_to_before_the_other_is_on_disk() -> None:
    disk = empty()
    log = open_log(disk, ignore)
    for index in range(1, 100):
        log.append([(index, 1, 0, b"x")])
        assert len({sector // 8 for sector in disk.unsynced(MARK)}) <= 1, f"after entry {index}"


def test_a_clean_close_brings_the_mark_up_to_date() -> None:
    disk = empty()
    log = open_log(disk, ignore)
    for index in range(1, 6):
        log.append([(index, 1, 0, b"x")])
    assert read_mark(disk.crash(), DIRECTORY).sequence < 5
    log.close()
    assert read_mark(disk.crash(), DIRECTORY).sequence == 5


@pytest.mark.parametrize("slot", [0, 1])
@pytest.mark.parametrize("batches", [MARK_LAG_MAX, MARK_LAG_MAX + 5])
def test_either_slot_of_the_mark_tells_where_a_trimmed_log_begins(slot: int, batches: int) -> None:
    disk = empty()
    log = open_log(disk, ignore)
    for index in range(1, batches + 1):
        log.append([(index, 1, 0, b"x" * 5000)])
    log.trim(log.last_index)
    assert segment_numbers(disk, DIRECTORY)[0] > 5
    left = disk.crash()
    damage(left, slot)
    assert open_log(left, ignore).last_index == batches


def test_the_claim_is_the_last_acknowledged_entry_while_its_trailer_can_be_read() -> None:
    disk = empty()
    log = open_log(disk, ignore)
    for index in range(1, 12):
        log.append([(index, 1, 0, b"x")])
    left = disk.crash()
    assert read_mark(left, DIRECTORY).position.index < 5
    left.bytes_of(segment_path(DIRECTORY, 1))[:] = b"y" * (6 * 4096)
    assert claimed_end(left, DIRECTORY) == (1, 11)


FAR_BEHIND = 10


def far_behind(cut: Callable[[bytearray], None]) -> MemoryDisk:
    """A log of ten pages, one a batch, and a mark that knows of none of them; `cut` sees its segment."""
    disk = empty()
    log = open_log(disk, ignore, pages=32)
    for index in range(1, FAR_BEHIND + 1):
        log.append([(index, 1, 0, b"x" * 1000)])
    left = disk.crash()
    assert read_mark(left, DIRECTORY).sequence == 0
    cut(left.bytes_of(segment_path(DIRECTORY, 1)))
    return left


def zeros_from(start: int, stop: int) -> Callable[[bytearray], None]:
    def cut(segment: bytearray) -> None:
        segment[start:stop] = bytes(stop - start)

    return cut


@pytest.mark.parametrize("kept", [0, 1, 500, 1200, 4000, 4095])
def test_only_the_torn_write_is_cut_however_far_the_mark_is_behind(kept: int) -> None:
    last = (FAR_BEHIND - 1) * 4096
    left = far_behind(zeros_from(last + kept, last + 4096))
    assert open_log(left, ignore).last_index == FAR_BEHIND - 1


@pytest.mark.parametrize("batch", range(FAR_BEHIND - 1))
@pytest.mark.parametrize("kept", [0, 500, 4095])
def test_damage_before_the_last_batch_is_found_however_far_the_mark_is_behind(batch: int, kept: int) -> None:
    left = far_behind(zeros_from(batch * 4096 + kept, batch * 4096 + 4096))
    with pytest.raises(DamageError) as raised:
        open_log(left, ignore)
    assert raised.value.offset is not None
    assert batch * 4096 <= raised.value.offset < (batch + 1) * 4096
