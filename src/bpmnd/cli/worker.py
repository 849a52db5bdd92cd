"""The loop of `bpmnd work`: borrow jobs, let the program do them, report what came of it."""

import asyncio
import signal
import sys
from dataclasses import dataclass
from typing import Final, final

import msgspec

from bpmnd.cli.client import Client, ProblemError, UnreachableError
from bpmnd.cli.errors import CommandError
from bpmnd.cli.program import Outcome, Program

_POLL_SECONDS: Final = 20.0
_AWAY_SECONDS_MIN: Final = 0.1
_AWAY_SECONDS_MAX: Final = 5.0
_LINE_BREAKS: Final = bytes.maketrans(b"\r\n", b"  ")


@final
@dataclass(frozen=True, slots=True)
class WorkerSettings:
    type: str
    command: tuple[str, ...]
    name: str
    concurrency: int
    timeout_seconds: float
    back_off_seconds: float
    jobs_max: int | None


class _Job(msgspec.Struct, frozen=True, rename="camel"):
    job_key: str
    retries: int


class _Jobs(msgspec.Struct, frozen=True):
    jobs: list[msgspec.Raw]


@final
class Worker:
    """Works the jobs of one type until it is told to stop, or has done as many as asked for."""

    def __init__(self, address: str, settings: WorkerSettings) -> None:
        self._address = address
        self._settings = settings
        self._program = Program(settings.command, settings.timeout_seconds)
        self._running: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()
        self._taken = 0
        self._failure: BaseException | None = None

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)
        async with Client(self._address) as client:
            stopped = asyncio.create_task(self._stop.wait())
            try:
                while (free := self._free()) and not self._stop.is_set():
                    await self._borrow(client, free, stopped)
                    while len(self._running) >= self._settings.concurrency:
                        await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopped.cancel()
                await asyncio.gather(*self._running, return_exceptions=True)
        if self._failure is not None:
            raise self._failure
        return 0

    def _on_signal(self) -> None:
        """The first lets running jobs end, the second does not: then the node lends them again."""
        if self._stop.is_set():
            for task in self._running:
                task.cancel()
        elif self._running:
            _say(f"stopping after {len(self._running)} running jobs; once more to kill them")
        self._stop.set()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._failure = failure
            self._stop.set()

    def _free(self) -> int:
        """How many jobs more it may take now."""
        free = self._settings.concurrency - len(self._running)
        if self._settings.jobs_max is not None:
            free = min(free, self._settings.jobs_max - self._taken)
        return free

    async def _borrow(self, client: Client, count: int, stopped: "asyncio.Task[bool]") -> None:
        """Wait for jobs and start them. A poll given up is one whose jobs the node takes back."""
        poll = asyncio.create_task(self._poll(client, count))
        await asyncio.wait((poll, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not poll.done():
            poll.cancel()
            await asyncio.wait((poll,))
        if poll.cancelled():
            return
        for job in poll.result():
            self._taken += 1
            task = asyncio.create_task(self._work(client, bytes(job).translate(_LINE_BREAKS)))
            self._running.add(task)
            task.add_done_callback(self._ended)

    async def _poll(self, client: Client, count: int) -> list[msgspec.Raw]:
        """At least one job, however long that takes, also while the node is away."""
        body = {
            "type": self._settings.type,
            "worker": self._settings.name,
            "timeout": int(self._settings.timeout_seconds * 1000),
            "maxJobsToActivate": count,
            "requestTimeout": int(_POLL_SECONDS * 1000),
        }
        away_seconds = _AWAY_SECONDS_MIN
        while True:
            try:
                answer = await client.post("/v2/jobs/activation", body, seconds_max=2 * _POLL_SECONDS)
                jobs = msgspec.json.decode(answer, type=_Jobs).jobs
                if jobs:
                    return jobs
                away_seconds = _AWAY_SECONDS_MIN
            except UnreachableError as error:
                _say(f"{error}; trying again")
                await asyncio.sleep(away_seconds)
                away_seconds = min(away_seconds * 2, _AWAY_SECONDS_MAX)
            except ProblemError as problem:
                if problem.status < 500:
                    raise CommandError(str(problem)) from None
                await asyncio.sleep(away_seconds)
                away_seconds = min(away_seconds * 2, _AWAY_SECONDS_MAX)

    async def _work(self, client: Client, text: bytes) -> None:
        loop = asyncio.get_running_loop()
        job, deadline = msgspec.json.decode(text, type=_Job), loop.time() + self._settings.timeout_seconds
        outcome = await self._program.run(text)
        if outcome.kind == "timed out":
            _say(f"job {job.job_key}: {outcome.message}; the node lends it again")
            return
        body = _report(outcome, job, self._settings.back_off_seconds)
        path = f"/v2/jobs/{job.job_key}/{_OPERATIONS[outcome.kind]}"
        while True:
            try:
                await client.post(path, body)
            except ProblemError as problem:
                if problem.status < 500:
                    _say(f"job {job.job_key}: {problem}")
                    return
            except UnreachableError as error:
                _say(f"job {job.job_key}: {error}; trying again")
            else:
                _say(f"job {job.job_key}: {outcome}")
                return
            if loop.time() > deadline:
                _say(f"job {job.job_key}: given up, its time is over")
                return
            await asyncio.sleep(_AWAY_SECONDS_MIN)


_OPERATIONS: Final = {"completed": "completion", "failed": "failure", "error": "error"}


def _report(outcome: Outcome, job: _Job, back_off_seconds: float) -> dict[str, object]:
    """The body of the request that tells the node."""
    body: dict[str, object] = {"variables": outcome.variables} if outcome.variables else {}
    if outcome.kind == "failed":
        body["retries"] = max(job.retries - 1, 0)
        body["retryBackOff"] = int(back_off_seconds * 1000)
    if outcome.kind == "error":
        body["errorCode"] = outcome.code
    if outcome.message:
        body["errorMessage"] = outcome.message
    return body


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
