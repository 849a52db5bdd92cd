"""Streams of bytes that cannot look complete when they are not. docs/transport.md has the bytes."""

import struct
from asyncio import IncompleteReadError, timeout
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final, cast

from aiohttp import StreamReader
from aiohttp.web import StreamResponse

from bpmnd.cluster.errors import TransportError
from bpmnd.cluster.handshake import REASON_LENGTH_MAX

CHUNK_SIZE_MAX: Final = 1 << 20
"""In the body of the answer; what is larger is sent in parts."""

_LENGTH: Final = struct.Struct("<I")
_END: Final = struct.Struct("<IQ")
_END_MARK: Final = 0xFFFFFFFF
_FAILED_MARK: Final = 0xFFFFFFFE


async def send_chunks(
    response: StreamResponse, chunks: AsyncIterator[bytes], silence_seconds_max: float
) -> None:
    """Send all chunks and the mark of the end, or why there is none.

    Raises TimeoutError if the other end does not read.
    """
    size = 0
    try:
        async with aclosing(_owned(chunks)) as owned:
            async for chunk in owned:
                for start in range(0, len(chunk), CHUNK_SIZE_MAX):
                    part = chunk[start : start + CHUNK_SIZE_MAX]
                    async with timeout(silence_seconds_max):
                        await response.write(_LENGTH.pack(len(part)) + part)
                    size += len(part)
    except TransportError as error:
        reason = str(error)[:REASON_LENGTH_MAX].encode()
        await response.write(_LENGTH.pack(_FAILED_MARK) + _LENGTH.pack(len(reason)) + reason)
    else:
        await response.write(_END.pack(_END_MARK, size))


async def _owned(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Close a generator that is not read to its end, as plain iterators need not be."""
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        if isinstance(chunks, AsyncGenerator):
            await cast(AsyncGenerator[bytes], chunks).aclose()


async def chunks_in(content: StreamReader) -> AsyncGenerator[bytes, None]:
    """The chunks of an answer. Raises TransportError if it is not whole."""
    size = 0
    try:
        while True:
            (length,) = _LENGTH.unpack(await content.readexactly(_LENGTH.size))
            if length == _END_MARK:
                break
            if length == _FAILED_MARK:
                (length,) = _LENGTH.unpack(await content.readexactly(_LENGTH.size))
                reason = await content.readexactly(min(length, 4 * REASON_LENGTH_MAX))
                raise TransportError(f"the stream ended with: {reason.decode(errors='replace')}")
            if length > CHUNK_SIZE_MAX:
                raise TransportError(f"the stream has a chunk of {length} bytes")
            size += length
            yield await content.readexactly(length)
        (total,) = struct.unpack("<Q", await content.readexactly(8))
        if total != size or await content.read(1):
            raise TransportError(f"the stream has {size} bytes instead of {total}")
    except IncompleteReadError:
        raise TransportError(f"the stream broke off after {size} bytes") from None
