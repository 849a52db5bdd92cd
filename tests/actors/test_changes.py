"""Changes of a running cluster, also when nodes fail in the middle of them."""

from collections.abc import AsyncIterator

import pytest

from bpmnd.actors.checkpoints import CheckpointPolicy
from bpmnd.bpmn.commands import CreateProcessInstance
from bpmnd.cluster.membership import ClusterState
from bpmnd.cluster.operations import (
    AddNode,
    AddPartitions,
    MoveReplica,
    Refused,
    RemoveNode,
    SetReplication,
)
from bpmnd.storage.archive import ArchiveRetention
from tests.actors.cluster_stage import ClusterStage, Rules
from tests.bpmn.playground import ONE_TASK

OFTEN = Rules(CheckpointPolicy(every_bytes=1, every_seconds=0), segment_size=1 << 13)
FORGETFUL = Rules(
    CheckpointPolicy(every_bytes=1, every_seconds=0),
    segment_size=1 << 13,
    retention=ArchiveRetention(size_max=0),
)


def ready(stage: ClusterStage) -> ClusterStage:
    stage.deploy(ONE_TASK)
    stage.create()
    return stage


def add(stage: ClusterStage, number: int) -> ClusterState:
    """Start another node and have it added."""
    node = stage.join(number)
    stage.until(lambda: stage.applicant(number))
    leader = stage.controller()
    stage.until(lambda: number in stage.nodes[leader].control.applicants)
    member = stage.nodes[leader].control.applicants[number]
    assert node.control.state is None
    return stage.finish(AddNode(member))


@pytest.fixture
async def stage() -> AsyncIterator[ClusterStage]:
    made = ready(ClusterStage())
    yield made
    made.stop()


async def test_a_new_node_gets_replicas_with_all_that_was_before() -> None:
    stage = ready(ClusterStage(2, partitions=2, replication=2))

    add(stage, 3)

    assert 3 in stage.where(1) | stage.where(2)
    assert stage.same_everywhere(1) == 1
    assert 3 in stage.cluster().controller.replicas
    stage.stop()


async def test_one_node_becomes_three_with_everything_on_each() -> None:
    stage = ready(ClusterStage(1, partitions=2, replication=1))
    add(stage, 2)
    add(stage, 3)

    stage.finish(SetReplication(3))

    assert stage.where(1) == stage.where(2) == {1, 2, 3}
    assert stage.same_everywhere(1) == 1
    stage.kill(1)
    stage.create()
    stage.stop()


async def test_what_a_removed_node_had_is_elsewhere_and_deleted_here() -> None:
    stage = ready(ClusterStage(4, partitions=4, replication=2))

    stage.finish(RemoveNode(4))
    stage.pass_time(3)

    assert all(4 not in stage.where(partition) for partition in (1, 2, 3, 4))
    assert stage.nodes[4].hosted == {}
    assert stage.nodes[4].control.controller is None
    assert not any(path.name == "birth" for path in stage.disks[4].paths())
    stage.stop()


async def test_the_others_let_go_of_a_removed_node_and_it_of_them() -> None:
    stage = ready(ClusterStage(4, replication=2))

    stage.finish(RemoveNode(4))
    stage.pass_time(3)

    assert not any(stage.hub.is_open(4, other) for other in (1, 2, 3))
    assert all(4 not in stage.hub.endpoints[other].wanted for other in (1, 2, 3))
    assert stage.hub.endpoints[4].wanted == set()
    stage.stop()


async def test_a_removed_node_says_that_it_is_no_member_any_more(caplog: pytest.LogCaptureFixture) -> None:
    stage = ready(ClusterStage(4, replication=2))

    stage.finish(RemoveNode(4))
    stage.pass_time(3)

    assert "node 4 is no member of cluster" in caplog.text
    stage.stop()


async def test_a_removed_node_that_did_not_hear_of_it_is_told_why_it_is_refused() -> None:
    stage = ready(ClusterStage(4, replication=3))
    stage.kill(4)
    stage.finish(RemoveNode(4))

    stage.restart(4)
    stage.pass_time(3)

    assert any("node 4 is no member of cluster" in refusal for refusal in stage.hub.refusals)
    assert stage.leader(among=(1, 2, 3)) != 4
    stage.create()
    stage.stop()


