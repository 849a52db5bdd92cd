"""Who writes where there is io_uring: the event loop asks, the kernel does, nobody waits.

A write by a thread costs little by itself, but the thread needs the interpreter before and after each of its
system calls, and takes it from the event loop. Most rounds append one batch to the segment in use: those are
made ready where they are asked for and given to the kernel. All others (a vote, a new segment, a cut, a very
large batch) go to a thread, as they may block.
"""

import asyncio
import errno
import logging
import os
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple, final

from bpmnd.storage.disk import File, RealFile, Write
from bpmnd.storage.errors import ClosedError
from bpmnd.storage.io_uring import IoUring
from bpmnd.storage.tail import MARK_LAG_MAX, Job, Round
from bpmnd.storage.writer import MARK_SECONDS, Channel, OnSync, Post, ThreadWriter, be_nice

_logger = logging.getLogger(__name__)

_ENTRIES: Final = 256
_LOOK_MS: Final = 10


class _UnderWay(NamedTuple):
    """A write that the kernel has: of a round, or of the mark up to a sequence."""

    channel: Channel
    write: Write
    taken: Round | None
    sequence: int
    started: float


def open_writer(
    loop: asyncio.AbstractEventLoop, on_sync: OnSync | None, *, io_uring: bool
) -> "RingWriter | ThreadWriter":
    """What writes fastest here. `on_sync` is told the seconds that each write took, in any thread."""
    if io_uring:
        try:
            ring = IoUring(_ENTRIES)
        except OSError as error:
            _logger.info("there is no io_uring here, a thread writes the log: %s", error)
        else:
            return RingWriter(loop, ring, on_sync)
    return ThreadWriter(on_sync)


