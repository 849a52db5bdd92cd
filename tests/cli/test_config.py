import tomllib

from bpmnd.config import Config, to_toml
from tests.cli.commands import Commands


def test_a_good_file_is_good(bpmnd: Commands) -> None:
    file = bpmnd.file("good.toml", to_toml(Config()))
    said = bpmnd("config", "check", str(file))
    assert (said.status, said.out) == (0, f"{file}: good\n")


def test_an_unknown_setting_names_the_nearest(bpmnd: Commands) -> None:
    file = bpmnd.file("wrong.toml", "[node]\npartition = 3\n")

    said = bpmnd("config", "check", str(file))

    assert said.status == 2
    assert "unknown setting 'node.partition'; the nearest is 'partitions'" in said.err


def test_show_has_file_and_flags_merged(bpmnd: Commands) -> None:
    file = bpmnd.file("some.toml", "[node]\npartitions = 3\nid = 1\n")

    said = bpmnd("config", "show", "--config", str(file), "--node-id", "2")

    shown = tomllib.loads(said.out)
    assert (shown["node"]["partitions"], shown["node"]["id"]) == (3, 2)