async def test_the_leader_of_everything_can_be_removed() -> None:
    stage = ready(ClusterStage(4, partitions=1, replication=3))
    leader = stage.leader()

    stage.finish(RemoveNode(leader))

    assert leader not in stage.where()
    stage.create()
    stage.stop()


async def test_a_replica_that_is_being_moved_is_served_on_when_its_node_restarts() -> None:
    stage = ready(ClusterStage(2, partitions=1, replication=1))
    source = stage.leader()
    target = 3 - source

    stage.begin(MoveReplica(1, source, target))
    stage.kill(1, 2)
    stage.restart(1, 2)

    stage.until(lambda: stage.cluster().operation is None, 60)
    assert stage.where() == {target}
    assert stage.same_everywhere() == 1
    stage.stop()


async def test_who_was_left_behind_is_not_elected_by_a_member_that_was_away() -> None:
    stage = ready(ClusterStage(4, partitions=1, replication=3))
    leader = stage.leader()
    (spare,) = {1, 2, 3, 4} - stage.where()
    behind, away = (number for number in sorted(stage.where()) if number != leader)
    stage.hub.isolate(behind)
    stage.finish(MoveReplica(1, away, spare))
    stage.until(lambda: 1 not in stage.nodes[away].hosted)
    stage.create()

    stage.begin(MoveReplica(1, behind, away))
    stage.until(lambda: 1 in stage.nodes[away].hosted and stage.hosted(away).actor is not None)
    stage.hub.isolate(away)
    stage.hub.heal_between(behind, away)
    for _ in range(100):
        stage.pass_time(0.1)
        assert not stage.leads(behind), "it leads on the vote of a member that has forgotten its own"

    stage.hub.heal()
    stage.until(lambda: stage.cluster(stage.controller()).operation is None, 60)
    assert stage.same_everywhere() == 2
    stage.stop()


async def test_a_node_with_an_empty_disk_gets_all_back_by_itself(stage: ClusterStage) -> None:
    stage.kill(2)
    stage.create()

    stage.join(2)
    stage.until(lambda: stage.cluster(1).finished != () and stage.cluster(1).operation is None, 60)

    assert stage.cluster(1).finished[-1].kind == "replace-node"
    assert stage.where() == {1, 2, 3}
    assert stage.same_everywhere() == 2


@pytest.mark.parametrize("rules", [OFTEN, FORGETFUL])
async def test_it_gets_all_back_also_when_the_logs_do_not_reach_back(rules: Rules) -> None:
    stage = ready(ClusterStage(rules=rules))
    stage.kill(2)
    for _ in range(40):
        stage.create()
    stage.pass_time(1)

    stage.join(2)
    stage.until(lambda: stage.cluster(1).finished != () and stage.cluster(1).operation is None, 60)

    assert stage.same_everywhere() == 41
    stage.stop()


async def test_a_node_is_replaced_also_in_the_middle_of_an_operation() -> None:
    stage = ready(ClusterStage(4, partitions=2, replication=3))
    stage.kill(3)
    stage.begin(RemoveNode(4))

    stage.join(3)
    stage.until(lambda: stage.cluster(1).operation is None, 60)

    assert [operation.kind for operation in stage.cluster(1).finished] == ["remove-node"]
    assert stage.where(1) == stage.where(2) == {1, 2, 3}
    stage.stop()


async def test_an_operation_goes_on_when_the_leader_of_the_controller_dies(stage: ClusterStage) -> None:
    stage.begin(AddPartitions(2))
    stage.kill(stage.controller())

    stage.until(lambda: len(stage.cluster(stage.controller()).partitions) == 3)
    stage.restart(*({1, 2, 3} - set(stage.nodes)))
    stage.until(lambda: stage.cluster(stage.controller()).operation is None, 60)

    assert all(plan.is_serving for plan in stage.cluster().partitions)
    stage.create(3)


async def test_new_partitions_have_what_was_deployed_before_they_serve(stage: ClusterStage) -> None:
    stage.finish(AddPartitions(1))

    stage.create(2)
    assert stage.same_everywhere(2) == 1


async def test_of_two_operations_at_once_one_is_refused(stage: ClusterStage) -> None:
    stage.begin(AddPartitions(1))

    second = stage.nodes[2].control
    answers: list[object] = []
    second.request(AddPartitions(1), answers.append)
    stage.until(lambda: bool(answers))

    assert isinstance(answers[0], Refused)


