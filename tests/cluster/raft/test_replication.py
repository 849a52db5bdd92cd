"""How entries get from a leader to its followers and to the disk, and when they are committed."""

import msgspec
import pytest

from bpmnd.cluster.raft import (
    Entry,
    EntryId,
    EntryKind,
    HardState,
    Message,
    ProgressState,
    RaftSettings,
    Snapshot,
)
from bpmnd.cluster.raft.configuration import Configuration, ConfigurationChange, Operation
from bpmnd.cluster.raft.messages import (
    AppendEntries,
    AppendReply,
    Heartbeat,
    HeartbeatReply,
    SnapshotOffer,
    TimeoutNow,
    VoteReply,
    VoteRequest,
)
from tests.cluster.raft.group import Group, entries_of, raft_of
from tests.cluster.raft.memory_storage import snapshot_of


def append(*entries: Entry, term: int, after: EntryId, committed: int = 0, sender: int = 2) -> AppendEntries:
    return AppendEntries(term, sender, 1, after.index, after.term, committed, entries)


def entry(index: int, term: int, payload: bytes = b"") -> Entry:
    return Entry(index, term, EntryKind.COMMAND, payload)


def appends_to(group: Group, member: int) -> list[AppendEntries]:
    return [m for m in group.sent if isinstance(m, AppendEntries) and m.receiver == member]


def test_an_entry_is_committed_when_a_majority_has_it_on_disk() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    index = leader.propose(b"frame")
    ready = leader.ready()
    group.hosts[1].storage.write(ready.entries)
    group[2].step(next(m for m in ready.messages if m.receiver == 2))
    reply = group[2].ready().after_append[0]
    leader.step(reply)
    assert leader.committed < index  # The own disk has not reported yet.

    leader.persisted(ready.number)

    assert leader.committed == index


def test_a_leader_sends_beside_its_own_write() -> None:
    group = Group({1: [], 2: [], 3: []})
    group.elect(1).propose(b"frame")
    ready = group[1].ready()
    assert [m.receiver for m in ready.messages if isinstance(m, AppendEntries)] == [2, 3]
    assert ready.entries


def test_a_followers_acknowledgement_waits_for_its_disk() -> None:
    raft = raft_of(1, 1, 2, 3)
    raft.step(append(entry(1, 1), term=1, after=EntryId(0, 0)))
    ready = raft.ready()
    assert ready.messages == ()
    assert ready.after_append == (AppendReply(1, 1, 2, 1),)


def test_entries_of_earlier_terms_are_committed_only_with_one_of_the_own() -> None:
    logs = {
        member: [entry(index, index, b"xx") for index in range(1, length + 1)]
        for member, length in ((1, 2), (2, 1), (3, 1))
    }
    group = Group(logs, settings=RaftSettings(message_bytes_max=1))  # One entry each.
    group[1].campaign()
    group.run()
    sent = [(m.committed, [entry.index for entry in m.entries]) for m in appends_to(group, 2)]
    assert (0, [2]) in sent
    assert {committed for committed, _ in sent} == {0, 3}


def test_a_conflicting_end_of_the_log_is_replaced() -> None:
    raft = raft_of(1, 1, 2, 3, log=entries_of(1, 1, 1, 2, 2))
    raft.step(append(entry(4, 3), term=3, after=EntryId(1, 3)))
    ready = raft.ready()
    assert ready.entries == (entry(4, 3),)  # What the disk has from index 4 on goes.
    assert (raft.last_index, raft.last_term) == (4, 3)


def test_an_old_append_does_not_shorten_the_log() -> None:
    raft = raft_of(1, 1, 2, 3, log=entries_of(1, 1, 1))
    raft.step(append(entry(2, 1), term=1, after=EntryId(1, 1)))
    assert raft.last_index == 3
    assert raft.ready().entries == ()


def test_a_follower_commits_no_further_than_what_the_leader_has_seen_to_match() -> None:
    raft = raft_of(1, 1, 2, 3, log=entries_of(1, 1, 1, 1))
    raft.step(append(entry(2, 1), term=2, after=EntryId(1, 1), committed=4))
    assert raft.committed == 2


def test_a_report_for_entries_that_were_overwritten_twice_vouches_for_nothing() -> None:
    raft = raft_of(1, 1, 2, 3)
    base = EntryId(0, 0)
    raft.step(append(entry(1, 1), term=1, after=base))
    first = raft.ready()
    raft.step(append(entry(1, 2), term=2, after=base, sender=3))
    second = raft.ready()
    raft.step(append(entry(1, 1), term=3, after=base))
    third = raft.ready()

    raft.persisted(first.number)
    assert raft.persisted_index == 0
    raft.persisted(second.number)
    assert raft.persisted_index == 0
    raft.persisted(third.number)
    assert raft.persisted_index == 1


