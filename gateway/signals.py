"""Signals: broadcast."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import BroadcastSignal, DoOnce
from bpmnd.bpmn.outcomes import SignalBroadcasted
from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.bodies import Body, RawVariables, json_body, variables_of
from bpmnd.gateway.complaints import missing
from bpmnd.gateway.errors import invalid_argument, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.slots import outcome_by_id
from bpmnd.gateway.submission import Submissions
from bpmnd.gateway.tenants import check_tenant
from bpmnd.gateway.texts import json_text


class _Broadcast(Body, frozen=True):
    signal_name: str | None = None
    variables: RawVariables | None = None
    tenant_id: str | None = None


_BROADCAST = msgspec.json.Decoder(_Broadcast)


@final
class SignalOperations:
    """The operations of the tag "Signal"."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        return (Route("POST", "/signals/broadcast", "broadcastSignal", self.broadcast),)

    async def broadcast(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Broadcast a signal: 200 once it is on its way to every partition."""
        body = await json_body(request, _BROADCAST)
        if body.signal_name is None:
            raise invalid_argument([missing("signalName")])
        check_tenant(body.tenant_id, "Broadcast Signal")

        command = with_id(request, BroadcastSignal(body.signal_name, variables_of(body.variables)))
        if isinstance(command, DoOnce):
            outcome = await outcome_by_id(self._submissions, self._cluster, command)
        else:
            outcome = await self._submissions.outcome_of(command, self._cluster.for_signal())
        match outcome:
            case SignalBroadcasted(key, tenant_id):
                return ok(b'{"signalKey":"%d","tenantId":%b}' % (key, json_text(tenant_id)))
            case _:
                raise unexpected("BROADCAST", outcome)
