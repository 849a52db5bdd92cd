"""What a change of the cluster sets as its goal, and when it is refused or finished."""

from collections import Counter

import msgspec
import pytest

from bpmnd.cluster.membership import (
    CONTROLLER_VOTERS_MAX,
    FINISHED_MAX,
    SLOTS,
    ClusterState,
    Member,
    found,
    member_id,
)
from bpmnd.cluster.operations import (
    AddNode,
    AddPartitions,
    GiveUp,
    GroupReport,
    MoveNode,
    MoveReplica,
    Refused,
    RemoveNode,
    ReplaceNode,
    Request,
    SetReplication,
    SpreadSlots,
    advanced,
    decide,
)
from bpmnd.cluster.spreading import SLOTS_PER_MOVE, left_to_move, owners_of


def member(node: int, incarnation: int = 1, *, host: str | None = None, address: str = "") -> Member:
    return Member(node, incarnation, host or f"host-{node}", address or f"127.0.0.1:{9000 + node}")


def cluster(nodes: int = 3, *, partitions: int = 3, replication: int = 3) -> ClusterState:
    return found("c1", [member(node) for node in range(1, nodes + 1)], partitions, replication)


def begun(state: ClusterState, request: Request) -> ClusterState:
    outcome = decide(state, request)
    assert isinstance(outcome, ClusterState), outcome
    return outcome


def refused(state: ClusterState, request: Request) -> str:
    outcome = decide(state, request)
    assert isinstance(outcome, Refused), outcome
    return outcome.reason


def reached(state: ClusterState) -> dict[int, GroupReport]:
    """What the leaders say when all groups are where they are to be, and slots too."""
    return {
        plan.group: GroupReport(state.goal(plan), is_settled=True, taken=state.moves) for plan in state.plans
    }


def finished(state: ClusterState) -> ClusterState:
    following = advanced(state, reached(state))
    assert following is not None, "nothing has come to an end"
    return following


def nodes_of(state: ClusterState) -> dict[int, tuple[int, ...]]:
    return {plan.group: tuple(sorted(plan.replicas)) for plan in state.partitions}


def test_a_state_is_read_as_it_was_written() -> None:
    state = begun(cluster(4), RemoveNode(3))

    assert ClusterState.from_bytes(state.to_bytes()) == state


def test_ids_of_members_tell_node_and_incarnation_apart() -> None:
    assert member_id(1, 2) != member_id(2, 1)
    assert member(5, 9).id == member_id(5, 9)


def test_a_large_cluster_has_a_controller_of_few() -> None:
    assert len(cluster(9).controller.replicas) == CONTROLLER_VOTERS_MAX


def test_a_new_node_gets_its_share_of_the_replicas() -> None:
    state = begun(cluster(3, partitions=4), AddNode(member(4)))

    assert sum(4 in plan.replicas for plan in state.partitions) == 3
    assert 4 in state.controller.replicas
    assert state.operation is not None
    assert (state.operation.kind, state.operation.node) == ("add-node", 4)


def test_a_node_is_not_added_twice() -> None:
    assert "already" in refused(cluster(), AddNode(member(3, 2)))


def test_a_node_is_not_added_while_an_earlier_one_of_its_number_holds_replicas() -> None:
    leaving = begun(begun(cluster(4), RemoveNode(4)), GiveUp())

    assert "still holds replicas" in refused(leaving, AddNode(member(4, 2)))


def test_a_node_that_was_to_be_removed_may_stay_after_all() -> None:
    leaving = begun(begun(cluster(4), RemoveNode(4)), GiveUp())

    state = begun(leaving, AddNode(member(4)))

    assert state.member(4) == member(4)
    assert state.leaving == ()


def test_what_a_removed_node_holds_goes_to_others_and_it_is_known_until_then() -> None:
    state = begun(cluster(4), RemoveNode(2))

    assert all(2 not in plan.replicas for plan in state.plans)
    assert state.member(2) is None
    assert state.knows(2, 1)
    assert not finished(state).knows(2, 1)


