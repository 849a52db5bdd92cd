"""Forms with files (`multipart/form-data`, RFC 7578), cut out of a body that was read whole.

aiohttp's reader takes a form as a stream, and raises a dozen kinds of error at a broken one. A body of
at most some megabytes is split at its delimiter in one go instead.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from aiohttp import hdrs, web

from bpmnd.gateway.bodies import read_body
from bpmnd.gateway.errors import Problem, bad_request, invalid_argument
from bpmnd.gateway.idempotency import note_content

PARTS_MAX: Final = 1000
_HEAD_SIZE_MAX: Final = 16 * 1024

_PARAMETER = re.compile(
    r";\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:\"([^\"\\]*(?:\\.[^\"\\]*)*)\"|([^;\"\s]+))", re.ASCII
)
_ESCAPE = re.compile(r"\\([\"\\])")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a form, or with a file name a file."""

    name: str
    filename: str
    content: bytes


async def read_form(request: web.BaseRequest) -> list[Part]:
    """All parts of the form, in the order they came."""
    content_type = request.headers.get(hdrs.CONTENT_TYPE, "")
    if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        detail = f"Content-Type '{content_type}' is not supported; send 'multipart/form-data'."
        raise Problem(415, "Unsupported Media Type", detail, ("Accept", "multipart/form-data"))
    boundary = _parameters_of(content_type).get("boundary", "")
    if _BOUNDARY.fullmatch(boundary) is None:
        raise _broken("the content type names no boundary, or none that is allowed")
    parts = _parts_of(await read_body(request), boundary.encode("ascii"))
    # The boundary is made up anew for each try, and does not count.
    note_content(request, (piece for part in parts for piece in _pieces_of(part)))
    return parts


def _pieces_of(part: Part) -> tuple[bytes, ...]:
    return part.name.encode("utf-8", "replace"), part.filename.encode("utf-8", "replace"), part.content


def _parts_of(body: bytes, boundary: bytes) -> list[Part]:
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]
    if len(pieces) > PARTS_MAX + 1:
        raise invalid_argument([f"The request has more than {PARTS_MAX} parts."])

    parts: list[Part] = []
    for piece in pieces:
        if piece.startswith(b"--"):
            return parts
        parts.append(_part_of(piece))
    raise _broken("its end is missing")


def _part_of(piece: bytes) -> Part:
    head, separator, content = piece.lstrip(b" \t").partition(b"\r\n\r\n")
    if not separator or not head.startswith(b"\r\n") or len(head) > _HEAD_SIZE_MAX:
        raise _broken("a part has no head, or one that is too long")
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError as error:
        raise _broken(f"the head of a part is not UTF-8: {error.reason}") from None

    for line in lines:
        header, _, value = line.partition(":")
        if header.strip().lower() == "content-disposition":
            parameters = _parameters_of(value)
            return Part(parameters.get("name", ""), _filename_of(parameters), content)
    raise _broken("a part has no Content-Disposition")


def _parameters_of(value: str) -> dict[str, str]:
    return {
        name.lower(): _ESCAPE.sub(r"\1", quoted) if quoted else plain
        for name, quoted, plain in _PARAMETER.findall(value)
    }


def _filename_of(parameters: dict[str, str]) -> str:
    extended = parameters.get("filename*")
    if extended is None:
        return parameters.get("filename", "")
    charset, _, rest = extended.partition("'")
    try:
        return unquote(rest.partition("'")[2], encoding=charset, errors="strict")
    except (LookupError, ValueError):
        raise _broken("a file name is not in the charset that it says") from None


def _broken(why: str) -> Problem:
    return bad_request(f"Failed to parse multipart request: {why}")
