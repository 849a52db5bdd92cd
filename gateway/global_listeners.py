"""Global task listeners: create, update, delete, and read one."""

from collections.abc import Sequence
from typing import Final, final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import (
    CreateGlobalListener,
    DeleteGlobalListener,
    ReadGlobalListener,
    RepeatableCommand,
    UpdateGlobalListener,
)
from bpmnd.bpmn.outcomes import Accepted, GlobalListenerRead
from bpmnd.bpmn.user_tasks import GlobalListener
from bpmnd.gateway.answers import Answer, answer, no_content, ok
from bpmnd.gateway.bodies import Body, Int32, json_body, read_body
from bpmnd.gateway.complaints import missing, not_in_enum, not_positive
from bpmnd.gateway.errors import invalid_argument, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions

EVENT_TYPES: Final = frozenset({"all", "creating", "assigning", "updating", "completing", "canceling"})
_LENGTH_MAX: Final = 1000


class _Listener(Body, frozen=True):
    """In an update the id stands in the path."""

    id: str | None = None
    type: str | None = None
    event_types: list[str] | None = None
    retries: Int32 | None = None
    after_non_global: bool | None = None
    priority: Int32 | None = None


class _Result(msgspec.Struct, frozen=True, rename="camel"):
    after_non_global: bool
    event_types: tuple[str, ...]
    id: str
    priority: int
    retries: int
    type: str
    source: str = "API"


_LISTENER = msgspec.json.Decoder(_Listener)


@final
class GlobalListenerOperations:
    """The commands of the tag "Global listener", and the read of one: all are for the partition of
    deployments."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        one = "/global-task-listeners/{id}"
        return (
            Route("POST", "/global-task-listeners", "createGlobalTaskListener", self.create),
            Route("GET", one, "getGlobalTaskListener", self.get),
            Route("PUT", one, "updateGlobalTaskListener", self.update),
            Route("DELETE", one, "deleteGlobalTaskListener", self.delete),
        )

    async def create(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """A new listener: 201 once every partition knows it."""
        body = await json_body(request, _LISTENER)
        listener = _listener_of(body, body.id)
        await self._do(request, CreateGlobalListener(listener), "CREATE")
        return answer(201, _text(listener), "application/json")

    async def update(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Another listener in its place: 200. What is not said is as for a new one."""
        listener = _listener_of(await json_body(request, _LISTENER), arguments[0])
        await self._do(request, UpdateGlobalListener(listener), "UPDATE")
        return ok(_text(listener))

    async def delete(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        await read_body(request)
        await self._do(request, DeleteGlobalListener(arguments[0]), "DELETE")
        return no_content()

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        command = ReadGlobalListener(arguments[0])
        match await self._submissions.outcome_of(command, self._cluster.for_deployment()):
            case GlobalListenerRead(listener):
                return ok(_text(listener))
            case outcome:
                raise unexpected("READ", outcome)

    async def _do(self, request: web.BaseRequest, command: RepeatableCommand, name: str) -> None:
        command_with_id = with_id(request, command)
        match await self._submissions.outcome_of(command_with_id, self._cluster.for_deployment()):
            case Accepted():
                pass
            case outcome:
                raise unexpected(name, outcome)


def _listener_of(body: _Listener, id: str | None) -> GlobalListener:
    complaints = [
        missing(name)
        for name, value in (("id", id), ("type", body.type), ("eventTypes", body.event_types))
        if not value
    ]
    for name, text in (("id", id), ("type", body.type)):
        if text and len(text) > _LENGTH_MAX:
            complaints.append(f"The value for {name} is longer than {_LENGTH_MAX} characters.")
    if body.retries is not None and body.retries <= 0:
        complaints.append(not_positive("retries", body.retries))
    for event_type in body.event_types or ():
        if event_type not in EVENT_TYPES:
            raise not_in_enum("eventTypes", event_type, EVENT_TYPES)
    if complaints:
        raise invalid_argument(complaints)
    listener = GlobalListener(id or "", body.type or "", tuple(dict.fromkeys(body.event_types or ())))
    given = {
        "retries": body.retries,
        "after_non_global": body.after_non_global,
        "priority": body.priority,
    }
    return msgspec.structs.replace(
        listener, **{name: value for name, value in given.items() if value is not None}
    )


def item_of(listener: GlobalListener) -> object:
    """A listener as the API shows it."""
    return _Result(
        listener.after_non_global,
        listener.event_types,
        listener.id,
        listener.priority,
        listener.retries,
        listener.type,
    )


def _text(listener: GlobalListener) -> bytes:
    return msgspec.json.encode(item_of(listener))
