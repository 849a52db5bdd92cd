"""A group of one: it elects itself, and commits what its disk has reported."""

from bpmnd.cluster.raft import Configuration, Entry, EntryKind, HardState, Raft, Ready, Role
from tests.cluster.raft.memory_storage import MemoryStorage


class Voter:
    """One member and its disk."""

    def __init__(self, *, term: int = 0, last_index: int = 0, last_term: int = 0) -> None:
        self.storage = MemoryStorage(base_index=last_index, base_term=last_term)
        self.raft = Raft(
            1,
            self.storage,
            Configuration(voters=(1,)),
            hard_state=HardState(term, 0),
            committed=last_index,
            random=lambda ticks: ticks - 1,
        )

    def persist(self, ready: Ready) -> None:
        """The disk reports what it was given."""
        self.storage.write(ready.entries)
        self.raft.persisted(ready.number)


def leader(*, last_index: int = 0) -> Voter:
    voter = Voter(term=3, last_index=last_index, last_term=3)
    voter.raft.tick()
    voter.persist(voter.raft.ready())
    voter.persist(voter.raft.ready())
    assert voter.raft.leads
    return voter


def test_it_stands_for_election_at_the_first_tick_in_a_new_term_with_its_own_vote() -> None:
    voter = Voter(term=3)
    voter.raft.tick()
    assert voter.raft.ready().hard_state == HardState(4, 1)
    assert voter.raft.role is Role.CANDIDATE


def test_it_does_not_lead_before_its_vote_is_on_disk() -> None:
    voter = Voter()
    voter.raft.tick()
    ready = voter.raft.ready()
    voter.raft.tick()
    assert voter.raft.leader == 0

    voter.persist(ready)

    assert voter.raft.leader == 1


def test_a_leader_begins_its_term_with_an_empty_entry() -> None:
    voter = Voter(last_index=7, last_term=2)
    voter.raft.tick()
    voter.persist(voter.raft.ready())
    assert voter.raft.ready().entries == (Entry(8, 1, EntryKind.NOOP, b""),)


def test_it_answers_nobody_before_an_entry_of_its_term_is_committed() -> None:
    voter = Voter(last_index=7)
    voter.raft.tick()
    voter.persist(voter.raft.ready())
    ready = voter.raft.ready()
    assert not voter.raft.leads

    voter.persist(ready)

    assert voter.raft.leads
    assert voter.raft.committed == 8


def test_an_entry_is_committed_when_the_disk_has_it() -> None:
    voter = leader()
    index = voter.raft.propose(b"frame")
    ready = voter.raft.ready()
    assert ready.committed < index

    voter.persist(ready)

    assert voter.raft.ready().committed == index


def test_entries_are_handed_out_once() -> None:
    voter = leader()
    voter.raft.propose(b"frame")
    assert len(voter.raft.ready().entries) == 1
    assert voter.raft.ready().entries == ()


def test_a_report_of_the_disk_vouches_for_the_writes_before_it() -> None:
    voter = leader()
    voter.raft.propose(b"a")
    first = voter.raft.ready()
    second = voter.raft.propose(b"b")
    voter.storage.write(first.entries)

    voter.persist(voter.raft.ready())

    assert voter.raft.committed == second


def test_a_late_report_of_the_disk_takes_nothing_back() -> None:
    voter = leader()
    voter.raft.propose(b"a")
    first = voter.raft.ready()
    second = voter.raft.propose(b"b")
    voter.storage.write(first.entries)
    voter.persist(voter.raft.ready())
    voter.raft.persisted(first.number)
    assert voter.raft.committed == second


def test_a_leader_that_stepped_down_does_not_lead() -> None:
    voter = leader()
    voter.raft.step_down()
    assert not voter.raft.leads


def test_a_read_waits_for_the_first_commit_of_the_term_and_then_for_nobody() -> None:
    voter = Voter(last_index=7)
    voter.raft.tick()
    voter.persist(voter.raft.ready())
    assert voter.raft.read_index(42)
    ready = voter.raft.ready()
    assert ready.reads == ()

    voter.persist(ready)

    assert voter.raft.ready().reads == ((42, 8),)
