"""Conditionals: the conditional start events of processes, evaluated."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import DoOnce, EvaluateConditionals
from bpmnd.bpmn.outcomes import ConditionalsEvaluated
from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.bodies import Body, RawVariables, json_body, variables_of
from bpmnd.gateway.complaints import missing
from bpmnd.gateway.errors import invalid_argument, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.keys import key_in_body
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.slots import outcome_by_id
from bpmnd.gateway.submission import Submissions
from bpmnd.gateway.tenants import check_tenant
from bpmnd.gateway.texts import json_text


class _Evaluation(Body, frozen=True):
    process_definition_key: str | None = None
    variables: RawVariables | None = None
    tenant_id: str | None = None


_EVALUATION = msgspec.json.Decoder(_Evaluation)


@final
class ConditionalOperations:
    """The operations of the tag "Conditional"."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        return (Route("POST", "/conditionals/evaluation", "evaluateConditionals", self.evaluate),)

    async def evaluate(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Start what the variables let start: 200 with the new process instances, maybe none."""
        body = await json_body(request, _EVALUATION)
        if body.variables is None:
            raise invalid_argument([missing("variables")])
        check_tenant(body.tenant_id, "Evaluate Conditional")

        key = body.process_definition_key
        definition_key = 0 if key is None else key_in_body(key, "processDefinitionKey")
        command = with_id(request, EvaluateConditionals(variables_of(body.variables), definition_key))
        if isinstance(command, DoOnce):
            outcome = await outcome_by_id(self._submissions, self._cluster, command)
        else:
            outcome = await self._submissions.outcome_of(command, self._cluster.for_signal())
        match outcome:
            case ConditionalsEvaluated(key=evaluation, tenant_id=tenant_id, instances=instances):
                started = b",".join(
                    b'{"processDefinitionKey":"%d","processInstanceKey":"%d"}' % each for each in instances
                )
                return ok(
                    b'{"conditionalEvaluationKey":"%d","tenantId":%b,"processInstances":[%b]}'
                    % (evaluation, json_text(tenant_id), started)
                )
            case _:
                raise unexpected("EVALUATE", outcome)
