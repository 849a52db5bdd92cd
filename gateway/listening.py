"""Ending to listen without breaking a connection that a client believes it has."""

import asyncio
import ctypes
import os
import socket
import struct
from contextlib import suppress
from typing import Final

_SO_ATTACH_FILTER: Final = 26
"""Of Linux; the socket module has no name for it."""
_DROP_ALL: Final = struct.pack("=HBBI", 0x06, 0, 0, 0)
"""A packet filter of one instruction: return 0, keep nothing."""
_ACCEPT_S: Final = 0.01


async def stop_listening(listener: asyncio.Server) -> None:
    """Take what has connected so far, and then nothing more.

    The kernel connects clients before we know of them. If the listener were just closed, those would be
    reset, and what they have sent already would have no answer. So first the kernel is told to drop what
    comes for the listener; a client that is dropped tries again after a second, and learns that nobody
    listens.
    """
    with suppress(OSError):  # Not on Linux: then it is closed with that risk.
        for listening in listener.sockets:
            _drop_all(listening.fileno())
        await asyncio.sleep(_ACCEPT_S)
    listener.close()


def _drop_all(descriptor: int) -> None:
    program = ctypes.create_string_buffer(_DROP_ALL)
    with socket.socket(fileno=os.dup(descriptor)) as listening:
        listening.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(program))
        )
