"""Reads of process instances: search, get, callers, flows taken, counts an element."""

from collections.abc import Sequence
from typing import Final, final

from aiohttp import web

from bpmnd.actors.history.entities import INCIDENTS, PROCESS_INSTANCES
from bpmnd.actors.history.queries import Below, Report, Scalar
from bpmnd.gateway.answers import Answer
from bpmnd.gateway.bodies import optional_json_body
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.filters import conditions_of, instance_conditions_of
from bpmnd.gateway.search.searching import SEARCH, Item, Searches, existing, item_answer

_KEY: Final = "processInstanceKey"
_WHAT: Final = "Process Instance"


@final
class ProcessInstanceReads:
    """The reads of the tag "Process instance"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        one = "/process-instances/{processInstanceKey}"
        return (
            Route("POST", "/process-instances/search", "searchProcessInstances", self.search),
            Route("GET", one, "getProcessInstance", self.get),
            Route("GET", f"{one}/call-hierarchy", "getProcessInstanceCallHierarchy", self.callers),
            Route("GET", f"{one}/sequence-flows", "getProcessInstanceSequenceFlows", self.flows),
            Route(
                "GET", f"{one}/statistics/element-instances", "getProcessInstanceStatistics", self.elements
            ),
            Route("POST", f"{one}/incidents/search", "searchProcessInstanceIncidents", self.incidents),
        )

    async def search(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await optional_json_body(request, SEARCH)
        raw = None if body is None else body.filter
        conditions = instance_conditions_of(PROCESS_INSTANCES, raw)
        return await self._searches.search("process instance", body, conditions=conditions)

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        return item_answer(await self._existing(arguments))

    async def callers(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """From the root to the instance itself; an instance that nobody has called has no hierarchy."""
        await self._existing(arguments)
        key = key_in_path(arguments[0], _KEY)
        (rows,) = await self._searches.report(Report("callers of instance", (key,)), owner=key)
        line = [
            {"processInstanceKey": str(of), "processDefinitionKey": str(by), "processDefinitionName": name}
            for of, by, name in rows
        ]
        return item_answer(line)

    async def flows(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        key = key_in_path(arguments[0], _KEY)
        instance = await self._searches.get("process instance", _KEY, key)
        if instance is None:
            return item_answer({"items": []})
        (rows,) = await self._searches.report(Report("flows of instance", (key,)), owner=key)
        items = [_flow(instance, flow_id) for (flow_id,) in rows]
        return item_answer({"items": items})

    async def elements(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        key = key_in_path(arguments[0], _KEY)
        found = await self._searches.report(Report("elements of instance", (key,)), owner=key)
        return item_answer({"items": [element_counts(row) for rows in found for row in rows]})

    async def incidents(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Those of the instance, and of what it has called."""
        body = await optional_json_body(request, SEARCH)
        conditions = conditions_of(INCIDENTS, None if body is None else body.filter)
        await self._existing(arguments)
        key = key_in_path(arguments[0], _KEY)
        return await self._searches.search("incident", body, conditions=(*conditions, Below(key)))

    async def _existing(self, arguments: tuple[str, ...]) -> Item:
        key = key_in_path(arguments[0], _KEY)
        return await existing(self._searches.get("process instance", _KEY, key), _WHAT, key)


def _flow(instance: Item, flow_id: Scalar) -> Item:
    names = (
        "processInstanceKey",
        "rootProcessInstanceKey",
        "processDefinitionKey",
        "processDefinitionId",
        "tenantId",
    )
    return {
        "sequenceFlowId": f"{instance['processInstanceKey']}_{flow_id!s}",
        **{name: instance[name] for name in names},
        "elementId": flow_id,
    }


def element_counts(row: Sequence[Scalar]) -> Item:
    """How many instances of an element there are; those with an incident are not among the active ones."""
    element_id, active, incidents, completed, canceled = row
    return {
        "elementId": element_id,
        "active": active,
        "canceled": canceled,
        "incidents": incidents,
        "completed": completed,
    }
