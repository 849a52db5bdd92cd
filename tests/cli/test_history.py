from pathlib import Path

import pytest

from bpmnd.cli import main


def test_the_tables_are_taken_away_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "partitions" / "1").mkdir(parents=True)
    history = tmp_path / "history"
    history.mkdir()
    for name in ("1.sqlite", "1.sqlite-wal", "2.sqlite"):
        (history / name).write_bytes(b"")

    assert main(["history", "rebuild", str(tmp_path), "--partition", "1"]) == 0
    assert [path.name for path in history.iterdir()] == ["2.sqlite"]
    assert main(["history", "rebuild", str(tmp_path)]) == 0
    assert list(history.iterdir()) == []
    assert (tmp_path / "partitions" / "1").is_dir()
    assert capsys.readouterr().out.count("is made anew") == 2


@pytest.mark.parametrize("arguments", [["nowhere"], [".", "--partition", "7"]])
def test_what_is_no_history_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "partitions").mkdir()
    assert main(["history", "rebuild", *arguments]) != 0
