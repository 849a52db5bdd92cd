import struct
import zlib
from pathlib import Path

import pytest
import zstandard

from bpmnd.storage.archive import Archive, ArchiveRetention, entries_from
from bpmnd.storage.archive_file import HEADER_SIZE, read_header
from bpmnd.storage.batch import encode, header_of, trailer_of
from bpmnd.storage.entry import Position, chain, entry_header
from bpmnd.storage.errors import DamageError
from bpmnd.storage.log import Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.repair import repair
from bpmnd.storage.verify import VerifyReport, verify
from bpmnd.storage.writer import InlineWriter

PARTITION = Path("/partition")
LOG = PARTITION / "log"
ARCHIVE = PARTITION / "archive"
FIRST_ARCHIVED = ARCHIVE / "00000000000000000001-00000000000000000024.zst"
THIRD = LOG / "0000000003.log"

Entry = tuple[int, int, int, bytes]


def entries(first: int) -> list[Entry]:
    """What a batch holds: three entries of one length."""
    return [(index, 1, 5, b"payload %04d" % index) for index in range(first, first + 3)]


def partition(disk: MemoryDisk) -> Log:
    """Entries 1 to 60, three a batch, eight batches a segment; the first two segments are in the archive."""
    Log.create(disk, LOG)
    log = Log.open(
        disk, LOG, writer=InlineWriter(), post=lambda call: call(), then=lambda _: None, segment_size=32768
    )
    for first in range(1, 60, 3):
        log.append(entries(first))
    archive = Archive(disk, ARCHIVE)
    sealed = log.sealed(48)
    for segment in sealed:
        archive.store(LOG, segment, at=1)
    log.drop(sealed)
    return log


def damage_of(report: VerifyReport) -> DamageError:
    assert report.damage is not None
    return report.damage


def rewrite(disk: MemoryDisk, path: Path, offset: int, forged: list[Entry], *, honest_chain: bool) -> None:
    """Replace the entries of a batch and make all its checksums right, as one would who hides something."""
    data = disk.bytes_of(path)
    header = header_of(bytes(data), offset)
    assert header is not None
    trailer = trailer_of(bytes(data), offset + header.batch_size)
    assert trailer is not None
    before, parts = header.previous_hash, list[bytes]()
    for index, term, kind, payload in forged:
        before = chain(before, index, term, kind, payload)
        parts += (entry_header(index, term, kind, len(payload), before), payload)
    batch = encode(
        count=header.entry_count,
        sequence=header.sequence,
        first=header.first,
        synced_index=header.synced_index,
        previous_term=header.previous_term,
        previous_hash=header.previous_hash,
        last=trailer.last,
        term=trailer.term,
        hash=before if honest_chain else trailer.hash,
        body=b"".join(parts),
    )
    data[offset : offset + len(batch)] = batch


def test_a_good_partition_is_proven_to_its_end() -> None:
    disk = MemoryDisk()
    log = partition(disk)

    report = verify(PARTITION, disk=disk)

    assert (report.damage, report.last, report.entry_count) == (None, log.synced, 60)
    assert (report.archive_files, report.torn) == (2, None)


def test_verifying_begins_at_the_noted_head() -> None:
    disk = MemoryDisk()
    partition(disk)
    archive = Archive(disk, ARCHIVE)
    total = sum(len(disk.bytes_of(file.path)) for file in archive.files())
    archive.retain(ArchiveRetention(size_max=total - 1), now=0)

    report = verify(PARTITION, disk=disk)

    assert (report.damage, report.head.index, report.entry_count) == (None, 24, 36)


def test_one_flipped_bit_in_the_log_is_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    at = 4096 + 96 + 2 * (56 + 12) + 56  # The payload of the third entry of the second batch.
    disk.bytes_of(THIRD)[at] ^= 4

    damage = damage_of(verify(PARTITION, disk=disk))

    assert (damage.kind, damage.file, damage.index) == ("body", THIRD, 54)
    assert damage.offset == at - 56


