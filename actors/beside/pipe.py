"""What a node and the processes beside it say to each other through pipes."""

import struct
from collections.abc import Iterator
from typing import Final, final

import msgspec

_LENGTH: Final = struct.Struct("<I")
_encode: Final = msgspec.msgpack.Encoder().encode


def packed(message: msgspec.Struct) -> bytes:
    """A message as it goes into a pipe."""
    data = _encode(message)
    return _LENGTH.pack(len(data)) + data


@final
class Unpacking:
    """The messages in what comes out of a pipe, in whatever pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            message = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield message
