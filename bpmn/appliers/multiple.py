"""Appliers of events with several event definitions."""

from bpmnd.bpmn.appliers.messages import mark
from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import (
    EventPartAwaited,
    EventPartOccurred,
    EventPartsCleared,
    MessageStartPartCorrelated,
    StartPartOccurred,
    StartPartsCleared,
)
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.deployed import StartPart
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.messages import group_of
from bpmnd.bpmn.state.records import Occurred, ProcessInstance, occurred_size


@applies(EventPartAwaited)
def event_part_awaited(state: State, event: EventPartAwaited) -> None:
    state.journal.put(state.touch(event.instance_key).awaited_parts, event.key, event.part)


@applies(EventPartOccurred)
def event_part_occurred(state: State, event: EventPartOccurred) -> None:
    """What occurs again before the rest does counts once, with its latest variables."""
    instance, key = state.touch(event.instance_key), event.element_instance_key
    place = (event.element, event.part)
    others = (each for each in instance.occurred.get(key, ()) if (each.element, each.part) != place)
    keep_occurred(state.journal, instance, key, (*others, Occurred(*place, event.variables)))


@applies(EventPartsCleared)
def event_parts_cleared(state: State, event: EventPartsCleared) -> None:
    instance, key = state.touch(event.instance_key), event.element_instance_key
    kept = tuple(each for each in instance.occurred[key] if each.element != event.element)
    keep_occurred(state.journal, instance, key, kept)


@applies(StartPartOccurred)
def start_part_occurred(state: State, event: StartPartOccurred) -> None:
    place = (event.definition_key, event.element, event.part)
    for key, part in list(state.start_parts.items.items()):
        if (part.definition_key, part.element, part.part) == place:
            state.start_parts.remove(key, state.journal)
    state.start_parts.put(event.key, StartPart(*place, event.variables), state.journal)


@applies(StartPartsCleared)
def start_parts_cleared(state: State, event: StartPartsCleared) -> None:
    for key, part in list(state.start_parts.items.items()):
        if (part.definition_key, part.element) == (event.definition_key, event.element):
            state.start_parts.remove(key, state.journal)


@applies(MessageStartPartCorrelated)
def message_start_part_correlated(state: State, event: MessageStartPartCorrelated) -> None:
    """The process has had the message."""
    start = state.messages.starts.table.items[event.key]
    group = group_of(start.tenant_id, start.name, event.correlation_key)
    mark(state, group, event.message_key, start.process_id, event.passed)


def keep_occurred(
    journal: Journal, instance: ProcessInstance, key: int, occurred: tuple[Occurred, ...]
) -> None:
    """This is what has occurred to an element instance."""
    before = instance.occurred.get(key, ())
    if occurred:
        journal.put(instance.occurred, key, tuple(sorted(occurred, key=lambda it: (it.element, it.part))))
    elif before:
        journal.drop(instance.occurred, key)
    size = instance.size + occurred_size(occurred) - occurred_size(before)
    if size != instance.size:
        journal.assign(instance, "size", size)


def forget_part(journal: Journal, instance: ProcessInstance, key: int) -> None:
    """A timer or subscription is gone."""
    if key in instance.awaited_parts:
        journal.drop(instance.awaited_parts, key)