def test_nodes_that_are_needed_are_not_removed() -> None:
    assert "too few" in refused(cluster(3), RemoveNode(1))
    assert "no node 9" in refused(cluster(3), RemoveNode(9))


def test_another_incarnation_takes_the_place_of_the_old_one() -> None:
    state = begun(cluster(), ReplaceNode(member(2, 5)))

    assert state.goal(state.partitions[0]) == {member_id(1, 1), member_id(2, 5), member_id(3, 1)}
    assert not state.knows(2, 1)
    assert nodes_of(state) == nodes_of(cluster())


def test_a_node_is_replaced_also_while_an_operation_is_under_way_which_goes_on() -> None:
    state = begun(cluster(4), RemoveNode(4))

    replaced = begun(state, ReplaceNode(member(2, 5)))

    assert replaced.operation == state.operation
    assert member_id(2, 5) in replaced.goal(replaced.controller)


def test_a_node_that_alone_had_a_partition_is_not_replaced() -> None:
    assert "lost with its disk" in refused(cluster(3, replication=1), ReplaceNode(member(1, 5)))


def test_a_node_that_is_still_alone_with_a_partition_is_not_replaced_either() -> None:
    state = cluster(2, partitions=1, replication=1)
    (holder,) = state.partitions[0].replicas
    moving = begun(state, MoveReplica(1, holder, 3 - holder))

    assert "lost with its disk" in refused(moving, ReplaceNode(member(holder, 5)))
    begun(moving, ReplaceNode(member(3 - holder, 5)))  # It has nothing yet.


def test_only_a_node_that_changed_is_replaced() -> None:
    assert "what it was" in refused(cluster(), ReplaceNode(member(2)))
    assert "no node 9" in refused(cluster(), ReplaceNode(member(9)))


def test_a_replica_moves_to_the_node_that_is_named() -> None:
    state = begun(cluster(4, partitions=1), MoveReplica(1, *_move_of(cluster(4, partitions=1))))

    assert _move_of(cluster(4, partitions=1))[1] in state.partitions[0].replicas


def _move_of(state: ClusterState) -> tuple[int, int]:
    """From a node that has the first partition to the one that has not."""
    replicas = state.partitions[0].replicas
    (to,) = {1, 2, 3, 4} - set(replicas)
    return replicas[0], to


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (MoveReplica(9, 1, 4), "no partition 9"),
        (MoveReplica(0, 1, 4), "no partition 0"),
        (MoveReplica(1, 1, 9), "no node 9"),
        (MoveReplica(1, 1, 2), "already"),
        (MoveReplica(1, 9, 2), "not to have"),
    ],
)
def test_a_move_that_cannot_be_is_refused(request_: MoveReplica, reason: str) -> None:
    assert reason in refused(cluster(3), request_)


def test_new_partitions_do_not_serve_before_they_have_what_was_deployed() -> None:
    state = begun(cluster(), AddPartitions(2))
    unsupplied = {
        group: msgspec.structs.replace(report, is_supplied=False) for group, report in reached(state).items()
    }

    assert [plan.is_serving for plan in state.partitions] == [True] * 3 + [False] * 2
    assert advanced(state, unsupplied) is None
    serving = finished(state)
    assert all(plan.is_serving for plan in serving.partitions)
    assert serving.operation is not None
    assert finished(serving).move is not None


def test_new_partitions_leave_the_old_ones_where_they_are() -> None:
    before = cluster(5, partitions=3)

    after = begun(before, AddPartitions(1))

    assert nodes_of(after) | nodes_of(before) == nodes_of(after)


@pytest.mark.parametrize("count", [0, -1, 5000])
def test_nonsense_numbers_of_partitions_are_refused(count: int) -> None:
    assert "partitions" in refused(cluster(), AddPartitions(count))


def test_replication_grows_and_shrinks() -> None:
    single = cluster(3, replication=1)

    grown = begun(single, SetReplication(3))
    shrunk = begun(finished(grown), SetReplication(1))

    assert {len(plan.replicas) for plan in grown.partitions} == {3}
    assert {len(plan.replicas) for plan in shrunk.partitions} == {1}


