"""Groups under loss, delay, reordering, duplication, crashes, damage and changes of the members.

One leader per term, which has all that is committed; what is committed is on the disks of a majority, the
same everywhere and for good; reads see all that was committed before; and when faults end, the group goes on.
"""

from collections import Counter
from collections.abc import Mapping

import pytest

from bpmnd.cluster.raft import EntryId
from bpmnd.cluster.raft.leadership import Leadership
from bpmnd.cluster.raft.messages import Heartbeat
from bpmnd.cluster.raft.quorum import Election, agreed, election
from bpmnd.cluster.raft.replica import Replica
from tests.cluster.raft.fuzz_group import FuzzGroup
from tests.cluster.raft.fuzz_member import Planted

STEPS = 1500
HUNTED_SEEDS = 300
FAULTS = (
    "blink",
    "crash",
    "damage",
    "duplicate",
    "failed fetch",
    "install",
    "joint change",
    "loss",
    "partition",
)


def run(seed: int, planted: Planted | None = None, *, damaged_max: int = 1) -> FuzzGroup:
    group = FuzzGroup(seed, planted, damaged_max=damaged_max)
    try:
        group.run(STEPS)
        group.settle()
    except AssertionError as error:
        error.add_note(f"seed {seed}")
        raise
    return group


def test_a_group_keeps_its_promises_whatever_happens() -> None:
    counts = Counter[str]()
    for seed in range(400):
        counts.update(run(seed).counts)
    print(dict(counts))
    assert all(counts[fault] > 20 for fault in FAULTS), counts
    assert counts["leader"] > 1000, counts


def test_a_group_with_damage_everywhere_may_stall_but_loses_nothing() -> None:
    stalled = sum(run(seed, damaged_max=5).counts.get("stalled by damage", 0) for seed in range(100))
    assert stalled < 100, "nothing ever went on"


def hunted(planted: Planted | None = None) -> bool:
    """Whether some seed shows that something is wrong."""
    for seed in range(HUNTED_SEEDS):
        try:
            run(seed, planted)
        except AssertionError as error:
            print(seed, error)
            return True
    return False


@pytest.mark.parametrize("planted", Planted)
def test_a_host_that_breaks_a_promise_is_found_out(planted: Planted) -> None:
    assert hunted(planted)


def test_a_commit_that_does_not_ask_the_outgoing_voters_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_voters(voters: list[int], outgoing: list[int]) -> int:
        return agreed(voters)

    monkeypatch.setattr("bpmnd.cluster.raft.leadership.jointly_agreed", only_voters)
    assert hunted()


def test_an_election_by_one_vote_less_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def easily(voters: tuple[int, ...], outgoing: tuple[int, ...], votes: Mapping[int, bool]) -> Election:
        return Election.WON if any(votes.values()) else election(voters, votes)

    monkeypatch.setattr("bpmnd.cluster.raft.candidacy.joint_election", easily)
    assert hunted()


def test_a_vote_that_forgets_the_claim_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def carelessly(replica: Replica, candidate: EntryId) -> bool:
        return candidate >= replica.log.last

    monkeypatch.setattr(Replica, "accepts", carelessly)
    assert hunted()


def test_a_read_that_is_answered_before_the_first_commit_of_the_term_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Leadership, "has_committed", True)
    assert hunted()


def test_a_member_that_takes_an_older_log_for_newer_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def backwards(replica: Replica, candidate: EntryId) -> bool:
        return candidate.index >= replica.log.last_index

    monkeypatch.setattr(Replica, "accepts", backwards)
    assert hunted()


def test_a_heartbeat_that_commits_beyond_what_is_known_to_match_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trustingly(replica: Replica, message: Heartbeat) -> None:
        replica.log.committed = replica.log.last_index

    monkeypatch.setattr(Replica, "on_heartbeat", trustingly)
    assert hunted()


def test_a_leader_that_need_not_hear_of_its_own_disk_when_it_does_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Leadership, "waits_for_own_disk", False)
    assert hunted()