def test_a_log_that_went_astray_is_found_in_few_steps() -> None:
    group = Group({1: entries_of(1, 1, 4, 4, 5, 5, 6), 2: entries_of(1, 1, *[2] * 40), 3: entries_of(1)})
    leader = group[1]
    leader.campaign()
    group.run()
    assert leader.leads
    assert group[2].last_index == group[3].last_index == leader.last_index
    assert len([m for m in group.sent if isinstance(m, AppendReply) and m.rejected and m.sender == 2]) <= 2


def test_an_append_holds_no_more_bytes_than_allowed_and_at_least_one_entry() -> None:
    group = Group({1: [], 2: [], 3: []}, settings=RaftSettings(message_bytes_max=10))
    leader = group.elect(1)
    group.down = {3}
    for size in (4, 4, 4, 30, 4):
        leader.propose(bytes(size))
    group.run()
    group.down = set()
    group.sent.clear()
    group.tick(2)
    sizes = [[len(entry.payload) for entry in m.entries] for m in appends_to(group, 3) if m.entries]
    assert [size for size in sizes if sum(size) > 10] in ([], [[30]])
    assert group[3].last_index == leader.last_index


def test_a_slow_follower_is_sent_no_more_than_the_window_holds() -> None:
    settings = RaftSettings(inflight_bytes_max=100)
    group = Group({1: [], 2: [], 3: []}, settings=settings)
    leader = group.elect(1)
    group.down = {3}
    group.sent.clear()
    for _ in range(50):
        leader.propose(bytes(30))
        group.run()
    assert sum(len(entry.payload) for m in appends_to(group, 3) for entry in m.entries) == 120
    assert leader.committed == leader.last_index
    group.down = set()
    group.tick(3)
    assert group[3].last_index == leader.last_index


def test_a_member_that_lags_behind_the_log_is_offered_a_snapshot_and_goes_on_from_there() -> None:
    group, snapshot = _lagging()
    offer = group.hosts[3].offered
    assert offer is not None
    assert offer.snapshot == SnapshotOffer(1, 1, 3, snapshot.index, 1, snapshot.configuration)
    assert group[1].progress()[3].state is ProgressState.SNAPSHOT

    group.hosts[3].install(snapshot)
    group.run()

    assert group[1].progress()[3].state is ProgressState.REPLICATE
    assert group[3].last_index == group[1].last_index
    assert group[3].committed == group[1].committed


def test_an_offer_that_may_be_lost_is_repeated() -> None:
    group, _ = _lagging()
    group[3].abandon_snapshot()
    group.sent.clear()
    group.tick(10)
    assert len([m for m in group.sent if isinstance(m, SnapshotOffer)]) == 1


def test_a_snapshot_that_ends_before_the_log_begins_is_not_offered() -> None:
    group, snapshot = _lagging()
    group[3].abandon_snapshot()
    group[1].report_snapshot(3, succeeded=False)
    group.hosts[1].storage.snapshot = Snapshot(snapshot.index - 1, 1, snapshot.configuration)
    group.sent.clear()
    group.tick(30)
    assert not [m for m in group.sent if isinstance(m, SnapshotOffer)]


def test_a_failed_install_is_offered_again() -> None:
    group, _ = _lagging()
    group[3].abandon_snapshot()
    group[1].report_snapshot(3, succeeded=False)
    group.sent.clear()
    group.tick(3)
    assert any(isinstance(m, SnapshotOffer) for m in group.sent)


def test_who_installs_takes_no_entries_and_does_not_campaign() -> None:
    group, _ = _lagging()
    installing = group[3]
    before = installing.last_index
    installing.step(AppendEntries(1, 1, 3, before, 1, 0, (entry(before + 1, 1),)))
    for _ in range(50):
        installing.tick()
    assert installing.last_index == before
    assert not [m for m in installing.ready().messages if isinstance(m, VoteRequest)]


def test_a_report_for_the_log_before_an_install_vouches_for_nothing() -> None:
    group = Group({1: [], 2: [], 3: []})
    raft, storage = group[1], group.hosts[1].storage
    raft.step(append(entry(1, 1), term=1, after=EntryId(0, 0)))
    before = raft.ready()
    raft.step(SnapshotOffer(1, 2, 1, 20, 1, Configuration((1, 2, 3))))
    storage.install(20, 1)
    raft.installed(20, 1, Configuration((1, 2, 3)))
    raft.persisted(before.number)
    assert (raft.persisted_index, raft.last_index, raft.committed) == (20, 20, 20)


def _lagging() -> tuple[Group, Snapshot]:
    """Member 3 slept while the leader's log was cut."""
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    group.down = {3}
    for _ in range(5):
        leader.propose(b"x")
    group.run()
    storage = group.hosts[1].storage
    storage.snapshot = snapshot_of(storage, leader.committed, leader.configuration)
    storage.compact(leader.committed)
    leader.propose(b"later")
    group.run()
    group.down = set()
    group.tick(2)
    return group, storage.snapshot


