"""Nodes in network namespaces of their own, and the switch between them, which loses what it is told to lose.

Everything exists only inside a namespace that the thread enters: nothing of the machine's own network is
touched, and the kernel removes it all when the last process in it has ended. Every node has two wires:

    hub (the test) ── 10.78.N.0/30 ── node N          for clients; always whole
    switch         ── 10.77.0.0/24 ── node N          for peers; through `Switch`, a frame at a time
"""

import ctypes
import fcntl
import os
import random
import selectors
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, final

from tests.nodes import Place

PEER_PORT: Final = 26501
_CLONE_NEWNET: Final = 0x40000000
_ETH_P_ALL: Final = 0x0003
_FRAME_SIZE_MAX: Final = 1 << 17
_SIOCETHTOOL: Final = 0x8946
_OFFLOADS: Final = (0x17, 0x19, 0x24, 0x2C)
"""ETHTOOL_STXCSUM, _SSG, _SGSO, _SGRO: with none of them a frame is whole as it is, and small."""
_HOLD_SECONDS_MAX: Final = 1200


class NoNamespacesError(Exception):
    """This machine does not allow what is needed, and what that is."""


@final
class Switch:
    """Carries frames between the nodes' peer wires. What is lost is chosen by pairs (from, to)."""

    def __init__(self, ports: dict[int, socket.socket]) -> None:
        self._ports = ports
        self._cut: frozenset[tuple[int, int]] = frozenset()
        self._loss = 0.0
        self._chance = random.Random(0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="switch", daemon=True)
        self.lost = 0
        """Frames that were lost on purpose."""
        self.carried = 0
        self._thread.start()

    def cut_off(self, *nodes: int) -> None:
        """These nodes and the others do not hear each other; within both sides all is well."""
        self._cut = frozenset(
            (one, other) for one in self._ports for other in self._ports if (one in nodes) != (other in nodes)
        )

    def mute(self, *nodes: int) -> None:
        """These nodes hear the others, but are not heard."""
        self._cut = frozenset((node, other) for node in nodes for other in self._ports if other not in nodes)

    def deafen(self, *nodes: int) -> None:
        """These nodes are heard, but hear nobody."""
        self._cut = frozenset((other, node) for node in nodes for other in self._ports if other not in nodes)

    def isolate_all(self) -> None:
        """Nobody hears anybody."""
        self._cut = frozenset((one, other) for one in self._ports for other in self._ports)

    def lose(self, part: float) -> None:
        """Lose so many of the frames, by chance."""
        self._loss = part

    def heal(self) -> None:
        self._cut, self._loss = frozenset(), 0.0

    def close(self) -> None:
        self._ended.set()
        self._thread.join(5)
        for port in self._ports.values():
            port.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for node, port in self._ports.items():
                port.setblocking(False)
                selector.register(port, selectors.EVENT_READ, node)
            while not self._ended.is_set():
                for key, _ in selector.select(0.1):
                    self._take(key.data)

    def _take(self, sender: int) -> None:
        for _ in range(64):
            try:
                frame, address = self._ports[sender].recvfrom(_FRAME_SIZE_MAX)
            except OSError:
                return
            if address[2] != socket.PACKET_OUTGOING:
                self._carry(sender, frame)

    def _carry(self, sender: int, frame: bytes) -> None:
        to_all = frame[0] & 1
        for receiver, port in self._ports.items():
            if receiver == sender or not (to_all or frame[:6] == mac_of(receiver)):
                continue
            if (sender, receiver) in self._cut or self._chance.random() < self._loss:
                self.lost += 1
                continue
            with suppress(OSError):  # A full queue loses frames, as any wire does.
                port.send(frame)
                self.carried += 1


@final
class Networks:
    """The namespaces of some nodes, and the switch between them."""

    def __init__(self, nodes: Sequence[int]) -> None:
        self._holders: dict[int, subprocess.Popen[bytes]] = {}
        ports: dict[int, socket.socket] = {}
        try:
            _run("ip", "link", "set", "lo", "up")
            for node in nodes:
                self._holders[node] = _new_namespace()
                ports[node] = self._wire(node)
        except BaseException:
            self._end_holders()
            raise
        self.switch: Final = Switch(ports)
        self.places: Final = {
            node: Place(host=f"10.78.{node}.2", prefix=_entering(holder.pid))
            for node, holder in self._holders.items()
        }
        self.peer_addresses: Final = {node: f"10.77.0.{node}:{PEER_PORT}" for node in nodes}

    def close(self) -> None:
        self.switch.close()
        self._end_holders()

    def _wire(self, node: int) -> socket.socket:
        """Lay both wires; the switch's end of the peers' one."""
        pid = str(self._holders[node].pid)
        inside = _entering(int(pid))
        for kind in ("client", "peer"):
            end, far_end = f"{kind}{node}", f"{kind}{node}n"
            _run("ip", "link", "add", end, "type", "veth", "peer", "name", far_end)
            if kind == "peer":
                plain(end)
                plain(far_end)
            _run("ip", "link", "set", far_end, "netns", pid)
            _run("ip", "link", "set", end, "up")
        _run("ip", "address", "add", f"10.78.{node}.1/30", "dev", f"client{node}")
        _run(*inside, "ip", "address", "add", f"10.78.{node}.2/30", "dev", f"client{node}n")
        _run(*inside, "ip", "address", "add", f"10.77.0.{node}/24", "dev", f"peer{node}n")
        mac = mac_of(node).hex(":")
        _run(*inside, "ip", "link", "set", f"peer{node}n", "address", mac)
        for device in ("lo", f"client{node}n", f"peer{node}n"):
            _run(*inside, "ip", "link", "set", device, "up")
        port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        port.bind((f"peer{node}", _ETH_P_ALL))
        return port

    def _end_holders(self) -> None:
        for holder in self._holders.values():
            holder.kill()
            holder.wait()


@contextmanager
def networks(nodes: Sequence[int]) -> Generator[Networks]:
    """Enter a new namespace with this thread, for as long as it takes. Raises NoNamespacesError."""
    for tool in ("ip", "nsenter", "unshare"):
        if shutil.which(tool) is None:
            raise NoNamespacesError(f"there is no `{tool}`")
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _call("unshare", _CLONE_NEWNET)
        try:
            laid = Networks(nodes)
            try:
                yield laid
            finally:
                laid.close()
        finally:
            _call("setns", before, _CLONE_NEWNET)
    finally:
        os.close(before)


def mac_of(node: int) -> bytes:
    return bytes((2, 0, 0, 0, 77, node))


def plain(device: str) -> None:
    """Have the kernel send frames on the device that need nothing done by hardware."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sQ8x", device.encode(), ctypes.addressof(value))
            fcntl.ioctl(control, _SIOCETHTOOL, request)


def _new_namespace() -> "subprocess.Popen[bytes]":
    """A process that does nothing but have a network namespace, and ends by itself some time."""
    holder = subprocess.Popen(("unshare", "--net", "sleep", str(_HOLD_SECONDS_MAX)))
    own = Path("/proc/thread-self/ns/net").readlink()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{holder.pid}/ns/net").readlink() == own:
        if holder.poll() is not None or time.monotonic() > deadline:
            raise NoNamespacesError("`unshare --net` is not allowed")
        time.sleep(0.005)
    return holder


def _entering(pid: int) -> tuple[str, ...]:
    return ("nsenter", "--target", str(pid), "--net")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise NoNamespacesError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise NoNamespacesError(f"{name} failed: {os.strerror(ctypes.get_errno())}")
