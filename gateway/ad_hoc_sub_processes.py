"""Ad-hoc sub-processes: activate elements in one."""

from collections.abc import Sequence
from typing import final

import msgspec
from aiohttp import web

from bpmnd.bpmn.commands import ActivateAdHocActivities
from bpmnd.bpmn.outcomes import Accepted
from bpmnd.gateway.answers import Answer, no_content
from bpmnd.gateway.bodies import Body, RawVariables, json_body, variables_of
from bpmnd.gateway.complaints import missing
from bpmnd.gateway.errors import invalid_argument, not_found, unexpected
from bpmnd.gateway.idempotency import with_id
from bpmnd.gateway.keys import key_in_path
from bpmnd.gateway.ports import Cluster
from bpmnd.gateway.routes import Route
from bpmnd.gateway.submission import Submissions


class _Element(msgspec.Struct, frozen=True, rename="camel"):
    element_id: str | None = None
    variables: RawVariables | None = None


class _Activation(Body, frozen=True):
    elements: list[_Element] | None = None
    cancel_remaining_instances: bool | None = None


_ACTIVATION = msgspec.json.Decoder(_Activation)


@final
class AdHocSubProcessOperations:
    """The operations of the tag "Ad-hoc sub-process"."""

    def __init__(self, cluster: Cluster, submissions: Submissions) -> None:
        self._cluster = cluster
        self._submissions = submissions

    def routes(self) -> Sequence[Route]:
        template = "/element-instances/ad-hoc-activities/{adHocSubProcessInstanceKey}/activation"
        return (Route("POST", template, "activateAdHocSubProcessActivities", self.activate),)

    async def activate(self, request: web.BaseRequest, arguments: tuple[str, ...]) -> Answer:
        """Begin elements in an active ad-hoc sub-process: 204."""
        key = key_in_path(arguments[0], "adHocSubProcessInstanceKey")
        body = await json_body(request, _ACTIVATION)
        if not body.elements:
            raise invalid_argument([missing("elements")])
        if not all(element.element_id for element in body.elements):
            raise invalid_argument([missing("elementId")])

        partition = self._cluster.owner_of(key)
        if partition is None:
            reason = (
                "Expected to activate activities for ad-hoc sub-process but no ad-hoc sub-process instance"
                f" found with key '{key}'."
            )
            raise not_found("ACTIVATE", reason)
        command = ActivateAdHocActivities(
            key,
            tuple((element.element_id or "", variables_of(element.variables)) for element in body.elements),
            body.cancel_remaining_instances is True,
        )
        match await self._submissions.outcome_of(with_id(request, command), partition):
            case Accepted():
                return no_content()
            case outcome:
                raise unexpected("ACTIVATE", outcome)