def test_one_flipped_bit_in_the_archive_is_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    disk.bytes_of(FIRST_ARCHIVED)[-20] ^= 1
    damage = damage_of(verify(PARTITION, disk=disk))
    assert (damage.kind, damage.file, damage.index) == ("archive", FIRST_ARCHIVED, 1)


def rewrite_archive(disk: MemoryDisk, path: Path, forged: list[Entry], *, honest_chain: bool) -> None:
    """Put other entries into the block of an archive file, compressed and with all its checksums right."""
    data = disk.bytes_of(path)
    header = read_header(disk, path)
    hash, raw = header.previous.hash, b""
    for index, term, kind, payload in forged:
        hash = chain(hash, index, term, kind, payload)
        raw += struct.pack("<IIQQ", len(payload), kind, index, term) + payload
    if not honest_chain:
        hash = header.last.hash
    block = zstandard.ZstdCompressor(write_content_size=True).compress(raw)
    first = header.previous.index + 1
    head = struct.pack("<IIQI32sI", len(block), len(raw), first, len(forged), hash, zlib.crc32(block))
    start = bytearray(data[: HEADER_SIZE - 4])
    start[-40:-8] = hash
    data[:] = b"".join((start, _crc(bytes(start)), head, _crc(head), block))


def _crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")


def archived(first: int, last: int) -> list[Entry]:
    """What the archive holds of those entries."""
    return [(index, 1, 5, b"payload %04d" % index) for index in range(first, last + 1)]


def test_one_dropped_entry_of_the_archive_is_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    kept = [entry for entry in archived(1, 24) if entry[0] != 7]
    rewrite_archive(disk, FIRST_ARCHIVED, kept, honest_chain=False)

    damage = damage_of(verify(PARTITION, disk=disk))

    assert (damage.kind, damage.file, damage.index) == ("dropped", FIRST_ARCHIVED, 7)


def test_two_swapped_entries_of_the_archive_are_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    forged = archived(1, 24)
    forged[6], forged[7] = forged[7], forged[6]
    rewrite_archive(disk, FIRST_ARCHIVED, forged, honest_chain=False)

    damage = damage_of(verify(PARTITION, disk=disk))

    assert (damage.kind, damage.file, damage.index) == ("swapped", FIRST_ARCHIVED, 7)


def test_one_flipped_bit_of_the_archive_with_its_checksums_put_right_is_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    forged = archived(1, 24)
    forged[6] = (7, 1, 5, b"payload 0006")
    rewrite_archive(disk, FIRST_ARCHIVED, forged, honest_chain=False)
    damage = damage_of(verify(PARTITION, disk=disk))
    assert (damage.kind, damage.file, damage.index) == ("hash", FIRST_ARCHIVED, 1)


def test_a_file_of_the_archive_that_was_rewritten_whole_does_not_continue() -> None:
    disk = MemoryDisk()
    partition(disk)
    forged = archived(1, 24)
    forged[6] = (7, 1, 5, b"payload 0006")
    rewrite_archive(disk, FIRST_ARCHIVED, forged, honest_chain=True)
    damage = damage_of(verify(PARTITION, disk=disk))
    assert (damage.kind, damage.index) == ("chain", 25)


@pytest.mark.parametrize("index", [3, 24, 25, 48, 49, 53, 60])
def test_a_noted_position_is_found_again(index: int) -> None:
    disk = MemoryDisk()
    log = partition(disk)
    noted = position_at(disk, log, index)

    report = verify(PARTITION, noted=noted, disk=disk)

    assert (report.damage, report.is_out_of_reach, report.last) == (None, False, log.synced)


@pytest.mark.parametrize("index", [3, 24, 48, 53, 60])
def test_a_noted_position_with_another_hash_is_named(index: int) -> None:
    disk = MemoryDisk()
    partition(disk)
    damage = damage_of(verify(PARTITION, noted=Position(index, 1, b"x" * 32), disk=disk))
    assert (damage.kind, damage.index) == ("chain", index)
    assert b"x".hex() in damage.what


def test_a_noted_position_beyond_the_end_is_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    damage = damage_of(verify(PARTITION, noted=Position(61, 1, b"x" * 32), disk=disk))
    assert (damage.kind, damage.index) == ("truncated", 61)


