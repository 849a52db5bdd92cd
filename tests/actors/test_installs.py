"""A replica gets a copy of the checkpoint over a wire that loses, doubles, delays and falsifies."""

import random
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from bpmnd.actors import installing, serving
from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.peer_messages import (
    InstallAnswer,
    InstallChunk,
    InstallEntries,
    InstallManifest,
    InstallRequest,
    PeerMessage,
    ReadEntries,
    ReadFile,
    RequestInstall,
)
from bpmnd.storage.archive import ArchiveRetention
from tests.actors.cluster_stage import ClusterStage, Rules
from tests.bpmn.playground import ONE_TASK

RULES = Rules(CheckpointPolicy(every_bytes=1, every_seconds=0), segment_size=1 << 13)
FORGETFUL = Rules(RULES.checkpoints, RULES.segment_size, ArchiveRetention(size_max=0))
CREATED = 40


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ClusterStage]:
    """Node 2 comes back with an empty disk, and what it lacks is in nobody's log any more."""
    monkeypatch.setattr(serving, "CHUNK_BYTES", 2000)
    made = behind(RULES)
    yield made
    made.stop()


def behind(rules: Rules) -> ClusterStage:
    made = ClusterStage(rules=rules)
    made.deploy(ONE_TASK)
    made.kill(2)
    for _ in range(CREATED):
        made.create()
    made.pass_time(1)
    return made


def is_install(message: PeerMessage) -> bool:
    return isinstance(message, InstallAnswer | InstallRequest)


def come_back(stage: ClusterStage, seconds: float = 200) -> None:
    stage.join(2)
    stage.until(lambda: stage.cluster(1).finished != () and stage.cluster(1).operation is None, seconds)


async def test_it_is_asked_for_piece_by_piece(stage: ClusterStage) -> None:
    seen: list[type] = []

    def noting(message: PeerMessage) -> Sequence[tuple[float, PeerMessage]]:
        if is_install(message):
            seen.append(type(message))
        return [(0, message)]

    stage.hub.becomes = noting
    come_back(stage)

    assert seen[:2] == [RequestInstall, InstallManifest]
    assert seen.count(ReadFile) == seen.count(InstallChunk) > 3
    assert seen.count(ReadEntries) == seen.count(InstallEntries) > 3
    assert stage.same_everywhere() == CREATED


@pytest.mark.parametrize("seed", range(5))
async def test_what_gets_lost_comes_twice_or_late_does_no_harm(stage: ClusterStage, seed: int) -> None:
    chance = random.Random(seed)

    def fate(message: PeerMessage) -> Sequence[tuple[float, PeerMessage]]:
        if not is_install(message) or chance.random() < 0.6:
            return [(0, message)]
        return [(chance.choice([0, 0.5, 4]), message) for _ in range(chance.choice([0, 2]))]

    stage.hub.becomes = fate
    come_back(stage)

    assert stage.same_everywhere() == CREATED


async def test_a_piece_that_is_not_what_was_announced_is_not_taken(stage: ClusterStage) -> None:
    falsified: list[InstallChunk] = []

    def fate(message: PeerMessage) -> Sequence[tuple[float, PeerMessage]]:
        if isinstance(message, InstallChunk) and not falsified:
            falsified.append(message)
            return [(0, msgspec.structs.replace(message, data=bytes(len(message.data))))]
        return [(0, message)]

    stage.hub.becomes = fate
    come_back(stage)

    assert falsified
    assert stage.same_everywhere() == CREATED


async def test_a_sender_that_goes_away_is_given_up_at_once_and_another_one_serves(
    stage: ClusterStage,
) -> None:
    leader = stage.leader()
    stage.hub.loses = lambda source, target, message: target == leader and isinstance(message, ReadEntries)
    stage.join(2)
    stage.until(lambda: 1 in stage.nodes[2].hosted and stage.hosted(2).actor is not None)
    stage.until(lambda: stage.actor(2).mending.progress is not None)
    began = stage.scheduler.seconds

    stage.kill(leader)
    stage.run()
    assert stage.actor(2).mending.progress is None
    stage.restart(leader)
    stage.hub.loses = lambda source, target, message: False
    stage.until(lambda: stage.cluster(2).operation is None, 60)

    assert stage.scheduler.seconds - began < 30
    assert stage.same_everywhere() == CREATED


