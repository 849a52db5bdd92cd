"""What a replica must not forget, whenever the power fails: its vote, and what it acknowledged."""

from pathlib import Path

from bpmnd.actors.replica import ReplicaFiles
from bpmnd.cluster.raft import Configuration, EntryId
from bpmnd.storage.disk import Disk
from bpmnd.storage.entry import HardState
from bpmnd.storage.layout import LOG
from bpmnd.storage.log import Log
from bpmnd.storage.mark import read_vote
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter
from tests.actors.file_store import FileStores
from tests.storage.power import after_every_call

DIRECTORY = Path("/partition")
BIRTH = Configuration(voters=(1, 2, 3))
VOTE = HardState(7, 3)
END = EntryId(2, 3)


def files(disk: Disk) -> ReplicaFiles:
    return ReplicaFiles(disk, FileStores(disk), DIRECTORY, InlineWriter(), lambda call: call(), 1 << 14)


def open_log(disk: Disk) -> Log:
    return Log.open(
        disk,
        DIRECTORY / LOG,
        writer=InlineWriter(),
        post=lambda call: call(),
        then=lambda _: None,
        segment_size=1 << 14,
    )


def replica() -> MemoryDisk:
    disk = MemoryDisk()
    files(disk).create(BIRTH)
    log = open_log(disk)
    log.append([(index, 2, 0, b"entry") for index in (1, 2, 3)], VOTE)
    log.close()
    for name in ("archive", "frozen", "damaged"):
        disk.make_directory(DIRECTORY / name)
        disk.create(DIRECTORY / name / "file", 1).sync()
        disk.sync_directory(DIRECTORY / name)
    return disk


def remembers(disk: MemoryDisk) -> bool:
    """The log reaches what was acknowledged, or the claim does; and the vote is what it was."""
    log = open_log(disk)
    end = EntryId(log.last_term, log.last_index)
    claim = files(disk).claim() or EntryId(0, 0)
    return max(end, claim) == END and read_vote(disk, DIRECTORY / LOG) == VOTE


def test_a_replica_that_is_put_aside_remembers_what_it_acknowledged_at_any_moment() -> None:
    for when, disk in after_every_call(replica, lambda failing: files(failing).set_aside()):
        assert files(disk).claim() == END or remembers(disk), when
        files(disk).set_aside()

        assert remembers(disk), when
        assert files(disk).exists(), when


def test_what_was_put_aside_twice_claims_what_it_did_the_first_time() -> None:
    disk = replica()
    files(disk).set_aside()

    files(disk).set_aside()

    assert files(disk).claim() == END


def test_a_removed_replica_remembers_too_at_any_moment() -> None:
    for when, disk in after_every_call(replica, lambda failing: files(failing).remove()):
        assert files(disk).claim() == END or remembers(disk), when
        if files(disk).exists():
            files(disk).remove()

        assert remembers(disk), when
        assert not files(disk).exists(), when


def test_of_a_removed_replica_no_data_is_left() -> None:
    disk = replica()

    files(disk).remove()

    left = {str(path.relative_to(DIRECTORY)) for path in disk.paths()}
    assert left == {"claim", "current", "log/mark", "log/vote"}


def test_a_replica_that_comes_back_begins_with_its_claim() -> None:
    disk = replica()
    files(disk).remove()

    files(disk).create(BIRTH)

    assert files(disk).exists()
    assert remembers(disk)
    assert open_log(disk).last_index == 0


def test_a_claim_that_is_reached_is_forgotten() -> None:
    disk = replica()
    files(disk).set_aside()

    files(disk).forget_claim()

    assert files(disk.crash()).claim() is None


def test_a_replica_exists_once_it_is_whole() -> None:
    for when, disk in after_every_call(MemoryDisk, lambda failing: files(failing).create(BIRTH)):
        if files(disk).exists():
            assert open_log(disk).last_index == 0, when
        files(disk).create(BIRTH)
        assert open_log(disk).last_index == 0, when