async def test_nobody_leaves_a_group_that_could_not_go_on_without_it() -> None:
    stage = ready(ClusterStage(4, partitions=1, replication=3))
    stays, dead, _ = stage.cluster().partitions[0].replicas
    stage.until(lambda: stage.leads(stays))
    stage.kill(dead)

    stage.begin(SetReplication(2))
    stage.pass_time(10)
    stage.create()
    assert len(stage.where()) == 3

    stage.restart(dead)
    stage.until(lambda: stage.cluster(stage.controller()).operation is None, 60)
    assert stage.where() == {stays, dead}
    stage.stop()


async def test_a_member_at_another_address_is_found_there(stage: ClusterStage) -> None:
    stage.move(2, "127.0.0.1:7777")
    stage.restart(2)

    stage.until(lambda: stage.cluster(3).member(2).peer_address == "127.0.0.1:7777")  # type: ignore[union-attr]

    stage.pass_time(1)
    assert stage.hub.endpoints[3].addresses[2] == "127.0.0.1:7777"


async def test_a_fresh_node_with_the_id_of_a_connected_one_is_told_so(stage: ClusterStage) -> None:
    twin = stage.twin(3)

    refusal = stage.nodes[1].admit(3, twin.incarnation, "", stage.nodes[3].introduction())

    assert refusal is not None
    assert "another data directory" in refusal


async def test_a_member_that_is_alive_goes_before_an_empty_node_of_its_id(stage: ClusterStage) -> None:
    identity = stage.nodes[3].identity
    stage.hub.isolate(3)
    stage.pass_time(3)
    control, twin = stage.nodes[1].control, stage.twin(3)
    introduction = stage.nodes[3].introduction()
    stage.nodes[1].connected(3, twin.incarnation, "", introduction)
    stage.pass_time(1)

    assert control.admit(3, identity.incarnation, stage.cluster().cluster_id, introduction) is None
    stage.nodes[1].disconnected(3)
    stage.hub.heal()
    stage.pass_time(5)

    assert stage.cluster(1).knows(3, identity.incarnation)
    assert stage.hub.is_open(1, 3)


async def test_a_node_of_another_cluster_is_told_so(stage: ClusterStage) -> None:
    refusal = stage.nodes[1].admit(9, 99, "another", stage.nodes[3].introduction())

    assert refusal is not None
    assert "belongs to cluster another" in refusal


async def test_goals_that_are_over_are_not_gone_back_to() -> None:
    stage = ready(ClusterStage(4, partitions=1, replication=3))
    (spare,) = {1, 2, 3, 4} - stage.where()
    old = stage.cluster()
    stage.finish(MoveReplica(1, old.partitions[0].replicas[-1], spare))
    stage.pass_time(2.3)
    there = stage.where()

    stage.nodes[stage.leader()].look_after(old)  # As if it had not heard of the move.
    stage.pass_time(0.5)

    assert stage.where() == there
    stage.stop()


async def test_commands_go_on_during_all_of_it() -> None:
    stage = ready(ClusterStage(4, partitions=1, replication=3))
    stage.begin(RemoveNode(stage.leader()))
    created = 1
    while stage.cluster(stage.controller()).operation is not None:
        answer = stage.submit(CreateProcessInstance("process"), at=stage.leader())
        stage.pass_time(0.2)
        created += answer.done()
        assert created < 200

    assert stage.same_everywhere() >= created
    stage.stop()


async def test_the_one_replica_that_is_left_leads_again_after_a_restart(stage: ClusterStage) -> None:
    """The others have deleted theirs: nobody could tell it that they do not belong to the group any more."""
    stage.finish(SetReplication(1))
    (left,) = stage.where()
    stage.until(lambda: not any(1 in node.hosted for number, node in stage.nodes.items() if number != left))

    stage.restart(left)

    stage.until(lambda: stage.leads(left))
    stage.create()


async def test_the_one_node_that_is_left_goes_on_after_a_restart() -> None:
    stage = ready(ClusterStage(2))
    stage.finish(SetReplication(1))
    stage.finish(RemoveNode(2))
    stage.pass_time(1)
    stage.kill(2)

    stage.restart(1)

    assert stage.controller() == 1
    stage.create()
    stage.stop()
