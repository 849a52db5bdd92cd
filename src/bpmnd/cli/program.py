"""A program that does a job: JSON in, exit status and JSON out, within bounds of time and size."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process, SubprocessStreamProtocol
from dataclasses import dataclass, field
from typing import Final, Literal, final

import msgspec

ERROR_STATUS: Final = 3
"""The exit status that throws a BPMN error. Shells use 1 and 2 themselves, and those above 125."""
OUTPUT_SIZE_MAX: Final = 4 << 20
MESSAGE_LENGTH_MAX: Final = 2000

_CHUNK: Final = 64 << 10
_TAIL: Final = 4 * MESSAGE_LENGTH_MAX


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    kind: Literal["completed", "failed", "error", "timed out"]
    message: str = ""
    code: str = ""
    variables: dict[str, msgspec.Raw] = field(default_factory=dict[str, msgspec.Raw])

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.code, self.message) if part)


class _ThrownError(msgspec.Struct, frozen=True, rename="camel"):
    error_code: str
    error_message: str = ""
    variables: dict[str, msgspec.Raw] = {}


@final
class Program:
    """Started anew for every job, without a shell, in a process group of its own."""

    def __init__(self, command: tuple[str, ...], timeout_seconds: float) -> None:
        self._command = command
        self._timeout_seconds = timeout_seconds

    async def run(self, job: bytes) -> Outcome:
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.subprocess_exec(
                lambda: SubprocessStreamProtocol(limit=_CHUNK, loop=loop),
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                start_new_session=True,
            )
        except OSError as error:
            return Outcome("failed", f"{self._command[0]}: {error.strerror}")
        process = Process(transport, protocol, loop)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                output, errors, _ = await asyncio.gather(
                    _read_all(process), _read_tail(process), _write(process, job + b"\n")
                )
                status = await process.wait()
        except TimeoutError:
            _kill(process)  # Also children that outlived it and keep its output open.
            return Outcome("timed out", f"took longer than {self._timeout_seconds:g} s and was killed")
        finally:
            await _end(process)
            transport.close()  # Its output may still be held open by a child.
        if output is None:
            return Outcome("failed", f"printed more than {OUTPUT_SIZE_MAX} bytes and was killed")
        return _outcome(status, output, errors)


async def _read_all(process: Process) -> bytes | None:
    """What it prints. None if that is too much: then it is killed."""
    assert process.stdout is not None, "it was asked for"
    output = bytearray()
    size = 0
    while chunk := await process.stdout.read(_CHUNK):
        size += len(chunk)
        if size <= OUTPUT_SIZE_MAX:
            output += chunk
        else:  # What is left in the pipe is read too: asyncio sees an end only behind it.
            _kill(process)
    return bytes(output) if size <= OUTPUT_SIZE_MAX else None


async def _read_tail(process: Process) -> bytes:
    """Pass on what it says on stderr, and keep the end of it."""
    assert process.stderr is not None, "it was asked for"
    tail = b""
    while chunk := await process.stderr.read(_CHUNK):
        sys.stderr.buffer.write(chunk)
        sys.stderr.flush()
        tail = (tail + chunk)[-_TAIL:]
    return tail


async def _write(process: Process, job: bytes) -> None:
    assert process.stdin is not None, "it was asked for"
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # It need not read its job.
        process.stdin.write(job)
        await process.stdin.drain()
    process.stdin.close()


async def _end(process: Process) -> None:
    """Leave no process behind."""
    if process.returncode is None:
        _kill(process)
        await process.wait()


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _outcome(status: int, output: bytes, errors: bytes) -> Outcome:
    try:
        if status == 0:
            return Outcome("completed", variables=_variables(output))
        if status == ERROR_STATUS:
            error = msgspec.json.decode(output, type=_ThrownError)
            return Outcome("error", error.error_message, error.error_code, error.variables)
    except msgspec.DecodeError as wrong:
        return Outcome("failed", f"exit status {status}, but what it printed is not as expected: {wrong}")
    ended = f"exit status {status}" if status > 0 else f"killed by {signal.Signals(-status).name}"
    said = errors.decode(errors="replace").replace("\0", "").strip()
    return Outcome("failed", said[-MESSAGE_LENGTH_MAX:] or ended)


def _variables(output: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(output, type=dict[str, msgspec.Raw]) if output.strip() else {}
