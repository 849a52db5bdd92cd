"""Another node: where it is, the one connection to it, and the calls that go on until there is one.

Both nodes of a pair may dial. The one with the lower id is the arbiter: it accepts one connection at a time
and gives it a token, the other follows. docs/transport.md says why this cannot flap.
"""

import asyncio
import logging
import random
from contextlib import suppress
from typing import final

from aiohttp import ClientError

from bpmnd.cluster.connection import Connection, Counters
from bpmnd.cluster.dialer import Address, Dialer
from bpmnd.cluster.errors import BusyError, RefusedError, TransportError
from bpmnd.cluster.handshake import Hello, is_token, new_token
from bpmnd.cluster.local import LocalNode

_logger = logging.getLogger(__name__)


@final
class Peer:
    """Owner of the connection to one node."""

    def __init__(self, node: int, local: LocalNode, dialer: Dialer) -> None:
        self.node = node
        self.counters = Counters()
        self.is_arbiter = local.hello.node < node
        self._local = local
        self._dialer = dialer
        self._address: Address | None = None
        self._connection: Connection | None = None
        self._connected_at = 0.0
        self._promised = ""
        self._seen = ""
        self._pause = local.settings.pause_min_seconds
        self._vacant = asyncio.Event()
        self._vacant.set()
        self._hurry = asyncio.Event()
        self._dialing: asyncio.Task[None] | None = None
        self._closed = False
        self._complaint = ""

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    @property
    def queued_size(self) -> int:
        """Bytes that wait to be sent."""
        if self._connection is None:
            return 0
        return self._connection.outbox.control_size + self._connection.outbox.bulk_size

    def send(self, item: bytes, control: bool) -> bool:
        connection = self._connection
        if connection is None:
            return False
        if not connection.outbox.put(item, control):
            self.counters.dropped += 1
            return False
        connection.wake()
        return True

    def learn(self, address: Address) -> None:
        self._address = address
        self._pause = self._local.settings.pause_min_seconds
        self._hurry.set()
        if self._dialing is None:
            self._dialing = asyncio.create_task(self._dial_forever(), name=f"dial node {self.node}")
            self._dialing.add_done_callback(self._dialing_ended)

    async def close(self) -> None:
        """End the connection after what is queued, and never dial again."""
        self._closed = True
        if (connection := self._connection) is not None:
            await connection.close()
            self._detach(connection, "this node closed it")
        if self._dialing is not None:
            self._dialing.cancel()
            await asyncio.wait([self._dialing])

    def drop(self) -> asyncio.Task[None] | None:
        """End the connection at once, and never dial again. What is returned ends soon."""
        self._closed = True
        if self._connection is not None:
            self._detach(self._connection, "this node forgot it")
        if self._dialing is not None:
            self._dialing.cancel()
        return self._dialing

    def promise(self, hello: Hello, session: str, seen: str) -> str:
        """As the node that is dialed: the token if we are the arbiter. Raises BusyError."""
        if not self.is_arbiter:
            return ""
        current = self._connection
        if current is not None:
            same_process = current.session == session and current.hello.incarnation == hello.incarnation
            if same_process and current.token != seen:
                raise BusyError("the peer dialed before it saw the connection that there is")
        self._promised = new_token()
        return self._promised

    def release(self, token: str) -> None:
        if self._promised == token:
            self._promised = ""

    def holds(self, token: str) -> bool:
        """Whether the connection with this token may be opened."""
        return not self.is_arbiter or self._promised == token

    async def carry(self, connection: Connection) -> None:
        """Use this connection, instead of any other, until it ends."""
        if self._closed:
            connection.abort()
            return
        self._attach(connection)
        try:
            await connection.run(self.counters, lambda items: self._received(connection, items))
        finally:
            self._detach(connection, connection.why_ended)

    async def _dial_forever(self) -> None:
        settings = self._local.settings
        while True:
            await self._vacant.wait()
            self._hurry.clear()
            try:
                await self._dial()
            except BusyError:
                pass
            except TransportError as error:
                self._complain(str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause * random.uniform(0.5, 1.0)):
                    await self._hurry.wait()
            self._pause = min(self._pause * 2, settings.pause_max_seconds)

    async def _dial(self) -> None:
        assert self._address is not None, "dialing begins with an address"
        dialed = await self._dialer.open(self.node, self._address, self._seen)
        websocket, token = dialed.websocket, dialed.token
        try:
            if self.is_arbiter:
                if self._connection is not None or self._promised:
                    raise BusyError("the peer was quicker")
                token = new_token()
            elif not is_token(token):
                raise RefusedError(f"node {self.node} accepts, but gives no token")
            await websocket.send_str(token)
            settings = self._local.settings
            await self.carry(
                Connection(websocket, websocket.abort, dialed.hello, dialed.session, token, settings)
            )
        except (ClientError, ConnectionError) as error:
            raise TransportError(f"the connection broke: {error}") from None
        finally:
            websocket.abort()

    def _dialing_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            assert isinstance(error, Exception), "others end the process"
            self._local.report(self.node, error)

    def _attach(self, connection: Connection) -> None:
        if self._connection is not None:
            self._detach(self._connection, "there is a newer one")
        self._connection = connection
        self._seen = connection.token
        self._connected_at = asyncio.get_running_loop().time()
        self._complaint = ""
        self._vacant.clear()
        self.counters.connections += 1
        _logger.info("connected to node %d", self.node)
        try:
            self._local.handler.connected(self.node, connection.hello)
        except Exception as error:  # Not to carry on: the connection ends.
            self._fail(connection, error)

    def _detach(self, connection: Connection, reason: str) -> None:
        """End a connection if it is still the one in use."""
        connection.abort()
        if self._connection is not connection:
            return
        self._connection = None
        if asyncio.get_running_loop().time() - self._connected_at > self._local.settings.pause_max_seconds:
            self._pause = self._local.settings.pause_min_seconds
        self._vacant.set()
        _logger.info("disconnected from node %d: %s", self.node, reason)
        try:
            self._local.handler.disconnected(self.node)
        except Exception as error:  # Not to carry on: the owner is told.
            self._local.report(self.node, error)

    def _received(self, connection: Connection, items: list[bytes]) -> None:
        if self._connection is not connection:
            return  # It came in over a connection that was given up.
        try:
            self._local.handler.received(self.node, items)
        except Exception as error:  # Not to carry on: the connection ends.
            self._fail(connection, error)

    def _fail(self, connection: Connection, error: Exception) -> None:
        self._detach(connection, "the handler failed")
        self._local.report(self.node, error)

    def _complain(self, complaint: str) -> None:
        """Log why there is no connection; not each time that it is tried."""
        if complaint != self._complaint:
            self._complaint = complaint
            _logger.warning("no connection to node %d: %s", self.node, complaint)
