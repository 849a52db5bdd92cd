"""Who votes for whom, and who may stand."""

import pytest

from bpmnd.cluster.raft import Configuration, EntryId, HardState, Message, Raft, RaftSettings, Role
from bpmnd.cluster.raft.messages import (
    AppendEntries,
    AppendReply,
    Heartbeat,
    HeartbeatReply,
    TimeoutNow,
    VoteReply,
    VoteRequest,
)
from tests.cluster.raft.group import Group, entries_of, raft_of, role_of
from tests.cluster.raft.memory_storage import MemoryStorage

PLAIN = RaftSettings(pre_vote=False, check_quorum=False)
EMPTY = EntryId(0, 0)


def request(
    sender: int, *, term: int = 5, last: EntryId = EMPTY, receiver: int = 1, is_pre_vote: bool = False
) -> VoteRequest:
    return VoteRequest(term, sender, receiver, last.index, last.term, is_pre_vote)


def votes_of(raft: Raft) -> list[tuple[int, bool]]:
    replies = raft.ready().after_append
    return [(reply.receiver, reply.granted) for reply in replies if isinstance(reply, VoteReply)]


def test_a_voter_votes_once_per_term() -> None:
    raft = raft_of(1, 1, 2, 3)
    for candidate in (2, 3, 2):
        raft.step(request(candidate))
    # A lost reply may be asked for again.
    assert votes_of(raft) == [(2, True), (3, False), (2, True)]


def test_a_vote_leaves_only_after_it_is_on_disk() -> None:
    raft = raft_of(1, 1, 2, 3)
    raft.step(request(2))
    ready = raft.ready()
    assert ready.hard_state == HardState(5, 2)
    assert ready.messages == ()
    assert len(ready.after_append) == 1


@pytest.mark.parametrize(
    ("last", "granted"),
    [
        (EntryId(2, 3), True),
        (EntryId(2, 9), True),
        (EntryId(3, 1), True),
        (EntryId(2, 2), False),
        (EntryId(1, 9), False),
    ],
)
def test_only_a_candidate_whose_log_goes_as_far_gets_the_vote(last: EntryId, granted: bool) -> None:
    raft = raft_of(1, 1, 2, 3, log=entries_of(1, 2, 2))
    raft.step(request(2, last=last))
    assert votes_of(raft) == [(2, granted)]


def test_a_candidate_that_has_only_its_own_vote_on_its_way_to_the_disk_does_not_lead() -> None:
    raft = raft_of(1, 1, 2, 3, settings=PLAIN)
    raft.campaign()
    ready = raft.ready()
    raft.step(VoteReply(1, 2, 1, granted=False))
    raft.step(VoteReply(1, 3, 1, granted=True))
    assert role_of(raft) is Role.CANDIDATE

    raft.persisted(ready.number)

    assert role_of(raft) is Role.LEADER


def test_a_write_of_before_the_election_does_not_vouch_for_the_vote() -> None:
    raft = raft_of(1, 1, 2, 3, settings=PLAIN)
    raft.step(AppendEntries(1, 2, 1, 0, 0, 0, tuple(entries_of(1))))
    earlier = raft.ready()
    raft.campaign()
    later = raft.ready()
    raft.step(VoteReply(2, 3, 1, granted=True))

    raft.persisted(earlier.number)
    assert role_of(raft) is Role.CANDIDATE

    raft.persisted(later.number)
    assert role_of(raft) is Role.LEADER


def test_a_pre_vote_changes_nothing_for_who_gives_it() -> None:
    raft = raft_of(1, 1, 2, 3, term=4)
    raft.step(request(2, is_pre_vote=True))
    ready = raft.ready()
    assert ready.hard_state is None
    assert ready.after_append == (VoteReply(5, 1, 2, granted=True, is_pre_vote=True),)


def test_a_pre_candidate_keeps_its_term_until_a_majority_would_vote_for_it() -> None:
    raft = raft_of(1, 1, 2, 3, term=4)
    raft.campaign()
    assert (raft.role, raft.term) == (Role.PRE_CANDIDATE, 4)

    raft.step(VoteReply(5, 2, 1, granted=True, is_pre_vote=True))

    assert (raft.role, raft.term) == (Role.CANDIDATE, 5)


def test_a_pre_vote_for_another_election_does_not_count() -> None:
    raft = raft_of(1, 1, 2, 3, term=4)
    raft.campaign()
    raft.step(VoteReply(4, 2, 1, granted=True, is_pre_vote=True))
    assert role_of(raft) is Role.PRE_CANDIDATE


def test_who_hears_from_a_leader_votes_for_nobody_else() -> None:
    raft = raft_of(1, 1, 2, 3)
    raft.step(Heartbeat(4, 2, 1, 0))
    raft.ready()
    raft.step(request(3))
    assert not raft.has_ready
    assert raft.term == 4


def test_who_has_forgotten_its_leader_votes_at_once() -> None:
    raft = raft_of(1, 1, 2, 3)
    raft.step(Heartbeat(4, 2, 1, 0))
    raft.forget_leader()
    raft.step(request(3))
    assert votes_of(raft) == [(3, True)]


