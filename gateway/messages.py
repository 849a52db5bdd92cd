"""Messages: publish, correlate."""

from collections.abc import Awaitable, Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import CorrelateMessage, PublishMessage
from bpmnd.bpmn.outcomes import MessageCorrelated, MessagePublished, Outcome
from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.bodies import Body, Int64, RawVariables, json_body, variables_of
from bpmnd.gateway.complaints import missing
from bpmnd.gateway.errors import invalid_argument, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.slots import outcome_for_message
from bpmnd.gateway.submission import Submissions
from bpmnd.gateway.tenants import check_tenant
from bpmnd.gateway.texts import json_text


class _Publication(Body, frozen=True):
    name: str | None = None
    correlation_key: str | None = None
    time_to_live: Int64 | None = None
    message_id: str | None = None
    variables: RawVariables | None = None
    tenant_id: str | None = None


class _Correlation(Body, frozen=True):
    name: str | None = None
    correlation_key: str | None = None
    variables: RawVariables | None = None
    tenant_id: str | None = None


_PUBLICATION = msgspec.json.Decoder(_Publication)
_CORRELATION = msgspec.json.Decoder(_Correlation)


@final
class MessageOperations:
    """The operations of the tag "Message"."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        return (
            Route("POST", "/messages/publication", "publishMessage", self.publish),
            Route("POST", "/messages/correlation", "correlateMessage", self.correlate),
        )

    async def publish(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Publish a message: 200 once it is out, whoever gets it."""
        body = await json_body(request, _PUBLICATION)
        if not body.name:
            raise invalid_argument([missing("name")])
        check_tenant(body.tenant_id, "Publish Message")
        command = PublishMessage(
            body.name,
            body.correlation_key or "",
            body.time_to_live or 0,
            body.message_id or "",
            variables_of(body.variables),
        )

        match await self._outcome_of(request, command):
            case MessagePublished(key, tenant_id):
                return ok(b'{"messageKey":"%d","tenantId":%b}' % (key, json_text(tenant_id)))
            case outcome:
                raise unexpected("PUBLISH", outcome)

    async def correlate(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Correlate a message: 200 once a process instance has taken it."""
        body = await json_body(request, _CORRELATION)
        if not body.name:
            raise invalid_argument([missing("messageName")])
        check_tenant(body.tenant_id, "Correlate Message")
        command = CorrelateMessage(body.name, body.correlation_key or "", variables_of(body.variables))

        match await self._outcome_of(request, command):
            case MessageCorrelated(key, tenant_id, instance_key):
                return ok(
                    b'{"messageKey":"%d","tenantId":%b,"processInstanceKey":"%d"}'
                    % (key, json_text(tenant_id), instance_key)
                )
            case outcome:
                raise unexpected("CORRELATE", outcome)

    def _outcome_of(
        self, request: web.BaseRequest, command: PublishMessage | CorrelateMessage
    ) -> Awaitable[Outcome]:
        key = command.correlation_key
        return outcome_for_message(self._submissions, self._cluster, with_id(request, command), key)
