"""Real nodes in processes of their own, one or a cluster of them, for tests that kill them."""

import json
import os
import random
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, final

START_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 20.0
LEADERS_SECONDS_MAX: Final = 60.0
_ASK_SECONDS_MAX: Final = 2.0
NO_HISTORY: Final = {"BPMND_HISTORY__ENABLED": "false"}
"""Most tests search for nothing: a second process for each node would only take time from the others."""
_SMALL_SEGMENTS: Final = {"BPMND_LOG__SEGMENT_MIB": "8"}
"""So many partitions on one disk start sooner, and the archive is used, too."""
_POLL_SECONDS: Final = 0.02
_CHOSEN_PORTS: Final = (15_000, 32_000)
"""Below those that Linux hands out."""
_READY = re.compile(r"ready: (http://\S+)/v2\n.*monitoring: (http://\S+)/metrics\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node runs, if not simply here."""

    host: str = "127.0.0.1"
    """Its address for clients."""
    prefix: tuple[str, ...] = ()
    """What is put before its command, as `nsenter`; it must end up as the very process of the node."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


@final
class RunningNode:
    """A node that runs: the constructor returns when it is ready, at ports that it chose and then keeps.

    `settings` are further flags of `bpmnd start`. Everything here blocks, briefly: in a coroutine say
    `await asyncio.to_thread(node.restart)`. As a context manager it is killed at the end.
    """

    def __init__(self, directory: Path, *settings: str, place: Place | None = None) -> None:
        self.directory: Final = directory
        self.log: Final = directory.with_name(f"{directory.name}.stderr")
        """What the node says about itself, all starts one after another."""
        self._settings = settings
        self.place = place or Place()
        self.address = f"http://{self.place.host}:0"
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
        self.signal_kill()
        self._ended()

    def signal_kill(self) -> None:
        """The same without waiting for its end; `kill` then waits."""
        self._process.kill()

    def terminate(self) -> int:
        """SIGTERM: an ordered stop; the exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._ended()

    def pause(self) -> None:
        """SIGSTOP: it stands still, and does not know of it when `go_on` lets it run again."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def exit_status(self, seconds_max: float) -> int:
        """Wait until it ends by itself. Raises TimeoutExpired."""
        self._process.communicate(timeout=seconds_max)
        return self._process.returncode

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
                (*self.place.prefix, sys.executable, "-m", "bpmnd", "start", *flags),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=_environment() | NO_HISTORY | dict(self.place.environment),
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


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("BPMND_")}


@final
class RunningCluster:
    """Nodes 1 to n that have founded a cluster and lead all partitions: of every node the peer port is chosen
    here, the others by itself. `places` say where they run, if not simply here.

    Everything blocks, as with `RunningNode`. As a context manager all are killed at the end.
    """

    def __init__(
        self,
        directory: Path,
        *settings: str,
        nodes: int = 3,
        partitions: int = 3,
        places: Mapping[int, Place] | None = None,
        peer_addresses: Mapping[int, str] | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.partitions = tuple(range(1, partitions + 1))
        numbers = range(1, nodes + 1)
        addresses = peer_addresses or {
            number: f"127.0.0.1:{port}" for number, port in zip(numbers, free_ports(nodes), strict=True)
        }
        self.members: Final = ",".join(f"{number}={address}" for number, address in addresses.items())
        """As `--nodes` has them."""

        def start(number: int) -> RunningNode:
            flags = ("--node-id", str(number), "--host", f"host-{number}", "--nodes", self.members)
            return RunningNode(
                directory / f"node-{number}",
                *flags,
                "--partitions",
                str(partitions),
                *settings,
                place=_with_small_segments((places or {}).get(number, Place())),
            )

        self.nodes: Final = dict(zip(numbers, _all_or_none(start, numbers), strict=True))
        try:
            self.wait_for_leaders()
        except BaseException:
            self.kill()
            raise

    @property
    def addresses(self) -> list[str]:
        return [node.address for node in self.nodes.values()]

    @property
    def running(self) -> list[int]:
        return [number for number, node in self.nodes.items() if node.runs]

    def leader_of(self, partition: int) -> int:
        """The node that says so of itself; 0 if none does, or two do and one does not know it yet."""
        leaders = self.leaders().get(partition, [])
        return leaders[0] if len(leaders) == 1 else 0

    def leaders(self, of: Iterable[int] | None = None) -> dict[int, list[int]]:
        """Partition -> the nodes, of those asked, that say of themselves that they lead it."""
        found: dict[int, list[int]] = {}
        for number in self.running if of is None else of:
            for broker in self.topology(number)["brokers"]:
                if broker["nodeId"] == number:
                    for replica in broker["partitions"]:
                        if replica["role"] == "leader":
                            found.setdefault(replica["partitionId"], []).append(number)
        return found

    def topology(self, number: int) -> dict[str, Any]:
        """What a node knows of the cluster; nothing if it does not answer."""
        try:
            url = f"{self.nodes[number].address}/v2/topology"
            with urllib.request.urlopen(url, timeout=_ASK_SECONDS_MAX) as answer:
                topology: dict[str, Any] = json.load(answer)
                return topology
        except OSError:
            return {"brokers": []}

    def wait_for_leaders(
        self, seconds: float = LEADERS_SECONDS_MAX, of: Sequence[int] | None = None
    ) -> dict[int, int]:
        """Wait until every partition has one leader among these nodes, by default those that run, and all of
        these know it. Partition -> node."""
        asked = self.running if of is None else of
        deadline = time.monotonic() + seconds
        while True:
            views = [_led(self.topology(number)) for number in asked]
            leaders = views[0]
            if (
                set(leaders) == set(self.partitions)
                and all(view == leaders for view in views)
                and all(nodes <= set(asked) and len(nodes) == 1 for nodes in leaders.values())
            ):
                return {partition: min(nodes) for partition, nodes in sorted(leaders.items())}
            assert time.monotonic() < deadline, (
                f"no leaders after {seconds} s:\n{views}\n{self.said()[-8000:]}"
            )
            time.sleep(_POLL_SECONDS)

    def start(self, *numbers: int) -> None:
        """Start these nodes again, all at once, killed before if they run; all that are down by default."""
        wanted = numbers or tuple(number for number, node in self.nodes.items() if not node.runs)
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(RunningNode.restart, [self.nodes[number] for number in wanted]))

    def kill(self, *numbers: int) -> None:
        """SIGKILL, the first the moment before the last; all by default."""
        wanted = [self.nodes[number] for number in numbers or self.nodes]
        for node in wanted:
            node.signal_kill()
        for node in wanted:
            node.kill()

    def terminate(self) -> list[int]:
        """SIGTERM to all at once; their exit statuses."""
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            return list(pool.map(RunningNode.terminate, self.nodes.values()))

    def said(self) -> str:
        return "\n".join(f"node {number}: {node.said()}" for number, node in self.nodes.items())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def _with_small_segments(place: Place) -> Place:
    return replace(place, environment={**_SMALL_SEGMENTS, **place.environment})


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody has, all different.

    None of those that the system gives to who asks for any: another node could be given it first.
    """
    chosen: list[int] = []
    chance = random.SystemRandom()
    while len(chosen) < count:
        port = chance.randrange(*_CHOSEN_PORTS)
        if port not in chosen and _is_free(port):
            chosen.append(port)
    return chosen


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _led(topology: Mapping[str, Any]) -> dict[int, set[int]]:
    """Partition -> the nodes of which a topology says that they lead it."""
    found: dict[int, set[int]] = {}
    for broker in topology["brokers"]:
        for replica in broker["partitions"]:
            if replica["role"] == "leader":
                found.setdefault(replica["partitionId"], set()).add(broker["nodeId"])
    return found


def _all_or_none(start: Callable[[int], RunningNode], numbers: Sequence[int]) -> list[RunningNode]:
    """Start nodes at once, as each is ready only when all are there."""
    with ThreadPoolExecutor(len(numbers)) as pool:
        starts = [pool.submit(start, number) for number in numbers]
    try:
        return [started.result() for started in starts]
    except BaseException:
        for started in starts:
            if started.exception() is None:
                started.result().kill()
        raise
