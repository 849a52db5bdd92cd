"""Where other nodes call: takes in websockets, and turns away all else."""

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Callable
from typing import final

from aiohttp import ClientError, WSMsgType, web
from aiohttp.http import HttpProcessingError

from bpmnd.cluster.connection import Connection, heartbeat_seconds, websocket_message_size_max
from bpmnd.cluster.dialer import PEER_PATH, SEEN, TOKEN, Address
from bpmnd.cluster.errors import BusyError, RefusedError, TransportError
from bpmnd.cluster.handshake import is_token, reason_header
from bpmnd.cluster.local import LocalNode
from bpmnd.cluster.peer import Peer

_logger = logging.getLogger(__name__)
_http_logger = logging.getLogger(f"{__name__}.http")


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether it is about more than a stranger who speaks no HTTP, which aiohttp logs with a traceback."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_http_logger.addFilter(_is_ours)


@final
class Listener:
    """An HTTP server that keeps strangers short. Each of its connections serves one request."""

    def __init__(self, local: LocalNode, peer_of: Callable[[int], Peer]) -> None:
        self._local = local
        self._peer_of = peer_of
        self._http: web.Server | None = None
        self._server: asyncio.Server | None = None
        self._silent: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}

    async def start(self, address: Address) -> int:
        """Listen; the port. Raises TransportError."""
        host, port = address
        if self._local.server_tls is None and not is_loopback(host):
            _logger.warning("peers at %s are neither encrypted nor authenticated: set up TLS", host)
        seconds_max = self._local.settings.handshake_seconds_max
        self._http = web.Server(
            self._handle,
            access_log=None,
            logger=_http_logger,
            keepalive_timeout=seconds_max,
            lingering_time=0,
        )
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._accept,
                host,
                port,
                ssl=self._local.server_tls,
                ssl_handshake_timeout=None if self._local.server_tls is None else seconds_max,
            )
        except OSError as error:
            raise TransportError(f"cannot listen for peers at {host}:{port}: {error.strerror}") from None
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._http is not None:
            await self._http.shutdown(self._local.settings.close_seconds_max)
        if self._server is not None:
            await self._server.wait_closed()
        for timer in self._silent.values():
            timer.cancel()
        self._silent.clear()

    def _accept(self) -> asyncio.Protocol:
        assert self._http is not None, "it listens"
        if len(self._http.connections) >= self._local.settings.connections_max:
            return _TurnedAway()
        protocol = self._http()
        self._silent[protocol] = asyncio.get_running_loop().call_later(
            self._local.settings.handshake_seconds_max, self._drop, protocol
        )
        return protocol

    def _drop(self, protocol: web.RequestHandler) -> None:
        """Close a connection that asked for nothing in its time."""
        del self._silent[protocol]
        protocol.force_close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if (timer := self._silent.pop(request.protocol, None)) is not None:
            timer.cancel()
        try:
            if request.method == "GET" and request.path == PEER_PATH:
                return await self._upgrade(request)
            response = web.Response(status=404)
        except BusyError:
            response = web.Response(status=409)
        except RefusedError as error:
            self._local.log_once(logging.WARNING, f"refused {request.remote}: {error}")
            response = web.Response(status=403, headers=reason_header(str(error)))
        response.force_close()
        return response

    async def _upgrade(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            raise RefusedError("it is gone already")
        hello, session = self._local.judge(request.headers, transport)
        settings = self._local.settings
        websocket = web.WebSocketResponse(
            timeout=settings.close_seconds_max,
            heartbeat=heartbeat_seconds(settings),
            compress=False,
            max_msg_size=websocket_message_size_max(settings),
        )
        if not websocket.can_prepare(request):
            raise RefusedError("it asks for no websocket")
        peer = self._peer_of(hello.node)
        promised = peer.promise(hello, session, request.headers.get(SEEN, ""))
        try:
            websocket.headers.update(self._local.headers())
            websocket.headers[TOKEN] = promised
            await websocket.prepare(request)
            token = await self._confirmed(websocket)
            if token is None or not peer.holds(token):
                transport.abort()
                return websocket
        finally:
            peer.release(promised)
        await peer.carry(Connection(websocket, transport.abort, hello, session, token, settings))
        return websocket

    async def _confirmed(self, websocket: web.WebSocketResponse) -> str | None:
        """The token, with which the other end says that it wants this connection."""
        with contextlib.suppress(TimeoutError, ClientError, ConnectionError):
            message = await websocket.receive(self._local.settings.handshake_seconds_max)
            if message.type is WSMsgType.TEXT:
                token: str = message.data
                return token if is_token(token) else None
        return None


@final
class _TurnedAway(asyncio.Protocol):
    """For one connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
