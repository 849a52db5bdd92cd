"""A group of one: it elects itself, and commits what its disk has reported."""

from bpmnd.cluster.raft import Entry, EntryKind, HardState, Raft, Ready, Role


def voter(*, term: int = 0, last_index: int = 0, last_term: int = 0) -> Raft:
    return Raft(1, (1,), hard_state=HardState(term, 0), last_index=last_index, last_term=last_term)


def leader(*, last_index: int = 0) -> Raft:
    raft = voter(term=3, last_index=last_index, last_term=3)
    raft.tick()
    persist(raft, raft.ready())
    persist(raft, raft.ready())
    assert raft.leads
    return raft


def persist(raft: Raft, ready: Ready) -> None:
    """The disk reports what it was given."""
    last = ready.entries[-1] if ready.entries else Entry(raft.last_index, raft.last_term, EntryKind.NOOP, b"")
    raft.persisted(last.index, last.term, ready.hard_state)


def test_it_stands_for_election_in_a_new_term_with_its_own_vote() -> None:
    raft = voter(term=3)
    raft.tick()
    assert raft.ready().hard_state == HardState(4, 1)
    assert raft.role is Role.CANDIDATE


def test_it_does_not_lead_before_its_vote_is_on_disk() -> None:
    raft = voter()
    raft.tick()
    ready = raft.ready()
    raft.tick()
    assert raft.leader == 0

    persist(raft, ready)

    assert raft.leader == 1


def test_a_leader_begins_its_term_with_an_empty_entry() -> None:
    raft = voter(last_index=7, last_term=2)
    raft.tick()
    persist(raft, raft.ready())
    assert raft.ready().entries == (Entry(8, 1, EntryKind.NOOP, b""),)


def test_it_answers_nobody_before_an_entry_of_its_term_is_committed() -> None:
    raft = voter(last_index=7)
    raft.tick()
    persist(raft, raft.ready())
    ready = raft.ready()
    assert not raft.leads

    persist(raft, ready)

    assert raft.leads
    assert raft.committed == 8


def test_an_entry_is_committed_when_the_disk_has_it() -> None:
    raft = leader()
    index = raft.propose(b"frame")
    ready = raft.ready()
    assert ready.committed < index

    persist(raft, ready)

    assert raft.ready().committed == index


def test_entries_are_handed_out_once() -> None:
    raft = leader()
    raft.propose(b"frame")
    assert len(raft.ready().entries) == 1
    assert raft.ready().entries == ()


def test_a_late_report_of_the_disk_takes_nothing_back() -> None:
    raft = leader()
    first = raft.propose(b"a")
    second = raft.propose(b"b")
    raft.ready()
    raft.persisted(second, raft.term, None)
    raft.persisted(first, raft.term, None)
    assert raft.committed == second


def test_a_leader_that_stepped_down_does_not_lead() -> None:
    raft = leader()
    raft.step_down()
    assert not raft.leads
