"""Figures that the Camunda API has no reads for: where work hangs, and how long it takes.

They are below `/bpmnd/statistics`. Each has figures as they stand, and `window`: what happened between `from`
and `to`.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, final

import msgspec
from aiohttp import web

from bpmnd.actors.exporters.values import moment
from bpmnd.actors.history.durations import add_durations, percentiles
from bpmnd.actors.history.names import ELEMENT_TYPE, ELEMENT_TYPES, ERROR_TYPES, SUBJECT_KIND
from bpmnd.actors.history.queries import Report, Scalar
from bpmnd.gateway.answers import Answer
from bpmnd.gateway.errors import Problem, bad_request, invalid_argument
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.searching import Item, Searches, item_answer
from bpmnd.gateway.search.spans import HOUR_MS, moment_of_query, resolution_of

_LIMIT_DEFAULT: Final = 100
_LIMIT_MAX: Final = 10_000
_SHARES: Final = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_FLOW: Final = ELEMENT_TYPE["SEQUENCE_FLOW"]
_KINDS: Final = {
    SUBJECT_KIND["JOB_CREATED"]: "created",
    SUBJECT_KIND["JOB_ACTIVATED"]: "activated",
    SUBJECT_KIND["JOB_COMPLETED"]: "completed",
    SUBJECT_KIND["JOB_FAILED"]: "failed",
    SUBJECT_KIND["JOB_TIMED_OUT"]: "timedOut",
    SUBJECT_KIND["JOB_ERROR_THROWN"]: "errorsThrown",
}
_SEEN: Final = tuple(
    SUBJECT_KIND[f"JOB_{kind}"] for kind in ("ACTIVATED", "COMPLETED", "FAILED", "ERROR_THROWN")
)
"""What a worker does itself; that its job times out, it does not."""
_names: Final = msgspec.json.Decoder(tuple[str, ...]).decode
_durations: Final = msgspec.json.Decoder(dict[int, int]).decode


@final
class _Window:
    """What happened between two moments, added up over partitions."""

    def __init__(self) -> None:
        self._counts = [0] * 5
        self._durations: dict[int, int] = {}

    def add(self, counts: Sequence[Scalar]) -> None:
        *numbers, durations = counts
        for place, number in enumerate(numbers):
            self._counts[place] += int(number or 0)
        add_durations(self._durations, _durations(str(durations)))

    def item(self, milliseconds: int) -> Item:
        """Of a span so long."""
        begun, completed, terminated, incidents, took = self._counts
        shares = percentiles(self._durations, _SHARES.values())
        return {
            "started": begun,
            "completed": completed,
            "terminated": terminated,
            "incidents": incidents,
            "completedPerSecond": round(completed * 1000 / max(milliseconds, 1), 4),
            "durationMs": {
                "mean": round(took / completed, 1) if completed else None,
                **{
                    name: None if value is None else round(value, 1)
                    for name, value in zip(_SHARES, shares, strict=True)
                },
            },
        }


@final
class VisibilityReads:
    """Statistics of definitions, elements and job types."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        at = "/bpmnd/statistics"
        one = f"{at}/process-definitions/{{processDefinitionKey}}"
        return (
            Route("GET", f"{at}/process-definitions", "bpmndProcessDefinitionStatistics", self.definitions),
            Route("GET", f"{one}/elements", "bpmndElementStatistics", self.elements),
            Route("GET", f"{one}/time-series", "bpmndTimeSeries", self.over_time),
            Route("GET", f"{at}/job-types", "bpmndJobTypeStatistics", self.job_types),
        )

    async def definitions(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Each version of each process; those with the most live instances first."""
        start, end = _span(request)
        limit, process_id = _limit(request), request.query.get("processDefinitionId")
        standing: defaultdict[Scalar, list[int]] = defaultdict(lambda: [0] * 4)
        oldest: dict[Scalar, int] = {}
        for key, *counts, since in await self._rows(Report("processes")):
            for place, count in enumerate(counts):
                standing[key][place] += int(count or 0)
            _keep_oldest(oldest, key, since)
        incidents: defaultdict[Scalar, Counter[str]] = defaultdict(Counter)
        for key, kind, count in await self._rows(Report("open incidents")):
            incidents[key][ERROR_TYPES[int(kind or 0)]] += int(count or 0)
        windows: defaultdict[Scalar, _Window] = defaultdict(_Window)
        for key, _, _, *counts in await self._rows(Report("activity", (start, end, 0))):
            windows[key].add(counts)
        items: list[Item] = []
        for key, id_, version, name, tenant_id in await self._searches.report_anywhere(Report("definitions")):
            if process_id not in (None, id_):
                continue
            well, failing, completed, terminated = standing[key]
            items.append(
                {
                    "processDefinitionKey": str(key),
                    "processDefinitionId": id_,
                    "processDefinitionVersion": version,
                    "processDefinitionName": name,
                    "tenantId": tenant_id,
                    "active": well + failing,
                    "activeWithIncident": failing,
                    "oldestActiveSince": _moment(oldest.get(key)),
                    "completed": completed,
                    "terminated": terminated,
                    "openIncidents": dict(sorted(incidents[key].items())),
                    "window": windows[key].item(end - start),
                }
            )
        items.sort(key=lambda item: -item["active"])
        return _answer(start, end, items[:limit], len(items))

    async def elements(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """The elements of a definition in the order of its model, without its flows."""
        start, end = _span(request)
        key = await self._definition(arguments)
        found: dict[tuple[Scalar, Scalar], tuple[Scalar, list[int]]] = {}
        oldest: dict[Any, int] = {}
        for _, element_id, name, kind, *counts, since in await self._rows(Report("elements", (key,))):
            if kind == _FLOW:
                continue
            _, sums = found.setdefault((element_id, kind), (name, [0] * 7))
            for place, count in enumerate(counts):
                sums[place] += int(count or 0)
            _keep_oldest(oldest, (element_id, kind), since)
        windows: defaultdict[tuple[Scalar, Scalar], _Window] = defaultdict(_Window)
        for _, element_id, kind, *counts in await self._rows(Report("activity", (start, end, key))):
            windows[element_id, kind].add(counts)
        items: list[Item] = []
        for (element_id, kind), (name, sums) in found.items():
            well, failing, completed, terminated, waiting, with_worker, failed = sums
            items.append(
                {
                    "elementId": element_id,
                    "elementName": name or element_id,
                    "type": ELEMENT_TYPES[int(kind or 0)],
                    "active": well + failing,
                    "activeWithIncident": failing,
                    "oldestActiveSince": _moment(oldest.get((element_id, kind))),
                    "completed": completed,
                    "terminated": terminated,
                    "openJobs": {"waiting": waiting, "active": with_worker, "failed": failed},
                    "window": windows[element_id, kind].item(end - start),
                }
            )
        return _answer(start, end, items, len(items))

    async def over_time(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """What happened to the instances of a definition, or of one of its elements, in steps of time."""
        start, end = _span(request)
        resolution = resolution_of(request.query.get("resolution"), start, end, "resolution")
        key = await self._definition(arguments)
        values = (start, end, key, resolution, request.query.get("elementId", ""))
        windows: defaultdict[int, _Window] = defaultdict(_Window)
        for at, *counts in await self._rows(Report("activity series", values)):
            windows[int(at or 0)].add(counts)
        items = [{"time": moment(at), **window.item(resolution)} for at, window in sorted(windows.items())]
        return _answer(start, end, items, len(items))

    async def job_types(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Each type: its open jobs, what happened, and its workers with when they were last seen."""
        start, end = _span(request)
        limit = _limit(request)
        standing: defaultdict[str, list[int]] = defaultdict(lambda: [0] * 3)
        for name, *counts in await self._rows(Report("job types")):
            for place, count in enumerate(counts):
                standing[str(name)][place] += int(count or 0)
        seen: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for _, names, _, last in await self._rows(Report("subjects", _SEEN)):
            job_type, worker = _names(str(names))
            seen[job_type][worker] = max(seen[job_type].get(worker, 0), int(last or 0))
        happened: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for kind, names, count, _ in await self._rows(Report("tallies", (start, end, "", *_KINDS))):
            happened[_names(str(names))[0]][_KINDS[int(kind or 0)]] += int(count or 0)
        items: list[Item] = []
        for job_type in sorted(standing.keys() | seen.keys() | happened.keys()):
            waiting, with_worker, failed = standing[job_type]
            workers = sorted(seen[job_type].items(), key=lambda worker: -worker[1])
            items.append(
                {
                    "jobType": job_type,
                    "waiting": waiting,
                    "active": with_worker,
                    "failed": failed,
                    "workers": [
                        {"worker": worker, "lastSeen": moment(last)} for worker, last in workers[:limit]
                    ],
                    "window": {name: happened[job_type][name] for name in _KINDS.values()},
                }
            )
        items.sort(key=lambda item: -item["waiting"])
        return _answer(start, end, items[:limit], len(items))

    async def _rows(self, report: Report) -> Iterable[Sequence[Scalar]]:
        """Of all partitions."""
        return [row for rows in await self._searches.report(report) for row in rows]

    async def _definition(self, arguments: tuple[str, ...]) -> int:
        key = key_in_path(arguments[0], "processDefinitionKey")
        if not any(row[0] == key for row in await self._searches.report_anywhere(Report("definitions"))):
            raise Problem(404, "NOT_FOUND", f"Process Definition with key '{key}' not found")
        return key


def _answer(start: int, end: int, items: Sequence[Mapping[str, Any]], total: int) -> Answer:
    return item_answer({"from": moment(start), "to": moment(end), "items": items, "totalItems": total})


def _span(request: web.BaseRequest) -> tuple[int, int]:
    """`from` and `to`; the last hour, if they are not said."""
    end = moment_of_query(request, "to")
    if end is None:
        end = int(time.time() * 1000)
    start = moment_of_query(request, "from")
    if start is None:
        start = max(end - HOUR_MS, 0)
    if start > end:
        raise invalid_argument(
            [f"The value for from is '{moment(start)}', which is after to, '{moment(end)}'."]
        )
    return start, end


def _limit(request: web.BaseRequest) -> int:
    text = request.query.get("limit", str(_LIMIT_DEFAULT))
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= _LIMIT_MAX):
        raise bad_request(f"Failed to convert 'limit' with value: '{text}'")
    return int(text)


def _keep_oldest(oldest: dict[Any, int], key: object, since: Scalar) -> None:
    if isinstance(since, int):
        oldest[key] = min(oldest.get(key, since), since)


def _moment(at: int | None) -> str | None:
    return None if at is None else moment(at)