async def test_two_replicas_may_fetch_at_once() -> None:
    five = ClusterStage(5, replication=5, rules=RULES)
    five.deploy(ONE_TASK)
    leader = five.leader()
    lost = [number for number in five.nodes if number != leader][:2]
    five.kill(*lost)
    for _ in range(CREATED):
        five.create()
    installs = list[PeerMessage]()

    def noting(message: PeerMessage) -> Sequence[tuple[float, PeerMessage]]:
        if isinstance(message, RequestInstall):
            installs.append(message)
        return [(0.01, message)]

    five.hub.becomes = noting
    five.join(lost[0])
    five.join(lost[1])
    five.until(lambda: all(1 in five.nodes[number].hosted for number in lost))
    five.until(lambda: five.cluster(leader).operation is None, 100)

    assert len(installs) == 2, "one let go of the copy of the other"
    assert five.same_everywhere() == CREATED
    five.stop()


async def test_a_copy_that_is_of_use_is_shared_and_not_made_anew(stage: ClusterStage) -> None:
    served, answers = stage.actor(stage.leader()).serving, list[InstallAnswer]()

    for _ in range(2):
        served.asked(RequestInstall(1), answers.append)
        stage.run()
    first, second = answers
    assert isinstance(first, InstallManifest)
    served.asked(ReadFile(1, first.install, 0, 0), answers.append)
    stage.run()

    assert second == first
    assert isinstance(answers[-1], InstallChunk)


async def test_a_copy_that_nobody_asks_for_is_let_go_of(stage: ClusterStage) -> None:
    leader, answers = stage.leader(), list[InstallAnswer]()
    stage.actor(leader).serving.asked(RequestInstall(1), answers.append)
    stage.run()
    assert any("frozen" in path.parts for path in stage.disks[leader].paths())

    stage.pass_time(serving.IDLE_SECONDS_MAX + 1)

    assert not any("frozen" in path.parts for path in stage.disks[leader].paths())


async def test_where_the_oldest_entries_are_gone_the_log_begins_with_the_checkpoint() -> None:
    stage = behind(FORGETFUL)

    come_back(stage)

    assert stage.same_everywhere() == CREATED
    assert stage.actor(2).replica.log.first_index > 1
    stage.stop()


@pytest.mark.parametrize("rules", [RULES, FORGETFUL])
@pytest.mark.parametrize("after", range(0, 60, 13))
async def test_the_power_may_fail_at_any_moment_of_it(
    rules: Rules, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "CHUNK_BYTES", 4000)
    stage = behind(rules)
    seen = 0

    def noting(message: PeerMessage) -> Sequence[tuple[float, PeerMessage]]:
        nonlocal seen
        seen += is_install(message)
        return [(0.001, message)]

    stage.hub.becomes = noting
    stage.join(2)
    stage.until(lambda: seen > after or (1 in stage.nodes[2].hosted and stage.same(1, 2)), 60)
    stage.restart(2)
    stage.until(lambda: stage.cluster(1).finished != () and stage.cluster(1).operation is None, 100)

    assert stage.same_everywhere() == CREATED
    stage.stop()


async def test_entries_that_are_here_already_are_never_missing(stage: ClusterStage) -> None:
    """What a replica has acknowledged may be what a majority rests on."""
    come_back(stage)
    follower = stage.actor(stage.followers()[0])
    log = follower.replica.log
    before = log.log.generation
    entries = log.entries(log.first_index, log.first_index + 3, 1 << 20)
    installation = installing.Installation(
        1,
        follower.replica.files,
        log,
        log.first_index - 1,
        stage.nodes[1].identity.member,
        lambda request: None,
        stage.scheduler,
        lambda installed, error: None,
    )

    installation.take(entries)

    assert log.log.generation == before, "the log was cut"
    installation.stop()
