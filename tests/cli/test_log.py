import shutil
import urllib.request
from pathlib import Path

import pytest

from bpmnd.storage.batch import PAGE
from tests.cli.commands import Commands
from tests.nodes import RunningNode

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the data goes of the node when it is killed, once for all tests."""
    return tmp_path_factory.mktemp("left") / "data"


@pytest.fixture
def stopped(bpmnd: Commands, left: Path) -> Path:
    """A copy of the data of a node that was killed."""
    if not left.exists():
        bpmnd.deploy("copied")
        bpmnd.start("copied")
        bpmnd.node.kill()
        shutil.copytree(bpmnd.node.directory, left)
        bpmnd.node.restart()
    return shutil.copytree(left, bpmnd.directory / "copy")


def test_a_whole_log_is_good_also_while_the_node_runs(bpmnd: Commands, stopped: Path) -> None:
    for directory in (stopped, bpmnd.node.directory):
        said = bpmnd("log", "verify", str(directory))
        assert said.status == 0
        assert said.out.startswith("partition 1: good: ")


def test_the_first_damage_is_named_with_segment_entry_and_offset(bpmnd: Commands, stopped: Path) -> None:
    segment = stopped / "partitions/1/log/0000000001.log"
    data = bytearray(segment.read_bytes())
    data[PAGE + 200] ^= 1  # In the second batch, which is the first command: the deployment.
    segment.write_bytes(data)

    said = bpmnd("log", "verify", str(stopped))
    report = bpmnd("log", "verify", str(stopped), "--json")

    assert (said.status, report.status) == (1, 1)
    assert "DAMAGED (body)" in said.out
    damage = report.json()["damage"]
    assert (damage["segment"], damage["entry"]) == (str(segment), 2)
    assert f"{segment}, entry 2, offset {damage['offset']}" in said.out
    assert PAGE <= damage["offset"] <= PAGE + 200
    assert report.json()["lastEntry"] == 1


def test_an_export_of_a_damaged_log_ends_where_the_damage_is(bpmnd: Commands, stopped: Path) -> None:
    segment = stopped / "partitions/1/log/0000000001.log"
    data = bytearray(segment.read_bytes())
    data[PAGE + 200] ^= 1
    segment.write_bytes(data)

    said = bpmnd("log", "export", str(stopped))

    assert said.status == 1
    assert "0000000001.log" in said.err


def test_an_export_begins_with_the_deployment_and_has_all_events_in_order(
    bpmnd: Commands, stopped: Path
) -> None:
    records = bpmnd("log", "export", str(stopped)).lines()

    names = [f"{record['valueType']} {record['intent']}" for record in records]
    assert names[:2] == ["PROCESS CREATED", "DEPLOYMENT CREATED"]
    assert "PROCESS_INSTANCE_CREATION CREATED" in names
    positions = [record["position"] for record in records]
    assert positions == sorted(positions)
    assert {record["partitionId"] for record in records} == {1}
    assert {len(record["hash"]) for record in records} == {64}


def test_the_export_of_a_running_node_has_what_was_answered(bpmnd: Commands) -> None:
    bpmnd.deploy("seen")
    keys = [bpmnd.start("seen") for _ in range(5)]

    records = bpmnd("log", "export", str(bpmnd.node.directory)).lines()

    created = [record["key"] for record in records if record["valueType"] == "PROCESS_INSTANCE_CREATION"]
    assert created[-5:] == [str(key) for key in keys]


def test_an_instance_can_be_exported_alone(bpmnd: Commands) -> None:
    bpmnd.deploy("alone")
    key, other = bpmnd.start("alone"), bpmnd.start("alone")

    said = bpmnd("log", "export", str(bpmnd.node.directory), "--instance", str(key))

    assert str(other) not in said.out
    elements = [record["value"].get("elementId") for record in said.lines()]
    assert elements == [None, "alone", "start", "start", "to-task", "task", "task"]


def test_a_trail_tells_who_did_what_where(bpmnd: Commands) -> None:
    bpmnd.deploy("told")
    key = bpmnd.start("told", '{"a": {"b": 1}}')
    bpmnd.work("told", "echo oh no >&2; exit 1", "--name", "bob")

    said = bpmnd("log", "export", str(bpmnd.node.directory), "--instance", str(key), "--format", "text")

    lines = said.out.splitlines()
    assert lines[0].split() == ["TIME", "WHO", "ELEMENT", "WHAT"]
    assert [line.split()[1:3] for line in lines[1:4]] == [["client", "told"]] * 3
    assert lines[3].endswith('VARIABLE CREATED                        a = {"b":1}')
    assert lines[-1].split()[1:] == [
        *("bob", "task", "JOB", "FAILED"),
        *("type=told", "retries=1", "(was", "2)", "errorMessage=oh", "no"),
    ]


def test_all_that_came_of_a_request_tells_what_its_client_called_it(bpmnd: Commands) -> None:
    bpmnd.deploy("referred")
    key = bpmnd.start("referred")
    request = urllib.request.Request(
        f"{bpmnd.node.address}/v2/process-instances/{key}/cancellation",
        b'{"operationReference": 4711}',
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()

    found = {(record["cause"], record.get("operationReference")) for record in bpmnd.history(key)}

    assert found == {("PROCESS_INSTANCE_CREATION/CREATE", None), ("PROCESS_INSTANCE/CANCEL", 4711)}


def test_what_is_not_there_is_told(bpmnd: Commands) -> None:
    directory = str(bpmnd.node.directory)
    assert bpmnd("log", "export", directory, "--instance", "7").status == 1
    assert bpmnd("log", "export", directory, "--instance", str((1 << 51) + 999_999)).status == 1
    for action in ("verify", "export"):
        said = bpmnd("log", action, str(bpmnd.directory))
        assert said.status == 1
        assert "not the data directory of a node" in said.err


def test_a_damaged_log_is_repaired_by_a_cut_and_the_checkpoint_made_anew(
    bpmnd: Commands, stopped: Path
) -> None:
    segment = stopped / "partitions/1/log/0000000001.log"
    data = bytearray(segment.read_bytes())
    data[PAGE + 200] ^= 1
    segment.write_bytes(data)

    said = bpmnd("log", "repair", str(stopped))

    assert said.status == 0
    assert "cut at" in said.out
    assert bpmnd("log", "verify", str(stopped)).status == 0
    with RunningNode(stopped) as node:
        assert node.runs


def test_a_running_node_is_not_repaired(bpmnd: Commands) -> None:
    said = bpmnd("log", "repair", str(bpmnd.node.directory))
    assert said.status == 1
    assert "stop it first" in said.err


def test_a_whole_log_is_left_as_it_is_by_a_repair(bpmnd: Commands, stopped: Path) -> None:
    said = bpmnd("log", "repair", str(stopped))
    assert said.status == 0
    assert said.out == "partition 1: log and checkpoint fit together\n"
