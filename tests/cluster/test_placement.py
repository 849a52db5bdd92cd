"""Which nodes hold which partition: rules of `place`, for any members."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bpmnd.cluster.membership import Member, place

Placed = dict[int, tuple[int, ...]]


def member(node: int, host: str) -> Member:
    return Member(node, 7, host, f"127.0.0.1:{node}")


@st.composite
def clusters(draw: st.DrawFn) -> list[Member]:
    hosts = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=8))
    return [member(node, host) for node, host in enumerate(hosts, 1)]


PARTITIONS = st.integers(1, 12)
REPLICATION = st.integers(1, 5)


def hosts_of(members: Sequence[Member]) -> dict[int, str]:
    return {one.node: one.host for one in members}


@given(clusters(), PARTITIONS, REPLICATION)
def test_every_partition_has_as_many_replicas_as_wanted_and_possible(
    members: list[Member], partitions: int, replication: int
) -> None:
    placed = place({}, members, range(1, partitions + 1), replication)

    for nodes in placed.values():
        assert len(nodes) == len(set(nodes)) == min(replication, len(members))


@given(clusters(), PARTITIONS, REPLICATION)
def test_replicas_of_a_partition_stand_on_as_many_hosts_as_possible(
    members: list[Member], partitions: int, replication: int
) -> None:
    hosts = hosts_of(members)

    placed = place({}, members, range(1, partitions + 1), replication)

    for nodes in placed.values():
        assert len({hosts[node] for node in nodes}) == min(len(set(hosts.values())), len(nodes))


@given(clusters(), clusters(), PARTITIONS, REPLICATION)
def test_also_after_a_change_of_members_no_host_has_two_replicas_needlessly(
    before: list[Member], after: list[Member], partitions: int, replication: int
) -> None:
    groups, hosts = range(1, partitions + 1), hosts_of(after)
    kept = place({}, before, groups, replication)

    placed = place(kept, after, groups, replication)

    for nodes in placed.values():
        assert len({hosts[node] for node in nodes}) == min(len(set(hosts.values())), len(nodes))


@given(st.integers(1, 8), PARTITIONS, REPLICATION)
def test_with_a_host_for_each_no_node_has_two_replicas_more_than_another(
    nodes: int, partitions: int, replication: int
) -> None:
    members = [member(node, f"host-{node}") for node in range(1, nodes + 1)]

    placed = place({}, members, range(1, partitions + 1), replication)

    load = Counter(node for replicas in placed.values() for node in replicas)
    counts = [load[one.node] for one in members]
    assert max(counts) - min(counts) <= 1


@given(st.integers(1, 8), PARTITIONS, REPLICATION)
def test_all_on_one_host_are_as_even(nodes: int, partitions: int, replication: int) -> None:
    members = [member(node, "the only one") for node in range(1, nodes + 1)]

    placed = place({}, members, range(1, partitions + 1), replication)

    load = Counter(node for replicas in placed.values() for node in replicas)
    counts = [load[one.node] for one in members]
    assert max(counts) - min(counts) <= 1


@given(st.integers(1, 6), st.integers(1, 4))
def test_where_all_have_all_leaders_are_even(nodes: int, rounds: int) -> None:
    members = [member(node, f"host-{node}") for node in range(1, nodes + 1)]

    placed = place({}, members, range(1, nodes * rounds + 1), nodes)

    assert set(Counter(replicas[0] for replicas in placed.values()).values()) == {rounds}


@given(clusters(), PARTITIONS, REPLICATION)
def test_who_is_well_placed_stays(members: list[Member], partitions: int, replication: int) -> None:
    groups = range(1, partitions + 1)
    placed = place({}, members, groups, replication)

    assert place(placed, members, groups, replication) == placed


@given(st.integers(2, 8), PARTITIONS, REPLICATION)
def test_a_new_node_takes_its_share_and_no_replica_moves_between_the_others(
    nodes: int, partitions: int, replication: int
) -> None:
    groups = range(1, partitions + 1)
    members = [member(node, f"host-{node}") for node in range(1, nodes + 1)]
    before = place({}, members, groups, replication)

    after = place(before, [*members, member(99, "host-99")], groups, replication)

    for group in groups:
        assert set(after[group]) - set(before[group]) <= {99}


@given(st.integers(2, 8), PARTITIONS, REPLICATION)
def test_of_a_node_that_leaves_only_its_own_replicas_move(
    nodes: int, partitions: int, replication: int
) -> None:
    groups = range(1, partitions + 1)
    members = [member(node, f"host-{node}") for node in range(1, nodes + 1)]
    before = place({}, members, groups, replication)

    after = place(before, members[1:], groups, replication)

    moved = sum(len(set(before[group]) - set(after[group]) - {1}) for group in groups)
    load = Counter(node for replicas in after.values() for node in replicas)
    counts = [load[one.node] for one in members[1:]]
    assert max(counts) - min(counts) <= 1
    assert moved <= partitions
