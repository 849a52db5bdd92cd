from threading import Thread

import pytest

from tests.cli.commands import Commands, Said

pytestmark = pytest.mark.end_to_end


def test_the_key_goes_to_stdout_and_talk_to_stderr(bpmnd: Commands) -> None:
    bpmnd.deploy("started")

    said = bpmnd.ask("run", "started")

    assert said.status == 0
    assert int(said.out) > 1 << 51
    assert said.err == f"started started, version 1: {said.out}"


def test_json_is_the_answer_as_it_is(bpmnd: Commands) -> None:
    bpmnd.deploy("answered")

    said = bpmnd.ask("run", "answered", "--json", "--business-id", "b-1", "--version", "1")

    assert said.json()["businessId"] == "b-1"
    assert said.json()["processDefinitionVersion"] == 1


def test_await_prints_the_variables_digit_by_digit(bpmnd: Commands) -> None:
    bpmnd.deploy("awaited")
    node, worked = bpmnd.node, list[Said]()

    def work() -> None:
        import subprocess
        import sys

        command = (sys.executable, "-m", "bpmnd", "work", "--address", node.address, "--once", "awaited")
        done = subprocess.run((*command, "--", "sh", "-c", "echo '{\"n\": 0.10}'"), check=False)
        worked.append(Said(done.returncode, "", ""))

    worker = Thread(target=work)
    worker.start()
    said = bpmnd.ask("run", "awaited", "--variables", '{"m": 12345678901234567890.10}', "--await")
    worker.join()

    assert (said.status, worked[0].status) == (0, 0)
    assert '"m": 12345678901234567890.10' in said.out
    assert '"n": 0.10' in said.out


def test_an_await_that_takes_too_long_is_told(bpmnd: Commands) -> None:
    bpmnd.deploy("stuck")

    said = bpmnd.ask("run", "stuck", "--await", "--timeout", "0.05")

    assert said.status == 1
    assert said.err.startswith("bpmnd: 504 ")


def test_variables_may_stand_in_a_file(bpmnd: Commands) -> None:
    bpmnd.deploy("filed")
    file = bpmnd.file("variables.json", '{"a": [1,\n 2]}')

    key = bpmnd.start("filed", f"@{file}")

    values = [record["value"] for record in bpmnd.history(key) if record["valueType"] == "VARIABLE"]
    assert [(value["name"], value["value"]) for value in values] == [("a", [1, 2])]


def test_variables_that_are_no_object_are_wrong_usage(bpmnd: Commands) -> None:
    for wrong in ("[1]", "{", '{"a": tru}', "@/nowhere"):
        said = bpmnd.ask("run", "any", "--variables", wrong)
        assert said.status == 2, wrong
        assert said.err.startswith("bpmnd: --variables: ")


def test_an_unknown_process_is_told(bpmnd: Commands) -> None:
    said = bpmnd.ask("run", "unheard-of")
    assert said.status == 1
    assert said.err.startswith("bpmnd: 404 NOT_FOUND: ")
    assert "unheard-of" in said.err
