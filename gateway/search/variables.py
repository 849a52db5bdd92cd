"""Reads of variables: search, where long values are cut, and get."""

from collections.abc import Sequence
from typing import Final, final

from aiohttp import web

from bpmnd.gateway.answers import Answer
from bpmnd.gateway.bodies import optional_json_body
from bpmnd.gateway.errors import bad_request
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.searching import SEARCH, Item, Searches, existing, item_answer

VALUE_LENGTH_MAX: Final = 8191
"""A longer value is cut in a search, unless the whole is asked for."""
_KEY: Final = "variableKey"


@final
class VariableReads:
    """The reads of the tag "Variable"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", "/variables/search", "searchVariables", self.search),
            Route("GET", "/variables/{variableKey}", "getVariable", self.get),
        )

    async def search(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        cut = cut_of(request)
        body = await optional_json_body(request, SEARCH)
        return await self._searches.search("variable", body, cut=cut, render=None if cut else whole)

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        key = key_in_path(arguments[0], _KEY)
        item = await existing(self._searches.get("variable", _KEY, key), "Variable", key)
        del item["isTruncated"]
        return item_answer(item)


def cut_of(request: web.BaseRequest) -> int:
    """After how many characters values are to be cut: they are, if nothing is said; 0: not at all."""
    said = request.query.get("truncateValues", "true")
    if said.lower() not in ("true", "false"):
        raise bad_request(f"Failed to convert 'truncateValues' with value: '{said}'")
    return VALUE_LENGTH_MAX if said.lower() == "true" else 0


def whole(item: Item) -> Item:
    item["isTruncated"] = False
    return item
