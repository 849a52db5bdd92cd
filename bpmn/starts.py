"""Process instances that an event starts, and the subscriptions of start events."""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.elements.listeners import before_process
from bpmnd.bpmn.evaluation import evaluate_string
from bpmnd.bpmn.events import (
    ConditionalStartSubscriptionCreated,
    ConditionalStartSubscriptionDeleted,
    ElementActivated,
    ElementActivating,
    MessageStartEventSubscriptionCreated,
    MessageStartEventSubscriptionDeleted,
    ProcessInstanceCreated,
    SignalStartEventSubscriptionCreated,
    SignalStartEventSubscriptionDeleted,
)
from bpmnd.bpmn.feel import MISSING
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import (
    ConditionalDefinition,
    EventDefinition,
    ExecutableProcess,
    MessageDefinition,
    Process,
    SignalDefinition,
    StartEvent,
    TimerDefinition,
)
from bpmnd.bpmn.model.multiple import parts_of
from bpmnd.bpmn.steps import ActivateElement, OpenScope, Step, encode_steps
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import merge_local


def start_at(turn: Turn, definition_key: int, element: int, variables: Variables) -> tuple[int, Step]:
    """Create a process instance; its key, and the step that starts it at an event that has happened."""
    key = turn.new_key()
    definition = turn.state.definitions.items[definition_key]
    root = turn.definitions.executable(definition_key).root
    turn.emit(ProcessInstanceCreated(key, definition_key, definition.tenant_id, (), None, (), 0, ()))
    first = ActivateElement(key, key, element, variables=variables)
    (begin,) = _enter(turn, key, root, (first,))
    return key, begin


def open_process(
    turn: Turn, key: int, process: ExecutableProcess, variables: Variables, first: tuple[Step, ...]
) -> None:
    """The process becomes active with these variables; then the first steps in it are done."""
    steps = _enter(turn, key, process.root, first)
    merge_local(turn, turn.state.touch(key), key, variables)
    for step in steps:
        turn.schedule(step)


def _enter(turn: Turn, key: int, root: Process, first: tuple[Step, ...]) -> tuple[Step, ...]:
    """Begin with the process itself. It is active at once, unless listeners work before, or it has events to
    wait for; the steps are what is to be done next."""
    if not root.event_starts and not root.start_listeners:
        turn.emit(ElementActivated(key, key, key, root.index, ()))
        return first
    turn.emit(ElementActivating(key, key, key, root.index, ()))
    opening = OpenScope(key, key, encode_steps(first))
    return (before_process(key, root, opening),) if root.start_listeners else (opening,)


def name_at_start(turn: Turn, trigger: EventDefinition) -> str | Incident:
    """What a start event waits for. There are no variables yet that an expression could see."""
    assert isinstance(trigger, MessageDefinition | SignalDefinition), f"{trigger} has no name"
    return evaluate_string(turn, trigger.name, lambda _: MISSING)


def subscribe_starts(turn: Turn, definition_key: int, process: ExecutableProcess) -> None:
    """Let the start events of a new version of a process wait, in place of those of the version before."""
    definition = turn.state.definitions.items[definition_key]
    tenant_id, process_id = definition.tenant_id, definition.process_id
    unsubscribe_starts(turn, tenant_id, process_id)
    for index in process.root.triggered_starts:
        event = process.elements[index]
        assert isinstance(event, StartEvent), f"{index} is no start event"
        triggers = parts_of(event.trigger)
        if any(isinstance(trigger, ConditionalDefinition) for trigger in triggers):
            key = turn.new_key()
            turn.emit(
                ConditionalStartSubscriptionCreated(key, definition_key, index, tenant_id, process_id, "")
            )
        for trigger in triggers:
            if isinstance(trigger, TimerDefinition | ConditionalDefinition):
                continue
            name = name_at_start(turn, trigger)
            if isinstance(name, Incident):
                continue  # It was fine for the build that deployed it; this one cannot evaluate it.
            created = (
                MessageStartEventSubscriptionCreated
                if isinstance(trigger, MessageDefinition)
                else SignalStartEventSubscriptionCreated
            )
            turn.emit(created(turn.new_key(), definition_key, index, tenant_id, process_id, name))


def unsubscribe_starts(turn: Turn, tenant_id: str, process_id: str) -> None:
    """No start event of the process waits any more for messages, signals and conditions."""
    messages = turn.state.messages
    for start in messages.starts.of_process(tenant_id, process_id):
        turn.emit(MessageStartEventSubscriptionDeleted(start.key))
    for start in messages.signal_starts.of_process(tenant_id, process_id):
        turn.emit(SignalStartEventSubscriptionDeleted(start.key))
    for start in messages.conditional_starts.of_process(tenant_id, process_id):
        turn.emit(ConditionalStartSubscriptionDeleted(start.key))
