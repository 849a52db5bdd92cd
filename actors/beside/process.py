"""A process beside the node, started again when it dies. The node goes on meanwhile."""

import asyncio
import contextlib
import logging
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Final, final

import msgspec

from bpmnd.actors.beside.pipe import Unpacking, packed

_logger = logging.getLogger(__name__)
_CHUNK: Final = 1 << 16
_PAUSE_SECONDS_MIN: Final = 0.1
_PAUSE_SECONDS_MAX: Final = 5.0
_HEALTHY_SECONDS: Final = 10.0
_END_SECONDS_MAX: Final = 5.0


@final
class ChildProcess:
    """One child process, over its restarts. It hears on stdin and says on stdout, and ends with its stdin."""

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        began: Callable[[], None],
        heard: Callable[[bytes], None],
    ) -> None:
        """`heard` is given each message that it says, encoded; `began` is called when it is new, and knows
        nothing."""
        self._name = name
        self._command = command
        self._began = began
        self._heard = heard
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_running())

    def send(self, message: msgspec.Struct) -> None:
        """What is sent while it is not there is lost."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(packed(message))

    def kill(self) -> None:
        """It does not answer any more: end it, so that it is started again."""
        _kill(self._process)

    async def stop(self) -> None:
        """Let it end what it is at, and come back when it is gone."""
        self._stopping = True
        process, task = self._process, self._task
        if process is not None and process.stdin is not None:
            process.stdin.close()
        if task is not None:
            try:
                await asyncio.wait_for(asyncio.shield(task), _END_SECONDS_MAX)
            except TimeoutError:
                _kill(process)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        pause = _PAUSE_SECONDS_MIN
        while not self._stopping:
            started = loop.time()
            try:
                status = await self._run()
            except OSError as error:
                status = f"{self._command[0]}: {error.strerror}"
            if self._stopping:
                return
            self.restarts += 1
            if loop.time() - started > _HEALTHY_SECONDS:
                pause = _PAUSE_SECONDS_MIN
            _logger.error("%s ended (%s); it is started again in %.1f s", self._name, status, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_SECONDS_MAX)

    async def _run(self) -> str:
        process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE)
        assert process.stdin is not None, "it was asked for"
        assert process.stdout is not None, "it was asked for"
        self._process = process
        try:
            if self._stopping:
                process.stdin.close()
            self._began()
            incoming = Unpacking()
            while data := await process.stdout.read(_CHUNK):
                for message in incoming.feed(data):
                    self._heard(message)
            return f"exit status {await process.wait()}"
        finally:
            self._process = None
            _kill(process)


def _kill(process: Process | None) -> None:
    if process is not None and process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
