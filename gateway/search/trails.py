"""The trail of a process instance: all that ever happened to it, also when its history was cleaned.

It is no part of Camunda's API, and lies below `/bpmnd`.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Final, final

import msgspec
from aiohttp import web

from bpmnd.actors.exporters.lines import heading
from bpmnd.actors.history.queries import TrailOf
from bpmnd.gateway.answers import Answer, answer, ok
from bpmnd.gateway.errors import Problem, invalid_argument
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.searching import Searches

LIMIT_DEFAULT: Final = 1000
LIMIT_MAX: Final = 10_000
_KEY: Final = "processInstanceKey"
_FORMATS: Final = ("json", "text")
_CURSOR: Final = msgspec.json.Decoder(tuple[int, int])


@final
class TrailReads:
    """The read of a trail."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        path = "/bpmnd/process-instances/{processInstanceKey}/trail"
        return (Route("GET", path, "bpmndProcessInstanceTrail", self.get),)

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """A page of records, as `bpmnd log export` has them, or of lines to read."""
        key = key_in_path(arguments[0], _KEY)
        style = request.query.get("format", "json")
        if style not in _FORMATS:
            raise invalid_argument([f"The value for format is '{style}' but must be json or text."])
        after = _after(request)
        found = await self._searches.trail(TrailOf(key, _flag(request, "withCalled"), after, _limit(request)))
        if not found.rows and after == (0, 0):
            raise Problem(404, "NOT_FOUND", f"Nothing of a Process Instance with key '{key}' was found")
        places = [(int(row[0] or 0), int(row[1] or 0)) for row in found.rows]
        cursor = _cursor(places[-1]) if places else None
        if style == "text":
            lines = [heading(), *(str(row[3]) for row in found.rows)]
            if found.is_more:
                lines.append(f"(more: after={cursor})")
            return answer(200, ("\n".join(lines) + "\n").encode(), "text/plain; charset=utf-8")
        items = [msgspec.Raw(str(row[2]).encode()) for row in found.rows]
        page = {"hasMoreItems": found.is_more, "endCursor": cursor}
        return ok(msgspec.json.encode({"items": items, "page": page}))


def _cursor(place: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _after(request: web.BaseRequest) -> tuple[int, int]:
    text = request.query.get("after")
    if text is None:
        return 0, 0
    try:
        return _CURSOR.decode(base64.b64decode(text, altchars=b"-_", validate=True))
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise invalid_argument(["The cursor in after cannot be read."]) from None


def _limit(request: web.BaseRequest) -> int:
    text = request.query.get("limit", str(LIMIT_DEFAULT))
    if not (text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= LIMIT_MAX):
        raise invalid_argument([f"The value for limit is '{text}' but must be from 1 to {LIMIT_MAX}."])
    return int(text)


def _flag(request: web.BaseRequest, name: str) -> bool:
    text = request.query.get(name, "false")
    if text not in ("true", "false"):
        raise invalid_argument([f"The value for {name} is '{text}' but must be true or false."])
    return text == "true"
