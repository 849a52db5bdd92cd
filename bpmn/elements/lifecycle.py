"""The life of an element instance, as far as it is the same for all element types (BPMN 2.0, §13.3.2).

Activate: join tokens, apply input mappings, then the behaviour. Complete: apply output mappings, take the
outgoing flows, complete the scope if this was its last. Terminate: from the outermost scope inwards to
announce it, from the innermost outwards to do it.
"""

from heapq import nsmallest
from typing import Final

from msgspec.structs import replace

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.elements import calls, compensation, loops
from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.conditions import all_that_hold
from bpmnd.bpmn.elements.listeners import call_end_listeners, call_start_listeners
from bpmnd.bpmn.elements.subscriptions import unsubscribe
from bpmnd.bpmn.elements.task_changes import cancel as cancel_task
from bpmnd.bpmn.evaluation import lookup_in
from bpmnd.bpmn.events import (
    BoundaryEventTriggered,
    ElementActivated,
    ElementActivating,
    ElementCompleted,
    ElementCompleting,
    ElementTerminated,
    ElementTerminating,
    IncidentResolved,
    JobCanceled,
    ScopeInterrupted,
    ScopeReopened,
    SequenceFlowTaken,
    TimerCanceled,
)
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import (
    BoundaryEvent,
    CancelDefinition,
    CatchEvent,
    Element,
    ErrorDefinition,
    EventBasedGateway,
    EventSubProcess,
    ExecutableProcess,
    LinkDefinition,
    Process,
    ReceiveTask,
    SequenceFlow,
    StartEvent,
    TerminateDefinition,
    ThrowEvent,
    TimerDefinition,
)
from bpmnd.bpmn.outcomes import ProcessInstanceCreated, Rejected, RejectionType
from bpmnd.bpmn.state.records import ElementInstance, Lifecycle, ProcessInstance
from bpmnd.bpmn.steps import (
    ActivateElement,
    CheckJoins,
    CompleteElement,
    OpenScope,
    StartNext,
    TerminateChildren,
    TerminateElement,
    decode_steps,
)
from bpmnd.bpmn.turn import InstanceNote, Turn
from bpmnd.bpmn.variables import map_inputs, map_outputs, merge_local, merge_upwards, oversize

_TERMINATED_AT_ONCE: Final = 100
"""Element instances of a scope whose termination is scheduled together: what a turn leaves over is written
down, and must not be all of them again and again."""


