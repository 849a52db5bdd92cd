"""Damage on one node is found, and rebuilt from the others; where there are none, nothing is lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.histories import Histories
from bpmnd.actors.messages import PeerPosition
from bpmnd.bpmn.commands import ActivateJobs, CompleteJob
from bpmnd.bpmn.outcomes import JobsActivated
from bpmnd.cluster.operations import SetReplication
from bpmnd.storage.errors import DamageError
from bpmnd.storage.log import Log
from bpmnd.storage.memory_disk import MemoryDisk
from bpmnd.storage.writer import InlineWriter
from tests.actors.cluster_stage import DIRECTORY, ClusterStage, Rules
from tests.actors.file_store import FileStore
from tests.actors.test_changes import add
from tests.bpmn.playground import ONE_TASK

EVICTING = CheckpointPolicy(every_bytes=1, every_seconds=0, instances_in_memory_max=0, index_head_max=1)
PARTITION = DIRECTORY / "partitions" / "1"


@pytest.fixture
async def stage() -> AsyncIterator[ClusterStage]:
    made = filled(ClusterStage(rules=Rules(EVICTING, segment_size=1 << 13)))
    yield made
    made.stop()


def filled(stage: ClusterStage) -> ClusterStage:
    stage.deploy(ONE_TASK)
    for _ in range(5):
        stage.create()
    stage.pass_time(1)
    return stage


def newest_segment(disk: MemoryDisk) -> Path:
    """The last one with entries in it."""
    segments = [path for path in disk.paths() if path.parent == PARTITION / "log" and path.suffix == ".log"]
    return max(path for path in segments if any(disk.bytes_of(path)))


def damage(disk: MemoryDisk, path: Path) -> None:
    content = disk.bytes_of(path)
    content[100] ^= 0xFF


def complete_all(stage: ClusterStage) -> int:
    outcome = stage.do(ActivateJobs("work", "worker", 60_000, 100))
    assert isinstance(outcome, JobsActivated)
    for job in outcome.jobs:
        stage.do(CompleteJob(job.key))
    return len(outcome.jobs)


async def test_a_damaged_log_is_found_at_the_start_and_rebuilt(
    stage: ClusterStage, caplog: pytest.LogCaptureFixture
) -> None:
    victim = stage.followers()[0]
    stage.kill(victim)
    damage(stage.disks[victim], newest_segment(stage.disks[victim]))

    stage.start(victim)
    stage.pass_time(5)

    assert "damaged, and rebuilt from its peers" in caplog.text
    assert stage.same_everywhere() == 5
    assert not stage.actor(victim).mending.is_damaged
    assert stage.gave_up[victim] == []
    assert PARTITION / "claim" not in stage.disks[victim].paths()


async def test_a_damaged_checkpoint_is_found_at_the_start_and_rebuilt(stage: ClusterStage) -> None:
    victim = stage.followers()[0]
    stage.kill(victim)
    rows = next(path for path in stage.disks[victim].paths() if path.name == "rows")
    stage.disks[victim].bytes_of(rows)[:] = b"\xc1" * 50

    stage.start(victim)
    stage.pass_time(5)

    assert stage.same_everywhere() == 5
    assert stage.gave_up[victim] == []


@pytest.mark.parametrize("whose", ["leader", "follower"])
async def test_a_checkpoint_that_cannot_be_read_any_more_is_rebuilt(stage: ClusterStage, whose: str) -> None:
    leader = stage.leader()
    victim = leader if whose == "leader" else stage.followers()[0]
    store = stage.actor(victim).replica.store
    assert isinstance(store, FileStore)
    store.is_broken = True

    if whose == "leader":
        stage.submit(ActivateJobs("work", "worker", 60_000, 100), at=leader)
        stage.pass_time(5)
        stage.pass_time(60)
    assert complete_all(stage) == 5
    stage.pass_time(5)

    assert stage.actor(victim).replica.store is not store
    assert stage.same_everywhere() == 5
    assert stage.gave_up[victim] == []


async def test_damage_that_comes_to_light_when_the_log_is_archived_is_rebuilt(stage: ClusterStage) -> None:
    victim = stage.followers()[0]
    before = stage.actor(victim)
    damage(stage.disks[victim], newest_segment(stage.disks[victim]))

    for _ in range(40):
        stage.create()
    stage.pass_time(5)

    assert stage.actor(victim) is not before
    assert stage.same_everywhere() == 45


async def test_the_only_replica_goes_on_with_a_log_that_cannot_be_archived() -> None:
    alone = filled(ClusterStage(1, rules=Rules(EVICTING, segment_size=1 << 13)))
    before = alone.actor(1)
    damage(alone.disks[1], newest_segment(alone.disks[1]))

    for _ in range(40):
        alone.create()
    alone.pass_time(5)

    assert alone.actor(1) is before
    assert alone.gave_up[1] == []
    alone.stop()


async def test_the_only_whole_replica_is_not_put_aside_while_others_are_on_their_way() -> None:
    stage = filled(ClusterStage(1, replication=1))
    add(stage, 2)
    stage.begin(SetReplication(2))
    stage.kill(1)
    damage(stage.disks[1], newest_segment(stage.disks[1]))

    stage.start(1)
    stage.pass_time(5)

    assert [type(error) for error in stage.gave_up[1]] == [DamageError]
    assert not any("damaged" in path.parts for path in stage.disks[1].paths())
    stage.stop()


async def test_two_of_three_may_be_damaged_while_one_has_all(stage: ClusterStage) -> None:
    victims = stage.followers()
    stage.kill(1, 2, 3)
    for victim in victims:
        damage(stage.disks[victim], newest_segment(stage.disks[victim]))

    stage.restart(1, 2, 3)
    stage.pass_time(10)

    assert stage.same_everywhere() == 5
    assert complete_all(stage) == 5


async def test_a_replica_that_all_others_contradict_is_rebuilt(stage: ClusterStage) -> None:
    victim = stage.leader()
    others = stage.followers()
    before = stage.actor(victim)
    index = before.committed

    for number in others:
        member = stage.nodes[number].identity.member
        before.tell(PeerPosition(member, leads=False, index=index, hash=b"x" * 32))
    stage.pass_time(5)

    assert stage.actor(victim) is not before
    assert stage.same_everywhere() == 5


async def test_one_other_member_alone_proves_nothing(stage: ClusterStage) -> None:
    victim = stage.followers()[0]
    leader = stage.leader()
    before = stage.actor(victim)

    before.tell(PeerPosition(stage.nodes[leader].identity.member, True, before.committed, b"x" * 32))
    stage.pass_time(0.4)

    assert stage.actor(victim) is before


async def test_members_compare_what_they_have_all_the_time(stage: ClusterStage) -> None:
    stage.create()
    stage.pass_time(2)

    assert all(stage.actor(number).mending.compared > 2 for number in stage.nodes)


# Histories


def histories(entries: int = 9, *, member: int = 1) -> tuple[Histories, Log]:
    disk, directory = MemoryDisk(), Path("/log")
    Log.create(disk, directory)
    log = Log.open(disk, directory, writer=InlineWriter(), post=lambda call: call(), then=lambda _: None)
    log.append([(index, 1, 0, b"entry") for index in range(1, entries + 1)])
    return Histories("partition-1", member, log), log


def position(member: int, index: int, hash: bytes, *, leads: bool = False) -> PeerPosition:
    return PeerPosition(member, leads, index, hash)


WRONG = b"x" * 32


def test_the_same_history_contradicts_nobody() -> None:
    compared, log = histories()
    for member in (2, 3):
        compared.told(position(member, 5, log.hash_at(5)))

    assert compared.contradiction(9, (1, 2, 3)) is None
    assert compared.agreed == 2


def test_a_majority_of_the_voters_is_believed() -> None:
    compared, _ = histories()
    compared.told(position(2, 5, WRONG))
    assert compared.contradiction(9, (1, 2, 3)) is None

    compared.told(position(3, 4, WRONG))
    assert compared.contradiction(9, (1, 2, 3)) is not None
    assert compared.contradiction(9, (1, 2, 3, 4, 5)) is None


@pytest.mark.parametrize("leads", [True, False])
def test_of_two_the_leader_is_believed(leads: bool) -> None:
    compared, _ = histories()
    compared.told(position(2, 5, WRONG, leads=leads))

    assert (compared.contradiction(9, (1, 2)) is not None) == leads


def test_who_does_not_vote_believes_the_leader() -> None:
    compared, _ = histories(member=9)
    compared.told(position(2, 5, WRONG, leads=True))

    assert compared.contradiction(9, (1, 2, 3)) is not None


def test_what_is_not_committed_here_is_compared_later() -> None:
    compared, _ = histories()
    for member in (2, 3):
        compared.told(position(member, 8, WRONG))

    assert compared.contradiction(7, (1, 2, 3)) is None
    assert compared.contradiction(8, (1, 2, 3)) is not None


def test_who_agrees_again_contradicts_no_more() -> None:
    compared, log = histories()
    compared.told(position(2, 5, WRONG))
    compared.contradiction(9, (1, 2, 3))
    compared.told(position(2, 6, log.hash_at(6)))
    compared.told(position(3, 6, WRONG))

    assert compared.contradiction(9, (1, 2, 3)) is None
