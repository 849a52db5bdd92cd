"""How an element instance begins, as far as it is the same for all element types (BPMN 2.0, §13.3.2): join
tokens, apply input mappings, call the listeners of the start; then comes the behaviour of its type."""

from msgspec.structs import replace

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.listeners import call_start_listeners
from bpmnd.bpmn.elements.scopes import is_shut_to
from bpmnd.bpmn.events import ElementActivated, ElementActivating, EventPartOccurred
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import Element, EventSubProcess, ExecutableProcess, SequenceFlow
from bpmnd.bpmn.state.records import ACTIVATED, ACTIVATING, ProcessInstance
from bpmnd.bpmn.steps import ActivateElement, OpenScope
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import map_inputs, merge_local, oversize


def begin(turn: Turn, step: ActivateElement) -> tuple[Element, Activation] | None:
    """Everything before the behaviour. None if there is nothing to activate (any more), or an incident
    stands before it."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None:
        return None
    scope = instance.elements.get(step.scope_key)
    if scope is None or scope.state is not ACTIVATED:
        return None
    process = turn.executable_of(instance)
    element = process.elements[step.element]
    assert not isinstance(element, SequenceFlow), f"{step} activates a sequence flow"
    key = step.key
    if key:
        begun = instance.elements.get(key)
        if begun is None or begun.state is not ACTIVATING:
            return None
        activation = Activation(
            turn, instance, key, step.scope_key, (), True, step.happened, listened=step.listened
        )
    elif instance.interruptions and is_shut_to(instance, step.scope_key, step.element):
        return None
    else:
        flows = _tokens_to_take(turn, process, element, instance, step)
        if flows is None:
            return None
        activation = Activation(turn, instance, turn.new_key(), step.scope_key, flows, False, step.happened)
    if isinstance(element, EventSubProcess):
        activation.handed = step.variables
    elif step.variables:
        _begin_now(activation, element)
        merge_local(turn, instance, activation.key, step.variables)
    if element.inputs and not step.happened and not step.listened:
        # What is tried again sees what was put right in its own scope meanwhile.
        made = map_inputs(turn, instance, activation.inner_key, element.inputs)
        if not isinstance(made, Incident):
            made = if_not_oversize(instance, activation.key, made, local=True)
        if isinstance(made, Incident):
            stop(element, activation, made)
            return None
        _begin_now(activation, element)
        merge_local(turn, instance, activation.key, made)
    if element.start_listeners and not step.listened and not step.happened:
        _begin_now(activation, element)
        activation.listened = True
        call_start_listeners(turn, instance, activation.key, element, _again(element, activation))
        return None
    return element, activation


def _tokens_to_take(
    turn: Turn,
    process: ExecutableProcess,
    element: Element,
    instance: ProcessInstance,
    step: ActivateElement,
) -> tuple[int, ...] | None:
    """The flows whose tokens the activation takes; None if a token is still missing at a join."""
    if step.flow < 0:
        return ()
    tokens = instance.tokens.get(step.scope_key)
    if tokens is None or step.flow not in tokens:
        return None
    kind, is_join = turn.kinds[type(element)], len(element.incoming) > 1
    if not is_join and not kind.joins_what_comes:
        return (step.flow,)
    if kind.joins_what_comes and is_join:
        turn.spend(len(process.elements))  # It looks for paths through the whole process.
    taken = kind.tokens_to_take(element, turn, process, instance, step.scope_key, step.flow)
    if isinstance(taken, Incident):
        known = (each.message for each in instance.incidents.values())
        if taken.message not in known:
            turn.raise_incident(instance, step.scope_key, taken, step)
        return None
    return taken


def stop(
    element: Element, activation: Activation, incident: Incident, again: OpenScope | None = None
) -> None:
    """Activation does not succeed: the element instance waits half-way behind the incident. Then it is
    activated `again`."""
    _begin_now(activation, element)
    instance = activation.instance
    then = _again(element, activation) if again is None else replace(again, key=activation.key)
    activation.turn.raise_incident(instance, activation.key, incident, then)


def activating(element: Element, activation: Activation) -> None:
    """The element instance is there, and an incident will keep it from being active."""
    _begin_now(activation, element)


def activated(element: Element, activation: Activation) -> None:
    """The element instance is active."""
    flows = () if activation.begun else activation.flows
    activation.turn.emit(
        ElementActivated(activation.key, activation.instance.key, activation.scope_key, element.index, flows)
    )


def throwing(element: Element, activation: Activation) -> None:
    """The event is active and throws; of one that throws several things it is the turn of the next."""
    if activation.part < 0:
        activated(element, activation)
        return
    key, instance_key = activation.key, activation.instance.key
    activation.turn.emit(EventPartOccurred(key, instance_key, element.index, activation.part, {}))


def mapping_scope(instance: ProcessInstance, key: int, scope_key: int) -> int:
    """The scope that the output mappings of an element instance write to is that around it; one of many has
    its output in its own."""
    return key if scope_key in instance.loops else scope_key


def if_not_oversize(
    instance: ProcessInstance, scope_key: int, made: Variables, *, local: bool
) -> Variables | Incident:
    """A mapping makes as much as it likes out of little; what it makes has the bound of all variables."""
    too_large = oversize(instance, scope_key, made, local=local)
    return made if too_large is None else Incident(IncidentType.IO_MAPPING_ERROR, too_large)


def _again(element: Element, activation: Activation) -> ActivateElement:
    """The step that goes on from here."""
    return ActivateElement(
        activation.instance.key,
        activation.scope_key,
        element.index,
        key=activation.key,
        variables=activation.handed or {},
        happened=activation.happened,
        listened=activation.listened,
    )


def _begin_now(activation: Activation, element: Element) -> None:
    if not activation.begun:
        activation.turn.emit(
            ElementActivating(
                activation.key,
                activation.instance.key,
                activation.scope_key,
                element.index,
                activation.flows,
            )
        )
        activation.begun = True
