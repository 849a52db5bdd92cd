"""What a node does whose configuration says otherwise than the cluster it belongs to."""

import logging
from pathlib import Path

import pytest

from bpmnd.actors.identity import Identity
from bpmnd.cluster.membership import ClusterState, Member, found
from bpmnd.cluster.operations import AddPartitions, GroupReport, advanced, decide
from bpmnd.config import ClusterConfig, Config, ConfigError
from bpmnd.server import check_founding, check_member
from bpmnd.storage.memory_disk import MemoryDisk
from tests.actors.stage import Seeded


def cluster(nodes: int) -> ClusterState:
    members = [Member(node, 1, f"host-{node}", "") for node in range(1, nodes + 1)]
    return found("c1", members, partitions=2, replication=1)


def grown(state: ClusterState) -> ClusterState:
    """With a partition more."""
    begun = decide(state, AddPartitions(1))
    assert isinstance(begun, ClusterState)
    while begun.operation is not None:
        reports = {
            plan.group: GroupReport(begun.goal(plan), is_settled=True, taken=begun.moves)
            for plan in begun.plans
        }
        following = advanced(begun, reports)
        assert following is not None
        begun = following
    return begun


def wanting(*, partitions: int = 0, replication: int = 0) -> Config:
    return Config(cluster=ClusterConfig(partitions=partitions, replication=replication))


@pytest.mark.parametrize(
    ("config", "operation"),
    [(wanting(partitions=3), "add-partitions"), (wanting(replication=2), "set-replication")],
)
def test_a_single_node_that_was_never_changed_refuses_and_names_the_operation(
    config: Config, operation: str
) -> None:
    with pytest.raises(ConfigError, match=operation):
        check_founding(config, cluster(1))


def test_a_node_that_may_have_missed_an_operation_starts_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check_founding(wanting(partitions=3), cluster(3))

    assert "the cluster has 2 for partitions" in caplog.text


def test_a_removed_node_does_not_start_again() -> None:
    identity = Identity.open(MemoryDisk(), Path("/data"), 9, Seeded(1))

    with pytest.raises(ConfigError, match="no member of cluster c1 any more"):
        check_member(identity, cluster(3))


def test_a_node_starts_with_the_configuration_from_before_an_operation() -> None:
    check_founding(wanting(partitions=2), grown(cluster(1)))


@pytest.mark.parametrize("config", [wanting(), wanting(partitions=2, replication=1)])
def test_what_is_as_it_was_or_left_out_says_nothing(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    check_founding(config, cluster(1))

    assert caplog.text == ""
