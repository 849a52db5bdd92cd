"""The complex gateway (BPMN 2.0, §10.6.5 and §13.4.5)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.completing import complete, take
from bpmnd.bpmn.elements.conditions import all_that_hold, holds
from bpmnd.bpmn.elements.joins import others_can_come
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.evaluation import evaluate, lookup_in, not_of_type, with_numbers
from bpmnd.bpmn.events import GatewayReset, GatewayStarted
from bpmnd.bpmn.feel import Value
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.checks import check_conditions, check_default
from bpmnd.bpmn.model.graph import Element, Evaluable, ExecutableProcess, SequenceFlow
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.surroundings import Item, References, Surroundings
from bpmnd.bpmn.model.texts import read_expression
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.state.records import Lifecycle, ProcessInstance
from bpmnd.bpmn.steps import CompleteElement, ResetGateway
from bpmnd.bpmn.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexGateway(Element):
    activation: Evaluable | None
    """When it starts; without one with every token."""
    default: int | None = None
    """Index of the default sequence flow."""


@final
class ComplexGatewayKind(ElementKind[ComplexGateway]):
    """Starts when its condition holds, with the tokens that are there, and takes the outgoing flows whose
    conditions hold. If it has several incoming flows, it then waits for the tokens that can still come, and
    starts anew only when these have come, too: that is its reset. With one flow it is as an inclusive one."""

    nodes = (ComplexGateway,)
    with_inputs = False
    with_outputs = False
    chooses_flows = True
    joins_what_comes = True

    def read(self, tag: Tag, common: Common, reading: Reading) -> ComplexGateway:
        activation = None
        for found in tag.all("bpmn:activationCondition")[:1]:
            activation = read_expression(found.text, tag, reading.report, at=found)
        return ComplexGateway(**common, activation=activation)

    def check(self, item: Item, around: Surroundings) -> None:
        check_conditions(item, around)
        check_default(item, around)
        assert isinstance(item.node, ComplexGateway), f"{item} is no complex gateway"
        if len(around.incoming[item.id]) > 1 and item.node.activation is None:
            reason = "a complex gateway with several incoming flows must have an activationCondition"
            around.report.add(item.tag, reason)

    def link(self, node: ComplexGateway, tag: Tag, references: References) -> ComplexGateway:
        default = tag.attributes.get("default")
        return node if default is None else replace(node, default=references[default])

    def tokens_to_take(
        self,
        element: ComplexGateway,
        turn: Turn,
        process: ExecutableProcess,
        instance: ProcessInstance,
        scope_key: int,
        flow: int,
    ) -> tuple[int, ...] | Incident | None:
        """Where it goes on is looked at before it takes the tokens, too: an incident leaves them there."""
        if _is_joining(element) and _started_in(instance, scope_key, element) is not None:
            return None
        tokens = instance.tokens[scope_key]
        came = tuple(each for each in element.incoming if each in tokens)
        lookup = _seeing(process, instance, scope_key, element, is_start=True)
        if element.activation is not None:
            evaluated = evaluate(turn, element.activation, lookup, IncidentType.CONDITION_ERROR)
            if isinstance(evaluated, Incident):
                return evaluated
            if not isinstance(evaluated.value, bool):
                return not_of_type(element.activation, "BOOLEAN", evaluated)
            if not evaluated.value:
                return None
        outgoing = all_that_hold(turn, process, element, element.default, lookup)
        return outgoing if isinstance(outgoing, Incident) else came

    def activate(self, element: ComplexGateway, activation: Activation) -> Incident | None:
        turn, instance, key = activation.turn, activation.instance, activation.key
        process = turn.executable_of(instance)
        lookup = _seeing(process, instance, activation.scope_key, element, is_start=True)
        outgoing = all_that_hold(turn, process, element, element.default, lookup)
        if isinstance(outgoing, Incident):
            return outgoing
        flows = activation.flows
        activated(element, activation)
        if not _is_joining(element):
            complete(turn, CompleteElement(instance.key, key), taken=outgoing)
            return None
        turn.emit(GatewayStarted(key, instance.key, element.index, flows))
        for each in outgoing:
            take(turn, process, instance, activation.scope_key, each)
        turn.schedule(ResetGateway(instance.key, key))
        return None


def reset(turn: Turn, step: ResetGateway) -> None:
    """Reset a gateway to which no other token can come. What has come late makes it go on once more."""
    instance = turn.state.instances.get(step.instance_key)
    record = instance.elements.get(step.key) if instance is not None else None
    if instance is None or record is None or record.state is not Lifecycle.ACTIVATED:
        return
    started_with = instance.started_gateways.get(step.key)
    scope = instance.elements[record.scope_key]
    if started_with is None or scope.state is not Lifecycle.ACTIVATED:
        return
    process = turn.executable_of(instance)
    turn.spend(len(process.elements))
    gateway = process.element(record.element)
    assert isinstance(gateway, ComplexGateway), f"{gateway} is never reset"
    tokens = instance.tokens.get(record.scope_key, {})
    late = tuple(flow for flow in gateway.incoming if flow in tokens and flow not in started_with)
    if others_can_come(process, instance, record.scope_key, gateway, (*started_with, *late)):
        return
    outgoing: tuple[int, ...] | Incident = ()
    if late:
        outgoing = _at_reset(turn, process, instance, record.scope_key, gateway)
    if isinstance(outgoing, Incident):
        if instance.incident_of(step.key) is None:
            turn.raise_incident(instance, step.key, outgoing, step)
        return
    turn.emit(GatewayReset(step.key, instance.key, record.scope_key, gateway.index, late))
    complete(turn, CompleteElement(instance.key, step.key), taken=outgoing)


def _at_reset(
    turn: Turn,
    process: ExecutableProcess,
    instance: ProcessInstance,
    scope_key: int,
    gateway: ComplexGateway,
) -> tuple[int, ...] | Incident:
    """The flows whose conditions hold, else the default flow, else none. One without a condition is taken
    only at the start."""
    lookup = _seeing(process, instance, scope_key, gateway, is_start=False)
    taken: list[int] = []
    for index in gateway.outgoing:
        flow = process.elements[index]
        assert isinstance(flow, SequenceFlow), f"{index} is no sequence flow"
        if index == gateway.default or flow.condition is None:
            continue
        result = holds(turn, flow, lookup)
        if isinstance(result, Incident):
            return result
        if result:
            taken.append(index)
    if not taken and gateway.default is not None:
        return (gateway.default,)
    return tuple(taken)


def _is_joining(gateway: ComplexGateway) -> bool:
    return len(gateway.incoming) > 1


def _started_in(instance: ProcessInstance, scope_key: int, gateway: ComplexGateway) -> int | None:
    """The gateway as it waits for its reset in the scope, if it does."""
    for key in instance.started_gateways:
        record = instance.elements[key]
        if record.element == gateway.index and record.scope_key == scope_key:
            return key
    return None


def _seeing(
    process: ExecutableProcess,
    instance: ProcessInstance,
    scope_key: int,
    gateway: ComplexGateway,
    *,
    is_start: bool,
) -> Callable[[str], Value]:
    """What its conditions see: the variables of the scope, the tokens on the incoming flows, all together and
    of each flow, and whether it waits for its start."""
    tokens = instance.tokens.get(scope_key, {})
    counts = {process.elements[flow].id: tokens.get(flow, 0) for flow in gateway.incoming}
    seen: dict[str, Value] = {
        "activationCount": sum(counts.values()),
        "activationCounts": {**counts},
        "waitingForStart": is_start,
    }
    return with_numbers(lookup_in(instance, scope_key), seen)
