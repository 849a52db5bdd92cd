"""Reads of process definitions: search, get, source, and counts over their instances."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final, final

import msgspec
from aiohttp import web

from bpmnd.actors.history.entities import MESSAGE_SUBSCRIPTIONS, PROCESS_INSTANCES
from bpmnd.actors.history.queries import Report, Scalar
from bpmnd.gateway.answers import Answer, answer
from bpmnd.gateway.bodies import Body, json_body, optional_json_body
from bpmnd.gateway.complaints import missing
from bpmnd.gateway.errors import invalid_argument
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.filters import conditions_of, instance_conditions_of
from bpmnd.gateway.search.groups import grouped_answer
from bpmnd.gateway.search.pages import cursor_of, page_of
from bpmnd.gateway.search.process_instances import element_counts
from bpmnd.gateway.search.searching import SEARCH, Item, Searches, existing, item_answer

_KEY: Final = "processDefinitionKey"
_WHAT: Final = "Process Definition"
_OF_DEFINITION: Final = frozenset(
    {
        "processDefinitionId",
        "processDefinitionName",
        "processDefinitionVersion",
        "processDefinitionVersionTag",
        "processDefinitionKey",
    }
)


class _Filtered(Body, frozen=True):
    filter: dict[str, Any] | None = None


class _Ordered(Body, frozen=True):
    sort: list[Any] | None = None
    page: dict[str, Any] | None = None


class _VersionFilter(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    process_definition_id: str
    tenant_id: str | None = None


class _ByVersion(Body, frozen=True):
    filter: _VersionFilter | None = None
    sort: list[Any] | None = None
    page: dict[str, Any] | None = None


class _Paged(Body, frozen=True):
    filter: dict[str, Any] | None = None
    page: dict[str, Any] | None = None


_FILTERED: Final = msgspec.json.Decoder(_Filtered)
_ORDERED: Final = msgspec.json.Decoder(_Ordered)
_BY_VERSION: Final = msgspec.json.Decoder(_ByVersion)
_PAGED: Final = msgspec.json.Decoder(_Paged)


@final
class ProcessDefinitionReads:
    """The reads of the tag "Process definition"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        one = "/process-definitions/{processDefinitionKey}"
        statistics = "/process-definitions/statistics"
        return (
            Route("POST", "/process-definitions/search", "searchProcessDefinitions", self.search),
            Route("GET", one, "getProcessDefinition", self.get),
            Route("GET", f"{one}/xml", "getProcessDefinitionXML", self.xml),
            Route(
                "POST",
                f"{one}/statistics/element-instances",
                "getProcessDefinitionStatistics",
                self.elements,
            ),
            Route(
                "POST",
                f"{statistics}/process-instances",
                "getProcessDefinitionInstanceStatistics",
                self.instances,
            ),
            Route(
                "POST",
                f"{statistics}/process-instances-by-version",
                "getProcessDefinitionInstanceVersionStatistics",
                self.instances_by_version,
            ),
            Route(
                "POST",
                f"{statistics}/message-subscriptions",
                "getProcessDefinitionMessageSubscriptionStatistics",
                self.subscriptions,
            ),
        )

    async def search(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await optional_json_body(request, SEARCH)
        return await self._searches.search("process definition", body, everywhere=False)

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        return item_answer(await self._existing(arguments))

    async def xml(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        await self._existing(arguments)
        key = key_in_path(arguments[0], _KEY)
        ((content,),) = await self._searches.report_anywhere(Report("xml of definition", (key,)))
        return answer(200, str(content).encode("latin-1"), "text/xml")

    async def elements(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """How many instances of each element there are in the process instances that are asked for."""
        key = key_in_path(arguments[0], _KEY)
        body = await optional_json_body(request, _FILTERED) or _Filtered()
        conditions = instance_conditions_of(PROCESS_INSTANCES, body.filter, without=_OF_DEFINITION)
        counts: dict[str, Counter[int]] = defaultdict(Counter)
        for rows in await self._searches.report(Report("elements of definition", (key,), conditions)):
            for element_id, *numbers in rows:
                counts[str(element_id)].update(dict(enumerate(_integers(numbers))))
        items = [
            element_counts((element_id, *(counts[element_id][place] for place in range(4))))
            for element_id in sorted(counts)
        ]
        return item_answer({"items": items})

    async def instances(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """How many live instances each process has, over all its versions."""
        body = await optional_json_body(request, _ORDERED) or _Ordered()
        live = await self._live()
        items: dict[tuple[Scalar, Scalar], Item] = {}
        for key, process_id, _, name, tenant_id in await self._definitions():
            item = items.setdefault(
                (process_id, tenant_id),
                {
                    "processDefinitionId": process_id,
                    "tenantId": tenant_id,
                    "latestProcessDefinitionName": None,
                    "hasMultipleVersions": False,
                    "activeInstancesWithoutIncidentCount": 0,
                    "activeInstancesWithIncidentCount": 0,
                    "versions": 0,
                },
            )
            item["versions"] += 1
            item["hasMultipleVersions"] = item["versions"] > 1
            item["latestProcessDefinitionName"] = name
            item["activeInstancesWithoutIncidentCount"] += live[key, 0]
            item["activeInstancesWithIncidentCount"] += live[key, 1]
        some = [item for item in items.values() if _has_live(item)]
        for item in some:
            del item["versions"]
        sorts = (
            "processDefinitionId",
            "activeInstancesWithIncidentCount",
            "activeInstancesWithoutIncidentCount",
        )
        return grouped_answer(some, sorts, body.sort, body.page, ties=("processDefinitionId", "tenantId"))

    async def instances_by_version(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """How many live instances each version of a process has."""
        body = await json_body(request, _BY_VERSION)
        if body.filter is None:
            raise invalid_argument([missing("filter")])
        live = await self._live()
        items: list[Item] = [
            {
                "processDefinitionId": process_id,
                "processDefinitionKey": str(key),
                "processDefinitionName": name,
                "tenantId": tenant_id,
                "processDefinitionVersion": version,
                "activeInstancesWithIncidentCount": live[key, 1],
                "activeInstancesWithoutIncidentCount": live[key, 0],
            }
            for key, process_id, version, name, tenant_id in await self._definitions()
            if process_id == body.filter.process_definition_id and body.filter.tenant_id in (None, tenant_id)
        ]
        sorts = (
            "processDefinitionId",
            "processDefinitionKey",
            "processDefinitionName",
            "processDefinitionVersion",
            "activeInstancesWithIncidentCount",
            "activeInstancesWithoutIncidentCount",
        )
        some = [item for item in items if _has_live(item)]
        return grouped_answer(some, sorts, body.sort, body.page, ties=("processDefinitionKey",))

    async def subscriptions(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """How many instances of each definition wait for messages; pages go forward only."""
        body = await optional_json_body(request, _PAGED) or _Paged()
        conditions = conditions_of(MESSAGE_SUBSCRIPTIONS, body.filter)
        page = page_of(body.page, styles=("after",))
        waiting: Counter[tuple[Scalar, int]] = Counter()
        for rows in await self._searches.report(Report("subscriptions by definition", (), conditions)):
            for key, instances, open_count in rows:
                waiting[key, 0] += int(instances or 0)
                waiting[key, 1] += int(open_count or 0)
        after = page.after[0] if page.after is not None else None
        found = [row for row in await self._definitions() if waiting[row[0], 1]]
        rest = [row for row in found if not isinstance(after, int) or int(row[0] or 0) > after]
        part = rest[: page.limit]
        items: list[Item] = [
            {
                "processDefinitionId": process_id,
                "tenantId": tenant_id,
                "processDefinitionKey": str(key),
                "processInstancesWithActiveSubscriptions": waiting[key, 0],
                "activeSubscriptions": waiting[key, 1],
            }
            for key, process_id, _, _, tenant_id in part
        ]
        said = {
            "totalItems": len(found),
            "hasMoreTotalItems": False,
            "startCursor": cursor_of(part[0][:1]) if part else None,
            "endCursor": cursor_of(part[-1][:1]) if part else None,
        }
        return item_answer({"items": items, "page": said})

    async def _definitions(self) -> Sequence[Sequence[Scalar]]:
        """Key, id, version, name and tenant of all, the oldest first."""
        return await self._searches.report_anywhere(Report("definitions"))

    async def _live(self) -> Counter[tuple[Scalar, int]]:
        """(definition, 0 without or 1 with incident) -> live instances."""
        live: Counter[tuple[Scalar, int]] = Counter()
        for rows in await self._searches.report(Report("live by definition")):
            for key, without, with_incident in rows:
                live[key, 0] += int(without or 0)
                live[key, 1] += int(with_incident or 0)
        return live

    async def _existing(self, arguments: tuple[str, ...]) -> Item:
        key = key_in_path(arguments[0], _KEY)
        item = self._searches.get("process definition", _KEY, key, everywhere=False)
        return await existing(item, _WHAT, key)


def _has_live(item: Item) -> bool:
    return bool(item["activeInstancesWithoutIncidentCount"] or item["activeInstancesWithIncidentCount"])


def _integers(values: Sequence[Scalar]) -> list[int]:
    return [int(value or 0) for value in values]
