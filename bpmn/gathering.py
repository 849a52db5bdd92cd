"""Start events of processes that happen only when all of their definitions have occurred (BPMN 2.0, §10.5.2).

They occur on many partitions: a message on that of its correlation key, a signal where it is broadcast. What
has occurred is gathered on the partition that the process was deployed on.
"""

from collections.abc import Collection
from typing import NamedTuple

from bpmnd.bpmn.channel import OccurAtStart
from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events import StartPartOccurred, StartPartsCleared
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.keys import partition_of
from bpmnd.bpmn.model.graph import (
    ConditionalDefinition,
    EventDefinition,
    MessageDefinition,
    SignalDefinition,
    StartEvent,
    TimerDefinition,
)
from bpmnd.bpmn.model.multiple import gathers, parts_of
from bpmnd.bpmn.starts import name_at_start, start_at
from bpmnd.bpmn.state.deployed import StartPart
from bpmnd.bpmn.state.records import size_of
from bpmnd.bpmn.steps import Step
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import INSTANCE_SIZE_MAX


class Started(NamedTuple):
    """A new process instance by its key, and the step that begins it."""

    instance_key: int
    step: Step


def gathers_at_start(turn: Turn, definition_key: int, element: int) -> bool:
    return gathers(_start_event(turn, definition_key, element).trigger)


def occur_at_start(
    turn: Turn,
    definition_key: int,
    element: int,
    kind: type[EventDefinition],
    name: str,
    variables: Variables,
) -> Started | None:
    """What a start event waits for has occurred, by its kind and name (those without a name have none). What
    it starts; None if there is more to come, or what it starts begins on another partition."""
    start = _start_event(turn, definition_key, element)
    if not gathers(start.trigger):
        return Started(*start_at(turn, definition_key, element, variables))
    started: Started | None = None
    for number, part in enumerate(parts_of(start.trigger)):
        if isinstance(part, kind) and _name_of(turn, part) == name:
            started = _occur(turn, OccurAtStart(definition_key, element, number, variables)) or started
    return started


def take_over(turn: Turn, message: OccurAtStart) -> None:
    """It has occurred on another partition."""
    started = _gather(turn, message)
    if started is not None:
        turn.schedule(started.step)


def forget_occurred(turn: Turn, definition_keys: Collection[int]) -> None:
    """What has occurred does not start these processes any more."""
    occurred = [
        (part.definition_key, part.element)
        for part in turn.state.start_parts.items.values()
        if part.definition_key in definition_keys
    ]
    for definition_key, element in dict.fromkeys(occurred):
        turn.emit(StartPartsCleared(definition_key, element))


def _name_of(turn: Turn, part: EventDefinition) -> str | Incident:
    match part:
        case MessageDefinition() | SignalDefinition():
            return name_at_start(turn, part)
        case ConditionalDefinition(condition=condition):
            return condition.text
        case TimerDefinition():
            return ""  # There is only one.
        case _:
            raise AssertionError(f"{part} starts no process")


def _occur(turn: Turn, occurred: OccurAtStart) -> Started | None:
    home = partition_of(occurred.definition_key)
    if home == turn.state.partition_id:
        return _gather(turn, occurred)
    turn.send(home, occurred)
    return None


def _gather(turn: Turn, occurred: OccurAtStart) -> Started | None:
    """Note it, or start an instance if it was the last. What no instance could take is passed over, and so is
    what has occurred for a process that others have taken the place of meanwhile."""
    definition_key, element = occurred.definition_key, occurred.element
    definition = turn.state.definitions.items[definition_key]
    versions = turn.state.latest.get((definition.tenant_id, definition.process_id))
    if not versions or versions[max(versions)] != definition_key:
        return None
    known = {part.part: part.variables for part in _known(turn, definition_key, element)}
    known[occurred.part] = occurred.variables
    if sum(map(size_of, known.values())) > INSTANCE_SIZE_MAX:
        return None
    turn.emit(StartPartOccurred(turn.new_key(), definition_key, element, occurred.part, occurred.variables))
    if len(known) < len(parts_of(_start_event(turn, definition_key, element).trigger)):
        return None
    turn.emit(StartPartsCleared(definition_key, element))
    merged = {name: value for _, values in sorted(known.items()) for name, value in values.items()}
    return Started(*start_at(turn, definition_key, element, merged))


def _known(turn: Turn, definition_key: int, element: int) -> list[StartPart]:
    return [
        part
        for part in turn.state.start_parts.items.values()
        if (part.definition_key, part.element) == (definition_key, element)
    ]


def _start_event(turn: Turn, definition_key: int, element: int) -> StartEvent:
    event = turn.definitions.executable(definition_key).element(element)
    assert isinstance(event, StartEvent), f"{event} starts nothing"
    return event
