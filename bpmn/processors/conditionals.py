"""Conditional start events: evaluated when a client asks for it."""

from collections.abc import Iterator, Sequence

from bpmnd.bpmn.commands import EvaluateConditionals
from bpmnd.bpmn.elements.conditionals import holds
from bpmnd.bpmn.events import ConditionalEvaluated, ProcessInstanceCreated
from bpmnd.bpmn.feel import MISSING, Value, from_json
from bpmnd.bpmn.gathering import occur_at_start
from bpmnd.bpmn.model.graph import ConditionalDefinition, StartEvent
from bpmnd.bpmn.model.multiple import gathers, parts_of
from bpmnd.bpmn.outcomes import ConditionalsEvaluated, Outcome, Rejected, RejectionType
from bpmnd.bpmn.starts import open_process
from bpmnd.bpmn.steps import ActivateElement
from bpmnd.bpmn.turn import Turn


def evaluate(turn: Turn, command: EvaluateConditionals) -> Outcome:
    """Start an instance at every conditional start event whose condition holds for the variables: of the
    latest versions of all processes, or of one definition."""
    if command.definition_key:
        definition = turn.state.definitions.get(command.definition_key)
        if definition is None or definition.tenant_id != command.tenant_id:
            return Rejected(
                RejectionType.NOT_FOUND,
                f"Expected to find process definition with key '{command.definition_key}', but none found",
            )
    key = turn.new_key()
    turn.emit(ConditionalEvaluated(key, command.definition_key, command.tenant_id, command.variables))

    def lookup(name: str) -> Value:
        raw = command.variables.get(name)
        return MISSING if raw is None else from_json(raw)

    started: list[tuple[int, int]] = []
    for definition_key, start in list(_starts(turn, command)):
        held = [condition for condition in _conditions(start) if holds(turn, condition, lookup) is True]
        if held and not gathers(start.trigger):
            started.append((definition_key, _start(turn, command, definition_key, start)))
        elif held:
            started += _occur(turn, command, definition_key, start, held)
    return ConditionalsEvaluated(key, command.tenant_id, tuple(started))


def _starts(turn: Turn, command: EvaluateConditionals) -> Iterator[tuple[int, StartEvent]]:
    """The conditional start events that are asked for, with their definitions."""
    if not command.definition_key:
        for waiting in turn.state.messages.conditional_starts.named(command.tenant_id, ""):
            event = turn.definitions.executable(waiting.definition_key).element(waiting.element)
            assert isinstance(event, StartEvent), f"{waiting} is no start event"
            yield waiting.definition_key, event
        return
    process = turn.definitions.executable(command.definition_key)
    for index in process.root.triggered_starts:
        event = process.element(index)
        if isinstance(event, StartEvent) and _conditions(event):
            yield command.definition_key, event


def _conditions(start: StartEvent) -> list[ConditionalDefinition]:
    return [trigger for trigger in parts_of(start.trigger) if isinstance(trigger, ConditionalDefinition)]


def _occur(
    turn: Turn,
    command: EvaluateConditionals,
    definition_key: int,
    start: StartEvent,
    held: Sequence[ConditionalDefinition],
) -> Iterator[tuple[int, int]]:
    """The conditions are some of what the start event waits for together."""
    for definition in held:
        started = occur_at_start(
            turn,
            definition_key,
            start.index,
            ConditionalDefinition,
            definition.condition.text,
            command.variables,
        )
        if started is not None:
            turn.schedule(started.step)
            yield definition_key, started.instance_key


def _start(turn: Turn, command: EvaluateConditionals, definition_key: int, start: StartEvent) -> int:
    key = turn.new_key()
    turn.emit(ProcessInstanceCreated(key, definition_key, command.tenant_id, (), None, (), 0, ()))
    process = turn.definitions.executable(definition_key)
    open_process(turn, key, process, command.variables, (ActivateElement(key, key, start.index),))
    return key
