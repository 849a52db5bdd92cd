"""The parallel gateway (BPMN 2.0, §10.6.4)."""

from dataclasses import dataclass
from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.completing import pass_through
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import Element, ExecutableProcess
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelGateway(Element):
    pass


@final
class ParallelGatewayKind(ElementKind[ParallelGateway]):
    """A fork takes all its outgoing flows; a join is activated when it has a token on each incoming one."""

    nodes = (ParallelGateway,)
    with_inputs = False
    with_outputs = False

    def read(self, tag: Tag, common: Common, reading: Reading) -> ParallelGateway:
        return ParallelGateway(**common)

    def tokens_to_take(
        self,
        element: ParallelGateway,
        turn: Turn,
        process: ExecutableProcess,
        instance: ProcessInstance,
        scope_key: int,
        flow: int,
    ) -> tuple[int, ...] | None:
        if len(element.incoming) <= 1:
            return (flow,)
        tokens = instance.tokens[scope_key]
        return element.incoming if all(incoming in tokens for incoming in element.incoming) else None

    def activate(self, element: ParallelGateway, activation: Activation) -> Incident | None:
        return pass_through(element, activation)
