"""The exclusive gateway (BPMN 2.0, §10.6.2)."""

from dataclasses import dataclass, replace
from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.elements.lifecycle import activated, complete
from bpmnd.bpmn.evaluation import lookup_in, wrong_type
from bpmnd.bpmn.feel import EvaluationFailure, NotBoolean
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.checks import check_conditions, check_default
from bpmnd.bpmn.model.graph import BrokenExpression, Element, SequenceFlow
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.surroundings import Item, References, Surroundings
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import CompleteElement

NO_FLOW_TO_TAKE = "Expected at least one condition to evaluate to true, or to have a default flow"


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

    def _choose(self, element: ExclusiveGateway, activation: Activation) -> int | Incident:
        """Index of the flow to take; -1 for a gateway where the process ends."""
        if not element.outgoing:
            return -1
        turn = activation.turn
        process = turn.executable_of(activation.instance)
        lookup = lookup_in(activation.instance, activation.inner_key)
        for index in element.outgoing:
            flow = process.elements[index]
            assert isinstance(flow, SequenceFlow), f"{index} is no sequence flow"
            if index == element.default:
                continue
            if flow.condition is None:
                return index
            if isinstance(flow.condition, BrokenExpression):
                return Incident(
                    IncidentType.CONDITION_ERROR,
                    f"Failed to parse expression '{flow.condition.text}': {flow.condition.problem}",
                )
            match flow.condition.test(lookup, now_ms=turn.now, spent=turn.spend):
                case True:
                    return index
                case False:
                    pass
                case NotBoolean(value, warnings):
                    message = wrong_type(flow.condition.text, "BOOLEAN", value, warnings)
                    return Incident(IncidentType.EXTRACT_VALUE_ERROR, message)
                case EvaluationFailure(message):
                    return Incident(
                        IncidentType.EXTRACT_VALUE_ERROR,
                        f"Failed to evaluate expression '{flow.condition.text}'. {message}",
                    )
        if element.default is not None:
            return element.default
        return Incident(IncidentType.CONDITION_ERROR, NO_FLOW_TO_TAKE)
