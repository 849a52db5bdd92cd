"""One websocket between two nodes that have agreed on it: items in, items out."""

import asyncio
from asyncio import timeout
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from typing import Any, Final, final

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
        self._loop = asyncio.get_running_loop()
        self._counters: Counters | None = None
        """None before the connection runs, and when it has ended."""
        self._messages_sent = 0
        self._pace_seconds = settings.pace_seconds
        self._sign_seconds = settings.silence_seconds_max / 3
        self._next_at = 0.0
        """When the next message may be sent."""
        self._turn: asyncio.Handle | None = None
        """In which it will be sent, if there is anything to send."""
        self._draining: asyncio.Task[None] | None = None
        """Waits while the socket's buffer is too full."""
        self._failure: Exception | None = None
        self._sent = asyncio.Event()

    async def run(self, counters: Counters, received: Callable[[list[bytes]], None]) -> None:
        """Until the end of the connection, whose reason is noted."""
        self._counters = counters
        self.wake()
        alive = asyncio.create_task(self._stay_alive())
        try:
            await self._read(counters, received)
        except FrameError as error:
            self.why_ended = f"it sent {error}"
            await self._say_goodbye(WSCloseCode.PROTOCOL_ERROR)
        finally:
            self.abort()
            self._counters = None
            if self._turn is not None:
                self._turn.cancel()
            helpers = [alive] if self._draining is None else [alive, self._draining]
            for helper in helpers:
                helper.cancel()
            await asyncio.wait(helpers)
        if self._failure is not None:
            raise self._failure
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

    def wake(self) -> None:
        """An item was put into the outbox: what is queued until the pace allows the next message, or else
        until the next turn of the loop, leaves together.
        """
        if self._turn is not None or self._draining is not None or self._counters is None:
            return
        delay = self._next_at - self._loop.time()
        if delay > 0:
            self._turn = self._loop.call_later(delay, self._send)
        else:
            self._turn = self._loop.call_soon(self._send)

    def _send(self) -> None:
        """Send a message, and see to the next. A task, woken for each message, would cost more than that."""
        self._turn = None
        message = self.outbox.take()
        if message is None or self._counters is None:
            self._sent.set()
            return
        self._next_at = self._loop.time() + self._pace_seconds
        sending = self._websocket.send_bytes(message)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            self._was_sent(self._counters, len(message))
        except (ClientError, ConnectionError):
            self.abort()  # The reader then sees the end, too.
        except Exception as error:
            self._failure = error
            self.abort()
        else:
            rest = self._drain(self._counters, len(message), _Rest(sending, waits_for))
            self._draining = self._loop.create_task(rest)

    def _was_sent(self, counters: Counters, size: int) -> None:
        outbox = self.outbox
        self._messages_sent += 1
        counters.bytes_sent += size
        counters.items_sent += outbox.items_taken
        outbox.items_taken = 0
        if outbox.is_empty:
            self._sent.set()
        else:
            self._turn = self._loop.call_soon(self._send)

    async def _drain(self, counters: Counters, size: int, rest: "_Rest") -> None:
        try:
            await rest
        except (ClientError, ConnectionError):
            self.abort()
        except Exception as error:
            self._failure = error
            self.abort()
        else:
            self._draining = None
            self._was_sent(counters, size)

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


@final
class _Rest:
    """What is left of a coroutine that was begun outside of a task, and waits for something."""

    def __init__(self, coroutine: Coroutine[Any, None, None], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, None, None]:
        waits_for = self._waits_for
        while True:
            try:
                yield waits_for
            except BaseException as error:
                step = partial(self._coroutine.throw, error)
            else:
                step = partial(self._coroutine.send, None)
            try:
                waits_for = step()
            except StopIteration:
                return
