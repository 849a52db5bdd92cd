"""Element instances: set variables."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import SetVariables
from bpmnd.bpmn.outcomes import Accepted
from bpmnd.gateway.answers import Answer, no_content
from bpmnd.gateway.bodies import Body, Int64, RawVariables, json_body, variables_of
from bpmnd.gateway.complaints import check_operation_reference, missing
from bpmnd.gateway.errors import invalid_argument, not_found, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.origins import origin_of
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions


class _Variables(Body, frozen=True):
    variables: RawVariables | None = None
    local: bool | None = None
    operation_reference: Int64 | None = None


_VARIABLES = msgspec.json.Decoder(_Variables)


@final
class ElementInstanceOperations:
    """The operations of the tag "Element instance"."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        template = "/element-instances/{elementInstanceKey}/variables"
        return (Route("PUT", template, "createElementInstanceVariables", self.set_variables),)

    async def set_variables(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Merge variables into a scope: 204."""
        key = key_in_path(arguments[0], "elementInstanceKey")
        body = await json_body(request, _VARIABLES)
        complaints = check_operation_reference(body.operation_reference)
        if not body.variables:
            complaints.append(missing("variables"))
        if complaints:
            raise invalid_argument(complaints)

        partition = self._cluster.owner_of(key)
        if partition is None:
            reason = (
                f"Expected to update variables for element with key '{key}', but no such element was found"
            )
            raise not_found("UPDATE", reason)
        variables, origin = variables_of(body.variables), origin_of(body.operation_reference)
        command = SetVariables(key, variables, body.local is True, origin=origin)
        match await self._submissions.outcome_of(with_id(request, command), partition):
            case Accepted():
                return no_content()
            case outcome:
                raise unexpected("UPDATE", outcome)
