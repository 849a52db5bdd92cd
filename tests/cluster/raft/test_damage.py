"""A member whose log was damaged: what it may say, and how it becomes whole again."""

import pytest

from bpmnd.cluster.raft import EntryId, RaftSettings, Role
from bpmnd.cluster.raft.messages import AppendEntries, AppendReply, TimeoutNow, VoteReply, VoteRequest
from tests.cluster.raft.group import Group, entries_of, raft_of
from tests.cluster.raft.memory_storage import MemoryStorage

CLAIM = EntryId(1, 10)


def ten(settings: RaftSettings | None = None) -> Group:
    """Members 1 to 3 have the entries 1 to 10 of term 1; member 1 leads that term."""
    group = Group({1: [], 2: [], 3: []}, settings=settings)
    leader = group.elect(1)
    while leader.last_index < 10:
        leader.propose(b"xx")
        group.run()
    return group


def damage(group: Group, member: int, kept: int) -> None:
    """`member` comes back with what is left of its log."""
    log = group.hosts[member].storage.log
    group.start(member, MemoryStorage(log[:kept]), term=1, claim=EntryId(log[-1].term, len(log)))


@pytest.mark.parametrize(
    ("last", "granted"),
    [(EntryId(1, 9), False), (EntryId(1, 10), True), (EntryId(2, 6), True)],
)
@pytest.mark.parametrize("is_pre_vote", [False, True])
def test_it_votes_only_for_who_has_what_it_once_had(last: EntryId, granted: bool, is_pre_vote: bool) -> None:
    raft = raft_of(1, 1, 2, 3, log=entries_of(1, 1, 1, 1, 1), term=2, claim=CLAIM)
    raft.step(VoteRequest(3, 2, 1, last.index, last.term, is_pre_vote))
    (reply,) = raft.ready().after_append
    assert isinstance(reply, VoteReply)
    assert reply.granted is granted


def test_it_never_campaigns() -> None:
    raft = raft_of(1, 1, 2, 3, log=entries_of(1, 1), claim=CLAIM)
    raft.campaign()
    for _ in range(100):
        raft.tick()
    raft.step(TimeoutNow(1, 2, 1))
    assert raft.role is Role.FOLLOWER
    assert not raft.has_ready


def test_it_is_whole_when_the_disk_has_as_much_as_it_claimed_and_not_before() -> None:
    raft = raft_of(1, 1, 2, 3, log=entries_of(1, 1), claim=EntryId(1, 4))
    raft.step(AppendEntries(1, 2, 1, 2, 1, 0, tuple(entries_of(1, 1, 1, 1)[2:])))
    ready = raft.ready()
    assert raft.damaged

    raft.persisted(ready.number)

    assert not raft.damaged


def test_the_reply_that_waits_for_its_last_entry_says_that_it_is_whole() -> None:
    raft = raft_of(1, 1, 2, 3, log=entries_of(1), claim=EntryId(1, 3))
    for index in (2, 3):
        entries = tuple(entries_of(1, 1, 1)[index - 1 : index])
        raft.step(AppendEntries(1, 2, 1, index - 1, 1, 0, entries))
    replies = [reply for reply in raft.ready().after_append if isinstance(reply, AppendReply)]
    assert [(reply.index, reply.damaged) for reply in replies] == [(2, True), (3, False)]


def test_the_first_entry_of_a_later_leader_makes_it_whole() -> None:
    raft = raft_of(1, 1, 2, 3, log=entries_of(1, 1), claim=CLAIM)
    raft.step(AppendEntries(2, 2, 1, 2, 1, 0, tuple(entries_of(1, 1, 2)[2:])))
    raft.persisted(raft.ready().number)
    assert not raft.damaged


def test_a_leader_starts_over_with_a_member_that_has_lost_what_it_had_acknowledged() -> None:
    group = ten()
    damage(group, 3, kept=5)
    assert group[1].progress()[3].match == 10

    group[1].tick()
    heartbeats = [m for m in group.hosts[1].pump() if m.receiver == 3]
    group[3].step(heartbeats[0])
    for reply in group.hosts[3].pump():
        group[1].step(reply)

    known = group[1].progress()[3]
    assert (known.match, known.damaged) == (0, True)
    group.run()
    assert group[3].last_index == 10
    group.tick()  # It is whole, and says so.
    assert (known.match, known.counted, known.damaged) == (10, 10, False)


def test_nothing_is_committed_on_its_account_before_it_is_whole() -> None:
    group = ten()
    group.down = {2}
    damage(group, 3, kept=5)
    _hear_of_the_damage(group)
    assert group[1].progress()[3].counted == 0
    group[1].propose(b"new")
    assert group[1].committed == 10

    group.run()

    assert not group[3].damaged
    assert group[1].committed == 11


def _hear_of_the_damage(group: Group) -> None:
    """One heartbeat, and its answer."""
    group[1].tick()
    for message in group.hosts[1].pump():
        if message.receiver == 3:
            group[3].step(message)
    for answer in group.hosts[3].pump():
        group[1].step(answer)
    assert group[1].progress()[3].damaged


def test_it_does_not_confirm_reads() -> None:
    group = ten()
    group.down = {2}
    damage(group, 3, kept=5)
    assert group[1].read_index(1)
    for message in group.hosts[1].pump():
        if message.receiver == 3:
            group[3].step(message)
    for reply in group.hosts[3].pump():
        group[1].step(reply)
    assert group[1].progress()[3].confirmed_round == 0
    assert group.hosts[1].reads == []


def test_a_second_loss_while_it_is_repaired_is_noticed() -> None:
    group = ten(RaftSettings(message_bytes_max=1))  # One entry each.
    damage(group, 3, kept=5)
    _hear_of_the_damage(group)
    known = group[1].progress()[3]
    while known.match < 7:
        for message in group.hosts[1].pump():
            if message.receiver == 3:
                group[3].step(message)
        for reply in group.hosts[3].pump():
            if known.match < 7:
                group[1].step(reply)
    assert known.damaged
    group.start(3, MemoryStorage(group.hosts[3].storage.log[:4]), term=1, claim=CLAIM)

    group.tick(3)

    assert group[3].last_index == 10
    assert not group[3].damaged


def test_one_dead_one_damaged_and_one_whole_member_elect_and_go_on() -> None:
    group = ten()
    group.down = {1}
    damage(group, 3, kept=5)
    group[2].forget_leader()
    leader = group.elect(2)
    index = leader.propose(b"after")
    group.run()
    assert leader.committed == index
    assert group[3].last_index == index
    assert not group[3].damaged


def test_who_lacks_a_committed_entry_is_not_elected_with_its_help() -> None:
    group = ten()
    group.down = {2}
    index = group[1].propose(b"on 1 and 3 only")
    group.run()
    assert group[1].committed == index
    group.down = {1}
    damage(group, 3, kept=5)

    for _ in range(5):
        group[2].forget_leader()
        group[2].campaign()
        group.run()

    assert group[2].role is not Role.LEADER
    group.down = set()
    group.tick(40)
    assert all(group[member].last_index >= index for member in (1, 2, 3))


def test_leadership_is_not_handed_to_it() -> None:
    group = ten()
    damage(group, 3, kept=5)
    _hear_of_the_damage(group)
    group[1].transfer_leadership(3)
    assert group[1].transferee == 0
