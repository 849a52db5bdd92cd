"""The node on the real network: the transport between the nodes, joined with the node that owns it."""

import logging
from collections.abc import Callable
from typing import final

import msgspec

from bpmnd.actors.founding import Introduction
from bpmnd.actors.identity import Identity
from bpmnd.actors.node import Node
from bpmnd.cluster.handshake import Hello
from bpmnd.cluster.tls import TlsFiles
from bpmnd.cluster.transport import Transport

_logger = logging.getLogger(__name__)


@final
class Peering:
    """Implements the node's `Network` by the transport, and the transport's `PeerHandler` by the node."""

    def __init__(
        self,
        identity: Identity,
        introduction: Introduction,
        listen: tuple[str, int],
        tls: TlsFiles | None,
        give_up: Callable[[BaseException], None],
    ) -> None:
        self.node: Node | None = None
        """Set before `start`."""
        cluster = identity.cluster.cluster_id if identity.cluster is not None else ""
        hello = Hello(identity.node, identity.incarnation, cluster, introduction.to_bytes())
        self.transport = Transport(hello, self, address=listen, tls=tls)
        self._give_up = give_up

    async def start(self) -> int:
        """Listen for other nodes; the port. Raises TransportError."""
        return await self.transport.start()

    async def stop(self) -> None:
        await self.transport.stop()

    # What the node asks

    def send(self, node: int, item: bytes, control: bool = False) -> bool:
        return self.transport.send(node, item, control)

    def learn(self, node: int, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.transport.learn(node, (host.strip("[]"), int(port)))

    def forget(self, node: int) -> None:
        self.transport.forget(node)

    def introduce(self, cluster: str) -> None:
        hello = self.transport.hello
        self.transport.hello = Hello(hello.node, hello.incarnation, cluster, hello.extra)

    # What the transport tells

    def admit(self, hello: Hello) -> str | None:
        assert self.node is not None, "a peering is started with its node"
        try:
            introduction = Introduction.from_bytes(hello.extra)
        except msgspec.DecodeError as error:
            return f"its introduction cannot be read: {error}"
        return self.node.admit(hello.node, hello.incarnation, hello.cluster, introduction)

    def connected(self, node: int, hello: Hello) -> None:
        assert self.node is not None, "a peering is started with its node"
        introduction = Introduction.from_bytes(hello.extra)
        self.node.connected(node, hello.incarnation, hello.cluster, introduction)

    def disconnected(self, node: int) -> None:
        assert self.node is not None, "a peering is started with its node"
        self.node.disconnected(node)

    def received(self, node: int, items: list[bytes]) -> None:
        assert self.node is not None, "a peering is started with its node"
        self.node.received(node, items)

    def failed(self, node: int, error: Exception) -> None:
        """Of a peer's nonsense the connection has died already; anything else is a bug of ours."""
        if not isinstance(error, msgspec.DecodeError):
            self._give_up(error)
