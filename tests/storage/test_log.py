import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from bpmnd.storage.entry import ORIGIN, HardState, Position, chain
from bpmnd.storage.errors import ClosedError, DamageError, MissingError, StorageError
from bpmnd.storage.log import Appended, AppendFailed, Log
from bpmnd.storage.mark import read_claim
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.segment import segment_numbers, segment_path
from bpmnd.storage.writer import InlineWriter

OpenLog = Callable[[MemoryDisk], Log]
Completions = list[Appended | AppendFailed]


def add(log: Log, *payloads: bytes, term: int = 1) -> int:
    first = log.last_index + 1
    return log.append([(first + at, term, 7, payload) for at, payload in enumerate(payloads)])


def payloads_of(log: Log) -> list[bytes]:
    return [entry.payload for entry in log.entries(log.first_index)]


def test_what_was_appended_is_there_after_a_crash(open_log: OpenLog) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    add(log, b"one", b"two")
    add(log, b"three")

    log = open_log(disk.crash())

    assert payloads_of(log) == [b"one", b"two", b"three"]
    assert (log.first_index, log.last_index, log.last_term, log.torn) == (1, 3, 1, None)


def test_an_append_is_reported_with_its_last_entry(open_log: OpenLog, completions: Completions) -> None:
    log = open_log(MemoryDisk())

    ticket = add(log, b"one", b"two", term=4)

    assert completions == [Appended(2, 4, 0, ticket, None)]


def test_the_hash_of_an_entry_chains_all_before_it(open_log: OpenLog) -> None:
    log = open_log(MemoryDisk())
    add(log, b"one", b"two")

    first = chain(ORIGIN.hash, 1, 1, 7, b"one")

    assert log.hash_at(1) == first
    assert log.hash_at(2) == log.last_hash == chain(first, 2, 1, 7, b"two")


def test_a_hash_inside_a_batch_is_read_from_the_disk(open_log: OpenLog) -> None:
    disk = MemoryDisk()
    add(open_log(disk), b"one", b"two", b"three")
    assert open_log(disk.crash()).hash_at(1) == chain(ORIGIN.hash, 1, 1, 7, b"one")


def test_terms_are_known_before_the_sync(open_log: OpenLog, writer: InlineWriter) -> None:
    log = open_log(MemoryDisk())
    add(log, b"one", term=1)
    writer.held = True

    add(log, b"two", b"three", term=5)

    assert [log.term_at(index) for index in range(5)] == [0, 1, 5, 5, None]


def test_terms_are_known_after_opening(open_log: OpenLog) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    log.append([(1, 1, 0, b""), (2, 3, 0, b""), (3, 3, 0, b""), (4, 6, 0, b"")])

    log = open_log(disk.crash())

    assert [log.term_at(index) for index in range(6)] == [0, 1, 3, 3, 6, None]


def test_queued_appends_go_into_one_write(
    open_log: OpenLog, writer: InlineWriter, completions: Completions
) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    writer.held = True
    tickets = [add(log, b"%d" % number) for number in range(5)]
    before = disk.syncs

    writer.run()

    assert disk.syncs - before == 1
    assert completions == [Appended(5, 1, 0, tickets[-1], None)]
    assert len(payloads_of(log)) == 5


def test_an_entry_in_the_queue_is_not_synced(open_log: OpenLog, writer: InlineWriter) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    writer.held = True
    add(log, b"one")

    assert (log.last_index, log.synced_index) == (1, 0)
    assert open_log(disk.crash()).last_index == 0


def test_a_full_segment_is_followed_by_the_next(open_log: OpenLog, directory: Path) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    wanted = [b"%d" % number * 900 for number in range(30)]
    for payload in wanted:
        add(log, payload)

    assert len(segment_numbers(disk, directory)) > 3
    assert payloads_of(open_log(disk.crash())) == wanted


def test_a_batch_longer_than_a_segment_gets_one_made_for_it(open_log: OpenLog) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    wanted = [b"small", bytes(200_000), b"after", b"x" * 5000]
    for payload in wanted:
        add(log, payload)
    assert payloads_of(open_log(disk.crash())) == wanted


def test_a_first_batch_longer_than_a_segment_is_found_again(open_log: OpenLog) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    add(log, bytes(100_000))
    add(log, b"after")
    assert payloads_of(open_log(disk.crash())) == [bytes(100_000), b"after"]


def test_reading_begins_at_any_entry_and_ends_at_any(open_log: OpenLog) -> None:
    log = open_log(MemoryDisk())
    for number in range(10):
        add(log, b"a%d" % number, b"b%d" % number)
    assert [entry.index for entry in log.entries(6, 9)] == [6, 7, 8, 9]


def test_reading_what_is_not_kept_is_refused(open_log: OpenLog) -> None:
    log = open_log(MemoryDisk())
    with pytest.raises(MissingError, match="keeps entries 1 to 0"):
        log.entries(2)


