"""Zeebe as a cluster of brokers, which the oracle's script cannot start: it knows of one broker only."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Final, final

import msgspec

from benchmarks.clusters import Shape
from benchmarks.engines import ORACLE_HOME
from tests.nodes import free_ports

_JAVA_MIN: Final = 21
_JVMS: Final = Path("/usr/lib/jvm")
_HEAP_MIB: Final = 700
_BROKER_MIB: Final = 1200
"""What a broker takes beside its heap, too."""
_START_SECONDS_MAX: Final = 150.0
_STOP_SECONDS_MAX: Final = 20.0
_LOOK_SECONDS: Final = 1.0
_PORTS: Final = 5
"""REST, monitoring, gRPC, commands, and between brokers."""


class Replica(msgspec.Struct, frozen=True, rename="camel"):
    partition_id: int
    role: str
    health: str


class Broker(msgspec.Struct, frozen=True):
    partitions: tuple[Replica, ...]


class Topology(msgspec.Struct, frozen=True):
    """What a broker knows of all."""

    brokers: tuple[Broker, ...]


_TOPOLOGY: Final = msgspec.json.Decoder(Topology)
_UNKNOWN: Final = Topology(())


class NotAvailable(Exception):  # noqa: N818  says what is the matter
    """Zeebe cannot be run as a cluster here; the message says why."""


@final
class ZeebeCluster:
    """Brokers with a gateway each, without record streams. The constructor returns when all partitions have a
    healthy leader."""

    def __init__(self, directory: Path, shape: Shape) -> None:
        self.name: Final = f"Zeebe, {shape.name.replace('node', 'broker')}"
        distribution, java = _distribution(), _java_home()
        _check_memory(shape)
        free = free_ports(shape.nodes * _PORTS)
        ports = [free[number * _PORTS : (number + 1) * _PORTS] for number in range(shape.nodes)]
        self.bases: Final = [f"http://127.0.0.1:{rest}" for rest, *_ in ports]
        self._directory = directory
        self._brokers: list[subprocess.Popen[bytes]] = []
        directory.mkdir(parents=True)
        try:
            for number in range(shape.nodes):
                environment = broker_environment(directory, shape, number, ports, java)
                with (directory / f"broker-{number}.log").open("wb") as log:
                    self._brokers.append(
                        subprocess.Popen(
                            [distribution / "bin" / "broker"],
                            env=os.environ | environment,
                            stdin=subprocess.DEVNULL,
                            stdout=log,
                            stderr=subprocess.STDOUT,
                            start_new_session=True,
                        )
                    )
            self._wait_for_leaders(shape)
        except BaseException:
            self.stop()
            raise

    @property
    def pids(self) -> list[int]:
        return [broker.pid for broker in self._brokers]

    def stop(self) -> None:
        for broker in self._brokers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(broker.pid, signal.SIGKILL)  # Its session is its own; its data goes with it.
        for broker in self._brokers:
            broker.wait(_STOP_SECONDS_MAX)

    def _wait_for_leaders(self, shape: Shape) -> None:
        deadline = time.monotonic() + _START_SECONDS_MAX
        while not all(is_well(_topology(base), shape) for base in self.bases):
            ended = [number for number, broker in enumerate(self._brokers) if broker.poll() is not None]
            if ended or time.monotonic() > deadline:
                number = ended[0] if ended else 0
                said = (self._directory / f"broker-{number}.log").read_text(errors="replace")[-2000:]
                state = "ended" if ended else f"is not ready after {_START_SECONDS_MAX:.0f} s"
                raise NotAvailable(f"broker {number} {state}; it said: {said}")
            time.sleep(_LOOK_SECONDS)


@contextlib.contextmanager
def zeebe_cluster(directory: Path, shape: Shape) -> Generator[ZeebeCluster]:
    """Raises NotAvailable."""
    cluster = ZeebeCluster(directory, shape)
    try:
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


def broker_environment(
    directory: Path, shape: Shape, number: int, ports: Sequence[Sequence[int]], java: Path
) -> dict[str, str]:
    """The settings of one broker; `ports` are those of all."""
    rest, monitoring, grpc, commands, internal = ports[number]
    return {
        "JAVA_HOME": str(java),
        "JAVA_OPTS": f"-Xmx{_HEAP_MIB}m",
        "SERVER_ADDRESS": "127.0.0.1",
        "SERVER_PORT": str(rest),
        "MANAGEMENT_SERVER_ADDRESS": "127.0.0.1",
        "MANAGEMENT_SERVER_PORT": str(monitoring),
        "ZEEBE_BROKER_CLUSTER_NODEID": str(number),
        "ZEEBE_BROKER_CLUSTER_CLUSTERSIZE": str(shape.nodes),
        "ZEEBE_BROKER_CLUSTER_PARTITIONSCOUNT": str(shape.partitions),
        "ZEEBE_BROKER_CLUSTER_REPLICATIONFACTOR": str(shape.replication),
        "ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS": ",".join(f"127.0.0.1:{all_[-1]}" for all_ in ports),
        "ZEEBE_BROKER_NETWORK_HOST": "127.0.0.1",
        "ZEEBE_BROKER_NETWORK_COMMANDAPI_PORT": str(commands),
        "ZEEBE_BROKER_NETWORK_INTERNALAPI_PORT": str(internal),
        "ZEEBE_BROKER_GATEWAY_NETWORK_HOST": "127.0.0.1",
        "ZEEBE_BROKER_GATEWAY_NETWORK_PORT": str(grpc),
        "ZEEBE_BROKER_DATA_DIRECTORY": str(directory / f"broker-{number}"),
        "ZEEBE_BROKER_DATA_DISK_FREESPACE_PROCESSING": "100MB",
        "ZEEBE_BROKER_DATA_DISK_FREESPACE_REPLICATION": "50MB",
        "ZEEBE_LOG_APPENDER": "Console",
        "ZEEBE_LOG_LEVEL": "warn",
    }


def is_well(topology: Topology, shape: Shape) -> bool:
    """Whether a broker knows all brokers and all replicas, and every partition has a healthy leader."""
    replicas = [replica for broker in topology.brokers for replica in broker.partitions]
    leaders = {
        replica.partition_id
        for replica in replicas
        if replica.role == "leader" and replica.health == "healthy"
    }
    return (
        len(topology.brokers) == shape.nodes
        and len(replicas) == shape.partitions * shape.replication
        and len(leaders) == shape.partitions
    )


def _topology(base: str) -> Topology:
    """Nothing is known while the broker does not answer."""
    try:
        with urllib.request.urlopen(f"{base}/v2/topology", timeout=_LOOK_SECONDS) as answer:
            return _TOPOLOGY.decode(answer.read())
    except (OSError, http.client.HTTPException, msgspec.DecodeError):
        return _UNKNOWN


def _distribution() -> Path:
    for installed in sorted(ORACLE_HOME.glob("camunda-zeebe-*")):
        if (installed / "bin" / "broker").exists():
            return installed
    raise NotAvailable(f"no distribution of Zeebe in {ORACLE_HOME}; the oracle's script puts one there")


def _java_home() -> Path:
    given = os.environ.get("ZEEBE_JAVA_HOME")
    if given:
        return Path(given)
    for release in sorted(_JVMS.glob("*/release")):
        version = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
        if version is not None and int(version[1]) >= _JAVA_MIN:
            return release.parent
    raise NotAvailable(f"no Java of {_JAVA_MIN} or newer in {_JVMS}; ZEEBE_JAVA_HOME can say where one is")


def _check_memory(shape: Shape) -> None:
    available = re.search(r"^MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    assert available is not None, "every Linux says it"
    needed_mib = shape.nodes * _BROKER_MIB
    if int(available[1]) >> 10 < needed_mib:
        raise NotAvailable(f"{int(available[1]) >> 10} MiB of memory are free, {needed_mib} are needed")
