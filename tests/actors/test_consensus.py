"""What leaves a member when the disk has reported, in whatever order its reports are read."""

from collections import deque
from pathlib import Path

from bpmnd.actors.consensus import Configurations, Consensus
from bpmnd.actors.entry_log import EntryLog
from bpmnd.cluster.raft import (
    Configuration,
    Entry,
    EntryId,
    EntryKind,
    HardState,
    Message,
    Raft,
)
from bpmnd.cluster.raft.messages import AppendEntries, AppendReply
from bpmnd.storage.log import Appended, AppendFailed, Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter
from tests.cluster.raft.memory_storage import MemoryStorage


def append(index: int) -> AppendEntries:
    return AppendEntries(1, 2, 1, index - 1, int(index > 1), 0, (Entry(index, 1, EntryKind.COMMAND, b"x"),))


def keep(_: EntryId) -> None:
    raise AssertionError("no change of the configuration was committed")


def test_an_older_report_of_the_disk_that_is_read_after_a_newer_one_takes_nothing_back() -> None:
    reports: list[Appended | AppendFailed] = []
    disk, directory, configuration = MemoryDisk(), Path("/log"), Configuration(voters=(1, 2, 3))
    Log.create(disk, directory)
    log = Log.open(
        disk,
        directory,
        writer=InlineWriter(),
        post=lambda call: call(),
        then=reports.append,
        segment_size=1 << 15,
    )
    storage, sent = MemoryStorage(), list[Message]()
    raft = Raft(
        1, storage, configuration, hard_state=HardState(1, 0), committed=0, random=lambda below: below - 1
    )
    configurations = Configurations(0, configuration)
    consensus = Consensus(raft, EntryLog(log), configurations, deque(), sent.append, keep)
    for index in (1, 2):
        raft.step(append(index))
        consensus.pump()
    first, second = reports

    for report in (second, first):
        assert isinstance(report, Appended)
        consensus.appended(report)
    assert [reply.index for reply in sent if isinstance(reply, AppendReply)] == [1, 2]

    raft.step(append(2))  # The reply may have been lost.
    consensus.pump()

    assert [reply.index for reply in sent if isinstance(reply, AppendReply)] == [1, 2, 2]
    log.close()
