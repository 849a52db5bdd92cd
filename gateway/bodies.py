"""Request bodies: read within a limit, checked as text, decoded strictly. Values of variables stay bytes."""

import asyncio
import re
from array import array
from functools import lru_cache
from itertools import accumulate
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from aiohttp import ClientPayloadError, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from bpmnd.bpmn.commands import Variables
from bpmnd.gateway.errors import Problem, bad_request
from bpmnd.gateway.idempotency import note_content

BODY_SIZE_MAX: Final = 4 * 1024 * 1024
DEPTH_MAX: Final = 200
_READ_TIMEOUT_S: Final = 30.0

Int32: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Int64: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
RawVariables: TypeAlias = dict[str, msgspec.Raw]
"""Variables as they stand in a body: the value of each is a slice of it, checked but not parsed."""

_B = TypeVar("_B", bound="Body")


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A closed body. As in Zeebe, a property that is null is one that is absent."""


async def read_body(request: web.BaseRequest, *, size_max: int = BODY_SIZE_MAX) -> bytes:
    """The whole body, or 413 as soon as it is known to be too large."""
    content = request.content
    body = content.read_nowait(-1) if content.is_eof() else await _read_slowly(request, size_max)
    if len(body) > size_max:
        raise _too_large(size_max)
    note_content(request, (body,))
    return body


async def _read_slowly(request: web.BaseRequest, size_max: int) -> bytes:
    _announce(request, size_max)
    body = bytearray()
    try:
        async with asyncio.timeout(_READ_TIMEOUT_S):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > size_max:
                    raise _too_large(size_max)
    except TimeoutError:
        detail = f"The request body did not arrive within {_READ_TIMEOUT_S:.0f} seconds."
        raise Problem(408, "Request Timeout", detail, closes=True) from None
    except (ClientPayloadError, HttpProcessingError, web.RequestPayloadError) as broken:
        raise Problem(400, "Bad Request", f"Failed to read request: {broken}", closes=True) from None
    return bytes(body)


def _announce(request: web.BaseRequest, size_max: int) -> None:
    """Refuse by what the headers say; otherwise ask for the body if the client waits to be asked."""
    length = request.content_length
    if length is not None and length > size_max:
        raise _too_large(size_max)
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _too_large(size_max: int) -> Problem:
    detail = f"The request body is larger than the limit of {size_max} bytes."
    return Problem(413, "Content Too Large", detail, closes=True)


async def json_body(
    request: web.BaseRequest, decoder: msgspec.json.Decoder[_B], *, size_max: int = BODY_SIZE_MAX
) -> _B:
    """A required JSON body."""
    body = await read_body(request, size_max=size_max)
    if _says_nothing(body):
        raise bad_request("Required request body is missing")
    return _decode(request, body, decoder)


async def optional_json_body(request: web.BaseRequest, decoder: msgspec.json.Decoder[_B]) -> _B | None:
    """A JSON body that may be left out."""
    body = await read_body(request)
    if _says_nothing(body):
        return None
    return _decode(request, body, decoder)


def _says_nothing(body: bytes) -> bool:
    return len(body) < 16 and body.strip() in (b"", b"null")


def variables_of(raw: RawVariables | None) -> Variables:
    """The variables with the bytes of their values."""
    return {name: bytes(value) for name, value in raw.items()} if raw else {}


def _decode(request: web.BaseRequest, body: bytes, decoder: msgspec.json.Decoder[_B]) -> _B:
    _check_content_type(request)
    _check_text(body)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise bad_request(_complaint(str(error))) from None
    except msgspec.DecodeError as error:
        raise bad_request(f"Request body is not valid JSON: {error}") from None


def _check_content_type(request: web.BaseRequest) -> None:
    content_type = request.headers.get(hdrs.CONTENT_TYPE, "")
    if not _is_json(content_type):
        detail = f"Content-Type '{content_type}' is not supported; send 'application/json'."
        raise Problem(415, "Unsupported Media Type", detail, ("Accept", "application/json"))


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    media_type, _, parameters = content_type.partition(";")
    kind = media_type.strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        return False
    charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", parameters, re.IGNORECASE)
    return charset is None or charset[1].lower() in ("utf-8", "utf8", "us-ascii")


# What the decoder leaves unseen in values that it does not parse: their characters and their depth. Each
# check first asks a cheap question which nearly every body answers with no.

_DEEPER_OR_LESS = bytes(
    {ord("["): 1, ord("{"): 1, ord("]"): 255, ord("}"): 255}.get(c, 0) for c in range(256)
)
_NO_BRACKETS = bytes(c for c in range(256) if c not in b"[]{}")
_HALF_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]", re.DOTALL
)


def _check_text(body: bytes) -> None:
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise bad_request(
                f"Request body is not valid UTF-8: {error.reason} (byte {error.start})"
            ) from None
    if len(body) > 2 * DEPTH_MAX and body.count(b"[") + body.count(b"{") > DEPTH_MAX:
        _check_depth(body)
    if b"\\u" in body and _HALF_SURROGATE.search(body):
        _check_surrogates(body)


def _check_depth(body: bytes) -> None:
    """Count the brackets outside of strings: what stands between every second pair of quotes."""
    outside = b"".join(body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])
    brackets = outside.translate(_DEEPER_OR_LESS, _NO_BRACKETS)
    depth = max(accumulate(array("b", brackets)), default=0)
    if depth > DEPTH_MAX:
        raise bad_request(f"Request body is nested {depth} levels deep, but at most {DEPTH_MAX} are allowed.")


def _check_surrogates(body: bytes) -> None:
    """Half a surrogate pair is no character. Escaped backslashes are put out of the way first."""
    lone = _LONE_SURROGATE.search(body.replace(rb"\\", b"__"))
    if lone is not None:
        escape = lone.group()[:6].decode("ascii", "replace")
        raise bad_request(f"Request body holds half a surrogate pair: {escape} (byte {lone.start()})")


_AT = re.compile(r"^(.*?)(?: - at `\$?\.?(.*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)


def _complaint(error: str) -> str:
    """msgspec's complaint in the words of the API: which property, and what is wrong with it."""
    found = _AT.match(error)
    assert found is not None, error
    what, where = found[1], found[2] or ""
    unknown = _UNKNOWN.fullmatch(what)
    if unknown is not None:
        name = f"{where}.{unknown[1]}" if where else unknown[1]
        return f"Request property [{name}] cannot be parsed: there is no such property"
    what = what.replace("`", "").replace(" | null", "")
    if not where:
        return f"Request body cannot be parsed: {what}"
    return f"Request property [{where}] cannot be parsed: {what}"
