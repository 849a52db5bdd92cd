"""Resources that are deployed: deleted, and plain ones read."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import DeleteResource, ReadResource
from bpmnd.bpmn.outcomes import Accepted, FileRead
from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.bodies import Body, Int64, optional_json_body
from bpmnd.gateway.complaints import check_operation_reference
from bpmnd.gateway.errors import invalid_argument, not_found, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.origins import origin_of
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions


class _Deletion(Body, frozen=True):
    operation_reference: Int64 | None = None
    delete_history: bool | None = None


class _Deleted(msgspec.Struct, frozen=True, rename="camel"):
    resource_key: str
    batch_operation: None = None


class _Resource(msgspec.Struct, frozen=True, rename="camel"):
    resource_id: str
    resource_key: str
    resource_name: str
    tenant_id: str
    version: int
    version_tag: str | None


_DELETION = msgspec.json.Decoder(_Deletion)


@final
class ResourceOperations:
    """What the tag "Resource" has beside deployments."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        resource = "/resources/{resourceKey}"
        return (
            Route("POST", f"{resource}/deletion", "deleteResource", self.delete),
            Route("GET", resource, "getResource", self.get),
            Route("GET", f"{resource}/content", "getResourceContent", self.content),
        )

    async def delete(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Let nothing new use it: 200 once every partition knows that. Its history stays."""
        key = key_in_path(arguments[0], "resourceKey")
        body = await optional_json_body(request, _DELETION) or _Deletion()
        if complaints := check_operation_reference(body.operation_reference):
            raise invalid_argument(complaints)
        reason = f"Expected to delete resource but no resource found with key `{key}`"
        partition = self._cluster.owner_of(key)
        if partition is None or partition.id != self._cluster.for_deployment().id:
            raise not_found("DELETE", reason)  # The keys of what is deployed are all of that partition.
        command = DeleteResource(key, origin=origin_of(body.operation_reference))
        match await self._submissions.outcome_of(with_id(request, command), partition):
            case Accepted():
                return ok(msgspec.json.encode(_Deleted(str(key))))
            case outcome:
                raise unexpected("DELETE", outcome)

    async def get(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """A plain file without its content."""
        file = await self._read(arguments[0])
        shown = _Resource(
            file.id,
            str(file.key),
            file.resource_name,
            file.tenant_id,
            file.version,
            file.version_tag or None,
        )
        return ok(msgspec.json.encode(shown))

    async def content(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Its content as a string. What is no text is not to be had so; the answer has marks in its place."""
        file = await self._read(arguments[0])
        return ok(msgspec.json.encode(file.content.decode("utf-8", "replace")))

    async def _read(self, text: str) -> FileRead:
        key = key_in_path(text, "resourceKey")
        partition = self._cluster.owner_of(key)
        if partition is None:
            raise not_found("READ", f"Resource with key '{key}' not found")
        match await self._submissions.outcome_of(ReadResource(key), partition):
            case FileRead() as file:
                return file
            case outcome:
                raise unexpected("READ", outcome)
