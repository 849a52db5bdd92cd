"""Events with several event definitions (BPMN 2.0, §10.5.5.7 and §10.5.5.8) in the executable graph."""

from collections.abc import Sequence
from dataclasses import dataclass

from bpmnd.bpmn.model.graph import CancelDefinition, Element, EventDefinition, ServiceTask, ThrowEvent


@dataclass(frozen=True, slots=True)
class MultipleDefinition(EventDefinition):
    """What an event waits for, or throws, one by one. It catches any of its parts, or all of them together if
    it is `parallel`; it throws all of them, one after the other."""

    parts: tuple[EventDefinition, ...]
    parallel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedThrowEvent(ServiceTask):
    """A throw or end event that throws messages, which is its job, and then what else there is."""

    throws: MultipleDefinition


def parts_of(definition: EventDefinition | None) -> tuple[EventDefinition, ...]:
    """The single definitions of an event, whether it has none, one or several."""
    if definition is None:
        return ()
    return definition.parts if isinstance(definition, MultipleDefinition) else (definition,)


def part(definition: EventDefinition | None, number: int) -> EventDefinition:
    return parts_of(definition)[number]


def gathers(definition: EventDefinition | None) -> bool:
    """Whether it takes all of several definitions for the event to happen."""
    return isinstance(definition, MultipleDefinition) and definition.parallel


def thrown_by(element: Element) -> tuple[EventDefinition, ...]:
    """What an event throws, in this order."""
    return parts_of(element.throws) if isinstance(element, ThrowEvent | WorkedThrowEvent) else ()


def is_cancel(definitions: Sequence[EventDefinition]) -> bool:
    """Whether one of them cancels a transaction."""
    return any(isinstance(definition, CancelDefinition) for definition in definitions)
