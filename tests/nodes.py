"""A real node in a process of its own, for tests that kill it."""

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

START_SECONDS_MAX: Final = 20.0
STOP_SECONDS_MAX: Final = 20.0
_READY = re.compile(r"ready: (http://\S+)/v2\n.*monitoring: (http://\S+)/metrics\n", re.DOTALL)


@final
class RunningNode:
    """A node that runs: the constructor returns when it is ready, at ports that it chose and then keeps.

    `settings` are further flags of `bpmnd start`. Everything here blocks, briefly: in a coroutine say
    `await asyncio.to_thread(node.restart)`. As a context manager it is killed at the end.
    """

    def __init__(self, directory: Path, *settings: str) -> None:
        self.directory: Final = directory
        self.log: Final = directory.with_name(f"{directory.name}.stderr")
        """What the node says about itself, all starts one after another."""
        self._settings = settings
        self.address = "http://127.0.0.1:0"
        self.monitoring = "http://127.0.0.1:0"
        self._process = self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: as if the power had failed, but that the kernel still writes what it was given."""
        self._process.kill()
        self._ended()

    def terminate(self) -> int:
        """SIGTERM: an ordered stop; the exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._ended()

    def restart(self) -> None:
        """Kill it if it runs, and start it again on the same directory and ports."""
        self.kill()
        self._process = self._start()

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _start(self) -> "subprocess.Popen[str]":
        addresses = ("--http", _host(self.address), "--monitoring", _host(self.monitoring))
        flags = ("--data-dir", str(self.directory), *addresses, *self._settings)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                (sys.executable, "-m", "bpmnd", "start", *flags),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={name: value for name, value in os.environ.items() if not name.startswith("BPMND_")},
            )
        try:
            self.address, self.monitoring = self._read_addresses(process)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        return process

    def _read_addresses(self, process: "subprocess.Popen[str]") -> tuple[str, str]:
        """Wait for the lines in which the node says that it is ready and where."""
        assert process.stdout is not None, "it was asked for"
        said, deadline = "", time.monotonic() + START_SECONDS_MAX
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while (found := _READY.search(said)) is None:
                seconds_left = deadline - time.monotonic()
                ready = selector.select(seconds_left) if seconds_left > 0 else []
                chunk = os.read(process.stdout.fileno(), 4096).decode() if ready else ""
                assert chunk, f"the node is not ready; it said {said!r} and:\n{self.said()}"
                said += chunk
        return found[1], found[2]

    def _ended(self) -> int:
        self._process.communicate(timeout=STOP_SECONDS_MAX)
        return self._process.returncode


def _host(address: str) -> str:
    return address.removeprefix("http://")
