"""What people get wrong: a line that says so and a status, never a traceback, never a process that stays."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpmnd.cli import main
from tests.cli.commands import Commands
from tests.nodes import START_SECONDS_MAX


@pytest.fixture
def taken() -> Iterator[str]:
    """An address where somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield f"127.0.0.1:{other.getsockname()[1]}"


@pytest.mark.end_to_end
@pytest.mark.parametrize("flag", ["http", "monitoring"])
def test_a_node_whose_port_is_taken_says_so_and_ends(tmp_path: Path, taken: str, flag: str) -> None:
    addresses = {"http": "127.0.0.1:0", "monitoring": "127.0.0.1:0"} | {flag: taken}
    flags = [f"--{name}={address}" for name, address in addresses.items()]
    command = (sys.executable, "-m", "bpmnd", "start", f"--data-dir={tmp_path / 'data'}", *flags)
    ended = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS_MAX, check=False)
    said = f"bpmnd: {flag}.address: cannot listen at {taken}: Address already in use"
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (2, said)
    assert "Traceback" not in ended.stderr


def test_a_data_directory_that_is_a_file_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert main(["start", "--data-dir", str(file)]) == 2
    assert capsys.readouterr().err == f"bpmnd: {file} cannot be used as a data directory: File exists\n"


@pytest.mark.parametrize("flag", ["http", "monitoring"])
def test_a_node_with_an_address_that_is_none_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    directory = tmp_path / "data"
    assert main(["start", "--data-dir", str(directory), f"--{flag}", "127.0.0.1:99999"]) == 2
    assert capsys.readouterr().err == "bpmnd: '127.0.0.1:99999' is no HOST:PORT\n"
    assert not directory.exists()


def test_an_identity_that_is_damaged_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "identity").write_text("x")
    assert main(["start", "--data-dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"bpmnd: {tmp_path}/identity: its checksum is wrong\n"


@pytest.mark.parametrize("address", ["ftp://127.0.0.1", "http://[::1", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_said_to_be_none(capsys: pytest.CaptureFixture[str], address: str) -> None:
    assert main(["status", "--address", address]) == 2
    expected = f"bpmnd: {address} is no address of a node: expected http://HOST:PORT\n"
    assert capsys.readouterr().err == expected


def test_an_argument_that_is_no_text_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "\udcff", "--address", "http://127.0.0.1:9"]) == 2
    assert capsys.readouterr().err == "bpmnd: an argument has bytes that are no UTF-8\n"


@pytest.mark.end_to_end
def test_a_file_whose_name_is_no_text_is_said_to_be_none(bpmnd: Commands) -> None:
    said = bpmnd.ask("deploy", str(bpmnd.file("\udcff.bpmn", "")))
    assert (said.status, said.err) == (2, "bpmnd: an argument has bytes that are no UTF-8\n")


def test_a_time_that_is_no_number_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["run", "order", "--await", "--timeout", "nan"])
    assert end.value.code == 2
    assert "argument --timeout: must be positive, is nan" in capsys.readouterr().err