def test_commits_may_travel_with_what_is_sent_anyway() -> None:
    group = Group({1: [], 2: [], 3: []}, settings=RaftSettings(announce_commits=False))
    leader = group.elect(1)
    group.sent.clear()
    index = leader.propose(b"frame")
    group.run()
    assert len(appends_to(group, 2)) == 1
    assert leader.committed == index
    assert group[2].committed < index
    group.tick()
    assert group[2].committed == index


def test_who_was_sent_entries_is_sent_no_heartbeat_beside_them() -> None:
    group = Group({1: [], 2: [], 3: []}, settings=RaftSettings(appends_are_heartbeats=True))
    leader = group.elect(1)
    group.tick()
    leader.propose(b"frame")
    group.run()
    group.sent.clear()
    group.tick()
    assert not [message for message in group.sent if isinstance(message, Heartbeat)]
    group.tick()
    assert {message.receiver for message in group.sent if isinstance(message, Heartbeat)} == {2, 3}


def test_nothing_is_proposed_beyond_the_bound_for_uncommitted_bytes() -> None:
    group = Group({1: [], 2: [], 3: []}, settings=RaftSettings(uncommitted_bytes_max=100))
    leader = group.elect(1)
    leader.propose(bytes(100))
    assert not leader.may_propose
    group.run()
    assert leader.may_propose
    assert leader.uncommitted_bytes == 0


def test_who_trails_is_sent_entries_only_when_that_is_asked_for() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    leader.let_trail({3})
    group.sent.clear()
    for _ in range(3):
        leader.propose(b"frame")
        group.run()
    assert sum(len(append.entries) for append in appends_to(group, 2)) == 3
    assert not any(append.entries for append in appends_to(group, 3))
    assert leader.committed == leader.last_index

    leader.send_to_trailing()
    group.run()

    (sent,) = (append for append in appends_to(group, 3) if append.entries)
    assert len(sent.entries) == 3
    assert group[3].last_index == leader.last_index


def test_who_trails_no_more_is_sent_at_once_what_it_lacks() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    leader.let_trail({3})
    leader.propose(b"frame")
    group.run()

    leader.let_trail(set())
    group.run()

    assert group[3].last_index == leader.last_index


def test_who_trails_and_lacks_more_than_one_message_holds_is_sent_all_of_it() -> None:
    group = Group({1: [], 2: [], 3: []}, settings=RaftSettings(message_bytes_max=10))
    leader = group.elect(1)
    leader.let_trail({3})
    for _ in range(5):
        leader.propose(b"a large frame")
        group.run()

    leader.send_to_trailing()
    group.run()

    assert group[3].last_index == leader.last_index


def test_a_change_of_the_configuration_goes_at_once_to_who_trails() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    leader.let_trail({3})

    leader.propose_change(ConfigurationChange(operations=((Operation.ADD_LEARNER, 4),)))
    group.run()

    assert group[3].last_index == leader.last_index


def test_leadership_goes_to_who_trails_when_it_has_everything() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    leader.let_trail({3})
    leader.propose(b"frame")
    group.run()

    leader.transfer_leadership(3)
    group.run()

    assert group[3].leads


def test_when_those_who_do_not_trail_are_gone_heartbeats_get_things_going_again() -> None:
    group = Group({1: [], 2: [], 3: []})
    leader = group.elect(1)
    leader.let_trail({3})
    group.down.add(2)
    leader.propose(b"frame")
    group.run()
    assert leader.committed < leader.last_index

    leader.tick()
    group.run()

    assert leader.committed == leader.last_index


@pytest.mark.parametrize(
    "message",
    [
        VoteRequest(1, 2**63 - 1, 3, 4, 5, True, True),
        VoteReply(1, 2, 3, True, True, 4, 5),
        AppendEntries(1, 2, 3, 4, 5, 6, (Entry(5, 1, EntryKind.CONFIGURATION, b"\x00"),)),
        AppendReply(1, 2, 3, 4, True, 5, 6, True),
        Heartbeat(1, 2, 3, 4, 5),
        HeartbeatReply(1, 2, 3, 4, True),
        SnapshotOffer(1, 2, 3, 4, 5, Configuration((1,), (2,), (3,), (2,), True)),
        TimeoutNow(1, 2, 3),
    ],
)
def test_a_message_comes_through_the_wire_as_it_was(message: Message) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=Message) == message


def test_a_follower_of_a_later_term_keeps_term_and_vote_in_one_write() -> None:
    raft = raft_of(1, 1, 2, 3, term=3)
    raft.step(append(entry(1, 7), term=7, after=EntryId(0, 0)))
    ready = raft.ready()
    assert ready.hard_state == HardState(7, 0)
    assert ready.entries == (entry(1, 7),)
