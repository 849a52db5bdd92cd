"""Statistics of jobs in a span of time: by type, worker, error, and over time.

A job that is created has no worker yet: of workers, what they completed and failed is known.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, TypeVar, final

import msgspec
from aiohttp import web

from bpmnd.actors.exporters.values import moment
from bpmnd.actors.history.figures import OTHERS
from bpmnd.actors.history.names import SUBJECT_KIND
from bpmnd.actors.history.queries import Compare, Report, Scalar
from bpmnd.gateway.answers import Answer
from bpmnd.gateway.bodies import Body, json_body
from bpmnd.gateway.complaints import missing
from bpmnd.gateway.errors import invalid_argument
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.filters import moment_in, text_conditions, text_fits
from bpmnd.gateway.search.pages import Page, cursor_of, page_of
from bpmnd.gateway.search.searching import Item, Searches, item_answer
from bpmnd.gateway.search.spans import TIME_MAX, required_span, resolution_of

_KINDS: Final = {
    SUBJECT_KIND["JOB_CREATED"]: "created",
    SUBJECT_KIND["JOB_COMPLETED"]: "completed",
    SUBJECT_KIND["JOB_FAILED"]: "failed",
}
_WORKED: Final = (SUBJECT_KIND["JOB_ACTIVATED"], SUBJECT_KIND["JOB_COMPLETED"], SUBJECT_KIND["JOB_FAILED"])
_names: Final = msgspec.json.Decoder(tuple[str, ...]).decode
_FilterT = TypeVar("_FilterT", bound="_SpanFilter")


class _SpanFilter(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Of a type of jobs; between two moments."""

    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None


