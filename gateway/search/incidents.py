"""Reads of incidents: search, get, and how many instances fail by what."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, final

import msgspec
from aiohttp import web

from bpmnd.actors.history.queries import Report
from bpmnd.gateway.answers import Answer
from bpmnd.gateway.bodies import Body, Int32, json_body, optional_json_body
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.groups import grouped_answer
from bpmnd.gateway.search.searching import SEARCH, Item, Searches, existing, item_answer

_KEY: Final = "incidentKey"


class _ErrorFilter(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    error_hash_code: Int32


class _ByDefinition(Body, frozen=True):
    filter: _ErrorFilter
    sort: list[Any] | None = None
    page: dict[str, Any] | None = None


class _ByError(Body, frozen=True):
    sort: list[Any] | None = None
    page: dict[str, Any] | None = None


_BY_DEFINITION: Final = msgspec.json.Decoder(_ByDefinition)
_BY_ERROR: Final = msgspec.json.Decoder(_ByError)


@final
class IncidentReads:
    """The reads of the tag "Incident"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        statistics = "/incidents/statistics/process-instances-by"
        return (
            Route("POST", "/incidents/search", "searchIncidents", self.search),
            Route("GET", "/incidents/{incidentKey}", "getIncident", self.get),
            Route("POST", f"{statistics}-error", "getProcessInstanceStatisticsByError", self.by_error),
            Route(
                "POST",
                f"{statistics}-definition",
                "getProcessInstanceStatisticsByDefinition",
                self.by_definition,
            ),
        )

    async def search(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        return await self._searches.search("incident", await optional_json_body(request, SEARCH))

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        key = key_in_path(arguments[0], _KEY)
        return item_answer(await existing(self._searches.get("incident", _KEY, key), "Incident", key))

    async def by_error(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """How many live instances have an open incident, an error message."""
        body = await optional_json_body(request, _BY_ERROR) or _ByError()
        counts: Counter[tuple[int, str]] = Counter()
        for rows in await self._searches.report(Report("failing by error")):
            for code, message, count in rows:
                counts[int(code or 0), str(message)] += int(count or 0)
        items: list[Item] = [
            {"errorHashCode": code, "errorMessage": message, "activeInstancesWithErrorCount": count}
            for (code, message), count in counts.items()
        ]
        sorts = ("errorMessage", "activeInstancesWithErrorCount")
        return grouped_answer(items, sorts, body.sort, body.page, ties=("errorMessage", "errorHashCode"))

    async def by_definition(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """How many live instances have an open incident with this error, a definition."""
        body = await json_body(request, _BY_DEFINITION)
        report = Report("failing by definition", (body.filter.error_hash_code,))
        counts: Counter[int] = Counter()
        for rows in await self._searches.report(report):
            for definition_key, count in rows:
                counts[int(definition_key or 0)] += int(count or 0)
        items: list[Item] = [
            {
                "processDefinitionId": process_id,
                "processDefinitionKey": str(key),
                "processDefinitionName": name or process_id,
                "processDefinitionVersion": version,
                "tenantId": tenant_id,
                "activeInstancesWithErrorCount": counts[int(key or 0)],
            }
            for key, process_id, version, name, tenant_id in await self._searches.report_anywhere(
                Report("definitions")
            )
            if key in counts
        ]
        sorts = ("activeInstancesWithErrorCount", "processDefinitionKey", "tenantId")
        return grouped_answer(items, sorts, body.sort, body.page, ties=("processDefinitionKey",))
