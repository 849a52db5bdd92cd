"""The oracle: a real Zeebe 8.6, whose outcomes are the truth that bpmnd is compared with.

`BPMND_ORACLE=http://127.0.0.1:8080` names one that runs already, started by `../shared/oracle/zeebe`. Without
it that script starts one on ports of its own, if the machine has what that needs.
"""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, final

SCRIPT: Final = Path(__file__).parents[3] / "shared" / "oracle" / "zeebe"
_START_SECONDS_MAX: Final = 300.0
_JAVA_MIN: Final = 21
_JAVA_VERSION = re.compile(r'^JAVA_VERSION="(\d+)', re.MULTILINE)


@final
class NoOracleError(Exception):
    """The oracle cannot run here, and why."""


@final
class Oracle:
    """A Zeebe that runs: where it answers, and the log that its record stream is written to."""

    def __init__(self, address: str, log: Path) -> None:
        self.address: Final = address
        self.log: Final = log


@contextmanager
def running_oracle(directory: Path) -> Generator[Oracle]:
    """The one that is named, or one started in `directory` and stopped at the end."""
    named = os.environ.get("BPMND_ORACLE")
    if named:
        log = _home() / "zeebe.log"
        if not log.is_file():
            raise NoOracleError(f"BPMND_ORACLE is set, but there is no record stream in {log}")
        yield Oracle(named.rstrip("/").removesuffix("/v2"), log)
        return

    _check_machine()
    home = _home_in(directory)
    rest, monitoring, grpc = _free_ports()
    environment = {
        **os.environ,
        "ZEEBE_ORACLE_HOME": str(home),
        "ZEEBE_REST_PORT": str(rest),
        "ZEEBE_MONITORING_PORT": str(monitoring),
        "ZEEBE_GRPC_PORT": str(grpc),
        "ZEEBE_QUIET": "",
    }
    try:
        _run("start", environment)
        yield Oracle(f"http://127.0.0.1:{rest}", home / "zeebe.log")
    finally:
        _run("stop", environment)


def _home() -> Path:
    """Where the script keeps the oracle, by its own rules."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("ZEEBE_ORACLE_HOME") or Path(cache) / "zeebe-oracle")


def _home_in(directory: Path) -> Path:
    """A home beside the one that others may be using, with the installation shared. If there is none yet,
    nobody uses it, and the script may install there."""
    installed = sorted(_home().glob("camunda-zeebe-*/"))
    if not installed:
        return _home()
    home = directory / "oracle"
    home.mkdir()
    for found in installed:
        (home / found.name).symlink_to(found)
    return home


def _check_machine() -> None:
    if not SCRIPT.is_file():
        raise NoOracleError(f"there is no {SCRIPT}, and BPMND_ORACLE is not set")
    if "ZEEBE_JAVA_HOME" not in os.environ and not any(map(_is_new_enough, Path("/usr/lib/jvm").glob("*"))):
        raise NoOracleError(f"there is no JDK of {_JAVA_MIN} or newer in /usr/lib/jvm")
    if not list(_home().glob("camunda-zeebe-*/")) and shutil.which("mvn") is None:
        raise NoOracleError("Zeebe is not installed, and there is no Maven to install it")


def _is_new_enough(jdk: Path) -> bool:
    try:
        found = _JAVA_VERSION.search((jdk / "release").read_text())
    except OSError:
        return False
    return found is not None and int(found[1]) >= _JAVA_MIN


def _free_ports() -> tuple[int, int, int]:
    """Ports for REST and monitoring, and the first of three in a row for the rest."""
    while True:
        with socket.socket() as first, socket.socket() as second, socket.socket() as third:
            for sock in (first, second, third):
                sock.bind(("127.0.0.1", 0))
            rest, monitoring, grpc = (sock.getsockname()[1] for sock in (first, second, third))
        if not {rest, monitoring} & set(range(grpc, grpc + 3)) and all(
            _is_free(port) for port in (grpc + 1, grpc + 2)
        ):
            return rest, monitoring, grpc


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
        return True


def _run(action: str, environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            ("bash", str(SCRIPT), action),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_START_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoOracleError(f"'{SCRIPT} {action}' took more than {_START_SECONDS_MAX} s") from None
    if done.returncode:
        raise NoOracleError(f"'{SCRIPT} {action}' failed: {done.stdout[-500:]}")
