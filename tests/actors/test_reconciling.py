"""The steps by which a leader brings its group to a goal."""

import pytest

from bpmnd.actors.reconciling import LAG_MAX, has_caught_up, next_change
from bpmnd.cluster.raft import Operation, Raft
from tests.cluster.raft.group import Group, entries_of
from tests.cluster.raft.memory_storage import MemoryStorage


def group_of(*members: int) -> tuple[Group, Raft]:
    """A group that member 1 leads."""
    group = Group({member: [] for member in members})
    return group, group.elect(1)


def come(group: Group, *members: int) -> None:
    """Empty replicas, which know the configuration that the group began with."""
    for member in members:
        group.start(member, MemoryStorage([]))


def step(group: Group, leader: Raft, goal: set[int]) -> list[tuple[Operation, int]]:
    """Do what is next; what that was."""
    change = next_change(leader, goal)
    if change is None:
        return []
    assert isinstance(leader.propose_change(change), int)
    group.run()
    return list(change.operations)


def test_at_the_goal_nothing_is_done() -> None:
    _, leader = group_of(1, 2, 3)

    assert next_change(leader, {1, 2, 3}) is None


def test_without_a_goal_nothing_is_done() -> None:
    _, leader = group_of(1, 2, 3)

    assert next_change(leader, set()) is None


def test_a_follower_changes_nothing() -> None:
    group, _ = group_of(1, 2, 3)

    assert next_change(group[2], {1, 2}) is None


def test_a_new_member_learns_first_and_then_votes_while_the_other_leaves() -> None:
    group, leader = group_of(1, 2, 3)
    come(group, 4)

    assert step(group, leader, {1, 2, 4}) == [(Operation.ADD_LEARNER, 4)]
    assert leader.configuration.voters == (1, 2, 3)
    group.tick(2)
    assert step(group, leader, {1, 2, 4}) == [(Operation.ADD_VOTER, 4), (Operation.REMOVE, 3)]
    assert leader.configuration.voters == (1, 2, 4)
    assert step(group, leader, {1, 2, 4}) == []


def test_all_of_a_group_may_change_at_once() -> None:
    group, leader = group_of(1, 2, 3)
    come(group, 4, 5, 6)

    step(group, leader, {4, 5, 6})
    group.tick(2)
    step(group, leader, {4, 5, 6})

    assert leader.configuration.voters == (4, 5, 6)
    assert not leader.leads


def test_who_does_not_answer_is_not_let_into_the_vote() -> None:
    group, leader = group_of(1, 2, 3)

    step(group, leader, {1, 2, 4})
    group.tick(30)

    assert step(group, leader, {1, 2, 4}) == []
    assert leader.configuration.voters == (1, 2, 3)


def test_who_lacks_much_is_not_let_into_the_vote() -> None:
    group, leader = group_of(1, 2, 3)
    come(group, 4)
    step(group, leader, {1, 2, 4})
    group.down.add(4)
    for _ in range(LAG_MAX + 10):
        leader.propose(b"")
    group.run()

    assert step(group, leader, {1, 2, 4}) == []
    group.down.discard(4)
    group.tick(20)
    assert step(group, leader, {1, 2, 4}) != []


@pytest.mark.parametrize(("down", "leaves"), [(2, False), (3, True)])
def test_a_member_leaves_only_when_the_rest_can_go_on(down: int, leaves: bool) -> None:
    group, leader = group_of(1, 2, 3)
    group.down.add(down)
    group.tick(25)

    step(group, leader, {1, 2})

    assert (leader.configuration.voters == (1, 2)) == leaves


def test_learners_that_are_not_wanted_any_more_leave() -> None:
    group, leader = group_of(1, 2, 3)
    come(group, 4)
    step(group, leader, {1, 2, 4})

    assert step(group, leader, {1, 2, 3}) == [(Operation.REMOVE, 4)]
    assert leader.configuration.learners == ()


def test_a_goal_that_changes_on_the_way_is_reached_all_the_same() -> None:
    group, leader = group_of(1, 2, 3)
    come(group, 4, 5)
    step(group, leader, {1, 2, 4})

    for _ in range(5):
        step(group, leader, {1, 4, 5})
        group.tick(2)

    assert leader.configuration.voters == (1, 4, 5)
    assert leader.configuration.learners == ()


def test_the_next_leader_goes_on_in_the_middle() -> None:
    group, leader = group_of(1, 2, 3)
    come(group, 4)
    step(group, leader, {2, 3, 4})
    group.down.add(1)
    heir = group[2]
    group.tick(25)
    assert heir.leads or group[3].leads
    heir = heir if heir.leads else group[3]

    for _ in range(5):
        step(group, heir, {2, 3, 4})
        group.tick(2)

    assert heir.configuration.voters == (2, 3, 4)


def test_a_leader_has_caught_up_with_itself() -> None:
    _, leader = group_of(1, 2, 3)

    assert has_caught_up(leader, 1, lag_max=0)


def test_nobody_is_known_to_have_caught_up_to_who_does_not_lead() -> None:
    group = Group({1: entries_of(1), 2: entries_of(1)})

    assert not has_caught_up(group[2], 1)
