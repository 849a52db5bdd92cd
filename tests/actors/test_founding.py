"""How a cluster begins, whoever comes first."""

from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from bpmnd.actors.founding import Founding, Introduction, Plans
from bpmnd.actors.identity import Identity
from bpmnd.cluster.membership import ClusterState
from bpmnd.storage.memory_disk import MemoryDisk
from tests.actors.stage import Seeded

NODES = {1: "127.0.0.1:9001", 2: "127.0.0.1:9002", 3: "127.0.0.1:9003"}


def plans(node: int, *, partitions: int = 3, nodes: dict[int, str] | None = None) -> Plans:
    return Plans(f"host-{node}", NODES[node], partitions, 3, NODES if nodes is None else nodes)


def founding(node: int, own: Plans | None = None) -> Founding:
    identity = Identity.open(MemoryDisk(), Path("/data"), node, Seeded(node))
    return Founding(identity, own or plans(node), Seeded(10 + node))


def arrive(at: Founding, node: int, cluster: str = "") -> None:
    at.arrived(node, 100 + node, cluster, plans(node).introduction())


@pytest.mark.parametrize("order", list(permutations((2, 3))))
def test_the_first_node_founds_when_all_others_have_come_in_any_order(order: tuple[int, ...]) -> None:
    first = founding(1)
    for node in order:
        assert first.found() is None
        arrive(first, node)

    state = first.found()

    assert isinstance(state, ClusterState)
    assert [(one.node, one.host, one.peer_address) for one in state.members] == [
        (node, f"host-{node}", NODES[node]) for node in (1, 2, 3)
    ]
    assert [one.incarnation for one in state.members[1:]] == [102, 103]
    assert (len(state.partitions), state.replication, state.version) == (3, 3, 1)


@pytest.mark.parametrize("node", [2, 3])
def test_no_other_node_founds(node: int) -> None:
    other = founding(node)
    for one in {1, 2, 3} - {node}:
        arrive(other, one)

    assert other.found() is None


def test_whoever_has_left_again_is_waited_for() -> None:
    first = founding(1)
    arrive(first, 2)
    arrive(first, 3)
    first.left(2)

    assert first.found() is None


def test_a_node_that_came_back_is_a_member_as_it_is_now() -> None:
    first = founding(1)
    arrive(first, 2)
    arrive(first, 3)
    first.arrived(2, 999, "", plans(2).introduction())

    state = first.found()

    assert state is not None
    assert [one.incarnation for one in state.members if one.node == 2] == [999]


def test_a_member_of_a_cluster_stops_the_founding_of_another() -> None:
    first = founding(1)
    arrive(first, 2)
    arrive(first, 3, cluster="old")
    assert first.found() is None

    first.left(3)
    arrive(first, 3)
    assert first.found() is not None


def test_a_single_node_founds_at_once() -> None:
    alone = founding(1, Plans("here", "", 2, 1, {}))

    state = alone.found()

    assert state is not None
    assert len(state.members) == 1


def test_a_node_that_joins_founds_nothing() -> None:
    joins = founding(3, Plans("here", NODES[3], 1, 1, {}, {1: NODES[1]}))

    assert joins.found() is None


def test_two_foundings_are_two_clusters() -> None:
    ids = set[str]()
    for seed in range(10):
        identity = Identity.open(MemoryDisk(), Path("/data"), 1, Seeded(1))
        state = Founding(identity, Plans("here", "", 1, 1, {}), Seeded(seed)).found()
        assert state is not None
        ids.add(state.cluster_id)

    assert len(ids) == 10


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"partitions": 4}, "partitions differ: 4 there, 3 here"),
        ({"replication": 2}, "replication differ: 2 there, 3 here"),
        ({"nodes": (1, 2)}, "nodes differ"),
    ],
)
def test_who_has_other_plans_is_told_which(changed: dict[str, object], reason: str) -> None:
    other = msgspec.structs.replace(plans(2).introduction(), **changed)

    assert reason in (founding(1).disagreement(2, other) or "")


def test_who_is_not_named_is_told_so() -> None:
    refusal = founding(1).disagreement(9, plans(2).introduction())

    assert refusal is not None
    assert "node 9 is not among" in refusal


def test_who_has_the_same_plans_is_welcome() -> None:
    assert founding(1).disagreement(2, plans(2).introduction()) is None


def test_an_introduction_is_read_as_it_was_written() -> None:
    introduction = plans(2).introduction()

    assert Introduction.from_bytes(introduction.to_bytes()) == introduction
