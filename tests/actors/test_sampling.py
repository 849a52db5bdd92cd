"""Replicas that make something else of the same log are found: some rows are compared all the time."""

from collections.abc import AsyncIterator

import pytest

from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.actors.machine import Machine
from bpmnd.actors.sampling import (
    BYTES_MAX,
    CHANGED_ROWS,
    RESTING_ROWS,
    RESTING_SECONDS,
    SECONDS_MIN,
    SampleChoice,
    Samples,
    SampleTold,
    StateComparison,
)
from bpmnd.bpmn.codec import encode_frame
from bpmnd.bpmn.commands import CompleteJob, CreateProcessInstance
from bpmnd.bpmn.events import Event, StateSampled
from bpmnd.bpmn.state import State
from bpmnd.cluster.raft import EntryKind
from bpmnd.storage.cold_store import MemoryStore
from bpmnd.storage.entry import Position
from tests.actors.cluster_stage import ClusterStage, Rules
from tests.bpmn.playground import ONE_TASK, Playground

OFTEN = CheckpointPolicy(every_bytes=1, every_seconds=0, instances_in_memory_max=2)


@pytest.fixture
async def stage() -> AsyncIterator[ClusterStage]:
    made = ClusterStage(rules=Rules(OFTEN))
    made.deploy(ONE_TASK)
    for _ in range(5):
        made.create()
    made.pass_time(3)
    yield made
    made.stop()


def spoil(state: State) -> None:
    """The memory of a replica is not what its log adds up to."""
    key = min(key for key in map(_number, state.stored_keys(b"i", 100)) if key)
    state.touch(key).variables = {0: {"wrong": b"1"}}


def _number(row: bytes) -> int:
    return int.from_bytes(row[1:], "big") if row[:1] == b"i" else 0


async def test_replicas_that_are_the_same_agree_all_the_time(stage: ClusterStage) -> None:
    before = stage.actor(1).mending.states_compared[0]
    for _ in range(3):
        stage.create()
        stage.pass_time(2)

    compared = [stage.actor(number).mending.states_compared for number in stage.nodes]
    assert all(agreed > before + 3 and differed == 0 for agreed, differed in compared)


@pytest.mark.parametrize("whose", ["leader", "follower"])
async def test_a_replica_with_another_state_is_rebuilt(stage: ClusterStage, whose: str) -> None:
    victim = stage.leader() if whose == "leader" else stage.followers()[0]
    before = stage.actor(victim)
    spoil(stage.state(victim))

    for _ in range(10):
        stage.create()
        stage.pass_time(2)

    assert stage.actor(victim) is not before
    assert stage.same_everywhere() == 15
    assert stage.gave_up[victim] == []
    stage.pass_time(3)
    assert stage.actor(victim).mending.states_compared[1] == 0


async def test_where_nothing_changes_any_more_all_rows_are_looked_at_and_then_nothing_is_logged(
    stage: ClusterStage,
) -> None:
    actor = stage.actor(stage.leader())
    before = actor.committed
    stage.pass_time(4 * RESTING_SECONDS)
    after = actor.committed, actor.checkpoints.count
    assert after[0] > before

    stage.pass_time(60)

    assert (actor.committed, actor.checkpoints.count) == after


async def test_a_replica_whose_state_goes_wrong_while_nothing_happens_is_rebuilt(stage: ClusterStage) -> None:
    victim = stage.followers()[0]
    before = stage.actor(victim)
    spoil(stage.state(victim))

    stage.pass_time(4 * RESTING_SECONDS)

    assert stage.actor(victim) is not before
    assert stage.same_everywhere() == 5


async def test_who_is_alone_takes_no_samples() -> None:
    alone = ClusterStage(1, rules=Rules(OFTEN))
    alone.deploy(ONE_TASK)
    alone.create()
    alone.pass_time(5)

    assert alone.actor(1).sample == (0, b"")
    alone.stop()


async def test_nodes_of_another_version_are_not_compared(stage: ClusterStage) -> None:
    victim = stage.followers()[0]
    stage.restart_as(victim, "another")
    stage.pass_time(3)
    before = stage.actor(victim)
    spoil(stage.state(victim))

    for _ in range(5):
        stage.create()
        stage.pass_time(2)

    assert stage.actor(victim) is before
    assert before.mending.states_compared == (0, 0)


# What is looked at


def frame(*events: Event, time: int = 1000) -> bytes:
    return encode_frame(time, 0, (), events)


def test_a_follower_looks_at_instances_that_end_later_though_it_has_both_at_hand() -> None:
    leader = Playground()
    leader.deploy(ONE_TASK)
    key = leader.create()
    row = b"i" + key.to_bytes(8, "big")
    seen = leader.state.digest([row])
    frames = [*leader.frames, frame(StateSampled((row,)), time=leader.now)]
    count = len(leader.frames)
    job = leader.jobs("work")[0]
    leader.do(CompleteJob(job.key))
    frames += leader.frames[count:]

    follower = Machine(1, MemoryStore())
    for index, payload in enumerate(frames, 1):
        follower.take(index, EntryKind.COMMAND, payload)
    follower.apply()

    assert follower.samples.at(count + 1) == seen
    assert follower.state.row(row) is None


