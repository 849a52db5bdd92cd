"""Reads of operations: who has asked for what, and what came of it."""

from collections.abc import Sequence
from typing import Final, final

from aiohttp import web

from bpmnd.actors.history.entities import AUDIT_LOGS
from bpmnd.actors.history.names import AUDIT_ENTITY
from bpmnd.actors.history.queries import Compare, Operator
from bpmnd.gateway.answers import Answer
from bpmnd.gateway.bodies import optional_json_body
from bpmnd.gateway.errors import bad_request
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.routes import Route
from bpmnd.gateway.search.filters import conditions_of
from bpmnd.gateway.search.searching import SEARCH, SearchBody, Searches, existing, item_answer

_KEY: Final = "auditLogKey"
_OF_TASK: Final = frozenset({"operationType", "result", "timestamp", "actorType", "actorId"})
"""What the operations on one user task can be filtered by."""


@final
class AuditLogReads:
    """The reads of the tag "Audit Log", and those of the operations on a user task."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", "/audit-logs/search", "searchAuditLogs", self.search),
            Route("GET", "/audit-logs/{auditLogKey}", "getAuditLog", self.get),
            Route(
                "POST", "/user-tasks/{userTaskKey}/audit-logs/search", "searchUserTaskAuditLogs", self.of_task
            ),
        )

    async def search(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        return await self._searches.search("audit log", await optional_json_body(request, SEARCH))

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        key = key_in_path(arguments[0], _KEY)
        return item_answer(await existing(self._searches.get("audit log", _KEY, key), "Audit Log", key))

    async def of_task(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Of a task that is not there, nothing is found."""
        key = key_in_path(arguments[0], "userTaskKey")
        body = await optional_json_body(request, SEARCH) or SearchBody()
        for name in body.filter or {}:
            if name not in _OF_TASK:
                raise bad_request(
                    f"Request property [filter.{name}] cannot be parsed: there is no such property"
                )
        task = await self._searches.get("user task", "userTaskKey", key)
        # By its instance the rows are found in an index.
        instance_key = int(task["processInstanceKey"]) if task is not None else key
        conditions = (
            *conditions_of(AUDIT_LOGS, body.filter),
            Compare("processInstanceKey", Operator.EQUAL, (instance_key,)),
            Compare("entityType", Operator.EQUAL, (AUDIT_ENTITY["USER_TASK"],)),
            Compare("entityKey", Operator.EQUAL, (str(key),)),
        )
        return await self._searches.search("audit log", body, conditions=conditions)
