"""Gateways that wait for the tokens that can still come to them (BPMN 2.0, §13.4.3)."""

from collections.abc import Collection, Iterable, Iterator

from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    Element,
    ExecutableProcess,
    LinkDefinition,
    SequenceFlow,
    ThrowEvent,
)
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.steps import ActivateElement, CheckJoins, ResetGateway
from bpmnd.bpmn.turn import Turn


def tokens_that_came(
    process: ExecutableProcess, instance: ProcessInstance, scope_key: int, gateway: Element
) -> tuple[int, ...] | None:
    """The incoming flows with a token; None if there is a token elsewhere in the scope that can reach an
    incoming flow without one, other than through the gateway, and none with one."""
    tokens = instance.tokens[scope_key]
    came = tuple(flow for flow in gateway.incoming if flow in tokens)
    return None if others_can_come(process, instance, scope_key, gateway, came) else came


def others_can_come(
    process: ExecutableProcess,
    instance: ProcessInstance,
    scope_key: int,
    gateway: Element,
    came: Collection[int],
) -> bool:
    """Whether there is a token elsewhere in the scope that can reach an incoming flow that is not among those
    that `came`, other than through the gateway, and none of these."""
    missing = [flow for flow in gateway.incoming if flow not in came]
    if not missing:
        return False
    to_missing = _leading_to(process, gateway, missing)
    if not to_missing:
        return False
    can_come = {place for place in _places(process, instance, scope_key) if place in to_missing}
    return bool(can_come) and not can_come <= _leading_to(process, gateway, came)


def _places(process: ExecutableProcess, instance: ProcessInstance, scope_key: int) -> Iterator[int]:
    """The elements that have a token of the scope, or are the next on its way."""
    for flow in instance.tokens.get(scope_key, ()):
        yield _flow(process, flow).target
    for record in instance.children_in(scope_key):
        yield record.element


def _leading_to(process: ExecutableProcess, gateway: Element, flows: Iterable[int]) -> set[int]:
    """The elements from which a path leads to one of the flows, but not through the gateway."""
    links: dict[int, list[int]] | None = None
    found: set[int] = set()
    waiting = [_flow(process, flow).source for flow in flows]
    while waiting:
        index = waiting.pop()
        if index in found or index == gateway.index:
            continue
        found.add(index)
        element = process.element(index)
        waiting += [_flow(process, flow).source for flow in element.incoming]
        if isinstance(element, BoundaryEvent):
            waiting.append(element.attached_to)
        elif not element.incoming:
            links = _links_in(process) if links is None else links
            waiting += links.get(index, ())
    return found


def _links_in(process: ExecutableProcess) -> dict[int, list[int]]:
    """Catching link event -> those that throw to it."""
    links: dict[int, list[int]] = {}
    for element in process.elements:
        if isinstance(element, ThrowEvent) and isinstance(element.throws, LinkDefinition):
            links.setdefault(element.throws.target, []).append(element.index)
    return links


def _flow(process: ExecutableProcess, index: int) -> SequenceFlow:
    flow = process.elements[index]
    assert isinstance(flow, SequenceFlow), f"{index} is no sequence flow"
    return flow


def check_joins(turn: Turn, step: CheckJoins) -> None:
    """A token is gone that a gateway of the scope may have waited for: look whether it still waits."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None:
        return
    if step.scope_key not in instance.tokens and not instance.started_gateways:
        return
    process = turn.executable_of(instance)
    scope = instance.elements.get(step.scope_key)
    if scope is None:
        return
    tokens = instance.tokens.get(step.scope_key, {})
    started = {
        instance.elements[key].element: key
        for key in instance.started_gateways
        if instance.elements[key].scope_key == step.scope_key
    }
    for index in process.joins:
        gateway = process.element(index)
        if gateway.scope != scope.element:
            continue
        if index in started:
            turn.schedule(ResetGateway(instance.key, started[index]))
            continue
        flow = next((flow for flow in gateway.incoming if flow in tokens), None)
        if flow is not None:
            turn.schedule(ActivateElement(instance.key, step.scope_key, index, flow))