@final
class RingWriter:
    """Of all logs of a process. `put` is for the loop's thread; `finish` and `close` for any."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: IoUring, on_sync: OnSync | None) -> None:
        self._loop = loop
        self._ring = ring
        self._on_sync = on_sync
        self._lock = threading.RLock()
        """Whoever has it may look at and change all that follows, and the tails not in the thread."""
        self._busy: set[Channel] = set()
        """A round of theirs is under way,"""
        self._in_thread: set[Channel] = set()
        """in the thread."""
        self._under_way: dict[int, _UnderWay] = {}
        self._last_token = 0
        self._marking: set[Channel] = set()
        """Their mark is being synced."""
        self._delayed: set[Channel] = set()
        """A round of theirs goes to the thread when that is done."""
        self._unmarked: set[Channel] = set()
        """Their mark is to be synced in a while, if `_timer` runs."""
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._thread = ThreadPoolExecutor(1, "log-writer")
        self._background = ThreadPoolExecutor(1, "log-helper", initializer=be_nice)
        loop.add_reader(ring.fileno(), self._look)

    def helper(self, make: Callable[[], File | None]) -> "Future[File | None]":
        return self._background.submit(make)

    def put(self, channel: Channel, job: Job) -> None:
        with self._lock:
            if self._closed:
                raise ClosedError("the writer is closed")
            channel.jobs.append(job)
            if channel not in self._busy:
                self._begin(channel)

    def finish(self, channel: Channel) -> None:
        self._wait_until(lambda: self._claim(channel))
        try:
            channel.close()
        finally:
            with self._lock:
                self._busy.discard(channel)

    def close(self) -> None:
        """Do all that is queued, then end the threads."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
        self._wait_until(lambda: not self._busy and not self._under_way)
        self._thread.shutdown()
        self._background.shutdown()
        if not self._loop.is_closed():
            self._loop.remove_reader(self._ring.fileno())
        self._ring.close()

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        """Block, and take up completions in the place of the loop, which may be what is blocked. `holds` is
        asked, and heeded, under the lock."""
        poll = select.poll()
        poll.register(self._ring, select.POLLIN)
        while True:
            with self._lock:
                if holds():
                    return
                self._take_up(None)
                if holds():
                    return
            poll.poll(_LOOK_MS)

    def _look(self) -> None:
        """There are completions, unless somebody else has taken them up."""
        with self._lock:
            if self._under_way:
                self._take_up(self._loop.call_soon)

    def _do_round(self, channel: Channel) -> None:
        """In the thread, and without the lock: nobody else touches the channel's tail meanwhile."""
        channel.round(self._on_sync)
        channel.sync_mark()
        with self._lock:
            self._in_thread.discard(channel)
            self._go_on(channel)

    # All that follows is for whoever has the lock.

    def _claim(self, channel: Channel) -> bool:
        """Take a channel of which nothing is under way out of everybody's hands."""
        if channel in self._busy or channel in self._marking:
            return False
        self._busy.add(channel)
        self._unmarked.discard(channel)
        return True

    def _begin(self, channel: Channel) -> None:
        """Begin the next round of a channel that has jobs."""
        if not self._is_quick(channel):
            self._begin_in_thread(channel)
            return
        self._busy.add(channel)
        started = time.perf_counter()
        try:
            taken = channel.tail.take(channel.jobs)
            assert taken is not None, "a quick round takes something"
            assert taken.batch is not None, "a quick round writes a batch"
            self._submit(_UnderWay(channel, taken.batch, taken, 0, started))
        except Exception as error:
            channel.give_up(error)
            self._go_on(channel)

    def _is_quick(self, channel: Channel) -> bool:
        if channel.error is not None or self._ring.is_full:
            return False
        if channel in self._marking and channel.tail.mark_lag >= 2 * MARK_LAG_MAX:
            return False
        return channel.tail.is_quick(channel.jobs)

    def _begin_in_thread(self, channel: Channel) -> None:
        """The same for a round that may block; without jobs it is only the mark that is synced."""
        self._busy.add(channel)
        if channel in self._marking:  # Both would write to the mark, and in no order.
            self._delayed.add(channel)
        else:
            self._in_thread.add(channel)
            self._thread.submit(self._do_round, channel)

    def _go_on(self, channel: Channel) -> None:
        """A round is over."""
        self._busy.discard(channel)
        if channel.jobs:
            self._begin(channel)

    def _submit(self, under_way: _UnderWay) -> None:
        """Raises StorageError."""
        file, data, offset = under_way.write
        assert isinstance(file, RealFile), f"{file} is not the kernel's"
        self._last_token = token = self._last_token + 1
        try:
            self._ring.write(file.fileno(), data, offset, token)
        except OSError as error:
            raise file.write_error(error, len(data), offset) from error
        self._under_way[token] = under_way

    def _take_up(self, post: Post | None) -> None:
        """Go on after what the kernel has done. `post` is how owners are told in the loop's thread.

        None: this may be any thread, and what follows is left to the one that writes: the kernel calls off
        what was asked for by a thread that ends.
        """
        for completion in self._ring.completions():
            under_way = self._under_way.pop(completion.token)
            channel, is_over = under_way.channel, True
            try:
                is_over = self._is_over(under_way, completion.result, post)
            except Exception as error:
                channel.give_up(error)
            if not is_over:
                continue
            if under_way.taken is None:
                self._mark_is_over(channel, in_loop=post is not None)
            elif post is None:
                self._begin_in_thread(channel)
            else:
                self._go_on(channel)

    def _is_over(self, under_way: _UnderWay, result: int, post: Post | None) -> bool:
        """Take up one completion; False if there is more to write. Raises StorageError for a write that
        failed: it is never tried again."""
        channel, (file, data, offset), taken, sequence, started = under_way
        assert isinstance(file, RealFile), f"{file} is not the kernel's"
        if result <= 0:
            number = -result or errno.EIO
            raise file.write_error(OSError(number, os.strerror(number)), len(data), offset)
        if result < len(data):  # The kernel may take a long write in parts.
            rest = Write(file, data[result:], offset + result)
            self._submit(under_way._replace(write=rest))
            return False
        if taken is None:
            channel.tail.mark_synced(sequence)
            return True
        if self._on_sync is not None:
            self._on_sync(time.perf_counter() - started)
        written = channel.tail.written(taken)
        if channel.error is None:  # Else the mark has failed meanwhile, and the owner knows.
            channel.tell(written, post)
            if post is not None:
                self._mark(channel)
        return True

    def _mark_is_over(self, channel: Channel, *, in_loop: bool) -> None:
        """The mark was synced, or could not be. Batches may have come meanwhile."""
        self._marking.discard(channel)
        if channel in self._delayed:
            self._delayed.discard(channel)
            self._begin_in_thread(channel)
        elif channel.error is None and channel not in self._busy and channel.tail.mark_lag:
            if in_loop:
                try:
                    self._mark(channel)
                except Exception as error:
                    channel.give_up(error)
            else:
                self._begin_in_thread(channel)

    def _mark(self, channel: Channel) -> None:
        """Note the last batch in the mark, and see that it is synced in a while."""
        if channel in self._marking:
            return
        if channel.tail.mark_lag < MARK_LAG_MAX:
            channel.tail.write_mark()
        elif not self._ring.is_full:
            self._sync_mark(channel)
            return
        self._mark_later(channel)

    def _mark_later(self, channel: Channel) -> None:
        self._unmarked.add(channel)
        if self._timer is None and not self._closed:
            self._timer = self._loop.call_later(MARK_SECONDS, self._sync_marks)

    def _sync_mark(self, channel: Channel) -> None:
        write, sequence = channel.tail.next_mark()
        self._submit(_UnderWay(channel, write, None, sequence, 0.0))
        self._marking.add(channel)
        self._unmarked.discard(channel)

    def _sync_marks(self) -> None:
        """Of those that had a batch a while ago. What is in the thread syncs its mark by itself, and what is
        closed with its writer when it is finished."""
        with self._lock:
            self._timer = None
            if self._closed:
                return
            channels, self._unmarked = self._unmarked, set()
            for channel in channels - self._marking - self._in_thread:
                if channel.error is not None or not channel.tail.mark_lag:
                    continue
                if self._ring.is_full:
                    self._mark_later(channel)
                    continue
                try:
                    self._sync_mark(channel)
                except Exception as error:
                    channel.give_up(error)