@pytest.mark.parametrize("replication", [0, 4])
def test_impossible_replication_is_refused(replication: int) -> None:
    assert "of 3 nodes" in refused(cluster(3), SetReplication(replication))


def test_one_operation_is_under_way_at_a_time() -> None:
    state = begun(cluster(4), RemoveNode(4))

    assert "operation 1, remove-node, is under way" in refused(state, AddPartitions(1))


def test_operations_are_numbered() -> None:
    first = finished(begun(cluster(4), RemoveNode(4)))

    second = begun(first, SetReplication(2))

    assert second.operation is not None
    assert second.operation.number == first.finished[-1].number + 1


def test_an_operation_that_is_given_up_leaves_its_goals_and_makes_room_for_another() -> None:
    state = begun(cluster(4), RemoveNode(4))

    left = begun(state, GiveUp())

    assert left.finished[-1].was_given_up
    assert nodes_of(left) == nodes_of(state)
    assert left.knows(4, 1)
    begun(left, AddPartitions(1))


def test_without_an_operation_there_is_nothing_to_give_up() -> None:
    assert "no operation" in refused(cluster(), GiveUp())


@pytest.mark.parametrize("lacking", [0, 1, 3])
def test_an_operation_ends_only_when_every_group_says_that_it_is_there(lacking: int) -> None:
    state = begun(cluster(4), RemoveNode(4))
    reports = reached(state)

    assert advanced(state, {group: one for group, one in reports.items() if group != lacking}) is None
    unsettled = {**reports, lacking: msgspec.structs.replace(reports[lacking], is_settled=False)}
    assert advanced(state, unsettled) is None
    more = {**reports, lacking: GroupReport(reports[lacking].members | {member_id(4, 1)}, is_settled=True)}
    assert advanced(state, more) is None
    assert advanced(state, reports) is not None


def test_where_nothing_is_under_way_nothing_ends() -> None:
    state = cluster()

    assert advanced(state, reached(state)) is None


def test_what_a_group_holds_is_what_it_last_was_seen_to_have() -> None:
    state = cluster(3, replication=1)

    grown = begun(state, SetReplication(3))

    assert [len(plan.held) for plan in grown.partitions] == [1, 1, 1]
    assert [len(plan.held) for plan in begun(grown, GiveUp()).partitions] == [1, 1, 1]
    assert [len(plan.held) for plan in finished(grown).partitions] == [3, 3, 3]


def test_a_member_at_another_address_keeps_its_replicas_also_during_an_operation() -> None:
    state = begun(cluster(4), RemoveNode(4))

    moved = begun(state, MoveNode(member(2, address="10.0.0.2:1")))

    assert moved.member(2) == member(2, address="10.0.0.2:1")
    assert (moved.operation, moved.partitions) == (state.operation, state.partitions)


def test_a_leaving_node_may_move_too() -> None:
    state = begun(cluster(4), RemoveNode(4))

    assert begun(state, MoveNode(member(4, address="10.0.0.4:1"))).leaving[0].peer_address == "10.0.0.4:1"


def test_who_is_unknown_or_has_not_moved_is_not_moved() -> None:
    assert "incarnation" in refused(cluster(), MoveNode(member(2, 9)))
    assert "where it was" in refused(cluster(), MoveNode(member(2)))


def test_only_the_last_finished_operations_are_kept() -> None:
    state = cluster(4)
    for replication in [2, 3] * FINISHED_MAX:
        state = finished(begun(state, SetReplication(replication)))

    assert len(state.finished) == FINISHED_MAX
    assert state.finished[-1].number == 2 * FINISHED_MAX


def test_every_change_has_a_version_of_its_own() -> None:
    state = cluster(4)

    assert begun(state, RemoveNode(4)).version == state.version + 1
    assert finished(begun(state, RemoveNode(4))).version == state.version + 2


