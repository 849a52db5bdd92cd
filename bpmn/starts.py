"""Process instances that an event starts, and the subscriptions of start events."""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.evaluation import evaluate_string
from bpmnd.bpmn.events import (
    ElementActivated,
    MessageStartEventSubscriptionCreated,
    MessageStartEventSubscriptionDeleted,
    ProcessInstanceCreated,
    SignalStartEventSubscriptionCreated,
    SignalStartEventSubscriptionDeleted,
)
from bpmnd.bpmn.feel import MISSING
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import ExecutableProcess, MessageDefinition, SignalDefinition, StartEvent
from bpmnd.bpmn.steps import ActivateElement
from bpmnd.bpmn.turn import Turn


def start_at(
    turn: Turn, definition_key: int, element: int, variables: Variables
) -> tuple[int, ActivateElement]:
    """Create a process instance; its key, and the step that starts it at an event that has happened."""
    key = turn.new_key()
    definition = turn.state.definitions.items[definition_key]
    root = turn.definitions.executable(definition_key).root.index
    turn.emit(ProcessInstanceCreated(key, definition_key, definition.tenant_id, (), None, (), 0, ()))
    turn.emit(ElementActivated(key, key, key, root, ()))
    return key, ActivateElement(key, key, element, variables=variables)


def name_at_start(turn: Turn, start: StartEvent) -> str | Incident:
    """What a start event waits for. There are no variables yet that an expression could see."""
    assert isinstance(start.trigger, MessageDefinition | SignalDefinition), f"{start} has no name"
    return evaluate_string(turn, start.trigger.name, lambda _: MISSING)


def subscribe_starts(turn: Turn, definition_key: int, process: ExecutableProcess) -> None:
    """Let the start events of a new version of a process wait, in place of those of the version before."""
    definition = turn.state.definitions.items[definition_key]
    tenant_id, process_id = definition.tenant_id, definition.process_id
    messages = turn.state.messages
    for start in messages.starts.of_process(tenant_id, process_id):
        turn.emit(MessageStartEventSubscriptionDeleted(start.key))
    for start in messages.signal_starts.of_process(tenant_id, process_id):
        turn.emit(SignalStartEventSubscriptionDeleted(start.key))

    for index in process.root.triggered_starts:
        event = process.elements[index]
        assert isinstance(event, StartEvent), f"{index} is no start event"
        name = name_at_start(turn, event)
        if isinstance(name, Incident):
            continue  # It was fine for the build that deployed it; this one cannot evaluate it.
        match event.trigger:
            case MessageDefinition():
                turn.emit(
                    MessageStartEventSubscriptionCreated(
                        turn.new_key(), definition_key, index, tenant_id, process_id, name
                    )
                )
            case SignalDefinition():
                turn.emit(
                    SignalStartEventSubscriptionCreated(
                        turn.new_key(), definition_key, index, tenant_id, process_id, name
                    )
                )
            case _:
                raise AssertionError(f"{event} waits for nothing")
