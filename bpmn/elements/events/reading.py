"""Reads the event definitions of an event, whatever their kinds."""

from typing import Final

from bpmnd.bpmn.elements.events.registry import EVENTS
from bpmnd.bpmn.elements.kind import AnyEventKind, Position
from bpmnd.bpmn.model.graph import EventDefinition
from bpmnd.bpmn.model.multiple import MultipleDefinition
from bpmnd.bpmn.model.reading import Reading, read_flag
from bpmnd.bpmn.model.xml import Tag

DEFINITIONS_MAX: Final = 50
"""Of one event: all of them are waited for, or thrown, at once."""
PARALLEL_POSITIONS: Final = frozenset(Position) - {Position.THROW, Position.END}
"""Where an event can wait for several definitions together."""

_REFERENCE: Final = "bpmn:eventDefinitionRef"
_TIMER: Final = "bpmn:timerEventDefinition"
_THROWING: Final = (Position.THROW, Position.END)


def definitions_of(event: Tag, reading: Reading) -> tuple[Tag, ...]:
    """Those that stand in the event, and those beside the processes that it refers to, in document order."""
    found: list[Tag] = []
    for child in event.children:
        if child.name in EVENTS:
            found.append(child)
        elif child.name == _REFERENCE:
            referred = _referred(child, event, reading)
            if referred is not None:
                found.append(referred)
    return tuple(found)


def _referred(reference: Tag, event: Tag, reading: Reading) -> Tag | None:
    """A reference is a qualified name; only the local part of it counts."""
    name = reference.text.rpartition(":")[2]
    for qualified in EVENTS:
        found = reading.shared.get(qualified.removeprefix("bpmn:"), {}).get(name)
        if found is not None:
            return found
    reason = f"references the event definition '{name}', which does not exist"
    reading.report.add(event, reason, at=reference)
    return None


def read_definition(
    event: Tag, position: Position, reading: Reading, *, required: bool = False, interrupting: bool = True
) -> EventDefinition | None:
    """What an event waits for or throws, if there is something and it is supported there."""
    report = reading.report
    tags = definitions_of(event, reading)
    parallel = position not in _THROWING and read_flag(event, "parallelMultiple", report, default=False)
    if required and not tags and not event.all(_REFERENCE):
        report.add(event, "must have at least one event definition")
    if len(tags) > DEFINITIONS_MAX:
        reason = f"must not have more than {DEFINITIONS_MAX} event definitions"
        report.add(event, reason, at=tags[DEFINITIONS_MAX])
        return None

    refused = False
    for tag in tags:
        if refusal := EVENTS[tag.name].refusal(position):
            report.add(event, refusal, at=tag)
            refused = True
    if refused or not tags:
        return None
    if len(tags) == 1:
        return _read(event, tags[0], position, reading, interrupting=interrupting)
    _check_together(event, tags, position, reading, parallel=parallel)
    if position in _THROWING:
        tags = tuple(sorted(tags, key=lambda tag: _rank(EVENTS[tag.name])))
    parts = [_read(event, tag, position, reading, interrupting=interrupting) for tag in tags]
    return MultipleDefinition(tuple(parts), parallel)


def _read(
    event: Tag, tag: Tag, position: Position, reading: Reading, *, interrupting: bool
) -> EventDefinition:
    read: EventDefinition = EVENTS[tag.name].read(event, tag, position, reading, interrupting=interrupting)
    return read


def _rank(kind: AnyEventKind) -> int:
    """In which order the definitions of an event are thrown: first what its job does, last what ends what is
    around it."""
    if kind.is_worked:
        return 0
    return 2 if kind.ends else 1


def _check_together(
    event: Tag, tags: tuple[Tag, ...], position: Position, reading: Reading, *, parallel: bool
) -> None:
    """Whether these definitions can be those of one event."""
    report = reading.report
    timers = [tag for tag in tags if tag.name == _TIMER]
    if parallel and position is Position.START and len(timers) > 1:
        report.add(event, "a parallel multiple start event must not have more than one timer", at=timers[1])
    ending = [tag for tag in tags if EVENTS[tag.name].ends]
    if position in _THROWING and len(ending) > 1:
        words = " and ".join(f"{EVENTS[tag.name].words} event definition" for tag in ending[:2])
        report.add(event, f"must not have both {words}", at=ending[1])
    for tag in tags:
        kind = EVENTS[tag.name]
        if position in kind.alone:
            report.add(event, f"a {kind.words} event definition must be the only one of its event", at=tag)
        elif parallel and not kind.gathers:
            reason = f"a {kind.words} event definition must not be one of several that must all occur"
            report.add(event, reason.replace("a error", "an error"), at=tag)
