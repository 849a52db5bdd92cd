"""Changes of the members, as their leader lets them happen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmnd.cluster.raft import (
    LEAVE_JOINT,
    Configuration,
    ConfigurationChange,
    Entry,
    EntryKind,
    HardState,
    Operation,
    Raft,
    RaftSettings,
    Refusal,
    Role,
    Transition,
)
from bpmnd.cluster.raft.messages import VoteReply
from tests.cluster.raft.group import Group, role_of
from tests.cluster.raft.memory_storage import MemoryStorage

ADD_4 = ConfigurationChange(operations=((Operation.ADD_LEARNER, 4),))
SWAP_3_FOR_4 = ConfigurationChange(operations=((Operation.REMOVE, 3), (Operation.ADD_VOTER, 4)))
EXPLICIT_SWAP = ConfigurationChange(Transition.EXPLICIT, SWAP_3_FOR_4.operations)


def group_of_three() -> Group:
    group = Group({1: [], 2: [], 3: []})
    group.elect(1)
    return group


def test_only_one_change_is_under_way() -> None:
    leader = group_of_three()[1]
    assert leader.propose_change(ADD_4) == 2
    assert leader.propose_change(ADD_4) == Refusal("possible unapplied conf change at index 2 (applied to 1)")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (LEAVE_JOINT, "not in joint state; refusing empty conf change"),
        (
            ConfigurationChange(Transition.IMPLICIT, tuple((Operation.REMOVE, m) for m in (1, 2, 3))),
            "removed all voters",
        ),
    ],
)
def test_a_change_that_cannot_be_applied_never_enters_the_log(
    change: ConfigurationChange, reason: str
) -> None:
    leader = group_of_three()[1]
    assert leader.propose_change(change) == Refusal(reason)
    assert leader.last_index == 1


def test_a_joint_configuration_is_left_by_itself() -> None:
    group = group_of_three()
    group.start(4, MemoryStorage(), configuration=Configuration((1, 2, 3)))
    group[1].propose_change(SWAP_3_FOR_4)
    group.run()
    assert group[1].configuration == Configuration((1, 2, 4))
    assert group[4].configuration == Configuration((1, 2, 4))


def test_an_explicit_joint_configuration_is_left_when_somebody_says_so() -> None:
    group = group_of_three()
    group.start(4, MemoryStorage(), configuration=Configuration((1, 2, 3)))
    group[1].propose_change(EXPLICIT_SWAP)
    group.run()
    assert group[1].configuration == Configuration((1, 2, 4), (1, 2, 3))
    assert isinstance(group[1].propose_change(ADD_4), Refusal)
    group[1].propose_change(LEAVE_JOINT)
    group.run()
    assert group[1].configuration == Configuration((1, 2, 4))


def test_a_leader_that_removes_itself_steps_down_once_that_is_applied() -> None:
    group = group_of_three()
    group[1].propose_change(ConfigurationChange(operations=((Operation.REMOVE, 1),)))
    group.run()
    assert group[1].role is Role.FOLLOWER
    group.tick(12)
    assert group[2].leads or group[3].leads


def test_a_learner_counts_for_nothing() -> None:
    group = group_of_three()
    group.start(4, MemoryStorage(), configuration=Configuration((1, 2, 3), learners=(4,)))
    group[1].propose_change(ADD_4)
    group.run()
    group.down = {2, 3}
    index = group[1].propose(b"x")
    group.run()
    assert group[4].last_index == index
    assert group[1].committed < index


def test_a_member_that_comes_back_knows_that_all_changes_but_the_last_are_committed() -> None:
    changes = [
        Entry(index, 1, EntryKind.CONFIGURATION, ADD_4.to_bytes()) if index in (2, 4, 6) else _command(index)
        for index in range(1, 8)
    ]
    raft = Raft(
        1,
        MemoryStorage(changes),
        Configuration((1, 2, 3)),
        hard_state=HardState(1, 0),
        committed=0,
        random=lambda ticks: 0,
    )
    assert raft.committed == 4
    assert raft.ready().committed == 4
    raft.campaign()
    assert role_of(raft) is Role.FOLLOWER  # It would ask the voters of a configuration that is over.

    raft.applied(4)
    raft.campaign()

    assert role_of(raft) is Role.PRE_CANDIDATE


def _command(index: int) -> Entry:
    return Entry(index, 1, EntryKind.COMMAND, b"")


def test_a_candidate_learns_from_a_refusal_what_is_committed() -> None:
    raft = Raft(
        1,
        MemoryStorage([_command(1), _command(2), _command(3)]),
        Configuration((1, 2, 3)),
        hard_state=HardState(1, 0),
        committed=0,
        random=lambda ticks: 0,
    )
    raft.campaign()
    raft.step(VoteReply(1, 2, 1, False, True, committed_index=2, committed_term=7))
    assert raft.committed == 0  # Not an entry of this log.

    raft.step(VoteReply(1, 2, 1, False, True, committed_index=2, committed_term=1))

    assert raft.committed == 2


def test_a_stale_leader_is_answered_by_who_cannot_campaign() -> None:
    group = Group({1: [], 2: []}, settings=RaftSettings(pre_vote=False, check_quorum=False))
    leader = group.elect(1)
    group.start(3, MemoryStorage(), configuration=Configuration((1, 2), learners=(3,)), term=9)
    leader.propose_change(ConfigurationChange(operations=((Operation.ADD_LEARNER, 3),)))
    group.tick(30)
    assert max(group[member].term for member in (1, 2)) > 9
    assert group[3].leader


_operations = st.tuples(st.sampled_from(Operation), st.integers(1, 6))
_changes = st.builds(
    ConfigurationChange, st.sampled_from(Transition), st.lists(_operations, max_size=4).map(tuple)
)


@given(st.lists(_changes, max_size=12))
def test_whatever_is_changed_no_two_configurations_in_a_row_have_separate_majorities(
    changes: list[ConfigurationChange],
) -> None:
    configuration = Configuration((1, 2, 3))
    for change in changes:
        changed = configuration.changed(change)
        if isinstance(changed, Refusal):
            continue
        _check(changed)
        common = (configuration.voters, configuration.outgoing or configuration.voters)
        assert _share_majorities(common, (changed.voters, changed.outgoing or changed.voters))
        assert Configuration.from_bytes(changed.to_bytes()) == changed
        assert ConfigurationChange.from_bytes(change.to_bytes()) == change
        configuration = changed


def _check(configuration: Configuration) -> None:
    voters, outgoing = set(configuration.voters), set(configuration.outgoing)
    learners, next_learners = set(configuration.learners), set(configuration.learners_next)
    assert voters
    assert not learners & (voters | outgoing)
    assert next_learners <= outgoing - voters
    assert configuration.is_joint or not (next_learners or configuration.auto_leave)
    assert configuration.members == tuple(sorted(voters | outgoing | learners))


def _share_majorities(before: tuple[tuple[int, ...], ...], after: tuple[tuple[int, ...], ...]) -> bool:
    """Some half of the one and some half of the other cannot both decide without a member in common."""
    for one in before:
        for other in after:
            needed = len(one) // 2 + 1 + len(other) // 2 + 1
            if needed > len(set(one) | set(other)):
                return True
    return False
