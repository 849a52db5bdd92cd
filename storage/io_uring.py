"""Writes that the kernel does aside, by io_uring: no thread of ours waits for them, or for the interpreter.

Only what the log needs of it: positioned writes out of memory, durable ones. Whoever submits and takes up
completions does so one at a time. The layout of the shared memory is that of linux/io_uring.h.
"""

import ctypes
import errno
import mmap
import os
import struct
from typing import Final, NamedTuple, final

_SETUP: Final = 425
_ENTER: Final = 426
"""Numbers of system calls, the same on all architectures that came after them."""
_SQES_AT: Final = 0x10000000
_SINGLE_MMAP: Final = 1 << 0
_NO_DROP: Final = 1 << 1
_CURRENT_POSITION: Final = 1 << 3
"""Of no use here, but it came with the kind of write that is."""
_OP_WRITE: Final = 23
_ASYNC: Final = 1 << 4
"""Always by a thread of the kernel: some file systems would otherwise do it, and its sync, here and now."""
_SETUP_CQSIZE: Final = 1 << 3

_CQ_OVERFLOW: Final = 1 << 1
_GET_EVENTS: Final = 1 << 0
_PARAMETERS: Final = struct.Struct("<10I8IQ8IQ")
_SQE: Final = struct.Struct("<BBHiQQIIQHHiQQ")
"""opcode, flags, priority, file, offset, address, length, write's flags, token, 3 unused, 2 paddings."""
_SQE_SIZE: Final = 64
_CQE: Final = struct.Struct("<QiI")


class Completion(NamedTuple):
    """`result` is the number of bytes written, or an errno below zero."""

    token: int
    result: int


@final
class IoUring:
    """A pair of queues shared with the kernel. Raises OSError where there is no io_uring, or an old one.

    `fileno` becomes readable when there are completions.
    """

    def __init__(self, entries: int) -> None:
        self._system_call = ctypes.PyDLL(None, use_errno=True).syscall  # None of them is ever long.
        self._system_call.restype = ctypes.c_long
        self._system_call.argtypes = (ctypes.c_long,) * 7
        parameters = ctypes.create_string_buffer(_PARAMETERS.size)
        struct.pack_into("<3I", parameters, 0, 0, 4 * entries, _SETUP_CQSIZE)
        self._ring = self._call(_SETUP, entries, ctypes.addressof(parameters))
        fields = _PARAMETERS.unpack(parameters)
        self._entries, completions, features = fields[0], fields[1], fields[5]
        _, sq_tail, sq_mask, _, sq_flags, _, sq_array, *_ = fields[10:19]
        cq_head, cq_tail, cq_mask, _, _, cqes, *_ = fields[19:28]
        try:
            if ~features & (_SINGLE_MMAP | _NO_DROP | _CURRENT_POSITION):
                raise OSError("io_uring of this kernel is too old")
            size = max(sq_array + 4 * self._entries, cqes + _CQE.size * completions)
            self._shared = mmap.mmap(self._ring, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
            self._sqes = mmap.mmap(
                self._ring,
                _SQE_SIZE * self._entries,
                flags=mmap.MAP_SHARED | mmap.MAP_POPULATE,
                offset=_SQES_AT,
            )
        except BaseException:
            os.close(self._ring)
            raise
        # Read and written at one go, as the kernel may be at the other end: `struct` writes zeros first.
        self._sq_tail = ctypes.c_uint32.from_buffer(self._shared, sq_tail)
        self._sq_flags = ctypes.c_uint32.from_buffer(self._shared, sq_flags)
        self._cq_head = ctypes.c_uint32.from_buffer(self._shared, cq_head)
        self._cq_tail = ctypes.c_uint32.from_buffer(self._shared, cq_tail)
        self._sq_mask: int = ctypes.c_uint32.from_buffer(self._shared, sq_mask).value
        self._cq_mask: int = ctypes.c_uint32.from_buffer(self._shared, cq_mask).value
        self._cqes: int = cqes
        self._completions_max: int = completions
        struct.pack_into(f"<{self._entries}I", self._shared, sq_array, *range(self._entries))
        self._submitted = 0
        self._taken = 0
        self._buffers: dict[int, bytes] = {}

    def fileno(self) -> int:
        return self._ring

    @property
    def is_full(self) -> bool:
        """So much is under way that only the rests of writes should be added to it."""
        return 2 * len(self._buffers) >= self._completions_max

    def write(self, file: int, data: bytes, offset: int, token: int) -> None:
        """Have data written durably at an offset of a file descriptor; `token` is not under way already.

        The thread that asks for it and the descriptor have to stay until it is done: the kernel calls off
        what a thread that ends has left, and may look the descriptor up late. Raises OSError if it was not
        taken; then nothing will be written.
        """
        if len(self._buffers) >= self._completions_max:  # What completes beyond that has to be asked for.
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        slot = self._submitted & self._sq_mask
        address = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value
        _SQE.pack_into(
            self._sqes,
            slot * _SQE_SIZE,
            _OP_WRITE,
            _ASYNC,
            0,
            file,
            offset,
            address,
            len(data),
            os.RWF_DSYNC,
            token,
            *(0, 0, 0, 0, 0),
        )
        tail = self._submitted + 1 & 0xFFFFFFFF
        self._sq_tail.value = tail
        self._buffers[token] = data
        try:
            taken = self._call(_ENTER, self._ring, 1)
            if taken != 1:
                raise OSError("io_uring did not take a write")
        except OSError:
            self._sq_tail.value = self._submitted
            del self._buffers[token]
            raise
        self._submitted = tail

    def completions(self) -> list[Completion]:
        """What was done since the last time."""
        if self._sq_flags.value & _CQ_OVERFLOW:  # Some are kept elsewhere until they are asked for.
            self._call(_ENTER, self._ring, 0, flags=_GET_EVENTS)
        found: list[Completion] = []
        last = self._cq_tail.value
        if self._taken == last:
            return found
        while self._taken != last:
            at = self._cqes + (self._taken & self._cq_mask) * _CQE.size
            token, result, _ = _CQE.unpack_from(self._shared, at)
            del self._buffers[token]
            found.append(Completion(token, result))
            self._taken = self._taken + 1 & 0xFFFFFFFF
        self._cq_head.value = self._taken
        return found

    def close(self) -> None:
        """Nothing may be under way."""
        assert not self._buffers, f"{len(self._buffers)} writes are under way"
        del self._sq_tail, self._sq_flags, self._cq_head, self._cq_tail  # They hold on to what is shared.
        self._shared.close()
        self._sqes.close()
        os.close(self._ring)

    def _call(self, number: int, first: int, second: int, third: int = 0, *, flags: int = 0) -> int:
        while True:
            result: int = self._system_call(number, first, second, third, flags, 0, 0)
            if result >= 0:
                return result
            error = ctypes.get_errno()
            if error != errno.EINTR:
                raise OSError(error, os.strerror(error))
