"""Damage that nobody has met is found by reading all through, and made good while the others carry on."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.scrubbing import PIECE_BYTES, ScrubPolicy
from bpmnd.monitoring import Monitoring
from tests.actors.cluster_stage import ClusterStage, Rules
from tests.actors.file_store import FileStore
from tests.actors.test_damaged_replicas import PARTITION, damage, newest_segment
from tests.bpmn.playground import ONE_TASK

ROUND_SECONDS = 8.0
POLICY = ScrubPolicy(first_after_seconds=ROUND_SECONDS, every_seconds=ROUND_SECONDS)
RULES = Rules(CheckpointPolicy(every_bytes=1, every_seconds=0), segment_size=1 << 13, scrub=POLICY)


@pytest.fixture
async def stage() -> AsyncIterator[ClusterStage]:
    made = filled(ClusterStage(rules=RULES))
    yield made
    made.stop()


def filled(stage: ClusterStage) -> ClusterStage:
    stage.deploy(ONE_TASK)
    for _ in range(5):
        stage.create()
    stage.pass_time(2)
    return stage


def hide_damage(stage: ClusterStage, number: int) -> None:
    """A block of the checkpoint on a node cannot be read any more, and nothing needs it."""
    store = stage.actor(number).replica.store
    assert isinstance(store, FileStore)
    store.is_hidden_damaged = True


def is_whole(stage: ClusterStage, number: int) -> bool:
    actor = stage.hosted(number).actor
    return actor is not None and actor.mending.hidden_damage is None and not actor.mending.is_damaged


async def test_all_is_read_through_once_a_round(stage: ClusterStage) -> None:
    before = {
        number: (node.scrubbing.rounds, node.scrubbing.bytes_read) for number, node in stage.nodes.items()
    }

    stage.pass_time(3 * ROUND_SECONDS)

    for number, node in stage.nodes.items():
        rounds, bytes_read = before[number]
        assert 2 <= node.scrubbing.rounds - rounds <= 3
        assert node.scrubbing.bytes_read - bytes_read > 2 * 4096


async def test_reading_takes_its_time() -> None:
    slow = ScrubPolicy(first_after_seconds=100, every_seconds=1e6, bytes_per_second=PIECE_BYTES // 100)
    stage = filled(ClusterStage(1, rules=Rules(RULES.checkpoints, segment_size=1 << 20, scrub=slow)))
    for _ in range(40):
        stage.create()
    stage.until(lambda: stage.nodes[1].scrubbing.bytes_read > 0, 200)
    began = stage.scheduler.seconds

    stage.until(lambda: stage.nodes[1].scrubbing.rounds == 1, 10_000)

    read = stage.nodes[1].scrubbing.bytes_read
    assert read > 40 * 4096
    assert stage.scheduler.seconds - began >= (read - 2 * PIECE_BYTES) / slow.bytes_per_second
    stage.stop()


async def test_nothing_is_read_where_that_is_not_wanted() -> None:
    stage = filled(ClusterStage(rules=Rules(scrub=ScrubPolicy(first_after_seconds=1, bytes_per_second=0))))

    stage.pass_time(2 * ROUND_SECONDS)

    assert all(node.scrubbing.bytes_read == 0 for node in stage.nodes.values())
    stage.stop()


@pytest.mark.parametrize("whose", ["leader", "follower"])
async def test_damage_in_a_checkpoint_that_nobody_reads_is_made_good(stage: ClusterStage, whose: str) -> None:
    victim = stage.leader() if whose == "leader" else stage.followers()[0]
    before = stage.actor(victim)
    hide_damage(stage, victim)

    stage.pass_time(2 * ROUND_SECONDS)

    assert stage.actor(victim) is not before
    assert all(is_whole(stage, number) for number in stage.nodes)
    assert stage.same_everywhere() == 5
    assert not any(stage.gave_up.values())


@pytest.mark.parametrize("place", ["log", "archive"])
async def test_damage_in_a_log_or_an_archive_is_made_good(stage: ClusterStage, place: str) -> None:
    for _ in range(30):
        stage.create()
    stage.pass_time(2)
    victim = stage.followers()[0]
    before, disk = stage.actor(victim), stage.disks[victim]
    archived = [path for path in disk.paths() if path.parent == PARTITION / "archive"]
    damage(disk, newest_segment(disk) if place == "log" else min(archived))

    stage.pass_time(2 * ROUND_SECONDS)

    assert stage.actor(victim) is not before
    assert is_whole(stage, victim)
    assert stage.same_everywhere() == 35


async def test_a_leader_hands_over_before_it_is_rebuilt(stage: ClusterStage) -> None:
    victim = stage.leader()
    hide_damage(stage, victim)
    led_when_it_ended: list[bool] = []
    actor, stop = stage.actor(victim), stage.actor(victim).stop

    def stopped() -> None:
        led_when_it_ended.append(actor.leads)
        stop()

    actor.stop = stopped  # type: ignore[method-assign]
    stage.until(lambda: bool(led_when_it_ended), 2 * ROUND_SECONDS)

    assert led_when_it_ended == [False]
    assert stage.leader(among=[one for one in stage.nodes if one != victim]) != victim


async def test_nobody_is_set_aside_while_another_is_away(stage: ClusterStage) -> None:
    victim, away = stage.followers()
    before = stage.actor(victim)
    stage.kill(away)
    hide_damage(stage, victim)

    stage.pass_time(3 * ROUND_SECONDS)
    assert stage.actor(victim) is before
    assert before.mending.hidden_damage is not None
    stage.create()

    stage.start(away)
    stage.pass_time(20)
    assert is_whole(stage, victim)
    assert stage.actor(victim) is not before


async def test_two_that_are_damaged_are_rebuilt_one_after_the_other(stage: ClusterStage) -> None:
    victims = stage.followers()
    before = {victim: stage.actor(victim) for victim in victims}
    for victim in victims:
        hide_damage(stage, victim)
    worst = 0

    for _ in range(300):
        stage.pass_time(0.1)
        worst = max(worst, sum(not is_whole_enough(stage, victim) for victim in victims))

    assert all(stage.actor(victim) is not before[victim] for victim in victims)
    assert all(is_whole(stage, victim) for victim in victims)
    assert worst == 1
    assert stage.same_everywhere() == 5


def is_whole_enough(stage: ClusterStage, number: int) -> bool:
    """It counts for the group, whatever is hidden in its files."""
    actor = stage.hosted(number).actor
    return actor is not None and not actor.mending.is_damaged


async def test_who_is_alone_says_so_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    alone = filled(ClusterStage(1, rules=RULES))
    before = alone.actor(1)
    hide_damage(alone, 1)

    alone.pass_time(3 * ROUND_SECONDS)

    assert alone.actor(1) is before
    assert alone.gave_up[1] == []
    assert caplog.text.count("damaged, and goes on, as there is nobody to get it from") == 1
    report = Monitoring(CollectorRegistry(), alone.nodes[1]).readiness()
    assert report["status"] == "ready"
    assert "a block has a wrong checksum" in report["damage"]["1"]
    alone.create()
    alone.stop()
