"""Delivery to exporters of every kind, also hostile ones: nothing is missing, and repeats can be told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from bpmnd.actors.exporters import bounded
from bpmnd.actors.exporters.bounded import StillRunning
from bpmnd.actors.exporters.pipe import Exported, Failing, Gap, Recovered
from bpmnd.actors.exporters.records import Record
from bpmnd.bpmn.commands import AcknowledgeExport, SampleState
from bpmnd.storage.archive import ArchiveRetention
from tests.actors.exporters.deliveries import Collecting, Receiver, Side, Written


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def side(written: Written, receiver: Receiver, tmp_path: Path) -> AsyncIterator[Side]:
    side = Side(written, tmp_path, receiver)
    yield side
    await side.stop()


def cut(data: bytes) -> bytes:
    return data[:-1]


def emptied(data: bytes) -> bytes:
    return b""


def flipped(data: bytes) -> bytes:
    return data[:40] + bytes([data[40] ^ 1]) + data[41:]


def positions(records: Sequence[Record]) -> list[tuple[int, int]]:
    return [record.position for record in records]


async def test_every_record_comes_once_and_in_order(side: Side, written: Written) -> None:
    written.create(10)
    side.tell()
    await side.until_all_is_acknowledged()
    for _ in range(5):
        written.create(3)
        side.tell()
    await side.until_all_is_acknowledged()
    assert side.receiver.received == written.records()
    assert len(set(side.receiver.positions)) == len(side.receiver.positions)


async def test_a_batch_is_of_whole_entries(side: Side, written: Written) -> None:
    written.create(10)
    side.tell()
    await side.until_all_is_acknowledged()
    entries = [{record.position[0] for record in call} for call in side.receiver.calls]
    assert len(entries) > 1
    assert all(max(before) < min(after) for before, after in pairwise(entries))


async def test_what_was_not_acknowledged_comes_again_after_an_error(side: Side, written: Written) -> None:
    attempts = 0

    def fail_now_and_then(records: Sequence[Record]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts in (1, 4, 5, 6, 9):
            raise RuntimeError("the receiver does not answer")

    side.receiver.before = fail_now_and_then
    written.create(20)
    side.tell()
    await side.until_all_is_acknowledged()
    assert side.receiver.received == written.records()
    assert side.receiver.closed == side.receiver.opened - 1 == 5
    assert Failing(1, "the receiver does not answer") in side.said
    await side.until(lambda: bool(side.heard(Recovered)))


class Remembering(Collecting):
    """It has to know what was before; after an error it begins at its last snapshot."""

    def recall(self, memory: bytes) -> None: ...

    def remember(self, record: Record) -> None: ...

    def memory(self) -> bytes:
        return b""


@pytest.mark.parametrize("kind", [Collecting, Remembering])
async def test_one_that_fails_again_and_again_is_not_said_to_go_on(
    written: Written, receiver: Receiver, tmp_path: Path, kind: type[Collecting]
) -> None:
    attempts = 0

    def fail_for_long(records: Sequence[Record]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= 5:
            raise RuntimeError("the receiver does not answer")

    receiver.before = fail_for_long
    side = Side(written, tmp_path, receiver, make=lambda: kind(receiver))
    side.tell()
    await side.until_all_is_acknowledged()
    await side.until(lambda: bool(side.heard(Recovered)))
    await side.stop()
    told = [said for said in side.said if isinstance(said, Failing | Recovered)]
    assert told == [Failing(1, "the receiver does not answer")] * 5 + [Recovered(1)]


async def test_repeats_have_the_positions_that_they_had(side: Side, written: Written) -> None:
    """It takes what it is given, and then fails before it has said so."""

    def take_and_fail(records: Sequence[Record]) -> None:
        if len(side.receiver.calls) in (2, 5):
            side.receiver.calls.append(records)
            raise RuntimeError("the connection broke")

    side.receiver.before = take_and_fail
    written.create(20)
    side.tell()
    await side.until_all_is_acknowledged()
    by_position = {record.position: record for record in side.receiver.received}
    assert len(by_position) < len(side.receiver.received)
    assert all(by_position[record.position] == record for record in side.receiver.received)
    assert [by_position[position] for position in sorted(by_position)] == written.records()


async def test_one_that_hangs_is_ended_after_its_time(
    written: Written, receiver: Receiver, tmp_path: Path
) -> None:
    side = Side(written, tmp_path, receiver, seconds_max=0.05)
    receiver.hangs = True
    written.create(3)
    side.tell()
    await side.until(lambda: bool(side.heard(Failing)))
    receiver.hangs = False
    await side.until_all_is_acknowledged()
    assert "took longer than 0.05 s" in str(side.heard(Failing)[0])
    assert receiver.received == written.records()
    await side.stop()


async def test_one_that_nothing_can_stop_ends_the_process(
    written: Written, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "CANCEL_SECONDS_MAX", 0.05)
    side = Side(written, tmp_path, receiver, seconds_max=0.05)
    receiver.hangs = receiver.ignores_cancellation = True
    written.create()
    side.tell()
    assert side.task is not None
    with pytest.raises(StillRunning):
        await asyncio.wait_for(side.task, 10)
    receiver.ignores_cancellation = False
    hanging = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_who_acknowledges_late_is_not_given_more_than_so_much(side: Side, written: Written) -> None:
    side.receiver.acknowledges = False
    written.create(250)
    side.tell()
    await side.until(lambda: len(side.receiver.received) >= 100)
    await asyncio.sleep(0.05)
    given = len(side.receiver.received)
    assert given < len(written.records()), "ten batches, and what was read with them"
    assert side.position == 0

    assert side.receiver.source is not None
    side.receiver.acknowledges = True
    side.receiver.source.acknowledge(side.receiver.positions[-1][0])
    await side.until_all_is_acknowledged()
    assert side.receiver.received == written.records()


async def test_what_was_not_exported_cannot_be_acknowledged(side: Side, written: Written) -> None:
    side.tell()
    await side.until_all_is_acknowledged()
    assert side.receiver.source is not None
    with pytest.raises(ValueError, match="entry 1000 was not exported"):
        side.receiver.source.acknowledge(1000)


async def test_a_task_of_its_own_that_fails_begins_it_anew(side: Side, written: Written) -> None:
    side.tell()
    await side.until_all_is_acknowledged()
    assert side.receiver.source is not None
    side.receiver.source.failed(RuntimeError("the sender died"))
    await side.until(lambda: bool(side.heard(Recovered)))
    assert side.receiver.opened == 2
    assert Failing(1, "the sender died") in side.said


async def test_a_follower_exports_nothing_and_goes_on_where_the_leader_stood(
    side: Side, written: Written
) -> None:
    middle = written.create(10)
    side.tell(0, leads=False)
    side.tell(middle, leads=False)
    written.create(10)
    side.tell(middle, leads=False)
    await asyncio.sleep(0.05)
    assert side.receiver.opened == 0

    side.tell(middle)
    await side.until_all_is_acknowledged()
    expected = [record for record in written.records() if record.position[0] > middle]
    assert side.receiver.received == expected, "with the ids of elements, which it knows from before"


async def test_a_leader_that_was_deposed_does_not_repeat_what_another_has_exported(
    side: Side, written: Written
) -> None:
    side.receiver.acknowledges = False
    written.create(5)
    side.tell()
    await side.until(lambda: bool(side.receiver.calls))
    middle = written.create(5)
    side.tell(middle, leads=False)
    await side.until(lambda: side.receiver.closed == 1)

    side.receiver.calls.clear()
    side.receiver.acknowledges = True
    written.create(5)
    side.tell(middle)
    await side.until_all_is_acknowledged()
    assert side.receiver.received == [record for record in written.records() if record.position[0] > middle]


async def test_a_new_process_goes_on_by_the_snapshot_when_the_beginning_is_gone(
    written: Written, receiver: Receiver, tmp_path: Path
) -> None:
    first = Side(written, tmp_path, receiver)
    middle = written.create(10)
    first.tell()
    await first.until_all_is_acknowledged()
    await first.stop()
    written.create(10)
    expected = [record for record in written.records() if record.position[0] > middle]
    written.archive(middle, retention=ArchiveRetention(size_max=0))
    assert written.log.first_index > 1

    receiver.calls.clear()
    second = Side(written, tmp_path, receiver)
    second.tell(middle)
    await second.until_all_is_acknowledged()
    assert not second.heard(Gap)
    assert receiver.received == expected
    assert any(record.value.get("elementId") == "work" for record in receiver.received)
    await second.stop()


@pytest.mark.parametrize("spoil", [cut, emptied, flipped])
async def test_a_damaged_snapshot_is_not_used(
    written: Written, receiver: Receiver, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    first = Side(written, tmp_path, receiver)
    middle = written.create(3)
    first.tell()
    await first.until_all_is_acknowledged()
    await first.stop()
    snapshot = tmp_path / "1.snapshot"
    snapshot.write_bytes(spoil(snapshot.read_bytes()))

    receiver.calls.clear()
    written.create(3)
    second = Side(written, tmp_path, receiver)
    second.tell(middle)
    await second.until_all_is_acknowledged()
    assert receiver.received == [record for record in written.records() if record.position[0] > middle]
    await second.stop()


async def test_a_snapshot_of_another_log_is_thrown_away(
    written: Written, receiver: Receiver, tmp_path: Path
) -> None:
    other = Written()
    other.playground.create(variables={"of": b'"another log"'})
    other.create(5)
    first = Side(other, tmp_path, Receiver())
    first.tell()
    await first.until_all_is_acknowledged()
    await first.stop()

    middle = written.create(8)
    written.create(4)
    second = Side(written, tmp_path, receiver)
    second.tell(middle)
    await second.until_all_is_acknowledged()
    assert receiver.received == [record for record in written.records() if record.position[0] > middle]
    await second.stop()


async def test_it_reads_on_from_the_archive(side: Side, written: Written) -> None:
    side.receiver.hangs = True
    last = written.create(40)
    expected = written.records()
    side.tell()
    await side.until(lambda: side.receiver.opened == 1)
    written.archive(last)
    assert written.log.first_index > 30
    await side.stop()

    side.receiver.hangs = False
    again = Side(written, Path("/nowhere"), side.receiver)
    again.tell()
    await again.until_all_is_acknowledged()
    assert side.receiver.positions == positions(expected)
    await again.stop()


async def test_what_is_not_kept_any_more_is_a_gap_that_is_said(side: Side, written: Written) -> None:
    written.create(20)
    expected = written.records()
    written.archive(12, retention=ArchiveRetention(size_max=0))
    gone = written.log.first_index - 1
    side.tell(2)
    await side.until_all_is_acknowledged()
    assert side.heard(Gap) == [Gap(1, 2, gone)]
    assert side.receiver.positions == [one for one in positions(expected) if one[0] > gone]


async def test_entries_without_wanted_records_are_acknowledged_after_a_while(
    written: Written, receiver: Receiver, tmp_path: Path
) -> None:
    side = Side(written, tmp_path, receiver, wanted=("INCIDENT",), settle_seconds=0.05)
    last = written.create(5)
    side.tell()
    await side.until(lambda: side.position == last)
    assert receiver.calls == []
    await side.stop()


async def test_what_replicas_and_exporters_note_for_themselves_is_never_acknowledged(
    written: Written, receiver: Receiver, tmp_path: Path
) -> None:
    """Each acknowledgement is an entry: there would be no end of them."""
    side = Side(written, tmp_path, receiver, settle_seconds=0.01)
    last = written.create(5)
    side.tell()
    await side.until_all_is_acknowledged()
    for number in range(1, 4):
        written.playground.do(AcknowledgeExport("test", last, number))
    written.playground.do(SampleState((b"m",)))
    written.write()
    side.tell()
    await side.until_all_is_acknowledged()
    await asyncio.sleep(0.05)
    assert side.position == last
    assert receiver.received == written.records()
    assert side.heard(Exported)[-1] == Exported(1, last + 4, last, 0, len(receiver.received))
    await side.stop()


async def test_numbers_of_records_do_not_depend_on_what_is_wanted(
    written: Written, receiver: Receiver, tmp_path: Path
) -> None:
    side = Side(written, tmp_path, receiver, wanted=("JOB",))
    written.playground.create(variables={"a": b"1", "b": b"2"})
    written.create(3)
    side.tell()
    await side.until(lambda: len(receiver.received) == 4)
    assert receiver.received == [record for record in written.records() if record.value_type == "JOB"]
    await side.stop()


async def test_large_entries_come_in_small_batches_and_not_all_at_once(
    written: Written, receiver: Receiver, tmp_path: Path
) -> None:
    for _ in range(30):
        written.playground.create(variables={"text": b'"' + b"x" * 1_000_000 + b'"'})
    side = Side(written, tmp_path, receiver, batch_records=10_000)
    written.write()
    receiver.acknowledges = False
    side.tell()
    await side.until(lambda: len(receiver.calls) >= 5)
    assert max(len({record.position[0] for record in call}) for call in receiver.calls) <= 4

    receiver.acknowledges = True
    assert receiver.source is not None
    receiver.source.acknowledge(receiver.positions[-1][0])
    await side.until_all_is_acknowledged()
    assert receiver.positions == positions(written.records())
    await side.stop()
