"""What Prometheus and `bpmnd cluster` see of a node's part in the cluster."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bpmnd.actors.peer_messages import InstallManifest
from bpmnd.cluster.operations import RemoveNode
from bpmnd.cluster_operations import NotUnderstood, cluster_report, wanted_of
from bpmnd.metrics import NodeMetrics
from tests.actors.cluster_stage import ClusterStage
from tests.actors.test_installs import RULES, behind
from tests.bpmn.playground import ONE_TASK


@pytest.fixture
async def stage() -> AsyncIterator[ClusterStage]:
    made = ClusterStage()
    made.deploy(ONE_TASK)
    made.create()
    yield made
    made.stop()


def metrics(stage: ClusterStage, number: int) -> dict[tuple[str, str], float]:
    """(name, role or partition) -> value."""
    registry = CollectorRegistry()
    NodeMetrics(registry).watch(stage.nodes[number], {})
    return {
        (sample.name, sample.labels.get("role", sample.labels.get("partition", ""))): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


async def test_a_leader_and_a_follower_are_told_apart(stage: ClusterStage) -> None:
    leader, follower = stage.leader(), stage.followers()[0]

    assert metrics(stage, leader)["bpmnd_replica_role", "leader"] == 1
    assert metrics(stage, leader)["bpmnd_replica_role", "follower"] == 0
    assert metrics(stage, follower)["bpmnd_replica_role", "follower"] == 1


async def test_term_commit_and_lag_are_those_of_the_replica(stage: ClusterStage) -> None:
    stage.same_everywhere()
    seen = metrics(stage, stage.followers()[0])

    assert seen["bpmnd_replica_term", "1"] == stage.actor(stage.leader()).term
    assert seen["bpmnd_replica_commit_index", "1"] == stage.actor(stage.leader()).committed
    assert seen["bpmnd_replica_applied_lag_entries", "1"] == 0
    assert seen["bpmnd_peers_connected", ""] == 2


async def test_a_replica_that_fetches_a_copy_says_so() -> None:
    stage = behind(RULES)
    stage.hub.loses = lambda source, target, message: isinstance(message, InstallManifest)
    stage.join(2)
    stage.until(lambda: 1 in stage.nodes[2].hosted and stage.hosted(2).actor is not None)
    stage.until(lambda: stage.actor(2).mending.progress is not None)
    stage.pass_time(0.6)

    assert metrics(stage, 2)["bpmnd_replica_installing", "1"] == 1
    assert cluster_report(stage.nodes[1])["installing"] == [
        {"nodeId": 2, "partitionId": 1, "progress": "asking for a checkpoint"}
    ]
    stage.stop()


async def test_a_healthy_replica_is_neither_damaged_nor_fetching(stage: ClusterStage) -> None:
    seen = metrics(stage, 1)

    assert seen["bpmnd_replica_damaged", "1"] == seen["bpmnd_replica_installing", "1"] == 0


async def test_the_report_names_the_operation_and_who_leaves() -> None:
    stage = ClusterStage(4)

    stage.begin(RemoveNode(4))
    stage.run()
    shown = cluster_report(stage.nodes[stage.controller()])

    assert (shown["operation"]["kind"], shown["operation"]["node"]) == ("remove-node", 4)
    assert shown["leaving"] == [4]
    assert shown["controllerLeader"] == stage.controller()
    stage.stop()


async def test_where_all_is_reached_every_group_says_so(stage: ClusterStage) -> None:
    stage.pass_time(2)

    for number in stage.nodes:
        groups = cluster_report(stage.nodes[number])["groups"]
        assert [group["reached"] for group in groups] == [True, True]
        assert [group["members"] for group in groups] == [[1, 2, 3], [1, 2, 3]]


async def test_a_node_that_nobody_has_seen_cannot_be_added(stage: ClusterStage) -> None:
    with pytest.raises(NotUnderstood, match="has not introduced itself"):
        wanted_of(b'{"operation": "add-node", "node": 9}', stage.nodes[1].control)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"operation": "explode"}', b'{"operation": "remove-node"}'])
async def test_nonsense_is_not_understood(stage: ClusterStage, body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        wanted_of(body, stage.nodes[1].control)
