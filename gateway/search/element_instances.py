"""Reads of element instances: search, get, incidents at or below one."""

from collections.abc import Sequence
from typing import Final, final

from aiohttp import web

from bpmnd.actors.history.entities import INCIDENTS
from bpmnd.actors.history.queries import Below
from bpmnd.gateway.answers import Answer
from bpmnd.gateway.bodies import optional_json_body
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.filters import conditions_of
from bpmnd.gateway.search.searching import SEARCH, Item, Searches, existing, item_answer

_KEY: Final = "elementInstanceKey"


@final
class ElementInstanceReads:
    """The reads of the tag "Element instance"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        one = "/element-instances/{elementInstanceKey}"
        return (
            Route("POST", "/element-instances/search", "searchElementInstances", self.search),
            Route("GET", one, "getElementInstance", self.get),
            Route("POST", f"{one}/incidents/search", "searchElementInstanceIncidents", self.incidents),
        )

    async def search(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        return await self._searches.search("element instance", await optional_json_body(request, SEARCH))

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        return item_answer(await self._existing(arguments))

    async def incidents(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await optional_json_body(request, SEARCH)
        conditions = conditions_of(INCIDENTS, None if body is None else body.filter)
        await self._existing(arguments)
        below = Below(key_in_path(arguments[0], _KEY))
        return await self._searches.search("incident", body, conditions=(*conditions, below))

    async def _existing(self, arguments: tuple[str, ...]) -> Item:
        key = key_in_path(arguments[0], _KEY)
        return await existing(self._searches.get("element instance", _KEY, key), "Element Instance", key)