def test_of_a_noted_position_that_is_not_kept_nobody_can_tell() -> None:
    disk = MemoryDisk()
    log = partition(disk)
    noted = [position_at(disk, log, index) for index in (23, 24)]
    archive = Archive(disk, ARCHIVE)
    total = sum(len(disk.bytes_of(file.path)) for file in archive.files())
    archive.retain(ArchiveRetention(size_max=total - 1), now=0)

    dropped, last_dropped = (verify(PARTITION, noted=position, disk=disk) for position in noted)

    assert (dropped.damage, dropped.is_out_of_reach) == (None, True)
    assert (last_dropped.damage, last_dropped.is_out_of_reach) == (None, False)


def test_a_noted_position_that_was_superseded_is_named() -> None:
    disk = MemoryDisk()
    log = partition(disk)
    noted = log.synced
    log.truncate(58, commit=48)
    log.append([(59, 2, 5, b"another")])

    damage = damage_of(verify(PARTITION, noted=noted, disk=disk))

    assert (damage.kind, damage.index) == ("truncated", 60)


def position_at(disk: MemoryDisk, log: Log, index: int) -> Position:
    entry = next(iter(entries_from(Archive(disk, ARCHIVE), log, index)))
    return Position(entry.index, entry.term, entry.hash)


def test_an_entry_altered_with_its_checksums_breaks_the_chain() -> None:
    disk = MemoryDisk()
    partition(disk)
    forged = entries(52)
    forged[1] = (53, 1, 5, b"payload evil")
    rewrite(disk, THIRD, 4096, forged, honest_chain=True)

    damage = damage_of(verify(PARTITION, disk=disk))

    assert (damage.kind, damage.file, damage.index) == ("chain", THIRD, 55)


def test_one_dropped_entry_is_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    kept = [entry for entry in entries(52) if entry[0] != 53]
    rewrite(disk, THIRD, 4096, kept, honest_chain=False)

    damage = damage_of(verify(PARTITION, disk=disk))

    assert (damage.kind, damage.file, damage.index) == ("dropped", THIRD, 53)
    assert damage.offset == 4096 + 96 + 56 + 12


def test_two_swapped_entries_are_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    first, second, third = entries(52)
    rewrite(disk, THIRD, 4096, [first, third, second], honest_chain=False)

    damage = damage_of(verify(PARTITION, disk=disk))

    assert (damage.kind, damage.file, damage.index) == ("swapped", THIRD, 53)


def test_two_swapped_batches_are_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    data = disk.bytes_of(THIRD)
    data[4096:8192], data[8192:12288] = data[8192:12288], data[4096:8192]
    damage = damage_of(verify(PARTITION, disk=disk))
    assert (damage.kind, damage.file, damage.index) == ("swapped", THIRD, 52)


def test_a_dropped_batch_is_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    disk.bytes_of(THIRD)[4096:8192] = bytes(4096)
    damage = damage_of(verify(PARTITION, disk=disk))
    assert (damage.kind, damage.file, damage.index, damage.offset) == ("dropped", THIRD, 52, 4096)


def test_a_log_cut_below_its_mark_is_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    disk.bytes_of(THIRD)[8192:] = bytes(len(disk.bytes_of(THIRD)) - 8192)
    damage = damage_of(verify(PARTITION, disk=disk))
    assert (damage.kind, damage.file, damage.index, damage.offset) == ("truncated", THIRD, 55, 8192)


def test_a_lost_segment_between_archive_and_log_is_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    disk.remove(ARCHIVE / "00000000000000000025-00000000000000000048.zst")
    damage = damage_of(verify(PARTITION, disk=disk))
    assert (damage.kind, damage.index) == ("dropped", 25)


def test_an_archive_of_another_history_is_named() -> None:
    disk = MemoryDisk()
    partition(disk)
    archive = Archive(disk, ARCHIVE)
    for file in archive.files():
        disk.remove(file.path)
    archive.begin_after(Position(48, 1, b"x" * 32))
    damage = damage_of(verify(PARTITION, disk=disk))
    assert (damage.kind, damage.index) == ("chain", 49)


