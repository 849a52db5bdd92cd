"""Spans of time and steps in them, as requests say them."""

import re
from typing import Final

from aiohttp import web

from bpmnd.gateway.complaints import missing
from bpmnd.gateway.errors import bad_request, invalid_argument
from bpmnd.gateway.search.filters import moment_in

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
TIME_MAX: Final = 2**53
"""Later than any moment of a log."""
_DURATION: Final = re.compile(
    r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?"
)
_LENGTHS: Final = (7 * DAY_MS, DAY_MS, HOUR_MS, MINUTE_MS, 1000)


def moment_of_query(request: web.BaseRequest, name: str) -> int | None:
    """A moment among the parameters of a path, in milliseconds. A plus may be unescaped, a space then."""
    text = request.query.get(name)
    return None if text is None else moment_in(text.replace(" ", "+"), name)


def required_span(request: web.BaseRequest, first: str, last: str) -> tuple[int, int]:
    """Two moments that have to be said."""
    start, end = moment_of_query(request, first), moment_of_query(request, last)
    complaints = [missing(name) for name, moment in ((first, start), (last, end)) if moment is None]
    if start is None or end is None:
        raise invalid_argument(complaints)
    return start, end


def resolution_of(text: str | None, start: int, end: int, at: str) -> int:
    """A duration of ISO 8601 in milliseconds, cut to whole minutes; without it what suits the span."""
    if text is None:
        span = end - start
        return MINUTE_MS if span <= 6 * HOUR_MS else HOUR_MS if span <= 7 * DAY_MS else DAY_MS
    match = _DURATION.fullmatch(text)
    parts = [int(part or 0) for part in match.groups()] if match else []
    milliseconds = sum(part * length for part, length in zip(parts, _LENGTHS, strict=False))
    if milliseconds <= 0:
        raise bad_request(f"Request property [{at}] cannot be parsed: '{text}' is no duration")
    return max(milliseconds // MINUTE_MS, 1) * MINUTE_MS