def test_who_has_forgotten_its_leader_waits_only_for_what_was_drawn() -> None:
    raft = raft_of(1, 1, 2, 3)
    raft.step(Heartbeat(4, 2, 1, 0))
    raft.patience = RaftSettings().election_ticks + 3
    raft.forget_leader()
    for _ in range(2):
        raft.tick()
    assert role_of(raft) is Role.FOLLOWER
    raft.tick()
    assert role_of(raft) is Role.PRE_CANDIDATE


def test_the_leader_itself_may_ask_to_be_replaced() -> None:
    raft = raft_of(1, 1, 2, 3)
    raft.step(Heartbeat(4, 2, 1, 0))
    raft.step(VoteRequest(5, 3, 1, 0, 0, by_transfer=True))
    assert votes_of(raft) == [(3, True)]


@pytest.mark.parametrize(
    "message",
    [
        request(9),
        request(9, is_pre_vote=True),
        VoteReply(9, 9, 1, granted=False),
        AppendReply(9, 9, 1, 0),
        HeartbeatReply(9, 9, 1),
        TimeoutNow(9, 9, 1),
    ],
)
def test_a_stranger_is_not_answered_and_its_term_is_ignored(message: Message) -> None:
    raft = raft_of(1, 1, 2, 3, term=4)
    raft.step(message)
    assert raft.term == 4
    assert not raft.has_ready


def test_a_leader_that_a_lagging_member_does_not_know_is_followed() -> None:
    raft = raft_of(1, 1, 2, 3, term=4)
    raft.step(AppendEntries(9, 8, 1, 0, 0, 0, tuple(entries_of(9))))
    assert (raft.leader, raft.term, raft.last_index) == (8, 9, 1)


def test_a_message_for_somebody_else_is_ignored() -> None:
    raft = raft_of(1, 1, 2, 3)
    raft.step(request(2, receiver=3))
    assert not raft.has_ready


@pytest.mark.parametrize("settings", [PLAIN, RaftSettings()])
def test_who_is_not_a_voter_never_campaigns(settings: RaftSettings) -> None:
    for raft in (raft_of(1, 2, 3, settings=settings), raft_of(1, 2, 3, learners=(1,), settings=settings)):
        raft.campaign()
        for _ in range(100):
            raft.tick()
        raft.step(TimeoutNow(0, 2, 1))
        assert role_of(raft) is Role.FOLLOWER
        assert not raft.has_ready


def test_a_learner_votes_when_it_is_asked() -> None:
    raft = raft_of(1, 2, 3, learners=(1,))
    raft.step(request(2))
    assert votes_of(raft) == [(2, True)]


@pytest.mark.parametrize("priority_ticks", [0, 7])
def test_who_has_priority_ticks_waits_that_much_longer(priority_ticks: int) -> None:
    raft = raft_of(1, 1, 2, 3, settings=RaftSettings(priority_ticks=priority_ticks))
    for _ in range(9 + priority_ticks):
        raft.tick()
    assert not raft.has_ready
    raft.tick()
    assert role_of(raft) is Role.PRE_CANDIDATE


def test_a_leader_that_hears_from_no_majority_steps_down() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    group.down = {2, 3}
    group.tick(10)
    assert role_of(leader) is Role.LEADER  # They were heard in this period.
    group.tick(10)
    assert role_of(leader) is Role.FOLLOWER


def test_who_comes_back_from_isolation_disturbs_nobody() -> None:
    group = Group({1: [], 2: [], 3: []})
    group.elect(1)
    group.down = {3}
    for _ in range(50):
        group[3].tick()
    group.hosts[3].pump()  # All it says is lost.
    group.down = set()
    group.tick(3)
    assert group[1].leads
    assert group[3].leader == 1
    assert {group[member].term for member in (1, 2, 3)} == {1}


def test_a_leader_hands_over_to_who_has_everything() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    leader.propose(b"last")
    leader.transfer_leadership(3)
    assert not leader.may_propose

    group.run()

    assert group[3].leads
    assert leader.leader == 3


def test_a_hand_over_that_fails_is_given_up_after_an_election_timeout() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    group.down = {3}
    leader.transfer_leadership(3)
    group.tick(9)
    assert not leader.may_propose
    group.tick(1)
    assert leader.may_propose


def test_no_leader_is_elected_by_a_majority_of_the_new_voters_alone() -> None:
    raft = Raft(
        1,
        MemoryStorage(),
        Configuration(voters=(1, 2, 3), outgoing=(1, 4, 5)),
        hard_state=HardState(0, 0),
        committed=0,
        settings=PLAIN,
        random=lambda ticks: 0,
    )
    raft.campaign()
    raft.persisted(raft.ready().number)
    for voter in (2, 3):
        raft.step(VoteReply(1, voter, 1, granted=True))
    assert role_of(raft) is Role.CANDIDATE

    raft.step(VoteReply(1, 5, 1, granted=True))

    assert role_of(raft) is Role.LEADER
