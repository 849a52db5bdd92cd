"""Calls other nodes: opens websockets to where they listen."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final, final

import aiohttp
from aiohttp import ClientError, ClientTimeout, ClientWebSocketResponse
from multidict import CIMultiDictProxy
from yarl import URL

from bpmnd.cluster.connection import heartbeat_seconds, websocket_message_size_max
from bpmnd.cluster.errors import BusyError, RefusedError, TransportError
from bpmnd.cluster.handshake import Hello, reason_of
from bpmnd.cluster.local import LocalNode
from bpmnd.cluster.tls import name_of

Address = tuple[str, int]

PEER_PATH: Final = "/peer"
SEEN: Final = "Bpmnd-Seen"
TOKEN: Final = "Bpmnd-Token"


@final
class DialedWebsocket(ClientWebSocketResponse):
    """A websocket that shows what it was made of."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # aiohttp's own business.
        super().__init__(*arguments, **options)
        connection = self._response.connection
        assert connection is not None, "aiohttp has just upgraded it"
        assert connection.transport is not None, "aiohttp has just upgraded it"
        self.headers: CIMultiDictProxy[str] = self._response.headers
        self.transport = connection.transport

    def abort(self) -> None:
        self.transport.abort()
        self._response.close()


@final
@dataclass(frozen=True, slots=True)
class Dialed:
    """A websocket to a node that is welcome here, and where this node is welcome."""

    websocket: DialedWebsocket
    hello: Hello
    session: str
    token: str


@final
class Dialer:
    """Made where an event loop runs."""

    def __init__(self, local: LocalNode) -> None:
        self._local = local
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True, use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=ClientTimeout(total=None),  # `open` bounds all of it.
            auto_decompress=False,
            ws_response_class=DialedWebsocket,
        )

    async def close(self) -> None:
        await self._http.close()

    async def open(self, node: int, address: Address, seen: str) -> Dialed:
        """Open a websocket. Raises TransportError; BusyError if it is not needed."""
        settings = self._local.settings
        try:
            async with asyncio.timeout(settings.handshake_seconds_max):
                websocket = await self._http.ws_connect(
                    self._url(address),
                    headers={**self._local.headers(), SEEN: seen},
                    max_msg_size=websocket_message_size_max(settings),
                    heartbeat=heartbeat_seconds(settings),
                    ssl=self._local.client_tls or True,
                    server_hostname=self._server_name(node),
                )
        except aiohttp.WSServerHandshakeError as error:
            raise _answered(address, error.status, reason_of(error.headers or {})) from None
        except (
            ClientError,
            OSError,
            TimeoutError,
            ValueError,
        ) as error:  # The last for what is no host name.
            raise TransportError(f"{_text(address)}: {str(error) or 'no answer'}") from None
        assert isinstance(websocket, DialedWebsocket), "as the session was told"
        try:
            hello, session = self._local.judge(websocket.headers)
            _expect(node, address, hello)
        except RefusedError:
            websocket.abort()
            raise
        return Dialed(websocket, hello, session, websocket.headers.get(TOKEN, ""))

    def _url(self, address: Address) -> URL:
        scheme = "http" if self._local.client_tls is None else "https"
        return URL.build(scheme=scheme, host=address[0], port=address[1], path=PEER_PATH)

    def _server_name(self, node: int) -> str | None:
        """What the certificate at the other end must name: the node, wherever it runs."""
        return None if self._local.client_tls is None else name_of(node)


def _expect(node: int, address: Address, hello: Hello) -> None:
    if hello.node != node:
        raise RefusedError(f"{_text(address)} is the address of node {hello.node}, not of node {node}")


def _answered(address: Address, status: int, reason: str) -> TransportError:
    if status == 409:
        return BusyError(f"{_text(address)} has a connection already")
    if reason:
        return RefusedError(f"{_text(address)} refuses: {reason}")
    return TransportError(f"{_text(address)} answers with status {status}: it is no peer address")


def _text(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
