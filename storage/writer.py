"""Who writes: one thread a process for many logs, or the caller itself. A third way is in ring_writer.py."""

import contextlib
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Protocol, final

from bpmnd.storage.disk import File
from bpmnd.storage.errors import ClosedError, StorageError
from bpmnd.storage.tail import Helper, Job, Tail, Written

OnSync = Callable[[float], None]
Post = Callable[[Callable[[], None]], object]
Done = Callable[[Written], None]
MARK_SECONDS: Final = 0.1
"""So long after a batch its mark is synced, at the latest, whatever else is to be written."""
Failed = Callable[[StorageError], None]


@final
class Channel:
    """A log as its writer knows it: its tail, and how to tell its owner."""

    def __init__(self, tail: Tail, post: Post, done: Done, failed: Failed) -> None:
        self.tail = tail
        self.jobs: deque[Job] = deque()
        self.error: StorageError | None = None
        self._post = post
        self._done = done
        self._failed = failed

    def round(self, on_sync: OnSync | None) -> None:
        """Write one batch, tell its owner, note it in the mark."""
        if self.error is not None:
            self.jobs.clear()
            return
        started = time.perf_counter()
        try:
            taken = self.tail.take(self.jobs)
            if taken is not None:
                if taken.batch is not None:
                    taken.batch.file.write([taken.batch.data], taken.batch.offset, durable=True)
                    if on_sync is not None:
                        on_sync(time.perf_counter() - started)
                self.tell(self.tail.written(taken))
            self.tail.write_mark()
            self.tail.prepare()
        except Exception as error:
            self.give_up(error)

    def tell(self, written: Written, post: Post | None = None) -> None:
        """Have the owner told, in its own thread; `post` if there is a quicker way to it than from any."""
        (post or self._post)(lambda: self._done(written))

    def give_up(self, error: Exception) -> None:
        """Write nothing more, and tell the owner why: a log whose writer fails in any way is finished."""
        if self.error is not None:
            return
        self.error = failure = (
            error if isinstance(error, StorageError) else StorageError(f"writer failed: {error!r}")
        )
        with contextlib.suppress(RuntimeError):  # The owner's event loop is closed: nobody is left to tell.
            self._post(lambda: self._failed(failure))

    def sync_mark(self) -> None:
        """Have the mark on disk tell of all that was written."""
        if self.error is None:
            try:
                self.tail.sync_mark()
            except Exception as error:
                self.give_up(error)

    def close(self) -> None:
        """Close the files. One whose write failed is closed as well as can be: its failure was reported."""
        try:
            self.tail.close()
        except StorageError as error:
            self.error = self.error or error


class Writer(Protocol):
    """Does the jobs of a channel in order, one write batch at a time."""

    @property
    def helper(self) -> Helper: ...

    def put(self, channel: Channel, job: Job) -> None: ...

    def finish(self, channel: Channel) -> None:
        """Return when all jobs of the channel are done and its files are closed."""
        ...


@final
class ThreadWriter:
    """One thread for all logs of a process. Each round writes one batch per log that has something queued.

    `on_sync` is called in the writer's thread with the seconds that each write took.
    """

    def __init__(self, on_sync: OnSync | None = None) -> None:
        self._queue: queue.SimpleQueue[tuple[Channel, Job | threading.Event] | None] = queue.SimpleQueue()
        self._on_sync = on_sync
        self._background = ThreadPoolExecutor(1, "log-helper", initializer=be_nice)
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="log-writer")
        self._thread.start()

    def put(self, channel: Channel, job: Job) -> None:
        if self._closed:
            raise ClosedError("the writer is closed")
        self._queue.put((channel, job))

    def finish(self, channel: Channel) -> None:
        finished = threading.Event()
        with self._closing:
            is_closed = self._closed
            if not is_closed:
                self._queue.put((channel, finished))
        if is_closed:  # A replica whose opening outlasted the node: nothing was ever queued for it since.
            self._thread.join()
            channel.close()
        else:
            finished.wait()

    def helper(self, make: Callable[[], File | None]) -> "Future[File | None]":
        return self._background.submit(make)

    def close(self) -> None:
        """Do all that is queued, then end the threads."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._background.shutdown()

    def _run(self) -> None:
        jobs = self._queue
        waiting: dict[Channel, list[threading.Event]] = {}
        unmarked: set[Channel] = set()
        marking_at = 0.0
        ending = False
        while not ending or waiting:
            while not waiting or not jobs.empty():
                try:
                    item = jobs.get(timeout=max(marking_at - time.monotonic(), 0) if unmarked else None)
                except queue.Empty:
                    break
                if item is None:
                    ending = True
                    break
                channel, job = item
                events = waiting.setdefault(channel, [])
                if isinstance(job, threading.Event):
                    events.append(job)
                else:
                    channel.jobs.append(job)
            for channel in list(waiting):
                if channel.jobs:
                    channel.round(self._on_sync)
                    marking_at = marking_at if unmarked else time.monotonic() + MARK_SECONDS
                    unmarked.add(channel)
                if not channel.jobs:
                    for event in waiting.pop(channel):
                        unmarked.discard(channel)
                        channel.close()
                        event.set()
            if unmarked and time.monotonic() >= marking_at:
                for channel in unmarked:
                    channel.sync_mark()
                unmarked.clear()


@final
class InlineWriter:
    """Writes in the caller's thread: for tests and the simulator.

    While `held`, jobs queue up as they would behind a slow disk; `run` does them.
    """

    def __init__(self) -> None:
        self.held = False
        self._waiting: dict[Channel, None] = {}

    def put(self, channel: Channel, job: Job) -> None:
        channel.jobs.append(job)
        self._waiting[channel] = None
        if not self.held:
            self.run()

    def run(self) -> None:
        """Do all that is queued, in rounds."""
        while self._waiting:
            self.run_round()

    def run_round(self) -> None:
        """One write batch of each log that has something queued."""
        for channel in list(self._waiting):
            channel.round(None)
            if not channel.jobs:
                del self._waiting[channel]

    def finish(self, channel: Channel) -> None:
        while channel.jobs:
            channel.round(None)
        self._waiting.pop(channel, None)
        channel.close()

    def helper(self, make: Callable[[], File | None]) -> "Future[File | None]":
        future: Future[File | None] = Future()
        try:
            future.set_result(make())
        except StorageError as error:
            future.set_exception(error)
        return future


def be_nice() -> None:
    """Preparing a segment must not take the CPU from the event loop."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