class _TypesFilter(_SpanFilter, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    job_type: Any = None


class _TypeFilter(_SpanFilter, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    job_type: str | None = None


class _SeriesFilter(_TypeFilter, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    resolution: str | None = None


class _ErrorsFilter(_TypeFilter, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    error_code: Any = None
    error_message: Any = None


class _ByType(Body, frozen=True):
    filter: _TypesFilter | None = None
    page: dict[str, Any] | None = None


class _ByWorker(Body, frozen=True):
    filter: _TypeFilter | None = None
    page: dict[str, Any] | None = None


class _OverTime(Body, frozen=True):
    filter: _SeriesFilter | None = None
    page: dict[str, Any] | None = None


class _ByError(Body, frozen=True):
    filter: _ErrorsFilter | None = None
    page: dict[str, Any] | None = None


_BY_TYPE: Final = msgspec.json.Decoder(_ByType)
_BY_WORKER: Final = msgspec.json.Decoder(_ByWorker)
_OVER_TIME: Final = msgspec.json.Decoder(_OverTime)
_BY_ERROR: Final = msgspec.json.Decoder(_ByError)


@final
class _Metrics:
    """How many jobs were created, completed and failed, and when at last."""

    def __init__(self) -> None:
        self._of: dict[int, list[int]] = {kind: [0, 0] for kind in _KINDS}

    def add(self, kind: int, count: int, last: int) -> None:
        if kind in self._of:
            found = self._of[kind]
            found[0] += count
            found[1] = max(found[1], last)

    def item(self) -> Item:
        return {
            name: {"count": self._of[kind][0], "lastUpdatedAt": moment(self._of[kind][1])}
            if self._of[kind][0]
            else {"count": 0, "lastUpdatedAt": None}
            for kind, name in _KINDS.items()
        }


@final
class JobStatistics:
    """The statistics of the tag "Job"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        at = "/jobs/statistics"
        return (
            Route("GET", f"{at}/global", "getGlobalJobStatistics", self.all),
            Route("POST", f"{at}/by-types", "getJobTypeStatistics", self.by_type),
            Route("POST", f"{at}/by-workers", "getJobWorkerStatistics", self.by_worker),
            Route("POST", f"{at}/time-series", "getJobTimeSeriesStatistics", self.over_time),
            Route("POST", f"{at}/errors", "getJobErrorStatistics", self.by_error),
        )

    async def all(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        start, end = required_span(request, "from", "to")
        metrics, is_incomplete = _Metrics(), False
        for kind, names, count, last in await self._tallies(
            start, end, request.query.get("jobType", ""), _KINDS
        ):
            metrics.add(kind, count, last)
            is_incomplete = is_incomplete or names[0] == OTHERS
        return item_answer({**metrics.item(), "isIncomplete": is_incomplete})

    async def by_type(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await json_body(request, _BY_TYPE)
        start, end = 0, TIME_MAX
        conditions: Sequence[Compare] = ()
        if body.filter is not None:
            start, end = _span(body.filter)
            conditions = text_conditions(body.filter.job_type, "filter.jobType")
        page = page_of(body.page, 1, styles=("after",))
        metrics: defaultdict[str, _Metrics] = defaultdict(_Metrics)
        workers: defaultdict[str, set[str]] = defaultdict(set)
        for kind, names, count, last in await self._tallies(start, end, "", {*_KINDS, *_WORKED}):
            if text_fits(names[0], conditions):
                metrics[names[0]].add(kind, count, last)
                if kind in _WORKED:
                    workers[names[0]].add(names[1])
        return forward_answer(
            [
                ((name, 0), {"jobType": name, **found.item(), "workers": len(workers[name])})
                for name, found in sorted(metrics.items())
            ],
            page,
        )

    async def by_worker(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await json_body(request, _BY_WORKER)
        start, end, job_type = _typed(body.filter)
        page = page_of(body.page, 1, styles=("after",))
        metrics: defaultdict[str, _Metrics] = defaultdict(_Metrics)
        for kind, names, count, last in await self._tallies(start, end, job_type, _WORKED):
            metrics[names[1]].add(kind, count, last)
        return forward_answer(
            [((name, 0), {"worker": name, **found.item()}) for name, found in sorted(metrics.items())], page
        )

    async def over_time(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await json_body(request, _OVER_TIME)
        start, end, job_type = _typed(body.filter)
        assert body.filter is not None, "a type is in a filter"
        resolution = resolution_of(body.filter.resolution, start, end, "filter.resolution")
        page = page_of(body.page, styles=("after",))
        metrics: defaultdict[int, _Metrics] = defaultdict(_Metrics)
        report = Report("tally series", (start, end, job_type, resolution, *_KINDS))
        for rows in await self._searches.report(report):
            for kind, at, count, last in rows:
                metrics[_number(at)].add(_number(kind), _number(count), _number(last))
        return forward_answer(
            [((at,), {"time": moment(at), **found.item()}) for at, found in sorted(metrics.items())], page
        )

    async def by_error(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await json_body(request, _BY_ERROR)
        start, end, job_type = _typed(body.filter)
        assert body.filter is not None, "a type is in a filter"
        codes = text_conditions(body.filter.error_code, "filter.errorCode")
        messages = text_conditions(body.filter.error_message, "filter.errorMessage")
        page = page_of(body.page, 2, styles=("after",))
        workers: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for _, names, _, _ in await self._tallies(start, end, job_type, (SUBJECT_KIND["JOB_ERROR"],)):
            _, worker, code, message = names
            if text_fits(code, codes) and text_fits(message, messages):
                workers[code, message].add(worker)
        return forward_answer(
            [
                ((*error, 0), {"errorCode": error[0], "errorMessage": error[1], "workers": len(some)})
                for error, some in sorted(workers.items())
            ],
            page,
        )

    async def _tallies(
        self, start: int, end: int, job_type: str, kinds: Iterable[int]
    ) -> Sequence[tuple[int, tuple[str, ...], int, int]]:
        """Kind, names, how often, when at last."""
        report = Report("tallies", (start, end, job_type, *kinds))
        return [
            (_number(kind), _names(str(names)), _number(count), _number(last))
            for rows in await self._searches.report(report)
            for kind, names, count, last in rows
        ]


def forward_answer(found: Sequence[tuple[tuple[int | str, ...], Item]], page: Page) -> Answer:
    """A page that goes forward only, of items in the order of their places."""
    after = page.after
    if after is not None and found and [*map(type, after)] != [*map(type, found[0][0])]:
        raise invalid_argument(["The cursor in page.after cannot be read for this sort."])
    rest = [(place, item) for place, item in found if after is None or place > after]
    part = rest[: page.limit]
    said = {
        "totalItems": len(found),
        "hasMoreTotalItems": False,
        "startCursor": cursor_of(part[0][0]) if part else None,
        "endCursor": cursor_of(part[-1][0]) if part else None,
    }
    return item_answer({"items": [item for _, item in part], "page": said})


def _span(span: _SpanFilter) -> tuple[int, int]:
    if span.from_ is None or span.to is None:
        said: Collection[tuple[str, str | None]] = (("from", span.from_), ("to", span.to))
        raise invalid_argument([missing(f"filter.{name}") for name, value in said if value is None])
    return moment_in(span.from_, "filter.from"), moment_in(span.to, "filter.to")


def _typed(span: _TypeFilter | None) -> tuple[int, int, str]:
    if span is None:
        raise invalid_argument([missing("filter")])
    start, end = _span(span)
    if not span.job_type:
        raise invalid_argument([missing("filter.jobType")])
    return start, end, span.job_type


def _number(value: Scalar) -> int:
    assert isinstance(value, int), f"{value!r} is no number"
    return value
