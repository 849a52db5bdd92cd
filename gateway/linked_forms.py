"""Forms that are linked to user tasks, and to the start events of processes."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import ReadStartForm, ReadUserTaskForm
from bpmnd.bpmn.outcomes import Accepted, FileRead
from bpmnd.gateway.answers import Answer, no_content, ok
from bpmnd.gateway.errors import not_found, unexpected
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions


class _Form(msgspec.Struct, frozen=True, rename="camel"):
    form_id: str
    form_key: str
    schema: str
    tenant_id: str
    version: int


@final
class LinkedFormOperations:
    """What the tags "User task" and "Process definition" have of forms. Both are read where they are
    decided, so that what was just deployed or created is there."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/user-tasks/{userTaskKey}/form", "getUserTaskForm", self.of_user_task),
            Route(
                "GET",
                "/process-definitions/{processDefinitionKey}/form",
                "getStartProcessForm",
                self.of_start,
            ),
        )

    async def of_user_task(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """The form of a task that is there to be worked on; 204 if it has none."""
        key = key_in_path(arguments[0], "userTaskKey")
        return await self._read(ReadUserTaskForm(key), f"User task with key '{key}' not found")

    async def of_start(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """The form of the none start event; 204 if it has none."""
        key = key_in_path(arguments[0], "processDefinitionKey")
        return await self._read(ReadStartForm(key), f"Process definition with key '{key}' not found")

    async def _read(self, command: ReadUserTaskForm | ReadStartForm, missing: str) -> Answer:
        partition = self._cluster.owner_of(command.key)
        if partition is None:
            raise not_found("READ", missing)
        match await self._submissions.outcome_of(command, partition):
            case FileRead() as file:
                form = _Form(file.id, str(file.key), file.content.decode(), file.tenant_id, file.version)
                return ok(msgspec.json.encode(form))
            case Accepted():
                return no_content()
            case outcome:
                raise unexpected("READ", outcome)
