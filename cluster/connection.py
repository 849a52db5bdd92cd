"""One websocket between two nodes that have agreed on it: items in, items out."""

import asyncio
from asyncio import timeout
from collections.abc import Callable
from contextlib import suppress
from typing import Final, final

from aiohttp import ClientError, ClientWebSocketResponse, WSCloseCode, WSMsgType
from aiohttp.web import WebSocketResponse

from bpmnd.cluster.errors import FrameError
from bpmnd.cluster.frames import HEADER_SIZE, Inbox, Outbox
from bpmnd.cluster.handshake import Hello
from bpmnd.cluster.settings import TransportSettings

Websocket = WebSocketResponse | ClientWebSocketResponse

_SLACK: Final = 64


def websocket_message_size_max(settings: TransportSettings) -> int:
    """The bound for aiohttp, which counts the header too."""
    return settings.message_size_max + HEADER_SIZE + _SLACK


def heartbeat_seconds(settings: TransportSettings) -> float:
    """aiohttp asks for a sign of life after so much silence, and waits half as long for it."""
    return settings.silence_seconds_max * 2 / 3


@final
class Counters:
    """What a peer cost. They are kept over reconnects."""

    __slots__ = ("bytes_received", "bytes_sent", "connections", "dropped", "items_received", "items_sent")

    def __init__(self) -> None:
        self.items_sent = 0
        self.bytes_sent = 0
        self.items_received = 0
        self.bytes_received = 0
        self.dropped = 0
        """Items refused because a queue was full."""
        self.connections = 0


@final
class Connection:
    """Carries items until either end closes it, or falls silent."""

    def __init__(
        self,
        websocket: Websocket,
        abort: Callable[[], None],
        hello: Hello,
        session: str,
        token: str,
        settings: TransportSettings,
    ) -> None:
        self.hello = hello
        self.session = session
        self.token = token
        self.why_ended = "the connection broke"
        self._websocket = websocket
        self.abort = abort
        self._close_seconds_max = settings.close_seconds_max
        self.outbox = Outbox(
            item_size_max=settings.item_size_max,
            message_size_max=settings.message_size_max,
            control_size_max=settings.control_queue_size_max,
            bulk_size_max=settings.bulk_queue_size_max,
        )
        self._inbox = Inbox(item_size_max=settings.item_size_max)
        self._messages_sent = 0
        self._pace_seconds = settings.pace_seconds
        self._sign_seconds = settings.silence_seconds_max / 3
        self.queued = asyncio.Event()
        """To be set whenever an item was put into the outbox."""
        self._sent = asyncio.Event()

    async def run(self, counters: Counters, received: Callable[[list[bytes]], None]) -> None:
        """Until the end of the connection, whose reason is noted."""
        helpers = [asyncio.create_task(self._write(counters)), asyncio.create_task(self._stay_alive())]
        try:
            await self._read(counters, received)
        except FrameError as error:
            self.why_ended = f"it sent {error}"
            await self._say_goodbye(WSCloseCode.PROTOCOL_ERROR)
        finally:
            self.abort()
            for helper in helpers:
                helper.cancel()
            await asyncio.wait(helpers)
        for helper in helpers:
            if not helper.cancelled():
                helper.result()

    async def close(self) -> None:
        """Send what is queued and say goodbye, within bounds of time."""
        with suppress(TimeoutError):
            async with timeout(self._close_seconds_max):
                if not self.outbox.is_empty:
                    self._sent.clear()
                    await self._sent.wait()
        await self._say_goodbye(WSCloseCode.GOING_AWAY)
        self.abort()

    async def _say_goodbye(self, code: WSCloseCode) -> None:
        with suppress(TimeoutError, ClientError, ConnectionError):
            async with timeout(self._close_seconds_max):
                await self._websocket.close(code=code)

    async def _write(self, counters: Counters) -> None:
        outbox, now = self.outbox, asyncio.get_running_loop().time
        next_at = 0.0
        try:
            while True:
                message = outbox.take()
                if message is None:
                    self._sent.set()
                    self.queued.clear()
                    await self.queued.wait()
                    # What is queued meanwhile, or else until the next turn of the loop, leaves together.
                    await asyncio.sleep(max(0.0, next_at - now()))
                    next_at = now() + self._pace_seconds
                    continue
                await self._websocket.send_bytes(message)  # Waits while the socket's buffer is too full.
                self._messages_sent += 1
                counters.bytes_sent += len(message)
                counters.items_sent += outbox.items_taken
                outbox.items_taken = 0
                if not outbox.is_empty:
                    await asyncio.sleep(0)
        except (ClientError, ConnectionError):
            self.abort()  # The reader then sees the end, too.

    async def _stay_alive(self) -> None:
        """Be heard even while there is only something to receive, which may take long over a slow line."""
        with suppress(ClientError, ConnectionError):
            while True:
                sent = self._messages_sent
                await asyncio.sleep(self._sign_seconds)
                if self._messages_sent == sent:
                    await self._websocket.pong()

    async def _read(self, counters: Counters, received: Callable[[list[bytes]], None]) -> None:
        receive = self._websocket.receive
        take = self._inbox.take
        while True:
            message = await receive()
            match message.type:
                case WSMsgType.BINARY:
                    data: bytes = message.data
                    items = take(data)
                    counters.bytes_received += len(data)
                    counters.items_received += len(items)
                    if items:
                        received(items)
                case WSMsgType.CLOSE | WSMsgType.CLOSING | WSMsgType.CLOSED:
                    if message.type is WSMsgType.CLOSE:
                        self.why_ended = f"it said goodbye ({message.data}) {message.extra or ''}".strip()
                    return
                case WSMsgType.ERROR:
                    self.why_ended = str(message.data) or self.why_ended
                    return
                case other:
                    raise FrameError(f"a {other.name} message")
