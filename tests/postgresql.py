"""A PostgreSQL server of the test's own, from the binaries that are installed."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self, final

from tests.nodes import free_ports

_START_SECONDS_MAX: Final = 30.0
_STOP_SECONDS_MAX: Final = 30.0
_USER: Final = "postgres"
_PATIENCE_SECONDS: Final = 0.05


def server_binaries() -> Path | None:
    """Where `initdb` and `postgres` are, the newest of them; None if they are not installed."""
    for directory in _candidates():
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    return None


def _candidates() -> Iterator[Path]:
    config = shutil.which("pg_config")
    if config is not None:
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        if said.returncode == 0:
            yield Path(said.stdout.strip())
    found = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(found, key=lambda path: int(path.parent.name.split(".")[0]), reverse=True)


@final
class PostgresqlServer:
    """Its data are in a directory of its own and gone at the end. Everything blocks."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._directory = Path(tempfile.mkdtemp(prefix="bpmnd-postgresql-"))
        self._data = self._directory / "data"
        (self._port,) = free_ports(1)
        self._prefix: tuple[str, ...] = ()
        if os.geteuid() == 0:  # The server refuses to run as root.
            user = pwd.getpwnam(_USER)
            os.chown(self._directory, user.pw_uid, user.pw_gid)
            self._prefix = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
        self._process: subprocess.Popen[bytes] | None = None
        options = ("-U", _USER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        self._run("initdb", "-D", str(self._data), *options)
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Returns when it takes connections."""
        settings = (
            f"port={self._port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self._directory}",
            "fsync=off",
            "shared_buffers=16MB",
            "max_connections=30",
        )
        flags = [flag for setting in settings for flag in ("-c", setting)]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._prefix, str(self._binaries / "postgres"), "-D", str(self._data), *flags],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        deadline = time.monotonic() + _START_SECONDS_MAX
        while not self._answers():
            said = (self._directory / "log").read_text(errors="replace")
            assert time.monotonic() < deadline, f"the server does not answer:\n{said}"
            assert self._process.poll() is None, f"the server ended:\n{said}"
            time.sleep(_PATIENCE_SECONDS)

    def stop(self) -> None:
        """At once, as if its machine had failed: connections break, and it has to recover."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_STOP_SECONDS_MAX)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        done = subprocess.run(
            [str(self._binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)], check=False
        )
        return done.returncode == 0

    def _run(self, command: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._prefix, str(self._binaries / command), *arguments],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
