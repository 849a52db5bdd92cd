"""The exclusive gateway (BPMN 2.0, §10.6.2)."""

from dataclasses import dataclass, replace
from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.completing import complete
from bpmnd.bpmn.elements.conditions import NO_FLOW_TO_TAKE, holds
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.evaluation import lookup_in
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.checks import check_conditions, check_default
from bpmnd.bpmn.model.graph import Element, SequenceFlow
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.surroundings import Item, References, Surroundings
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import CompleteElement


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusiveGateway(Element):
    default: int | None = None
    """Index of the default sequence flow."""


@final
class ExclusiveGatewayKind(ElementKind[ExclusiveGateway]):
    """Takes the first outgoing flow whose condition holds, else the default flow."""

    nodes = (ExclusiveGateway,)
    with_inputs = False
    with_outputs = False
    chooses_flows = True

    def read(self, tag: Tag, common: Common, reading: Reading) -> ExclusiveGateway:
        return ExclusiveGateway(**common)

    def check(self, item: Item, around: Surroundings) -> None:
        check_conditions(item, around)
        check_default(item, around)

    def link(self, node: ExclusiveGateway, tag: Tag, references: References) -> ExclusiveGateway:
        default = tag.attributes.get("default")
        return node if default is None else replace(node, default=references[default])

    def activate(self, element: ExclusiveGateway, activation: Activation) -> Incident | None:
        flow = self._choose(element, activation)
        if isinstance(flow, Incident):
            return flow
        activated(element, activation)
        step = CompleteElement(activation.instance.key, activation.key)
        complete(activation.turn, step, taken=flow)
        return None

    def _choose(self, element: ExclusiveGateway, activation: Activation) -> tuple[int, ...] | Incident:
        """The flow to take; none for a gateway where the process ends."""
        if not element.outgoing:
            return ()
        turn = activation.turn
        process = turn.executable_of(activation.instance)
        lookup = lookup_in(activation.instance, activation.inner_key)
        for index in element.outgoing:
            flow = process.elements[index]
            assert isinstance(flow, SequenceFlow), f"{index} is no sequence flow"
            if index == element.default:
                continue
            result = holds(turn, flow, lookup)
            if isinstance(result, Incident):
                return result
            if result:
                return (index,)
        if element.default is not None:
            return (element.default,)
        return Incident(IncidentType.CONDITION_ERROR, NO_FLOW_TO_TAKE)