def test_a_truncated_suffix_is_replaced(open_log: OpenLog) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    add(log, b"one", b"two", b"three")
    add(log, b"four")

    log.truncate(2, commit=1)
    add(log, b"new three", term=2)

    assert payloads_of(log) == [b"one", b"two", b"new three"]
    reopened = open_log(disk.crash())
    assert payloads_of(reopened) == [b"one", b"two", b"new three"]
    assert [reopened.term_at(index) for index in (2, 3, 4)] == [1, 2, None]


def test_truncation_and_append_in_the_queue_are_one_write(open_log: OpenLog, writer: InlineWriter) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    add(log, b"one", b"two")
    writer.held = True
    log.truncate(1, commit=1)
    add(log, b"new", term=2)

    old = open_log(disk.crash())
    writer.run()

    assert payloads_of(old) == [b"one", b"two"], "all of the old before the sync"
    assert payloads_of(open_log(disk.crash())) == [b"one", b"new"]


def test_a_truncation_alone_is_durable(open_log: OpenLog) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    add(log, b"one", b"two")
    log.truncate(0, commit=0)

    left = disk.crash()
    add(open_log(left), b"anew", term=3)

    assert payloads_of(open_log(left.crash())) == [b"anew"]


def test_what_is_still_queued_can_be_truncated(open_log: OpenLog, writer: InlineWriter) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    writer.held = True
    add(log, b"one", b"two")
    add(log, b"three")
    log.truncate(1, commit=0)
    add(log, b"new", term=2)
    log.truncate(1, commit=0)
    add(log, b"newer", term=3)

    writer.run()

    assert payloads_of(log) == payloads_of(open_log(disk.crash())) == [b"one", b"newer"]


def test_the_completion_of_a_truncated_entry_is_of_an_older_generation(
    open_log: OpenLog, writer: InlineWriter, completions: Completions
) -> None:
    log = open_log(MemoryDisk())
    add(log, b"one")
    writer.held = True
    add(log, b"two", b"three")
    log.truncate(2, commit=1)
    writer.run_round()

    assert completions[-1] == Appended(3, 1, 0, 2, None)
    assert (log.generation, log.synced_index, log.last_index) == (1, 2, 2)


def test_nothing_committed_is_truncated(open_log: OpenLog) -> None:
    log = open_log(MemoryDisk())
    add(log, b"one", b"two")
    with pytest.raises(AssertionError, match="below commit 2"):
        log.truncate(1, commit=2)


def test_the_hard_state_is_durable_with_its_ticket(open_log: OpenLog, completions: Completions) -> None:
    disk = MemoryDisk()
    log = open_log(disk)

    ticket = log.append((), HardState(3, 2))

    assert completions == [Appended(0, 0, 0, ticket, HardState(3, 2))]
    assert open_log(disk.crash()).hard_state == HardState(3, 2)


def test_a_vote_for_nobody_is_told_from_a_vote_for_node_0(open_log: OpenLog) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    log.append((), HardState(1, 0))
    assert open_log(disk.crash()).hard_state == HardState(1, 0)
    log.append((), HardState(2, None))
    assert open_log(disk.crash()).hard_state == HardState(2, None)


@pytest.mark.parametrize("slot", [0, 1])
def test_a_damaged_slot_never_takes_a_vote_back(open_log: OpenLog, directory: Path, slot: int) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    for term in range(1, 4):
        log.append((), HardState(term, 1))

    disk.bytes_of(directory / "vote")[slot * 4096 + 20] ^= 1

    assert open_log(disk).hard_state == HardState(3, 1)


def test_a_failed_sync_is_reported_and_sticks(open_log: OpenLog, completions: Completions) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    disk.failing = True
    add(log, b"lost")
    disk.failing = False

    assert isinstance(completions[-1], AppendFailed)
    with pytest.raises(ClosedError):
        add(log, b"never")
    assert log.synced_index == 0


def test_what_was_queued_behind_a_failed_sync_is_not_written(
    open_log: OpenLog, writer: InlineWriter, completions: Completions
) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    writer.held = True
    add(log, b"lost")
    disk.failing = True
    writer.run_round()
    disk.failing = False
    assert len(completions) == 1

    assert open_log(disk.crash()).last_index == 0


def test_a_tail_that_can_only_be_read_is_synced_by_opening(open_log: OpenLog) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    add(log, b"one")
    disk.failing = True
    add(log, b"readable")
    disk.failing = False

    after_restart = disk.killed()
    assert open_log(after_restart).last_index == 2

    assert payloads_of(open_log(after_restart.crash())) == [b"one", b"readable"]


def test_no_room_for_the_next_segment_is_a_failure(open_log: OpenLog, completions: Completions) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    disk.room = 4096
    while log.error is None:
        add(log, bytes(3000))
    last = completions[-1]
    assert isinstance(last, AppendFailed)
    assert isinstance(last.error, StorageError)


def test_a_segment_that_could_not_be_prepared_is_made_when_there_is_room_again(open_log: OpenLog) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    disk.room = 4096
    for _ in range(8):
        add(log, bytes(3000))
    disk.room = None
    add(log, b"next segment")
    assert (log.error, log.synced_index) == (None, 9)


