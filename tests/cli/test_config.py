import tomllib
from pathlib import Path

import pytest

from bpmnd.cli import main
from bpmnd.config import Config, to_toml


def test_a_good_file_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "good.toml"
    file.write_text(to_toml(Config()))

    assert main(["config", "check", str(file)]) == 0

    assert capsys.readouterr().out == f"{file}: good\n"


def test_an_unknown_setting_names_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text("[cluster]\npartition = 3\n")

    assert main(["config", "check", str(file)]) == 2

    assert "unknown setting 'cluster.partition'; the nearest is 'partitions'" in capsys.readouterr().err


def test_show_has_file_and_flags_merged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "some.toml"
    file.write_text("[cluster]\npartitions = 3\n[node]\nid = 1\n")

    assert main(["config", "show", "--config", str(file), "--node-id", "2"]) == 0

    shown = tomllib.loads(capsys.readouterr().out)
    assert (shown["cluster"]["partitions"], shown["node"]["id"]) == (3, 2)


def test_ids_of_commands_are_kept_for_an_hour_at_least(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Less would not outlive what a gateway sends again by itself."""
    file = tmp_path / "wrong.toml"
    file.write_text("[limits]\nidempotency_hours = 0\n")

    assert main(["config", "check", str(file)]) == 2

    assert "limits.idempotency_hours: must be at least 1, is 0" in capsys.readouterr().err
