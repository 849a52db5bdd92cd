"""Reads of user tasks: search, get, and the variables that a task sees."""

from collections.abc import Sequence
from typing import Final, final

from aiohttp import web

from bpmnd.actors.history.entities import VARIABLES
from bpmnd.actors.history.queries import Compare, Operator, Report
from bpmnd.gateway.answers import Answer
from bpmnd.gateway.bodies import optional_json_body
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.filters import conditions_of, task_conditions_of
from bpmnd.gateway.search.searching import SEARCH, Item, SearchBody, Searches, existing, item_answer
from bpmnd.gateway.search.variables import cut_of, whole

_KEY: Final = "userTaskKey"


@final
class UserTaskReads:
    """The reads of the tag "User task"."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        one = "/user-tasks/{userTaskKey}"
        return (
            Route("POST", "/user-tasks/search", "searchUserTasks", self.search),
            Route("GET", one, "getUserTask", self.get),
            Route("POST", f"{one}/variables/search", "searchUserTaskVariables", self.variables),
            Route(
                "POST",
                f"{one}/effective-variables/search",
                "searchUserTaskEffectiveVariables",
                self.effective_variables,
            ),
        )

    async def search(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        body = await optional_json_body(request, SEARCH)
        conditions = task_conditions_of(None if body is None else body.filter)
        return await self._searches.search("user task", body, conditions=conditions)

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        return item_answer(await self._existing(arguments))

    async def variables(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Those of all scopes around the task."""
        return await self._variables(request, arguments, "scopes of task")

    async def effective_variables(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """The same, of two with one name only the inner one."""
        return await self._variables(request, arguments, "variables of task")

    async def _variables(self, request: web.BaseRequest, arguments: tuple[str, ...], report: str) -> Answer:
        body = await optional_json_body(request, SEARCH) or SearchBody()
        cut = cut_of(request)
        conditions = conditions_of(VARIABLES, body.filter)
        task = await self._existing(arguments)
        key = int(task["elementInstanceKey"])
        (rows,) = await self._searches.report(Report(report, (key,)), owner=key)
        field = "scopeKey" if report == "scopes of task" else "variableKey"
        among = Compare(field, Operator.IN, tuple(int(found or 0) for (found,) in rows))
        of_instance = Compare("processInstanceKey", Operator.EQUAL, (int(task["processInstanceKey"]),))
        return await self._searches.search(
            "variable",
            body,
            conditions=(*conditions, of_instance, among),
            cut=cut,
            render=None if cut else whole,
        )

    async def _existing(self, arguments: tuple[str, ...]) -> Item:
        key = key_in_path(arguments[0], _KEY)
        return await existing(self._searches.get("user task", _KEY, key), "User Task", key)
