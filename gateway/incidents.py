"""Incidents: resolve."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import ResolveIncident
from bpmnd.bpmn.outcomes import Accepted
from bpmnd.gateway.answers import Answer, no_content
from bpmnd.gateway.bodies import Body, Int64, optional_json_body
from bpmnd.gateway.complaints import check_operation_reference
from bpmnd.gateway.errors import invalid_argument, not_found, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.origins import origin_of
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions


class _Resolution(Body, frozen=True):
    operation_reference: Int64 | None = None


_RESOLUTION = msgspec.json.Decoder(_Resolution)


@final
class IncidentOperations:
    """The operations of the tag "Incident"."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        return (Route("POST", "/incidents/{incidentKey}/resolution", "resolveIncident", self.resolve),)

    async def resolve(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Try again where the incident stopped: 204."""
        key = key_in_path(arguments[0], "incidentKey")
        body = await optional_json_body(request, _RESOLUTION) or _Resolution()
        if complaints := check_operation_reference(body.operation_reference):
            raise invalid_argument(complaints)

        partition = self._cluster.owner_of(key)
        if partition is None:
            reason = f"Expected to resolve incident with key '{key}', but no such incident was found"
            raise not_found("RESOLVE", reason)
        command = ResolveIncident(key, origin=origin_of(body.operation_reference))
        match await self._submissions.outcome_of(with_id(request, command), partition):
            case Accepted():
                return no_content()
            case outcome:
                raise unexpected("RESOLVE", outcome)