def test_a_torn_write_is_no_damage() -> None:
    disk = MemoryDisk()
    log = partition(disk)
    disk.bytes_of(THIRD)[4 * 4096 + 10] = 1
    report = verify(PARTITION, disk=disk)
    assert report.damage is None
    assert report.torn is not None
    assert report.last == log.synced


def test_what_a_running_node_is_writing_is_not_judged() -> None:
    disk = MemoryDisk()
    log = partition(disk)
    whole = bytes(disk.bytes_of(THIRD)[3 * 4096 : 4 * 4096])
    disk.bytes_of(THIRD)[4 * 4096 : 5 * 4096] = whole
    assert verify(PARTITION, disk=disk).damage is not None

    report = verify(PARTITION, running=True, disk=disk)

    assert (report.damage, report.last) == (None, log.synced)


def test_verifying_changes_nothing() -> None:
    disk = MemoryDisk()
    partition(disk)
    before = {name: bytes(disk.bytes_of(LOG / name)) for name in disk.names(LOG)}
    verify(PARTITION, disk=disk)
    assert before == {name: bytes(disk.bytes_of(LOG / name)) for name in disk.names(LOG)}


def open_again(disk: MemoryDisk) -> Log:
    return Log.open(
        disk, LOG, writer=InlineWriter(), post=lambda call: call(), then=lambda _: None, segment_size=32768
    )


def test_repair_leaves_a_good_partition_alone() -> None:
    disk = MemoryDisk()
    partition(disk)
    assert repair(PARTITION, disk=disk) is None


def test_repair_cuts_at_the_damage_and_keeps_a_copy() -> None:
    disk = MemoryDisk()
    partition(disk)
    disk.bytes_of(THIRD)[4096 + 300] ^= 1
    damaged = bytes(disk.bytes_of(THIRD))

    report = repair(PARTITION, disk=disk)

    assert report is not None
    assert report.remaining is None
    assert bytes(disk.bytes_of(report.kept_in / THIRD.name)) == damaged
    log = open_again(disk.crash())
    assert (log.first_index, log.last_index) == (49, 51)
    log.append([(52, 2, 0, b"anew")])
    assert [entry.index for entry in log.entries(49)] == [49, 50, 51, 52]


def test_repair_of_a_forged_entry_cuts_its_batch() -> None:
    disk = MemoryDisk()
    partition(disk)
    first, second, third = entries(52)
    rewrite(disk, THIRD, 4096, [first, third, second], honest_chain=False)
    report = repair(PARTITION, disk=disk)
    assert report is not None
    assert open_again(disk).last_index == 51


def test_repair_of_the_first_batch_goes_back_to_the_archive() -> None:
    disk = MemoryDisk()
    partition(disk)
    disk.bytes_of(THIRD)[20] ^= 1

    repair(PARTITION, disk=disk)

    log = open_again(disk)
    assert (log.first_index, log.last_index) == (49, 48)
    log.append([(49, 2, 0, b"anew")])
    assert verify(PARTITION, disk=disk).entry_count == 49


def test_repair_of_a_lost_mark_keeps_the_log() -> None:
    disk = MemoryDisk()
    partition(disk)
    disk.bytes_of(LOG / "mark")[:] = bytes(8192)

    report = repair(PARTITION, disk=disk)

    assert report is not None
    assert (report.remaining, open_again(disk).last_index) == (None, 60)


def test_repair_of_the_archive_lets_it_begin_later() -> None:
    disk = MemoryDisk()
    partition(disk)
    disk.bytes_of(FIRST_ARCHIVED)[-20] ^= 1

    report = repair(PARTITION, disk=disk)

    assert report is not None
    assert report.remaining is None
    assert FIRST_ARCHIVED.name in disk.names(report.kept_in)
    after = verify(PARTITION, disk=disk)
    assert (after.head.index, after.entry_count) == (24, 36)


def test_a_damaged_vote_is_not_made_up() -> None:
    disk = MemoryDisk()
    partition(disk)
    disk.bytes_of(LOG / "vote")[:] = bytes(8192)
    with pytest.raises(DamageError, match="neither slot"):
        repair(PARTITION, disk=disk)
