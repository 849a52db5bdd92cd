import pytest

from bpmnd.cli.cluster import show_under_way
from tests.cli.commands import Commands, Said

pytestmark = pytest.mark.end_to_end


def cluster(bpmnd: Commands, *arguments: str) -> Said:
    return bpmnd("cluster", "--monitoring", bpmnd.node.monitoring, *arguments)


def test_members_and_groups_are_listed(bpmnd: Commands) -> None:
    said = cluster(bpmnd)

    assert said.status == 0
    assert "node 0 on " in said.out
    controller, partition = [line.split() for line in said.out.splitlines()[-2:]]
    assert controller == ["controller", "0", "0", "there"]
    assert partition[:1] == ["1"]


def test_an_operation_can_be_waited_for(bpmnd: Commands) -> None:
    said = cluster(bpmnd, "--by", "ann", "--wait", "add-partitions", "1")

    assert said.status == 0
    assert "add-partitions, has begun" in said.out
    assert said.out.splitlines()[-1].split() == ["2", "0", "0", "there"]
    report = cluster(bpmnd, "--json").json()
    assert len(report["groups"]) == 3
    assert report["finished"][-1]["by"] == "ann"
    assert report["slots"] == {"owned": {"1": 8192, "2": 8192}}


def test_a_refused_operation_fails_with_its_reason(bpmnd: Commands) -> None:
    said = cluster(bpmnd, "set-replication", "3")

    assert said.status == 1
    assert "replication 3 of 1 nodes" in said.err


def test_a_node_that_has_not_come_is_not_added(bpmnd: Commands) -> None:
    said = cluster(bpmnd, "add-node", "7")

    assert said.status == 1
    assert "has not introduced itself" in said.err


def test_status_shows_what_is_under_way(bpmnd: Commands) -> None:
    said = bpmnd.ask("status", "--monitoring", bpmnd.node.monitoring, "--json")

    assert said.json()["operation"] is None
    assert said.json()["installing"] == []


def test_the_node_starts_again_with_the_partitions_that_were_added(bpmnd: Commands) -> None:
    before = len(cluster(bpmnd, "--json").json()["groups"])

    bpmnd.node.restart()

    assert len(cluster(bpmnd, "--json").json()["groups"]) == before


def test_slots_on_their_way_are_shown_with_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    moving = {"number": 2, "from": 1, "to": 3, "slots": 2048}
    show_under_way({"operation": None, "slots": {"owned": {"1": 16_384}, "moving": moving, "left": 6144}})
    said = capsys.readouterr().out
    assert "2048 correlation slots are on their way from partition 1 to 3, 6144 have yet to come" in said
