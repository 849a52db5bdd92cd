"""Slots move to partitions that are added, while nodes fail: what waits is found where it is then."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from bpmnd.bpmn.commands import CreateProcessInstance, Deploy, PublishMessage, Resource
from bpmnd.bpmn.outcomes import MessagePublished, ProcessInstanceCreated, SlotMoved
from bpmnd.bpmn.processors import slot_moves
from bpmnd.bpmn.state.slots import Phase
from bpmnd.bpmn.steps import MoveSlots
from bpmnd.bpmn.turn import Turn
from bpmnd.cluster.membership import SLOTS
from bpmnd.cluster.operations import AddPartitions
from bpmnd.cluster.spreading import SLOTS_PER_MOVE, owners_of
from tests.actors.cluster_stage import ClusterStage
from tests.bpmn.test_partitions import BEGIN, CATCH, HOUR_MS

KEYS = [f"order-{number}" for number in range(24)]


@pytest.fixture
async def stage() -> AsyncIterator[ClusterStage]:
    """One instance waits for each key."""
    made = ClusterStage()
    made.do(Deploy((Resource("catch.bpmn", CATCH),)))
    for key in KEYS:
        created = made.do(CreateProcessInstance("catch", variables={"key": f'"{key}"'.encode()}))
        assert isinstance(created, ProcessInstanceCreated)
    yield made
    made.stop()


def publish(stage: ClusterStage, key: str, live_ms: int = 0) -> int:
    """As a gateway does it: wait while the slot is on its way. The partition that has taken it."""
    owner = 0

    def is_taken() -> bool:
        nonlocal owner
        owner = stage.nodes[min(stage.nodes)].slots.partition_of(key)
        leaders = [number for number in stage.nodes if stage.leads(number, owner)]
        if len(leaders) != 1:
            return False
        answer = stage.submit(PublishMessage("go", key, live_ms), at=leaders[0], partition=owner)
        stage.until(answer.done, 10)
        outcome = answer.result()
        assert isinstance(outcome, MessagePublished | SlotMoved), outcome
        return isinstance(outcome, MessagePublished)

    stage.until(is_taken, 60)
    return owner


def phase_of_move(stage: ClusterStage) -> Phase:
    outgoing = stage.state(1).slots.outgoing
    assert outgoing is not None, "nothing was ever moved"
    return outgoing.phase


def gone_on(stage: ClusterStage, partitions: int) -> int:
    """How many messages have been taken by who waited."""
    stage.pass_time(3)
    jobs = 0
    for partition in range(1, partitions + 1):
        state = stage.state(stage.leader(partition), partition)
        jobs += len(state.first_activatable("<default>", "after", 1000))
    return jobs


async def test_a_partition_that_is_added_gets_its_share_and_nobody_waits_in_vain(stage: ClusterStage) -> None:
    after = stage.finish(AddPartitions(1))

    assert Counter(owners_of(after.slots)) == {1: SLOTS // 2, 2: SLOTS // 2}
    stage.until(lambda: all(node.slots.version == after.version for node in stage.nodes.values()))
    assert {publish(stage, key) for key in KEYS} == {1, 2}
    assert gone_on(stage, 2) == len(KEYS)
    stage.same_everywhere(1)
    stage.same_everywhere(2)


async def test_messages_are_taken_while_slots_move_and_leaders_die(stage: ClusterStage) -> None:
    stage.begin(AddPartitions(1))
    dead: list[int] = []
    for number, key in enumerate(KEYS):
        publish(stage, key)
        stage.restart(*dead)
        dead = []
        if number % 4 == 1:
            dead = [stage.leader(1 + number // 4 % 2) if number > 8 else stage.controller()]
            stage.kill(*dead)
    stage.restart(*dead)
    stage.until(lambda: stage.cluster(stage.controller()).operation is None, 120)

    assert gone_on(stage, 2) == len(KEYS)
    stage.same_everywhere(1)
    stage.same_everywhere(2)


async def test_one_instance_of_each_key_lives_at_a_time_wherever_it_was_started() -> None:
    stage = ClusterStage()
    stage.do(Deploy((Resource("begin.bpmn", BEGIN),)))
    for key in KEYS:
        publish(stage, key)
    stage.finish(AddPartitions(1))
    for key in KEYS:
        publish(stage, key, HOUR_MS)
    stage.pass_time(2)

    assert [stage.state(stage.leader(number), number).started for number in (1, 2)] == [len(KEYS), 0]
    stage.stop()


async def test_a_move_is_brought_to_its_end_also_after_the_cluster_has_done_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was held back is all that is left to do, and that failed as often as a step may."""
    stage = ClusterStage(1)
    move, last_move = slot_moves.move, SLOTS // 2 // SLOTS_PER_MOVE

    def move_or_raise(turn: Turn, step: MoveSlots) -> None:
        outgoing = turn.state.slots.outgoing
        if outgoing is not None and (outgoing.number, outgoing.phase) == (last_move, Phase.HELD):
            raise ValueError("planted")
        move(turn, step)

    with monkeypatch.context() as patched:
        patched.setattr(slot_moves, "move", move_or_raise)
        stage.finish(AddPartitions(1))
    assert phase_of_move(stage) is Phase.HELD

    stage.until(lambda: phase_of_move(stage) is Phase.ENDED, 5)
    stage.stop()