def test_trimming_deletes_whole_segments_only(open_log: OpenLog, directory: Path) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    for number in range(20):
        add(log, b"%d" % number)
    sealed = log.sealed(18)
    assert [(segment.first_index, segment.last.index) for segment in sealed] == [(1, 8), (9, 16)]

    log.trim(12)

    assert (log.first_index, log.term_at(8), log.term_at(7)) == (9, 1, None)
    assert segment_numbers(disk, directory)[0] == 2
    reopened = open_log(disk.crash())
    assert (reopened.first_index, reopened.base) == (9, sealed[0].last)
    assert [entry.index for entry in reopened.entries(9)] == list(range(9, 21))


def test_trimming_takes_superseded_segments_along(open_log: OpenLog, directory: Path) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    add(log, b"one")
    for term in range(2, 5):
        add(log, b"two", term=term)
        log.truncate(1, commit=1)
    for number in range(20):
        add(log, b"%d" % number, term=5)

    log.trim(15)

    assert [entry.index for entry in open_log(disk.crash()).entries(log.first_index)][-1] == 21
    assert segment_numbers(disk, directory)[0] > 4


def with_a_superseded_segment_behind_the_first(open_log: OpenLog, disk: MemoryDisk) -> Log:
    """1 to 8 in the first segment, 9 and 10 in the second; the third takes back all after 7."""
    log = open_log(disk)
    for number in range(1, 11):
        add(log, b"%d" % number)
    log.truncate(7, commit=7)
    add(log, b"another 8", term=2)
    return log


def test_trimming_takes_along_a_superseded_segment_behind_what_is_trimmed(
    open_log: OpenLog, directory: Path
) -> None:
    disk = MemoryDisk()
    log = with_a_superseded_segment_behind_the_first(open_log, disk)
    log.trim(7)
    assert segment_numbers(disk, directory) == [3]
    assert payloads_of(open_log(disk.crash())) == [b"another 8"]


def test_a_crash_between_trimming_and_a_superseded_segment_does_no_harm(
    open_log: OpenLog, directory: Path
) -> None:
    disk = MemoryDisk()
    with_a_superseded_segment_behind_the_first(
        open_log, disk
    ).close()  # With its mark synced, as for trimming.
    disk.remove(segment_path(directory, 1))
    disk.sync_directory(directory)
    after = disk.crash()

    reopened = open_log(after)

    assert (reopened.base.index, payloads_of(reopened)) == (7, [b"another 8"])
    assert segment_numbers(after, directory) == [3]


def test_a_damaged_beginning_is_not_taken_for_superseded(open_log: OpenLog, directory: Path) -> None:
    disk = MemoryDisk()
    with_a_superseded_segment_behind_the_first(open_log, disk)
    file = disk.open(segment_path(directory, 1), writable=True)
    file.write([b"x"], 30, durable=True)

    with pytest.raises(DamageError, match="header"):
        open_log(disk)


def test_a_log_may_begin_after_an_installed_position(open_log: OpenLog, directory: Path) -> None:
    disk = MemoryDisk()
    base = Position(1000, 7, b"h" * 32)
    Log.create(disk, directory, base)

    log = open_log(disk)
    add(log, b"first", term=7)

    assert open_log(disk.crash()).base == base
    assert log.last_hash == chain(base.hash, 1001, 7, 7, b"first")


def test_a_damaged_replica_still_knows_what_it_claimed(open_log: OpenLog, directory: Path) -> None:
    disk = MemoryDisk()
    log = open_log(disk)
    log.append([(1, 2, 0, b"claimed")], HardState(2, 3))
    disk.bytes_of(directory / "0000000001.log")[100] ^= 1

    claim = read_claim(disk, directory)

    assert (claim.position, claim.hard_state) == (Position(1, 2, log.last_hash), HardState(2, 3))


def test_a_closed_log_takes_nothing_more(open_log: OpenLog) -> None:
    log = open_log(MemoryDisk())
    log.close()
    with pytest.raises(ClosedError):
        add(log, b"late")


@pytest.mark.parametrize("size", [0, 1, 2047, 2048, 5000, 16 * 2047, 16 * 2047 + 1, 100_000])
def test_the_chain_hash_is_that_of_the_whole_payload_however_long(size: int) -> None:
    payload = bytes(number & 0xFF for number in range(size))
    link = struct.pack("<32sQQI", b"before".ljust(32, b"\0"), 7, 3, 1)
    assert chain(b"before".ljust(32, b"\0"), 7, 3, 1, payload) == hashlib.sha256(link + payload).digest()


@pytest.mark.parametrize("size", [0, 4000, 6000, 70_000, 200_000])
def test_the_checksum_of_a_batch_is_that_of_its_whole_body(open_log: OpenLog, size: int) -> None:
    disk = MemoryDisk()
    payload = bytes(number & 0xFF for number in range(size))
    add(open_log(disk), payload)

    assert payloads_of(open_log(disk)) == [payload]
