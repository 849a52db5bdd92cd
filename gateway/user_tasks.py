"""User tasks: assign, unassign, update, complete."""

from collections.abc import Sequence
from typing import Final, final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import AssignUserTask, CompleteUserTask, RepeatableCommand, UpdateUserTask
from bpmnd.bpmn.outcomes import Accepted
from bpmnd.bpmn.user_tasks import TaskChanges
from bpmnd.gateway.answers import Answer, no_content
from bpmnd.gateway.bodies import Body, RawVariables, json_body, optional_json_body, read_body, variables_of
from bpmnd.gateway.errors import invalid_argument, not_found, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions
from bpmnd.gateway.task_changes import Changeset, changes_of

_NOTHING_TO_UPDATE: Final = (
    'No update data provided. Provide at least an "action" or a non-null value for a supported attribute'
    ' in the "changeset".'
)


class _Assignment(Body, frozen=True):
    assignee: str | None = None
    allow_override: bool | None = None
    action: str | None = None


class _Update(Body, frozen=True):
    changeset: Changeset | None = None
    action: str | None = None


class _Completion(Body, frozen=True):
    variables: RawVariables | None = None
    action: str | None = None


_ASSIGNMENT = msgspec.json.Decoder(_Assignment)
_UPDATE = msgspec.json.Decoder(_Update)
_COMPLETION = msgspec.json.Decoder(_Completion)


@final
class UserTaskOperations:
    """What the tag "User task" has of commands."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        task = "/user-tasks/{userTaskKey}"
        return (
            Route("POST", f"{task}/assignment", "assignUserTask", self.assign),
            Route("DELETE", f"{task}/assignee", "unassignUserTask", self.unassign),
            Route("PATCH", task, "updateUserTask", self.update),
            Route("POST", f"{task}/completion", "completeUserTask", self.complete),
        )

    async def assign(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Give the task to somebody: 204 once all listeners have agreed. So it is with the others."""
        key = key_in_path(arguments[0], "userTaskKey")
        body = await json_body(request, _ASSIGNMENT)
        if not body.assignee:
            raise invalid_argument(["No assignee provided"])
        allow_override = body.allow_override is not False
        command = AssignUserTask(key, body.assignee, allow_override, body.action or "assign")
        verb = "assign" if allow_override else "claim"
        return await self._do(request, command, key, verb.upper(), verb)

    async def unassign(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        key = key_in_path(arguments[0], "userTaskKey")
        await read_body(request)
        return await self._do(request, AssignUserTask(key, "", action="unassign"), key, "ASSIGN", "assign")

    async def update(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        key = key_in_path(arguments[0], "userTaskKey")
        body = await optional_json_body(request, _UPDATE) or _Update()
        changes = changes_of(body.changeset or Changeset())
        if changes == TaskChanges() and body.action is None:
            raise invalid_argument([_NOTHING_TO_UPDATE])
        command = UpdateUserTask(key, changes, body.action or "update")
        return await self._do(request, command, key, "UPDATE", "update")

    async def complete(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        key = key_in_path(arguments[0], "userTaskKey")
        body = await optional_json_body(request, _COMPLETION) or _Completion()
        command = CompleteUserTask(key, variables_of(body.variables), body.action or "complete")
        return await self._do(request, command, key, "COMPLETE", "complete")

    async def _do(
        self, request: web.BaseRequest, command: RepeatableCommand, key: int, name: str, verb: str
    ) -> Answer:
        partition = self._cluster.owner_of(key)
        if partition is None:
            reason = f"Expected to {verb} user task with key '{key}', but no such user task was found"
            raise not_found(name, reason)
        match await self._submissions.outcome_of(with_id(request, command), partition):
            case Accepted():
                return no_content()
            case outcome:
                raise unexpected(name, outcome)