def test_a_digest_tells_a_row_that_is_missing_from_one_that_is_empty() -> None:
    store = MemoryStore()
    store.write([(b"K1", b"")])
    store.commit(Position(1, 1, bytes(32)))
    state = State(1, store)

    assert state.digest([b"K1"]) != state.digest([b"K2"])
    assert State(1, MemoryStore()).digest([b"K1"]) != state.digest([b"K1"])


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += SECONDS_MIN
        return self.now


def stored(rows: dict[bytes, bytes]) -> State:
    store = MemoryStore()
    store.write(list(rows.items()))
    store.commit(Position(1, 1, bytes(32)))
    return State(1, store)


def test_rows_at_rest_are_looked_at_one_after_the_other_and_again() -> None:
    rows = {b"K%03d" % number: b"1" for number in range(2 * RESTING_ROWS + 5)}
    state, choice = stored(rows), SampleChoice(Seconds())

    first, second, third, again = (choice.choose(state, ()) for _ in range(4))

    assert [*first, *second, *third] == sorted(rows)
    assert again == first


def test_a_sample_is_no_more_than_so_many_bytes_and_what_is_left_comes_next() -> None:
    rows = {b"K%d" % number: bytes(BYTES_MAX // 2) for number in range(3)}
    state, choice = stored(rows), SampleChoice(Seconds())

    assert [choice.choose(state, ()) for _ in range(2)] == [(b"K0", b"K1"), (b"K2",)]


def test_a_row_that_is_too_large_is_looked_at_alone() -> None:
    state, choice = stored({b"K1": bytes(2 * BYTES_MAX)}), SampleChoice(Seconds())

    assert choice.choose(state, ()) == (b"K1",)


def test_no_sample_follows_right_upon_another() -> None:
    state, choice = stored({b"K1": b"1"}), SampleChoice(lambda: 1.0)

    assert choice.choose(state, (b"K1",)) == (b"K1",)
    assert choice.choose(state, (b"K1",)) == ()


async def test_what_a_checkpoint_has_changed_is_looked_at(stage: ClusterStage) -> None:
    leader = stage.actor(stage.leader())
    for _ in range(100):
        stage.submit(CreateProcessInstance("process"), at=stage.leader())
    stage.pass_time(1)

    assert CHANGED_ROWS // 2 < len(leader.checkpoints.changed) <= CHANGED_ROWS


# Who is believed


def seen(index: int = 5, digest: bytes = b"own") -> Samples:
    samples = Samples()
    samples.note(index, digest)
    return samples


def told(member: int, digest: bytes, *, index: int = 5, leads: bool = False) -> SampleTold:
    return SampleTold(member, leads, index, digest)


def test_who_sees_the_same_contradicts_nobody() -> None:
    states = StateComparison("partition-1", 1)
    for member in (2, 3):
        states.told(told(member, b"own"))

    assert states.contradiction(seen(), 9, (1, 2, 3)) is None
    assert (states.agreed, states.differed) == (2, 0)


def test_a_majority_that_saw_the_same_is_believed() -> None:
    states = StateComparison("partition-1", 1)
    states.told(told(2, b"other", leads=True))
    assert states.contradiction(seen(), 9, (1, 2, 3)) is None

    states.told(told(3, b"other"))
    assert states.contradiction(seen(), 9, (1, 2, 3)) is not None
    assert states.contradiction(seen(), 9, (1, 2, 3, 4, 5)) is None


def test_who_all_see_something_else_prove_nothing() -> None:
    states = StateComparison("partition-1", 1)
    states.told(told(2, b"one", leads=True))
    states.told(told(3, b"other"))

    assert states.contradiction(seen(), 9, (1, 2, 3)) is None
    assert states.differed == 2


@pytest.mark.parametrize("leads", [True, False])
def test_of_two_the_leader_is_believed(leads: bool) -> None:
    states = StateComparison("partition-1", 1)
    states.told(told(2, b"other", leads=leads))

    assert (states.contradiction(seen(), 9, (1, 2)) is not None) == leads


def test_who_does_not_vote_believes_the_leader() -> None:
    states = StateComparison("partition-1", 9)
    states.told(told(2, b"other", leads=True))

    assert states.contradiction(seen(), 9, (1, 2, 3)) is not None


def test_what_is_not_committed_here_is_compared_later() -> None:
    states = StateComparison("partition-1", 1)
    for member in (2, 3):
        states.told(told(member, b"other"))

    assert states.contradiction(seen(), 4, (1, 2, 3)) is None
    assert states.contradiction(seen(), 5, (1, 2, 3)) is not None


def test_what_was_seen_at_different_entries_is_not_compared() -> None:
    states = StateComparison("partition-1", 1)
    for member in (2, 3):
        states.told(told(member, b"other", index=6))

    assert states.contradiction(seen(), 9, (1, 2, 3)) is None
