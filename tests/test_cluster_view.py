"""The cluster as clients are told of it."""

from bpmnd.actors.peer_messages import NodeStatus, ReplicaStatus
from bpmnd.cluster_view import leaders_in


def status(*replicas: tuple[int, int, bool]) -> NodeStatus:
    """Replicas as (partition, term, leads)."""
    told = tuple(ReplicaStatus(partition, term, leads, True) for partition, term, leads in replicas)
    return NodeStatus(0, 1, "127.0.0.1", 8080, "0.1.0", told)


def test_of_two_nodes_that_say_that_they_lead_the_one_of_the_later_term_does() -> None:
    cut_off, elected = status((1, 3, True), (2, 5, True)), status((1, 4, True), (2, 5, False))
    assert leaders_in({1: cut_off, 2: elected}) == {1: 2, 2: 1}
    assert leaders_in({2: elected, 1: cut_off}) == {1: 2, 2: 1}


def test_a_partition_of_which_nobody_says_that_it_leads_has_no_leader() -> None:
    assert leaders_in({1: status((1, 3, False))}) == {}
