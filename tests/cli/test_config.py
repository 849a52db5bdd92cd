import tomllib
from importlib.metadata import EntryPoint, EntryPoints
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


FILES = '[exporters.files]\nkind = "json-lines"\nfile_mib = 5\nvalue_types = ["JOB", "INCIDENT"]\n'


def test_exporters_are_shown_with_their_own_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "some.toml"
    file.write_text(FILES)
    monkeypatch.setenv("BPMND_EXPORTERS__FILES__FILE_HOURS", "2")
    monkeypatch.setenv("BPMND_EXPORTERS__FILES__VALUE_TYPES", "USER_TASK, JOB")

    assert main(["config", "show", "--config", str(file)]) == 0

    shown = tomllib.loads(capsys.readouterr().out)["exporters"]
    assert shown == {
        "files": {
            "kind": "json-lines",
            "value_types": ["USER_TASK", "JOB"],
            "begins": "first",
            "batch_records": 1000,
            "timeout_seconds": 60.0,
            "file_mib": 5,
            "file_hours": "2",
        }
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[exporters.files]\nfile_mib = 5\n", "exporters.files: 'kind' is missing"),
        (FILES + "file_gib = 1\n", "unknown setting 'file_gib'; the nearest is 'file_mib'"),
        (FILES.replace("5", '"many"'), "exporters.files: Expected `float`, got `str` - at `$.file_mib`"),
        (FILES.replace("JOB", "JOBS"), "value_types: there is no 'JOBS'"),
        (FILES + 'begins = "later"\n', "begins: expected 'first' or 'now', found 'later'"),
        (FILES + "batch_records = 0\n", "batch_records: must be more than 0"),
        ('[exporters.x]\nkind = "csv"\n', "there is no exporter of kind 'csv'; there are json-lines"),
        ('[exporters.x]\nkind = "nowhere:Exporter"\n', "there is no exporter 'nowhere:Exporter'"),
        ('[exporters.X]\nkind = "json-lines"\n', "a name is of lower-case letters"),
        ("[exporters]\nkind = 1\n", "'exporters.kind' stands outside of an exporter's section"),
    ],
)
def test_what_is_wrong_with_an_exporter_is_said_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)

    assert main(["config", "check", str(file)]) == 2

    assert said in capsys.readouterr().err


def test_a_package_can_name_its_exporters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def installed(*, group: str) -> EntryPoints:
        name = "bpmnd.actors.exporters.json_lines:JsonLinesExporter"
        return EntryPoints([EntryPoint("lines", name, group)] if group == "bpmnd.exporters" else [])

    monkeypatch.setattr("bpmnd.exporter_config.entry_points", installed)
    file = tmp_path / "some.toml"
    file.write_text('[exporters.files]\nkind = "lines"\nfile_mib = "many"\n')

    assert main(["config", "check", str(file)]) == 2

    assert "Expected `float`" in capsys.readouterr().err, "it is that of the entry point"