def test_an_operation_tells_who_has_asked_for_it_also_when_it_is_over() -> None:
    state = begun(cluster(4), RemoveNode(3, by="ann@host"))
    assert state.operation is not None
    assert state.operation.by == "ann@host"
    assert finished(state).finished[-1].by == "ann@host"
    assert ClusterState.from_bytes(state.to_bytes()) == state


def test_who_comes_into_an_operation_has_not_asked_for_it() -> None:
    state = begun(cluster(4), AddPartitions(2, by="ann@host"))
    after = begun(state, ReplaceNode(member(2, 9), by="bob@host"))
    assert after.operation is not None
    assert (after.operation.kind, after.operation.by) == ("add-partitions", "ann@host")


def spreading(state: ClusterState) -> ClusterState:
    """The first slots are on their way."""
    while state.move is None:
        state = finished(state)
    return state


def settled(state: ClusterState) -> ClusterState:
    while state.operation is not None:
        state = finished(state)
    return state


@pytest.mark.parametrize(("partitions", "more"), [(1, 1), (1, 7), (3, 2), (5, 8)])
def test_partitions_that_are_added_end_up_with_their_share_of_the_slots(partitions: int, more: int) -> None:
    state = settled(begun(cluster(partitions=partitions), AddPartitions(more)))

    counts = Counter(owners_of(state.slots))
    share = SLOTS // (partitions + more)
    assert all(counts[plan.group] >= share for plan in state.partitions)
    assert left_to_move(state) == 0
    assert state.slots[0][0] == 0
    assert owners_of(state.first_slots) == owners_of(cluster(partitions=partitions).slots)


def test_slots_only_move_to_partitions_that_are_new() -> None:
    before = begun(cluster(partitions=3), AddPartitions(2))
    after = settled(before)

    moved = zip(owners_of(before.slots), owners_of(after.slots), strict=True)
    assert {now for was, now in moved if was != now} == {4, 5}


def test_the_table_changes_when_the_new_owner_says_that_it_has_the_slots() -> None:
    state = spreading(begun(cluster(partitions=1), AddPartitions(1)))
    assert state.move is not None
    reports = reached(state)
    early = msgspec.structs.replace(reports[2], taken=state.move.number - 1)

    assert advanced(state, reports | {2: early}) is None
    assert advanced(state, {group: report for group, report in reports.items() if group != 2}) is None
    after = finished(state)
    slots = {slot for first, count in state.move.slots for slot in range(first, first + count)}
    assert {slot for slot, owner in enumerate(owners_of(after.slots)) if owner == 2} == slots


def test_one_move_takes_no_more_than_a_part() -> None:
    state = spreading(begun(cluster(partitions=1), AddPartitions(1)))
    assert state.move is not None
    assert sum(count for _, count in state.move.slots) == SLOTS_PER_MOVE < SLOTS // 2


def test_a_move_comes_to_its_end_when_its_operation_is_given_up() -> None:
    state = spreading(begun(cluster(partitions=1), AddPartitions(1)))
    given_up = begun(state, GiveUp())

    after = finished(given_up)

    assert given_up.move == state.move
    assert after.slots != given_up.slots
    assert after.move is None
    assert advanced(after, reached(after)) is None


def test_slots_that_have_not_moved_go_with_the_next_operation() -> None:
    given_up = finished(begun(spreading(begun(cluster(partitions=1), AddPartitions(1))), GiveUp()))

    state = settled(begun(given_up, AddPartitions(1)))

    assert Counter(owners_of(state.slots)) == {1: SLOTS // 3 + 1, 2: SLOTS // 3, 3: SLOTS // 3}


def test_slots_can_be_spread_without_more_partitions() -> None:
    given_up = finished(begun(spreading(begun(cluster(partitions=1), AddPartitions(1))), GiveUp()))

    state = settled(begun(given_up, SpreadSlots()))

    assert Counter(owners_of(state.slots)) == {1: SLOTS // 2, 2: SLOTS // 2}
    assert "has its share" in refused(state, SpreadSlots())
