import pytest

from tests.cli.commands import Commands

pytestmark = pytest.mark.end_to_end


def test_what_was_deployed_is_listed(bpmnd: Commands) -> None:
    bpmnd.deploy("listed")

    again = bpmnd.ask("deploy", str(bpmnd.directory / "listed.bpmn"))

    assert again.status == 0
    heading, line = again.out.splitlines()
    assert heading.split() == ["KIND", "ID", "VERSION", "KEY", "FILE"]
    assert line.split()[:3] == ["process", "listed", "1"]
    assert line.endswith("listed.bpmn")


def test_whatever_was_deployed_is_listed(bpmnd: Commands) -> None:
    form, notes = bpmnd.file("a.form", '{"id":"f"}'), bpmnd.file("notes.txt", "remember")

    said = bpmnd.ask("deploy", str(form), str(notes))

    _, *lines = said.out.splitlines()
    assert [line.split()[:2] for line in lines] == [["form", "f"], ["file", "notes.txt"]]
    assert lines[1].endswith("notes.txt")


def test_json_is_the_answer_as_it_is(bpmnd: Commands) -> None:
    bpmnd.deploy("answered")

    said = bpmnd.ask("deploy", str(bpmnd.directory / "answered.bpmn"), "--json")

    assert said.json()["deployments"][0]["processDefinition"]["processDefinitionId"] == "answered"


def test_what_is_wrong_with_a_file_is_told(bpmnd: Commands) -> None:
    file = bpmnd.file("wrong.bpmn", "<definitions/>")

    said = bpmnd.ask("deploy", str(file))

    assert said.status == 1
    assert said.out == ""
    assert said.err.startswith("bpmnd: 400 INVALID_ARGUMENT: ")
    assert "wrong.bpmn" in said.err


def test_a_file_that_is_not_there_is_named(bpmnd: Commands) -> None:
    said = bpmnd.ask("deploy", "/nowhere/at.bpmn")
    assert (said.status, said.err) == (1, "bpmnd: /nowhere/at.bpmn: No such file or directory\n")


def test_a_node_that_is_not_there_is_named(bpmnd: Commands) -> None:
    file = bpmnd.file("any.bpmn", "")

    said = bpmnd("deploy", str(file), "--address", "http://127.0.0.1:9")

    assert (said.status, said.err) == (1, "bpmnd: http://127.0.0.1:9 cannot be reached: Connection refused\n")
