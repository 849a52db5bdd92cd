"""How an element instance completes, as far as it is the same for all element types (BPMN 2.0, §13.3.2):
apply output mappings, call the listeners of the end, take the outgoing flows, complete the scope if this was
its last."""

from typing import Final

from msgspec.structs import replace

from bpmnd.bpmn.elements import calls, compensation, loops
from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated, if_not_oversize, mapping_scope
from bpmnd.bpmn.elements.conditions import all_that_hold
from bpmnd.bpmn.elements.ending import cancel_timers, note_end, resolve_incidents, start_next
from bpmnd.bpmn.elements.listeners import call_end_listeners
from bpmnd.bpmn.elements.scopes import begin_here, complete_scope_if_done, interrupt_scope, is_shut_to
from bpmnd.bpmn.elements.subscriptions import unsubscribe
from bpmnd.bpmn.evaluation import lookup_in
from bpmnd.bpmn.events import BoundaryEventTriggered, ElementCompleted, ElementCompleting, SequenceFlowTaken
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    CancelDefinition,
    CatchEvent,
    Element,
    ErrorDefinition,
    EventBasedGateway,
    ExecutableProcess,
    LinkDefinition,
    SequenceFlow,
    StartEvent,
    TerminateDefinition,
    ThrowEvent,
    TimerDefinition,
)
from bpmnd.bpmn.model.multiple import WorkedThrowEvent, is_cancel, parts_of, thrown_by
from bpmnd.bpmn.outcomes import ProcessInstanceCreated
from bpmnd.bpmn.state.records import (
    ACTIVATED,
    COMPLETING,
    TERMINATING,
    ElementInstance,
    ProcessInstance,
)
from bpmnd.bpmn.steps import ActivateElement, CheckJoins, CompleteElement, TerminateElement, ThrowNext
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import map_outputs, merge_upwards

_THROWING: Final = (ThrowEvent, WorkedThrowEvent)


