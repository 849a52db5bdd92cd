import pytest

from tests.cli.commands import Commands

pytestmark = pytest.mark.end_to_end


def test_partitions_and_their_counts_are_a_table(bpmnd: Commands) -> None:
    bpmnd.deploy("counted")
    bpmnd.start("counted")

    said = bpmnd.ask("status", "--monitoring", bpmnd.node.monitoring)

    assert said.status == 0
    node, heading, row = said.out.splitlines()
    assert node.startswith("node 0 at 127.0.0.1:")
    assert heading.split()[:6] == ["PARTITION", "ROLE", "HEALTH", "INSTANCES", "STARTED", "ENDED"]
    assert row.split()[:6] == ["1", "leader", "healthy", "1", "1", "0"]


def test_json_has_the_topology_with_the_counts(bpmnd: Commands) -> None:
    said = bpmnd.ask("status", "--monitoring", bpmnd.node.monitoring, "--json")

    (partition,) = said.json()["brokers"][0]["partitions"]
    assert partition["health"] == "healthy"
    assert partition["logEntries"] > 0


def test_without_monitoring_there_are_no_counts(bpmnd: Commands) -> None:
    said = bpmnd.ask("status", "--monitoring", "127.0.0.1:9")

    assert said.status == 0
    assert said.out.splitlines()[2].split()[:4] == ["1", "leader", "healthy", "-"]
    assert "no counts" in said.err


def test_without_a_node_it_fails(bpmnd: Commands) -> None:
    assert bpmnd("status", "--address", "127.0.0.1:9").status == 1
