"""The inclusive gateway (BPMN 2.0, §10.6.3)."""

from dataclasses import dataclass, replace
from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.completing import complete
from bpmnd.bpmn.elements.conditions import all_that_hold
from bpmnd.bpmn.elements.joins import tokens_that_came
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.evaluation import lookup_in
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.checks import check_conditions, check_default
from bpmnd.bpmn.model.graph import Element, ExecutableProcess
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.surroundings import Item, References, Surroundings
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.steps import CompleteElement
from bpmnd.bpmn.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusiveGateway(Element):
    default: int | None = None
    """Index of the default sequence flow."""


@final
class InclusiveGatewayKind(ElementKind[InclusiveGateway]):
    """Takes all outgoing flows whose conditions hold, else the default flow. A join is activated when it has
    a token and no other can come to it any more."""

    nodes = (InclusiveGateway,)
    with_inputs = False
    with_outputs = False
    chooses_flows = True
    joins_what_comes = True

    def read(self, tag: Tag, common: Common, reading: Reading) -> InclusiveGateway:
        return InclusiveGateway(**common)

    def check(self, item: Item, around: Surroundings) -> None:
        check_conditions(item, around)
        check_default(item, around)

    def link(self, node: InclusiveGateway, tag: Tag, references: References) -> InclusiveGateway:
        default = tag.attributes.get("default")
        return node if default is None else replace(node, default=references[default])

    def tokens_to_take(
        self,
        element: InclusiveGateway,
        turn: Turn,
        process: ExecutableProcess,
        instance: ProcessInstance,
        scope_key: int,
        flow: int,
    ) -> tuple[int, ...] | None:
        if len(element.incoming) <= 1:
            return (flow,)
        return tokens_that_came(process, instance, scope_key, element)

    def activate(self, element: InclusiveGateway, activation: Activation) -> Incident | None:
        turn, instance = activation.turn, activation.instance
        lookup = lookup_in(instance, activation.inner_key)
        flows = all_that_hold(turn, turn.executable_of(instance), element, element.default, lookup)
        if isinstance(flows, Incident):
            return flows
        activated(element, activation)
        complete(turn, CompleteElement(instance.key, activation.key), taken=flows)
        return None
