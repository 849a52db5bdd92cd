"""Reads of jobs: search."""

from collections.abc import Sequence
from typing import final

from aiohttp import web

from bpmnd.gateway.answers import Answer
from bpmnd.gateway.bodies import optional_json_body
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.searching import SEARCH, Searches


@final
class JobReads:
    """The reads of the tag "Job"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        return (Route("POST", "/jobs/search", "searchJobs", self.search),)

    async def search(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        return await self._searches.search("job", await optional_json_body(request, SEARCH))
