from pathlib import Path

import pytest
import zstandard

from bpmnd.storage import archive_file
from bpmnd.storage.archive import Archive, ArchiveRetention, Hold, entries_from
from bpmnd.storage.entry import ORIGIN, Position
from bpmnd.storage.errors import DamageError, GapError, MissingError
from bpmnd.storage.log import Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter

LOG = Path("/partition/log")
ARCHIVE = Path("/partition/archive")
FIRST = ARCHIVE / "00000000000000000001-00000000000000000016.zst"


def filled_log(disk: MemoryDisk, count: int = 50) -> Log:
    """Sixteen entries a segment, two a batch."""
    Log.create(disk, LOG)
    log = Log.open(
        disk, LOG, writer=InlineWriter(), post=lambda call: call(), then=lambda _: None, segment_size=32768
    )
    for index in range(1, count, 2):
        log.append([(index, 1, 5, b"payload %d" % index), (index + 1, 1, 6, b"%d" % index * 300)])
    return log


def archived(disk: MemoryDisk, log: Log, up_to: int, at: int = 1000) -> Archive:
    archive = Archive(disk, ARCHIVE)
    sealed = log.sealed(up_to)
    for number, segment in enumerate(sealed):
        archive.store(LOG, segment, at=at + number)
    log.drop(sealed)
    return archive


def test_the_archive_gives_back_what_the_log_had() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    before = list(log.entries(1))

    archive = archived(disk, log, up_to=40)

    assert archive.files()[0].path == FIRST
    assert log.first_index == 33
    assert list(archive.entries(1)) == before[:32]


@pytest.mark.parametrize(("first", "last"), [(1, 50), (16, 17), (20, None), (32, 34), (33, None), (40, 41)])
def test_archive_and_log_read_as_one(first: int, last: int | None) -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    archive = archived(disk, log, up_to=40)
    found = [entry.index for entry in entries_from(archive, log, first, last)]
    assert found == list(range(first, (last or 50) + 1))


def test_an_archived_segment_survives_a_crash() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    archived(disk, log, up_to=40)
    assert len(list(Archive(disk.crash(), ARCHIVE).entries(1))) == 32


def test_storing_again_after_a_crash_before_the_drop_is_harmless() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    archive = Archive(disk, ARCHIVE)
    (sealed, *_) = log.sealed(40)
    assert archive.store(LOG, sealed, at=1) == archive.store(LOG, sealed, at=2)
    assert len(archive.files()) == 1


def test_a_segment_that_does_not_continue_the_archive_is_refused() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    with pytest.raises(GapError, match="ends at entry 0"):
        Archive(disk, ARCHIVE).store(LOG, log.sealed(40)[1], at=1)


def test_superseded_entries_are_not_archived() -> None:
    disk = MemoryDisk()
    log = filled_log(disk, count=10)
    log.truncate(5, commit=5)
    for index in range(6, 40):
        log.append([(index, 2, 0, b"new")])

    archive = archived(disk, log, up_to=30)

    assert [(entry.index, entry.term) for entry in archive.entries(4, 8)] == [
        (4, 1),
        (5, 1),
        (6, 2),
        (7, 2),
        (8, 2),
    ]


def test_an_entry_longer_than_a_block_is_archived() -> None:
    disk = MemoryDisk()
    Log.create(disk, LOG)
    log = Log.open(
        disk, LOG, writer=InlineWriter(), post=lambda call: call(), then=lambda _: None, segment_size=32768
    )
    for index, size in enumerate((10, 3 << 20, 10, 1 << 20, 20_000), 1):
        log.append([(index, 1, 0, bytes(size))])
    archive = archived(disk, log, up_to=4)
    assert [len(entry.payload) for entry in archive.entries(1)] == [10, 3 << 20, 10, 1 << 20]


def test_any_flipped_bit_of_an_archive_file_is_damage_that_names_it() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    archive = archived(disk, log, up_to=40)
    data = disk.bytes_of(FIRST)
    for at in range(0, len(data), 3):
        data[at] ^= 1 << (at % 8)
        with pytest.raises(DamageError) as raised:
            list(archive.entries(1))
        assert raised.value.file == FIRST
        data[at] ^= 1 << (at % 8)


