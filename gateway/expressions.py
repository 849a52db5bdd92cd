"""Expressions: evaluated for somebody who tries them out."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import EvaluateExpression
from bpmnd.bpmn.outcomes import ExpressionEvaluated
from bpmnd.gateway.answers import Answer, ok
from bpmnd.gateway.bodies import Body, RawVariables, json_body, variables_of
from bpmnd.gateway.complaints import missing
from bpmnd.gateway.errors import invalid_argument, unexpected
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions
from bpmnd.gateway.tenants import check_tenant


class _Evaluation(Body, frozen=True):
    expression: str | None = None
    tenant_id: str | None = None
    variables: RawVariables | None = None


class _Warning(msgspec.Struct, frozen=True):
    message: str


class _Result(msgspec.Struct, frozen=True):
    expression: str
    result: msgspec.Raw
    warnings: list[_Warning]


_EVALUATION = msgspec.json.Decoder(_Evaluation)


@final
class ExpressionOperations:
    """The operations of the tag "Expression"."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        return (Route("POST", "/expression/evaluation", "evaluateExpression", self.evaluate),)

    async def evaluate(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Evaluate a FEEL expression with its variables; what was odd on the way comes as warnings."""
        body = await json_body(request, _EVALUATION)
        if not body.expression:
            raise invalid_argument([missing("expression")])
        check_tenant(body.tenant_id, "Evaluate Expression")
        command = EvaluateExpression(body.expression, variables_of(body.variables))
        anywhere = self._cluster.for_creation
        match await self._submissions.outcome_of(command, anywhere(), anywhere):
            case ExpressionEvaluated(result, warnings):
                shown = [_Warning(message) for message in warnings]
                return ok(msgspec.json.encode(_Result(body.expression, msgspec.Raw(result), shown)))
            case outcome:
                raise unexpected("EVALUATE", outcome)
