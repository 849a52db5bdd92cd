"""Appliers of process instances and their elements."""

from msgspec.structs import replace

from bpmnd.bpmn.appliers.multiple import keep_occurred
from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    BoundaryEventTriggered,
    ElementActivated,
    ElementActivating,
    ElementCompleted,
    ElementCompleting,
    ElementTerminated,
    ElementTerminating,
    EscalationThrown,
    ProcessInstanceCalled,
    ProcessInstanceCreated,
    ScopeInterrupted,
    SequenceFlowTaken,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.messages import lock_of
from bpmnd.bpmn.state.records import (
    ACTIVATED,
    ACTIVATING,
    COMPLETING,
    TERMINATING,
    AwaitedResult,
    ElementInstance,
    Interruption,
    Lifecycle,
    Parent,
    ProcessInstance,
    Trigger,
    loop_size,
    size_of,
)


@applies(ProcessInstanceCreated)
def process_instance_created(state: State, event: ProcessInstanceCreated) -> None:
    awaited = AwaitedResult(event.request, event.fetch_variables) if event.request else None
    instance = ProcessInstance(
        event.key,
        event.definition_key,
        event.tenant_id,
        event.tags,
        event.business_id,
        state.last_time,
        0,
        event.terminate_after,
        awaited,
    )
    state.instances.add(instance, state.journal)
    state.journal.assign(state, "started", state.started + 1)


@applies(ProcessInstanceCalled)
def process_instance_called(state: State, event: ProcessInstanceCalled) -> None:
    """The call activity has an instance to wait for, until that has ended."""
    instance = ProcessInstance(event.key, event.definition_key, event.tenant_id, (), None, state.last_time)
    instance.parent = Parent(event.instance_key, event.element_instance_key, event.root_key, event.depth)
    state.instances.add(instance, state.journal)
    state.journal.put(state.touch(event.instance_key).called, event.element_instance_key, event.key)
    state.journal.assign(state, "started", state.started + 1)


@applies(ElementActivating)
def element_activating(state: State, event: ElementActivating) -> None:
    _begin(state, state.touch(event.instance_key), event, ACTIVATING)


@applies(ElementActivated)
def element_activated(state: State, event: ElementActivated) -> None:
    instance = state.touch(event.instance_key)
    if event.key in instance.elements:
        _move(state, instance, event, ACTIVATED)
    else:
        _begin(state, instance, event, ACTIVATED)


@applies(ElementCompleting)
def element_completing(state: State, event: ElementCompleting) -> None:
    _move(state, state.touch(event.instance_key), event, COMPLETING)


@applies(ElementTerminating)
def element_terminating(state: State, event: ElementTerminating) -> None:
    _move(state, state.touch(event.instance_key), event, TERMINATING)


@applies(ElementCompleted)
def element_completed(state: State, event: ElementCompleted) -> None:
    _end(state, event)


@applies(ElementTerminated)
def element_terminated(state: State, event: ElementTerminated) -> None:
    _end(state, event)


@applies(SequenceFlowTaken)
def sequence_flow_taken(state: State, event: SequenceFlowTaken) -> None:
    """A token is on its way; the activation of its target takes it."""
    instance = state.touch(event.instance_key)
    tokens = instance.tokens.get(event.scope_key)
    if tokens is None:
        state.journal.put(instance.tokens, event.scope_key, {event.flow: 1})
    else:
        state.journal.put(tokens, event.flow, tokens.get(event.flow, 0) + 1)


@applies(BoundaryEventTriggered)
def boundary_event_triggered(state: State, event: BoundaryEventTriggered) -> None:
    instance = state.touch(event.instance_key)
    trigger = Trigger(event.boundary_event, event.variables)
    state.journal.put(instance.triggers, event.element_instance_key, trigger)


@applies(ScopeInterrupted)
def scope_interrupted(state: State, event: ScopeInterrupted) -> None:
    """Tokens that wait or are on their way in the scope are gone."""
    instance = state.touch(event.instance_key)
    interruption = Interruption(event.element, event.variables)
    state.journal.put(instance.interruptions, event.scope_key, interruption)
    if event.scope_key in instance.tokens:
        state.journal.drop(instance.tokens, event.scope_key)


@applies(EscalationThrown)
def escalation_thrown(state: State, event: EscalationThrown) -> None:
    """What comes of it has events of its own; this is for the audit."""