def test_a_lost_archive_file_is_named_by_its_first_entry() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    archive = archived(disk, log, up_to=40)
    disk.remove(FIRST)
    with pytest.raises(DamageError) as raised:
        list(archive.entries(1))
    assert (raised.value.kind, raised.value.index) == ("dropped", 1)


def test_a_frame_that_states_too_large_a_size_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    archive = archived(disk, log, up_to=40)
    monkeypatch.setattr(archive_file, "BLOCK_RAW_MAX", 100)
    with pytest.raises(DamageError, match="states"):
        list(archive.entries(1))


def test_zstandard_alone_would_believe_the_stated_size() -> None:
    frame = zstandard.ZstdCompressor(write_content_size=True).compress(bytes(1 << 20))
    assert len(zstandard.ZstdDecompressor().decompress(frame, max_output_size=10)) == 1 << 20


def test_retention_by_size_drops_the_oldest_and_notes_the_head() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    hash_of_16 = log.hash_at(16)
    archive = archived(disk, log, up_to=40)

    dropped = archive.retain(ArchiveRetention(size_max=len(disk.bytes_of(FIRST))), now=0)

    assert [file.path for file in dropped] == [FIRST]
    assert archive.head() == Position(16, 1, hash_of_16)
    assert [entry.index for entry in archive.entries(17)] == list(range(17, 33))
    with pytest.raises(MissingError):
        list(archive.entries(16))


def test_retention_by_age_drops_what_is_older() -> None:
    disk = MemoryDisk()
    archive = archived(disk, filled_log(disk), up_to=40, at=1000)
    assert archive.retain(ArchiveRetention(seconds=100), now=1100) == []
    assert len(archive.retain(ArchiveRetention(seconds=100), now=1101)) == 1
    assert len(archive.retain(ArchiveRetention(), now=9999)) == 0


def test_a_crash_between_noting_the_head_and_dropping_is_finished_later() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    position = Position(16, 1, log.hash_at(16))
    archive = archived(disk, log, up_to=40)
    archive.begin_after(position)

    assert len(archive.files()) == 1
    archive.retain(ArchiveRetention(), now=0)

    assert FIRST.name not in disk.names(ARCHIVE)


def test_an_archive_begins_at_the_origin() -> None:
    assert Archive(MemoryDisk(), ARCHIVE).head() == ORIGIN


def test_what_someone_still_reads_is_kept_longer_up_to_a_limit() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    archive = archived(disk, log, up_to=40)
    retention = ArchiveRetention(seconds=100)
    hold = Hold("reader", after=20, seconds=50, size=0)

    assert len(archive.retain(retention, now=1101, holds=[hold])) == 1, "the reader is beyond the first file"
    assert archive.retain(retention, now=1150, holds=[hold]) == []
    assert archive.retain(retention, now=9999, holds=[hold]) != []


def test_a_hold_on_the_size_has_a_limit_as_well() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    archive = archived(disk, log, up_to=40)
    sizes = [len(disk.bytes_of(file.path)) for file in archive.files()]
    retention = ArchiveRetention(size_max=0)

    assert archive.retain(retention, now=0, holds=[Hold("reader", 0, 0, sum(sizes))]) == []
    assert len(archive.retain(retention, now=0, holds=[Hold("reader", 0, 0, sum(sizes) - 1)])) == 1


def test_how_much_of_its_limits_a_hold_uses_is_known_before_anything_is_dropped() -> None:
    disk = MemoryDisk()
    log = filled_log(disk)
    archive = archived(disk, log, up_to=40)
    retention = ArchiveRetention(seconds=100)
    behind, beyond = Hold("behind", 0, 50, 0), Hold("beyond", 40, 50, 0)

    def used(now: int) -> dict[str, float]:
        return archive.used(retention, now=now, holds=[behind, beyond])

    assert used(1090) == {"behind": 0.0, "beyond": 0.0}, "the retention alone keeps it"
    assert used(1125) == {"behind": 0.5, "beyond": 0.0}
    assert used(1160)["behind"] > 1
