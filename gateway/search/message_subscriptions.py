"""Reads of message subscriptions: those that are or were open, and what they have received."""

from collections.abc import Sequence
from typing import final

from aiohttp import web

from bpmnd.gateway.answers import Answer
from bpmnd.gateway.bodies import optional_json_body
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.searching import SEARCH, Searches


@final
class MessageSubscriptionReads:
    """The reads of the tag "Message subscription"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", "/message-subscriptions/search", "searchMessageSubscriptions", self.search),
            Route(
                "POST",
                "/correlated-message-subscriptions/search",
                "searchCorrelatedMessageSubscriptions",
                self.correlated,
            ),
        )

    async def search(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        return await self._searches.search("message subscription", await optional_json_body(request, SEARCH))

    async def correlated(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await optional_json_body(request, SEARCH)
        return await self._searches.search("correlated message subscription", body)
