"""The head of a log is the last position of which the files say that it stands for good."""

from pathlib import Path

import msgspec
import pytest

from bpmnd.actors.heads import head_of
from bpmnd.actors.history.projector import history_path
from bpmnd.actors.identity import Identity
from bpmnd.bpmn.codec import decode_frame
from bpmnd.cluster.membership import Member, found
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.archive import Archive
from bpmnd.storage.disk import RealDisk
from bpmnd.storage.entry import Position
from bpmnd.storage.history import HistoryWriter, Progress
from bpmnd.storage.log import Log
from bpmnd.storage.writer import InlineWriter
from tests.bpmn.playground import ONE_TASK, Playground


class _Always(msgspec.Struct):
    def below(self, limit: int) -> int:
        return 7


def write(directory: Path, members: int) -> list[Position]:
    """A partition of a node in a cluster of so many: two segments, the first of which may be archived. The
    positions of its entries; the last one is Raft's own."""
    disk = RealDisk()
    identity = Identity.open(disk, directory, 1, _Always())
    all_members = [Member(node, 8, f"host-{node}", f"127.0.0.1:{node}") for node in range(1, members + 1)]
    identity.note(found("c1", all_members, 1, members))
    play = Playground()
    play.deploy(ONE_TASK)
    for _ in range(20):
        play.create({"x": b'"%s"' % (b"x" * 3000)})
    partition = directory / "partitions/1"
    (partition / "log").mkdir(parents=True)
    Log.create(disk, partition / "log")
    log = Log.open(
        disk,
        partition / "log",
        writer=InlineWriter(),
        post=lambda call: call(),
        then=lambda _: None,
        segment_size=64 << 10,
    )
    for frame in play.frames:
        log.append([(log.last_index + 1, 1, EntryKind.COMMAND, frame)])
    log.append([(log.last_index + 1, 2, EntryKind.NOOP, b"")])
    positions = [Position(entry.index, entry.term, entry.hash) for entry in log.entries(1)]
    (sealed, *_) = log.sealed(log.last_index)
    Archive(disk, partition / "archive").store(partition / "log", sealed, at=1)
    log.close()
    return positions


def test_a_node_that_is_alone_has_committed_what_it_has_synced(tmp_path: Path) -> None:
    positions = write(tmp_path, 1)
    head = head_of(RealDisk(), tmp_path, 1, running=False)
    assert head is not None
    assert head.position == positions[-1]


def test_the_time_of_a_head_is_that_of_the_last_frame_before_it(tmp_path: Path) -> None:
    write(tmp_path, 1)
    head = head_of(RealDisk(), tmp_path, 1, running=False)
    assert head is not None
    play = Playground()
    play.deploy(ONE_TASK)
    assert head.time == decode_frame(play.frames[0]).time


def test_with_others_only_what_is_archived_is_known_to_be_committed(tmp_path: Path) -> None:
    positions = write(tmp_path, 3)
    head = head_of(RealDisk(), tmp_path, 1, running=False)
    assert head is not None
    archived = Archive(RealDisk(), tmp_path / "partitions/1/archive").last()
    assert head.position == archived
    assert archived in positions[:-2]


def test_with_others_what_the_history_has_is_committed_too(tmp_path: Path) -> None:
    positions = write(tmp_path, 3)
    writer = HistoryWriter(history_path(tmp_path, 1))
    writer.begin_anew(Position(0, 0, bytes(32)))
    with writer.transaction():
        writer.write({}, {}, Progress(positions[-2], 5))
    head = head_of(RealDisk(), tmp_path, 1, running=False)
    writer.close()
    assert head is not None
    assert head.position == positions[-2]


@pytest.mark.parametrize("members", [1, 3])
def test_a_log_without_an_entry_has_no_head(tmp_path: Path, members: int) -> None:
    disk = RealDisk()
    identity = Identity.open(disk, tmp_path, 1, _Always())
    all_members = [Member(node, 8, f"host-{node}", f"127.0.0.1:{node}") for node in range(1, members + 1)]
    identity.note(found("c1", all_members, 1, members))
    (tmp_path / "partitions/1/log").mkdir(parents=True)
    Log.create(disk, tmp_path / "partitions/1/log")
    assert head_of(disk, tmp_path, 1, running=False) is None
