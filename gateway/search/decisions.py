"""Searches of decisions: what is deployed, and what was evaluated."""

import re
from collections.abc import Sequence
from typing import Final, final

from aiohttp import web

from bpmnd.gateway.answers import Answer
from bpmnd.gateway.bodies import optional_json_body
from bpmnd.gateway.errors import Problem, bad_request
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.searching import SEARCH, Item, SearchBody, Searches, item_answer

_INSTANCE_KEY: Final = re.compile(r"[0-9]{1,19}-[0-9]{1,9}", re.ASCII)


@final
class DecisionReads:
    """The searches of the tags "Decision definition", "Decision requirements" and "Decision instance"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", "/decision-definitions/search", "searchDecisionDefinitions", self.definitions),
            Route("POST", "/decision-requirements/search", "searchDecisionRequirements", self.requirements),
            Route("POST", "/decision-instances/search", "searchDecisionInstances", self.instances),
            Route(
                "GET",
                "/decision-instances/{decisionEvaluationInstanceKey}",
                "getDecisionInstance",
                self.instance,
            ),
        )

    async def definitions(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await optional_json_body(request, SEARCH)
        return await self._searches.search("decision definition", body, everywhere=False)

    async def requirements(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await optional_json_body(request, SEARCH)
        return await self._searches.search("decision requirements", body, everywhere=False)

    async def instances(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await optional_json_body(request, SEARCH)
        return await self._searches.search("decision instance", body, render=_without_details)

    async def instance(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """One decision of an evaluation, with its inputs and the rules that matched."""
        name = arguments[0]
        if _INSTANCE_KEY.fullmatch(name) is None or int(name.partition("-")[0]) >= 2**63:
            raise bad_request(f"Failed to convert 'decisionEvaluationInstanceKey' with value: '{name}'")
        wanted = {"decisionEvaluationKey": name.partition("-")[0], "decisionEvaluationInstanceKey": name}
        found = await self._searches.items("decision instance", SearchBody(filter=wanted))
        if not found:
            raise Problem(404, "NOT_FOUND", f"Decision Instance with key '{name}' not found")
        return item_answer(found[0])


def _without_details(item: Item) -> Item:
    del item["evaluatedInputs"], item["matchedRules"]
    return item