def _begin(
    state: State,
    instance: ProcessInstance,
    event: ElementActivating | ElementActivated,
    lifecycle: Lifecycle,
) -> None:
    journal, scope_key = state.journal, event.scope_key
    journal.put(instance.elements, event.key, ElementInstance(event.key, event.element, scope_key, lifecycle))
    if event.key == event.instance_key:
        return
    state.owners.add(event.key, event.instance_key, journal)
    journal.put(instance.children, scope_key, instance.children.get(scope_key, 0) + 1)
    if scope_key in instance.loops:
        loop = instance.loops[scope_key]
        journal.put(instance.loop_indexes, event.key, loop.begun)
        journal.put(instance.loops, scope_key, replace(loop, begun=loop.begun + 1))
    if event.flows:
        take_tokens(journal, instance, scope_key, event.flows)


def take_tokens(journal: Journal, instance: ProcessInstance, scope_key: int, flows: tuple[int, ...]) -> None:
    """Take a token from each of the flows."""
    if not flows:
        return
    tokens = instance.tokens[scope_key]
    for flow in flows:
        if tokens[flow] > 1:
            journal.put(tokens, flow, tokens[flow] - 1)
        else:
            journal.drop(tokens, flow)
    if not tokens:
        journal.drop(instance.tokens, scope_key)


def _move(
    state: State,
    instance: ProcessInstance,
    event: ElementActivated | ElementCompleting | ElementTerminating,
    lifecycle: Lifecycle,
) -> None:
    element = instance.elements[event.key]
    moved = ElementInstance(element.key, element.element, element.scope_key, lifecycle, element.job_key)
    state.journal.put(instance.elements, event.key, moved)


def _end(state: State, event: ElementCompleted | ElementTerminated) -> None:
    """The element instance is gone, and with it its variables and tokens; with the process, the instance."""
    journal = state.journal
    key = event.key
    instance = state.touch(event.instance_key)
    element = journal.drop(instance.elements, key)
    assert key not in instance.children, f"{event}, but {instance.children[key]} children are active"
    if key == event.instance_key:
        assert not instance.elements, f"{event}, but {instance.elements} are active"
        if instance.correlation_key is not None:
            process_id = state.definitions.items[instance.definition_key].process_id
            lock = lock_of(instance.tenant_id, process_id, instance.correlation_key)
            if state.messages.locks.get(lock) == key:  # Else it has gone to another partition with its slot.
                state.messages.locks.remove(lock, journal)
        if instance.parent is not None:
            caller = state.touch(instance.parent.instance_key)
            journal.drop(caller.called, instance.parent.element_instance_key)
        state.instances.remove(key, journal)
        journal.assign(state, "completed", state.completed + 1)
        return
    state.owners.remove(key, journal)
    if key in instance.variables:
        gone = journal.drop(instance.variables, key)
        journal.assign(instance, "size", instance.size - size_of(gone))
    if key in instance.tokens:
        journal.drop(instance.tokens, key)
    if key in instance.triggers:
        journal.drop(instance.triggers, key)
    if key in instance.interruptions:
        journal.drop(instance.interruptions, key)
    if key in instance.occurred:
        keep_occurred(journal, instance, key, ())
    if key in instance.started_gateways:
        journal.drop(instance.started_gateways, key)
    if instance.loops:
        _end_in_loops(journal, instance, element, completed=type(event) is ElementCompleted)
    siblings = instance.children[element.scope_key]
    if siblings > 1:
        journal.put(instance.children, element.scope_key, siblings - 1)
    else:
        journal.drop(instance.children, element.scope_key)


def _end_in_loops(
    journal: Journal, instance: ProcessInstance, element: ElementInstance, *, completed: bool
) -> None:
    """A multi-instance body counts what ends in it; when it ends itself, its items and outputs are gone."""
    key, scope_key = element.key, element.scope_key
    if key in instance.loop_indexes:
        journal.drop(instance.loop_indexes, key)
        loop = instance.loops[scope_key]
        if completed:
            loop = replace(loop, completed=loop.completed + 1)
        else:
            loop = replace(loop, terminated=loop.terminated + 1)
        journal.put(instance.loops, scope_key, loop)
    if key in instance.loops:
        size = loop_size(instance, key)
        journal.drop(instance.loops, key)
        if key in instance.loop_outputs:
            journal.drop(instance.loop_outputs, key)
        journal.assign(instance, "size", instance.size - size)
