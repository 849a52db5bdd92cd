"""Reads that take no entry."""

from bpmnd.cluster.raft import RaftSettings, Role
from bpmnd.cluster.raft.messages import Heartbeat
from tests.cluster.raft.group import Group


def three(settings: RaftSettings | None = None) -> Group:
    group = Group({1: [], 2: [], 3: []}, settings=settings)
    group.elect(1)
    return group


def test_a_read_is_answered_when_a_majority_confirms_the_leader() -> None:
    group = three()
    assert group[1].read_index(7)
    group.run()
    assert group.hosts[1].reads == [(7, group[1].committed)]


def test_reads_that_come_together_share_a_round() -> None:
    group = three()
    group.sent.clear()
    for context in range(50):
        assert group[1].read_index(context)
    group.run()
    assert [context for context, _ in group.hosts[1].reads] == list(range(50))
    assert len([m for m in group.sent if isinstance(m, Heartbeat)]) == 2


def test_a_leader_that_is_cut_off_answers_no_read() -> None:
    group = three()
    group.down = {2, 3}
    assert group[1].read_index(7)
    group.tick(20)
    assert group[1].role is Role.FOLLOWER
    assert group.hosts[1].reads == []


def test_a_round_that_was_lost_is_confirmed_by_the_next_heartbeat() -> None:
    group = three()
    group.down = {2, 3}
    assert group[1].read_index(7)
    group.run()
    group.down = set()
    group.tick()
    assert group.hosts[1].reads == [(7, group[1].committed)]


def test_too_many_reads_are_refused() -> None:
    group = three(RaftSettings(reads_max=2))
    assert [group[1].read_index(context) for context in range(3)] == [True, True, False]
    group.run()
    assert group[1].read_index(3)


def test_a_read_waits_for_the_first_commit_of_the_term() -> None:
    group = Group({1: [], 2: [], 3: []}, settings=RaftSettings(pre_vote=False))
    group[1].campaign()
    while group[1].role is not Role.LEADER:
        for member in (1, 2):
            for message in group.hosts[member].pump():
                group[message.receiver].step(message)
    assert not group[1].leads
    assert group[1].read_index(7)
    assert not [m for m in group[1].ready().messages if isinstance(m, Heartbeat)]
