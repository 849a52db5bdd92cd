import subprocess
import sys

import pytest

from bpmnd.cli import main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    assert end.value.code == 0
    shown = capsys.readouterr().out
    for command in ("start", "deploy", "run", "work", "status", "log", "config"):
        assert f"\n    {command} " in shown


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["run"], ["work", "type"], ["log"]])
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2


def test_a_command_loads_only_what_it_needs() -> None:
    script = (
        "import sys; from bpmnd.cli import main; main(['config', 'show']);"
        "sys.exit(bool({'aiohttp', 'lxml', 'rocksdict', 'uvloop'} & set(sys.modules)))"
    )
    shown = subprocess.run((sys.executable, "-c", script), stdout=subprocess.DEVNULL, check=False)
    assert shown.returncode == 0


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m bpmnd config show | true"
    shown = subprocess.run(("sh", "-c", command), stderr=subprocess.PIPE, check=False)
    assert shown.stderr == b""