def complete(
    turn: Turn,
    step: CompleteElement,
    *,
    taken: tuple[int, ...] | None = None,
    then: ActivateElement | None = None,
) -> None:
    """Complete an active element instance and go on along its outgoing flows, or along those `taken` only, or
    without a flow to what comes `then`."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None:
        return
    key = step.key
    record = instance.elements.get(key)
    if record is None:
        return
    state, scope_key = record.state, record.scope_key
    if state is not ACTIVATED and (state is not COMPLETING or record.job_key):
        return  # With a job the listeners of its end are at work.
    if key in instance.children or key in instance.tokens or key in instance.triggers:
        return
    is_root = key == instance.key
    if not is_root:
        if instance.elements[scope_key].state is TERMINATING:
            return  # The termination of its scope is on its way to it, in a turn to come.
        if instance.interruptions and is_shut_to(instance, scope_key, record.element):
            return  # So is its own.
    process = turn.executable_of(instance)
    element = process.elements[record.element]
    assert not isinstance(element, SequenceFlow), f"{record} is no element"
    if not step.listened:
        if instance.occurred and _throws_more(instance, record, element):
            turn.schedule(ThrowNext(instance.key, key))
            return
        has_any = element.outputs or key in instance.variables or key in instance.loops
        if has_any and not _hand_on_variables(turn, process, instance, record, element, step):
            return
        if instance.timers:
            cancel_timers(turn, instance, key)
        if instance.subscriptions or instance.signals or instance.conditions:
            unsubscribe(turn, instance, key)
        if instance.incidents:
            resolve_incidents(turn, instance, key)
        if element.end_listeners:
            assert taken is None, f"{element} chooses its way and has listeners of its end"
            assert then is None, f"{element} goes on by itself and has listeners of its end"
            _completing(turn, instance, record)
            call_end_listeners(turn, instance, key, element, replace(step, listened=True))
            return
    elif instance.incidents:
        resolve_incidents(turn, instance, key)
    if is_root:
        _complete_process(turn, instance, step)
        return
    is_looped, ends_loop = scope_key in instance.loops, False
    if is_looped:
        gathered = loops.gather(turn, instance, record)
        if isinstance(gathered, Incident):
            _completing(turn, instance, record)
            turn.raise_incident(instance, key, gathered, step)
            return
        ends_loop = gathered.ends_loop
    flows = element.outgoing if taken is None else taken
    if element.chooses:
        lookup = lookup_in(instance, scope_key)
        chosen = all_that_hold(turn, process, element, element.default_flow, lookup)
        if isinstance(chosen, Incident):
            _completing(turn, instance, record)
            turn.raise_incident(instance, key, chosen, step)
            return
        flows = chosen
    if element.boundary_events or element.event_starts or instance.compensations:
        compensation.subscribe(turn, process, instance, record, element)
    turn.emit(ElementCompleted(key, instance.key, record.element))
    if instance.compensations:
        compensation.handler_ended(turn, instance, key)
    if process.joins:
        turn.schedule(CheckJoins(instance.key, scope_key))
    if instance.terminate_after and record.element in instance.terminate_after:
        turn.schedule(TerminateElement(instance.key, instance.key))
        return
    if then is not None:
        begin_here(turn, then)
        return
    throws = isinstance(element, _THROWING) and element.throws is not None
    if throws and _goes_on_by_itself(turn, instance, record, element):
        return
    if is_looped:
        loops.completed_inside(turn, instance, scope_key, ends_loop=ends_loop)
    for flow in flows:
        take(turn, process, instance, scope_key, flow)
    if not flows:
        complete_scope_if_done(turn, instance, scope_key)


def _complete_process(turn: Turn, instance: ProcessInstance, step: CompleteElement) -> None:
    """The last in a process has completed, and with it the instance does."""
    record, parent = instance.elements[instance.key], instance.parent
    if parent is not None:
        incident = calls.cannot_return(turn, instance, parent)
        if incident is not None:
            turn.raise_incident(instance, instance.key, incident, step)
            return
    compensation.forget_all(turn, instance)
    _answer_result(turn, instance)
    note_end(turn, instance)
    turn.emit(ElementCompleted(instance.key, instance.key, record.element))
    start_next(turn, instance)
    if parent is not None:
        calls.completed(turn, parent, instance.variables.get(instance.key, {}))


def pass_through(element: Element, activation: Activation) -> Incident | None:
    """Activate and complete in one go, for elements that never wait."""
    activated(element, activation)
    complete(activation.turn, CompleteElement(activation.instance.key, activation.key))
    return None


def take(
    turn: Turn, process: ExecutableProcess, instance: ProcessInstance, scope_key: int, flow: int
) -> None:
    sequence_flow = process.elements[flow]
    assert type(sequence_flow) is SequenceFlow, f"{flow} is no sequence flow"
    turn.emit(SequenceFlowTaken(instance.key, scope_key, flow))
    turn.schedule(ActivateElement(instance.key, scope_key, sequence_flow.target, flow))


def _throws_more(instance: ProcessInstance, record: ElementInstance, element: Element) -> bool:
    return isinstance(element, _THROWING) and instance.thrown(record.key) < len(thrown_by(element))


def _goes_on_by_itself(
    turn: Turn, instance: ProcessInstance, record: ElementInstance, event: Element
) -> bool:
    """Whether a completed throw event ends all that is active beside it, or goes on where its link leads."""
    scope_key, thrown = record.scope_key, thrown_by(event)
    match thrown[-1] if thrown else None:
        case TerminateDefinition():
            interrupted = scope_key in instance.children or scope_key in instance.tokens
            if interrupted:
                interrupt_scope(turn, instance, scope_key, event.index, {})
            return interrupted
        case CancelDefinition():
            _cancelled(turn, instance, instance.elements[scope_key])
            return True
        case LinkDefinition(target=target):
            begin_here(turn, ActivateElement(instance.key, scope_key, target))
            return True
        case _:
            return False


def _cancelled(turn: Turn, instance: ProcessInstance, transaction: ElementInstance) -> None:
    """All has been undone: the cancel boundary event of the transaction goes off. On one with many instances
    it is on all of them."""
    key = transaction.scope_key if transaction.scope_key in instance.loops else transaction.key
    process = turn.executable_of(instance)
    for index in process.element(instance.elements[key].element).boundary_events:
        boundary = process.element(index)
        if isinstance(boundary, BoundaryEvent) and is_cancel(parts_of(boundary.trigger)):
            if key not in instance.triggers:
                turn.emit(BoundaryEventTriggered(key, instance.key, index, {}))
            turn.schedule(TerminateElement(instance.key, key))


def _hand_on_variables(
    turn: Turn,
    process: ExecutableProcess,
    instance: ProcessInstance,
    record: ElementInstance,
    element: Element,
    step: CompleteElement,
) -> bool:
    """Give the scope what its variables become of the element's; false if an incident stands before it."""
    if element.outputs:
        made = map_outputs(turn, instance, step.key, element.outputs)
        if not isinstance(made, Incident):
            made = if_not_oversize(instance, record.scope_key, made, local=False)
        if isinstance(made, Incident):
            _completing(turn, instance, record)
            turn.raise_incident(instance, step.key, made, step)
            return False
        merge_upwards(turn, instance, mapping_scope(instance, step.key, record.scope_key), made)
    elif step.key in instance.loops:
        made = loops.output_of(instance, record)
        if isinstance(made, Incident):
            _completing(turn, instance, record)
            turn.raise_incident(instance, step.key, made, step)
            return False
        merge_upwards(turn, instance, mapping_scope(instance, step.key, record.scope_key), made)
    elif step.key in instance.variables and _hands_on(process, element):
        merge_upwards(turn, instance, record.scope_key, instance.variables[step.key])
    return True


def _completing(turn: Turn, instance: ProcessInstance, record: ElementInstance) -> None:
    if record.state is not COMPLETING:
        turn.emit(ElementCompleting(record.key, instance.key, record.element))


def _hands_on(process: ExecutableProcess, element: Element) -> bool:
    """Whether an event made the variables of the element: they go on to its scope also without a mapping."""
    match element:
        case StartEvent(trigger=trigger):
            return trigger is not None
        case BoundaryEvent(trigger=trigger):
            return not isinstance(trigger, TimerDefinition | ErrorDefinition)
        case CatchEvent():
            return is_behind_gateway(process, element)
        case _:
            return False


def is_behind_gateway(process: ExecutableProcess, event: Element) -> bool:
    """Whether an event-based gateway waits for the event."""
    for index in event.incoming:
        flow = process.elements[index]
        if isinstance(flow, SequenceFlow) and isinstance(process.elements[flow.source], EventBasedGateway):
            return True
    return False


def _answer_result(turn: Turn, instance: ProcessInstance) -> None:
    """Tell the request that awaits the result of the instance, which is about to be gone."""
    if instance.awaited is None:
        return
    variables = instance.variables.get(instance.key, {})
    names = instance.awaited.fetch_variables
    if names:
        variables = {name: variables[name] for name in names if name in variables}
    definition = turn.state.definitions.items[instance.definition_key]
    result = ProcessInstanceCreated(
        instance.key,
        definition.key,
        definition.process_id,
        definition.version,
        instance.tenant_id,
        instance.tags,
        instance.business_id,
        dict(variables),
    )
    turn.answer(instance.awaited.request, result)
