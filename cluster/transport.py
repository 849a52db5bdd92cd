"""Carries bytes between the nodes of a cluster: one websocket per pair."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import final

from bpmnd.cluster.dialer import Address, Dialer
from bpmnd.cluster.errors import TransportError
from bpmnd.cluster.handler import PeerHandler
from bpmnd.cluster.handshake import Hello
from bpmnd.cluster.listener import Listener
from bpmnd.cluster.local import LocalNode
from bpmnd.cluster.peer import Peer
from bpmnd.cluster.settings import TransportSettings
from bpmnd.cluster.tls import TlsFiles


@final
class Transport:
    """What a node has to do with the network between nodes. Belongs to the event loop that started it."""

    def __init__(
        self,
        hello: Hello,
        handler: PeerHandler,
        *,
        address: Address = ("127.0.0.1", 0),
        tls: TlsFiles | None = None,
        settings: TransportSettings | None = None,
    ) -> None:
        self._local = LocalNode(hello, handler, settings or TransportSettings(), tls)
        self._address = address
        self._listener = Listener(self._local, self._peer_of)
        self._dialer: Dialer | None = None
        self._peers: dict[int, Peer] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def hello(self) -> Hello:
        """How this node presents itself, from the next connection on."""
        return self._local.hello

    @hello.setter
    def hello(self, hello: Hello) -> None:
        assert hello.node == self._local.hello.node, "a node keeps its id"
        self._local.hello = hello

    @property
    def peers(self) -> Mapping[int, Peer]:
        """The nodes that were learned, or that came by themselves: for metrics."""
        return MappingProxyType(self._peers)

    async def start(self) -> int:
        """Begin to listen; the port. Raises TransportError."""
        self._local.load_certificates()
        self._dialer = Dialer(self._local)
        try:
            return await self._listener.start(self._address)
        except TransportError:
            await self._dialer.close()
            raise

    async def stop(self) -> None:
        """Send what is queued, within bounds of time, and close all."""
        self._stopping = True
        await asyncio.gather(*(peer.close() for peer in self._peers.values()))
        if self._ending:
            await asyncio.wait(self._ending)
        await self._listener.stop()
        if self._dialer is not None:
            await self._dialer.close()

    def learn(self, node: int, address: Address) -> None:
        """Where a node is: it is dialed for ever, until it is forgotten."""
        assert node != self.hello.node, "a node does not dial itself"
        if not self._stopping:
            self._peer_of(node).learn(address)

    def forget(self, node: int) -> None:
        """Close the connection to a node, and dial it no more.

        The node may still come by itself; `admit` decides then.
        """
        peer = self._peers.pop(node, None)
        if peer is not None and (dialing := peer.drop()) is not None:
            self._ending.add(dialing)
            dialing.add_done_callback(self._ending.discard)

    def is_connected(self, node: int) -> bool:
        peer = self._peers.get(node)
        return peer is not None and peer.is_connected

    def send(self, node: int, item: bytes, control: bool = False) -> bool:
        """Queue an item. False if the node is not connected or the queue is full: the item is gone then."""
        peer = self._peers.get(node)
        return peer is not None and peer.send(item, control)

    def _peer_of(self, node: int) -> Peer:
        peer = self._peers.get(node)
        if peer is None:
            assert self._dialer is not None, "the transport has started"
            peer = self._peers[node] = Peer(node, self._local, self._dialer)
        return peer
