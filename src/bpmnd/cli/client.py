"""REST v2 as the commands use it: plain requests, and problems as errors in words."""

import asyncio
import os
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar, final

import aiohttp
import msgspec

from bpmnd.cli.errors import CommandError

_CONNECT_SECONDS_MAX: Final = 10.0
_ANSWER_SIZE_MAX: Final = 64 << 20
_SHOWN_MAX: Final = 500
_NO_TEXT: Final = "an argument has bytes that are no UTF-8"

_T = TypeVar("_T")


@final
class UnreachableError(Exception):
    """There was no answer. Whether the request was carried out is not known."""


@final
class ProblemError(Exception):
    """The node refused; the message is its problem's title and detail."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Problem(msgspec.Struct, frozen=True):
    title: str = ""
    detail: str = ""


@final
class Client:
    """A connection to the node at an address. Raises UnreachableError and ProblemError."""

    def __init__(self, address: str) -> None:
        self._address = address if "://" in address else f"http://{address}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS_MAX)
        self._session = aiohttp.ClientSession(timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, path: str, *, seconds_max: float = 30.0, refusals: bool = True) -> bytes:
        """What stands at a path. Without `refusals` the body of an error is an answer too."""
        return await self._request("GET", path, None, None, seconds_max, refusals)

    async def post(self, path: str, body: object, *, seconds_max: float = 60.0) -> bytes:
        """Send JSON; the body of the answer."""
        try:
            data = msgspec.json.encode(body)
        except UnicodeEncodeError:
            raise CommandError(_NO_TEXT, 2) from None
        return await self._request("POST", path, data, "application/json", seconds_max, True)

    async def post_form(self, path: str, form: aiohttp.FormData, *, seconds_max: float = 60.0) -> bytes:
        return await self._request("POST", path, form, None, seconds_max, True)

    async def _request(
        self,
        method: str,
        path: str,
        data: bytes | aiohttp.FormData | None,
        content_type: str | None,
        seconds_max: float,
        refusals: bool,
    ) -> bytes:
        headers = {"Content-Type": content_type} if content_type else {}
        try:
            async with (
                asyncio.timeout(seconds_max),
                self._session.request(method, self._address + path, data=data, headers=headers) as response,
            ):
                body = await _read(response)
        except TimeoutError:
            raise UnreachableError(f"{self._address} did not answer within {seconds_max:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise UnreachableError(f"{self._address} cannot be reached: {_reason(error.os_error)}") from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise CommandError(
                f"{self._address} is no address of a node: expected http://HOST:PORT", 2
            ) from None
        except UnicodeEncodeError:
            raise CommandError(_NO_TEXT, 2) from None
        except (aiohttp.ClientError, ValueError) as error:
            raise UnreachableError(f"{self._address} cannot be reached: {error}") from None
        if response.status >= 400 and refusals:
            raise ProblemError(response.status, _message(response.status, body))
        return body


def ask(request: Coroutine[Any, Any, _T]) -> _T:
    """Run a command's requests; what goes wrong ends the command."""
    try:
        return asyncio.run(request)
    except (UnreachableError, ProblemError) as error:
        raise CommandError(str(error)) from None


def _reason(error: OSError) -> str:
    """Of names that are not found the number is below zero, and is no errno."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _ANSWER_SIZE_MAX:
            raise ValueError(f"an answer of more than {_ANSWER_SIZE_MAX} bytes")
    return bytes(body)


def _message(status: int, body: bytes) -> str:
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        return f"{status}: {body[:_SHOWN_MAX].decode(errors='replace')}"
    return f"{status} {problem.title}: {problem.detail}"
