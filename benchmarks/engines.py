"""The engines under test, each in processes of its own: a bpmnd node, and Zeebe by the oracle's script."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Final, Protocol, final

from tests.nodes import Place, RunningNode

ORACLE_HOME: Final = Path.home() / ".cache" / "zeebe-oracle"
_ZEEBE_PORTS: Final = 5
"""REST, monitoring, and three in a row from the gRPC port on."""


class Engine(Protocol):
    """Servers that run as one, and where to look for what they use."""

    @property
    def name(self) -> str: ...

    @property
    def bases(self) -> Sequence[str]:
        """Of all its gateways."""
        ...

    @property
    def pids(self) -> Sequence[int]:
        """Of its processes, in the order of their gateways."""
        ...


@final
class BpmndNode:
    """A node of this checkout with one partition, unless its settings say otherwise."""

    def __init__(
        self, directory: Path, *settings: str, name: str = "bpmnd", place: Place | None = None
    ) -> None:
        self.name: Final = name
        self.data: Final = directory
        self._node = RunningNode(directory, *settings, place=place)

    @property
    def bases(self) -> tuple[str, ...]:
        return (self._node.address,)

    @property
    def monitoring(self) -> str:
        return self._node.monitoring

    @property
    def pid(self) -> int:
        return self._node.pid

    @property
    def pids(self) -> tuple[int, ...]:
        return (self.pid,)

    def restart(self) -> float:
        """Kill it and start it again; the seconds from the start of the process until it is ready."""
        self._node.kill()
        begun = time.perf_counter()
        self._node.restart()
        return time.perf_counter() - begun

    def kill(self) -> None:
        self._node.kill()


@contextlib.contextmanager
def bpmnd_node(directory: Path, *settings: str, name: str = "bpmnd") -> Generator[BpmndNode]:
    node = BpmndNode(directory, *settings, name=name)
    try:
        yield node
    finally:
        node.kill()
        shutil.rmtree(directory, ignore_errors=True)


@final
class Zeebe:
    """Zeebe with one partition and without its record stream, on ports and in a home of its own, so that an
    oracle may run beside it."""

    def __init__(self, script: Path, home: Path) -> None:
        self.name: Final = "Zeebe"
        self._script = script
        rest, monitoring, grpc = _free_ports()
        self._environment = os.environ | {
            "ZEEBE_QUIET": "1",
            "ZEEBE_ORACLE_HOME": str(home),
            "ZEEBE_REST_PORT": str(rest),
            "ZEEBE_MONITORING_PORT": str(monitoring),
            "ZEEBE_GRPC_PORT": str(grpc),
        }
        self.bases: Final = (f"http://127.0.0.1:{rest}",)
        home.mkdir(parents=True)
        for installed in ORACLE_HOME.glob("camunda-zeebe-*"):
            (home / installed.name).symlink_to(installed)
        self._run("start")
        self.pids: Final = (int((home / "pid").read_text()),)

    def stop(self) -> None:
        self._run("stop")

    def _run(self, command: str) -> None:
        subprocess.run([self._script, command], env=self._environment, stdout=subprocess.DEVNULL, check=True)


@contextlib.contextmanager
def zeebe(script: Path, home: Path) -> Generator[Zeebe]:
    server = Zeebe(script, home)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def _free_ports() -> tuple[int, int, int]:
    """A REST port, a monitoring port, and the first of three in a row."""
    while True:
        with contextlib.ExitStack() as held:
            first = _bind(held, 0)
            with contextlib.suppress(OSError):
                for number in range(1, _ZEEBE_PORTS):
                    _bind(held, first + number)
                return first, first + 1, first + 2


def _bind(held: contextlib.ExitStack, port: int) -> int:
    listener = held.enter_context(socket.socket())
    listener.bind(("127.0.0.1", port))
    return int(listener.getsockname()[1])