def begin(turn: Turn, step: ActivateElement) -> tuple[Element, Activation] | None:
    """Everything before the behaviour. None if there is nothing to activate (any more), or an incident
    stands before it."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None:
        return None
    scope = instance.elements.get(step.scope_key)
    if scope is None or scope.state is not Lifecycle.ACTIVATED:
        return None
    process = turn.executable_of(instance)
    element = process.elements[step.element]
    assert not isinstance(element, SequenceFlow), f"{step} activates a sequence flow"
    key = step.key
    if key:
        begun = instance.elements.get(key)
        if begun is None or begun.state is not Lifecycle.ACTIVATING:
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
        made = map_inputs(turn, instance, _mapping_scope(instance, key, step.scope_key), element.inputs)
        if not isinstance(made, Incident):
            made = _if_not_oversize(instance, activation.key, made, local=True)
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


def _mapping_scope(instance: ProcessInstance, key: int, scope_key: int) -> int:
    """The scope that the mappings of an element instance read from and write to is that around it; one of
    many has its item and its output in its own."""
    return key if scope_key in instance.loops else scope_key


def stop(
    element: Element, activation: Activation, incident: Incident, again: OpenScope | None = None
) -> None:
    """Activation does not succeed: the element instance waits half-way behind the incident. Then it is
    activated `again`."""
    _begin_now(activation, element)
    instance = activation.instance
    then = _again(element, activation) if again is None else replace(again, key=activation.key)
    activation.turn.raise_incident(instance, activation.key, incident, then)


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
    kind = turn.kinds[type(element)]
    if kind.joins_what_comes and len(element.incoming) > 1:
        turn.spend(len(process.elements))  # It looks for paths through the whole process.
    return kind.tokens_to_take(element, process, instance, step.scope_key, step.flow)


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


def activating(element: Element, activation: Activation) -> None:
    """The element instance is there, and an incident will keep it from being active."""
    _begin_now(activation, element)


def activated(element: Element, activation: Activation) -> None:
    """The element instance is active."""
    flows = () if activation.begun else activation.flows
    activation.turn.emit(
        ElementActivated(activation.key, activation.instance.key, activation.scope_key, element.index, flows)
    )


def pass_through(element: Element, activation: Activation) -> Incident | None:
    """Activate and complete in one go, for elements that never wait."""
    activated(element, activation)
    complete(activation.turn, CompleteElement(activation.instance.key, activation.key))
    return None


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
    record = instance.elements.get(step.key)
    if record is None or record.state not in (Lifecycle.ACTIVATED, Lifecycle.COMPLETING):
        return
    if record.state is Lifecycle.COMPLETING and record.job_key:
        return  # The listeners of its end are at work.
    if step.key in instance.children or step.key in instance.tokens or step.key in instance.triggers:
        return
    if step.key != instance.key:
        if instance.elements[record.scope_key].state is Lifecycle.TERMINATING:
            return  # The termination of its scope is on its way to it, in a turn to come.
        if instance.interruptions and is_shut_to(instance, record.scope_key, record.element):
            return  # So is its own.
    process = turn.executable_of(instance)
    element = process.elements[record.element]
    assert not isinstance(element, SequenceFlow), f"{record} is no element"
    if not step.listened:
        has_any = element.outputs or step.key in instance.variables or step.key in instance.loops
        if has_any and not _hand_on_variables(turn, process, instance, record, element, step):
            return
        cancel_timers(turn, instance, step.key)
        if instance.subscriptions or instance.signals or instance.conditions:
            unsubscribe(turn, instance, step.key)
        resolve_incidents(turn, instance, step.key)
        if element.end_listeners:
            assert taken is None, f"{element} chooses its way and has listeners of its end"
            assert then is None, f"{element} goes on by itself and has listeners of its end"
            _completing(turn, instance, record)
            call_end_listeners(turn, instance, step.key, element, replace(step, listened=True))
            return
    if step.key == instance.key and instance.parent is not None:
        incident = calls.cannot_return(turn, instance, instance.parent)
        if incident is not None:
            turn.raise_incident(instance, step.key, incident, step)
            return
    ends_loop = False
    if record.scope_key in instance.loops:
        gathered = loops.gather(turn, instance, record)
        if isinstance(gathered, Incident):
            _completing(turn, instance, record)
            turn.raise_incident(instance, step.key, gathered, step)
            return
        ends_loop = gathered.ends_loop
    flows = element.outgoing if taken is None else taken
    if element.chooses:
        lookup = lookup_in(instance, record.scope_key)
        chosen = all_that_hold(turn, process, element, element.default_flow, lookup)
        if isinstance(chosen, Incident):
            _completing(turn, instance, record)
            turn.raise_incident(instance, step.key, chosen, step)
            return
        flows = chosen
    if isinstance(element, Process):
        compensation.forget_all(turn, instance)
        _answer_result(turn, instance)
        _note_end(turn, instance)
    elif element.boundary_events or instance.compensations:
        compensation.subscribe(turn, process, instance, record, element)
    turn.emit(ElementCompleted(step.key, instance.key, record.element))
    if isinstance(element, Process):
        _start_next(turn, instance)
        if instance.parent is not None:
            calls.completed(turn, instance.parent, instance.variables.get(instance.key, {}))
        return
    if instance.compensations:
        compensation.handler_ended(turn, instance, step.key)
    if process.joins:
        turn.schedule(CheckJoins(instance.key, record.scope_key))
    if record.element in instance.terminate_after:
        turn.schedule(TerminateElement(instance.key, instance.key))
        return
    if then is not None:
        begin_here(turn, then)
        return
    if isinstance(element, ThrowEvent) and _goes_on_by_itself(turn, instance, record, element):
        return
    if record.scope_key in instance.loops:
        loops.completed_inside(turn, instance, record.scope_key, ends_loop=ends_loop)
    for flow in flows:
        take(turn, process, instance, record.scope_key, flow)
    if not flows:
        complete_scope_if_done(turn, instance, record.scope_key)


def _goes_on_by_itself(
    turn: Turn, instance: ProcessInstance, record: ElementInstance, event: ThrowEvent
) -> bool:
    """Whether a completed throw event ends all that is active beside it, or goes on where its link leads."""
    scope_key = record.scope_key
    match event.throws:
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
    for index in process.element(transaction.element).boundary_events:
        boundary = process.element(index)
        if isinstance(boundary, BoundaryEvent) and isinstance(boundary.trigger, CancelDefinition):
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
            made = _if_not_oversize(instance, record.scope_key, made, local=False)
        if isinstance(made, Incident):
            _completing(turn, instance, record)
            turn.raise_incident(instance, step.key, made, step)
            return False
        merge_upwards(turn, instance, _mapping_scope(instance, step.key, record.scope_key), made)
    elif step.key in instance.loops:
        made = loops.output_of(instance, record)
        if isinstance(made, Incident):
            _completing(turn, instance, record)
            turn.raise_incident(instance, step.key, made, step)
            return False
        merge_upwards(turn, instance, _mapping_scope(instance, step.key, record.scope_key), made)
    elif step.key in instance.variables and _hands_on(process, element):
        merge_upwards(turn, instance, record.scope_key, instance.variables[step.key])
    return True


def _completing(turn: Turn, instance: ProcessInstance, record: ElementInstance) -> None:
    if record.state is not Lifecycle.COMPLETING:
        turn.emit(ElementCompleting(record.key, instance.key, record.element))


def _if_not_oversize(
    instance: ProcessInstance, scope_key: int, made: Variables, *, local: bool
) -> Variables | Incident:
    """A mapping makes as much as it likes out of little; what it makes has the bound of all variables."""
    too_large = oversize(instance, scope_key, made, local=local)
    return made if too_large is None else Incident(IncidentType.IO_MAPPING_ERROR, too_large)


def _hands_on(process: ExecutableProcess, element: Element) -> bool:
    """Whether an event made the variables of the element: they go on to its scope also without a mapping."""
    match element:
        case StartEvent(trigger=trigger):
            return trigger is not None
        case BoundaryEvent(trigger=trigger):
            return not isinstance(trigger, TimerDefinition | ErrorDefinition)
        case ReceiveTask():
            return False
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


def take(
    turn: Turn, process: ExecutableProcess, instance: ProcessInstance, scope_key: int, flow: int
) -> None:
    sequence_flow = process.elements[flow]
    assert isinstance(sequence_flow, SequenceFlow), f"{flow} is no sequence flow"
    turn.emit(SequenceFlowTaken(instance.key, scope_key, flow))
    turn.schedule(ActivateElement(instance.key, scope_key, sequence_flow.target, flow))


def begin_here(turn: Turn, step: ActivateElement) -> None:
    """Begin an element instance at once: no token leads to it, and without it the scope could complete."""
    key = step.key or turn.new_key()
    turn.emit(ElementActivating(key, step.instance_key, step.scope_key, step.element, ()))
    turn.schedule(replace(step, key=key))


def complete_scope_if_done(turn: Turn, instance: ProcessInstance, scope_key: int) -> None:
    """A scope is done when nothing in it is active and no token is left in it (BPMN 2.0, §13.3.4); one with
    items also when all have begun."""
    if scope_key in instance.children or scope_key in instance.tokens:
        return
    if scope_key in instance.loops:
        loops.go_on(turn, instance, scope_key)
        return
    turn.schedule(CompleteElement(instance.key, scope_key))


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


def _start_next(turn: Turn, instance: ProcessInstance) -> None:
    """The instance that has ended kept another with the same correlation key from starting."""
    if instance.correlation_key is not None:
        process_id = turn.state.definitions.items[instance.definition_key].process_id
        turn.schedule(StartNext(instance.tenant_id, process_id, instance.correlation_key))


def _note_end(turn: Turn, instance: ProcessInstance) -> None:
    definition = turn.state.definitions.items[instance.definition_key]
    turn.notes.append(InstanceNote(definition.process_id, turn.now - instance.started_at))


def terminate(turn: Turn, step: TerminateElement) -> None:
    """Begin to terminate an element instance, and end it at once if nothing in it is active."""
    instance = turn.state.instances.get(step.instance_key)
    record = instance.elements.get(step.key) if instance is not None else None
    if instance is None or record is None:
        return
    if record.state is not Lifecycle.TERMINATING:
        turn.emit(ElementTerminating(step.key, instance.key, record.element))
        if record.job_key:
            turn.emit(JobCanceled(record.job_key, instance.key))
        cancel_timers(turn, instance, step.key)
        if instance.subscriptions or instance.signals or instance.conditions:
            unsubscribe(turn, instance, step.key)
        resolve_incidents(turn, instance, step.key)
        task = instance.user_task_of(step.key) if instance.user_tasks else None
        if task is not None:
            cancel_task(turn, instance, task)
            return
    elif instance.user_tasks and instance.user_task_of(step.key) is not None:
        return  # Its listeners are at work.
    called = instance.called.get(step.key)
    if called is not None:
        turn.schedule(TerminateElement(called, called))
        return
    if step.key not in instance.children:
        _terminated(turn, instance, instance.elements[step.key])
        return
    terminate_children(turn, TerminateChildren(instance.key, step.key))


def terminate_children(turn: Turn, step: TerminateChildren) -> None:
    """Begin to terminate some of the element instances in a scope, and then the others."""
    instance = turn.state.instances.get(step.instance_key)
    if instance is None or step.key not in instance.children:
        return
    behind = (child.key for child in instance.children_in(step.key) if child.key > step.after)
    keys = nsmallest(_TERMINATED_AT_ONCE, behind)
    for key in keys:
        turn.schedule(TerminateElement(instance.key, key))
    if len(keys) == _TERMINATED_AT_ONCE:
        turn.schedule(replace(step, after=keys[-1]))


def _terminated(turn: Turn, instance: ProcessInstance, record: ElementInstance) -> None:
    """End an element instance, then the scope that waited for it, or go on with what interrupted it."""
    trigger = instance.triggers.get(record.key)
    process = turn.executable_of(instance)
    element = process.elements[record.element]
    resolve_incidents(turn, instance, record.key)
    if isinstance(element, Process):
        compensation.forget_all(turn, instance)
        _note_end(turn, instance)
        _answer_terminated(turn, instance)
    elif instance.compensations:
        compensation.forget(turn, instance, record.key)
    turn.emit(ElementTerminated(record.key, instance.key, record.element))
    if isinstance(element, Process):
        _start_next(turn, instance)
        if instance.parent is not None:
            calls.terminated(turn, instance.parent)
        return
    if process.joins:
        turn.schedule(CheckJoins(instance.key, record.scope_key))
    scope = instance.elements[record.scope_key]
    if scope.state is not Lifecycle.TERMINATING and instance.compensations:
        compensation.handler_ended(turn, instance, record.key)
    if scope.state is Lifecycle.TERMINATING:
        if scope.key not in instance.children:
            turn.schedule(TerminateElement(instance.key, scope.key))
    elif record.element in instance.terminate_after:
        turn.schedule(TerminateElement(instance.key, instance.key))
    elif is_shut_to(instance, scope.key, record.element):
        _after_interruption(turn, instance, scope.key)
    elif trigger is not None:
        event, variables = trigger.boundary_event, trigger.variables
        begin_here(turn, ActivateElement(instance.key, scope.key, event, variables=variables))
    else:
        complete_scope_if_done(turn, instance, scope.key)


def is_shut_to(instance: ProcessInstance, scope_key: int, element: int) -> bool:
    """Whether the scope has been interrupted by something else, so that the element has no place there."""
    interruption = instance.interruptions.get(scope_key)
    return interruption is not None and interruption.element != element


def interrupt_scope(
    turn: Turn, instance: ProcessInstance, scope_key: int, element: int, variables: Variables
) -> None:
    """Terminate all that is active in a scope. Then an event sub-process begins there, or, for an end event,
    the scope completes."""
    turn.emit(ScopeInterrupted(scope_key, instance.key, element, variables))
    stop_event_starts(turn, instance, scope_key)
    for child in instance.children_of(scope_key):
        turn.schedule(TerminateElement(instance.key, child.key))
    _after_interruption(turn, instance, scope_key)


def cancel_scope(turn: Turn, instance: ProcessInstance, end_key: int) -> None:
    """Terminate all that is active in a transaction but the end event that cancels it. Then what has
    completed in it is compensated."""
    end = instance.elements[end_key]
    turn.emit(ScopeInterrupted(end.scope_key, instance.key, end.element, {}))
    stop_event_starts(turn, instance, end.scope_key)
    for child in instance.children_of(end.scope_key):
        if child.key != end_key:
            turn.schedule(TerminateElement(instance.key, child.key))
    _after_interruption(turn, instance, end.scope_key)


def _after_interruption(turn: Turn, instance: ProcessInstance, scope_key: int) -> None:
    interruption = instance.interruptions[scope_key]
    by = turn.executable_of(instance).element(interruption.element)
    if isinstance(by, ThrowEvent) and isinstance(by.throws, CancelDefinition):
        if instance.children[scope_key] == 1:
            (end,) = instance.children_in(scope_key)
            turn.emit(ScopeReopened(scope_key, instance.key))
            if not compensation.compensate(turn, instance, end.key, -1):
                turn.schedule(CompleteElement(instance.key, end.key))
        return
    if scope_key in instance.children:
        return
    if isinstance(by, EventSubProcess):
        begin_event_sub_process(turn, instance, scope_key, interruption.element, interruption.variables)
    else:
        complete_scope_if_done(turn, instance, scope_key)


def begin_event_sub_process(
    turn: Turn, instance: ProcessInstance, scope_key: int, element: int, variables: Variables
) -> None:
    begin_here(turn, ActivateElement(instance.key, scope_key, element, variables=variables))


def stop_event_starts(turn: Turn, instance: ProcessInstance, scope_key: int) -> None:
    """No event sub-process of the scope is triggered any more."""
    starts = turn.executable_of(instance).element(instance.elements[scope_key].element).event_starts
    if not starts:
        return
    for timer in instance.timers_of(scope_key):
        if timer.element in starts:
            turn.emit(TimerCanceled(timer.key, instance.key))
    unsubscribe(turn, instance, scope_key, starts)


def _answer_terminated(turn: Turn, instance: ProcessInstance) -> None:
    """Tell the request that awaits a result which will never come."""
    if instance.awaited is not None:
        reason = (
            f"Expected to await the result of the process instance with key '{instance.key}',"
            " but it was terminated"
        )
        turn.answer(instance.awaited.request, Rejected(RejectionType.INVALID_STATE, reason))


def cancel_timers(turn: Turn, instance: ProcessInstance, element_instance_key: int) -> None:
    if instance.timers:
        for timer in instance.timers_of(element_instance_key):
            turn.emit(TimerCanceled(timer.key, instance.key))


def resolve_incidents(turn: Turn, instance: ProcessInstance, element_instance_key: int) -> None:
    """The incidents of an element instance end with it. What was to be terminated inside still is."""
    if instance.incidents:
        while (incident := instance.incident_of(element_instance_key)) is not None:
            turn.emit(IncidentResolved(incident.key, instance.key))
            for step in decode_steps(incident.steps):
                if isinstance(step, TerminateElement | TerminateChildren):
                    turn.schedule(step)
