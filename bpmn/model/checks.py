"""What must hold between the elements of a process. Each check reports all it finds."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bpmnd.bpmn.model.graph import (
    AdHocSubProcess,
    BoundaryEvent,
    CatchEvent,
    CompensationDefinition,
    ErrorDefinition,
    EscalationDefinition,
    EventDefinition,
    EventSubProcess,
    LinkDefinition,
    MessageDefinition,
    SequenceFlow,
    SignalDefinition,
    StartEvent,
    SubProcess,
)
from bpmnd.bpmn.model.multiple import parts_of
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.surroundings import Item, Outline, Surroundings
from bpmnd.bpmn.model.xml import Tag

_DEFINITIONS: Final = ("EventDefinition", "bpmn:eventDefinitionRef")


def check_ids(definitions: Tag, report: Report) -> None:
    """An id is given once in the whole document."""
    lines: dict[str, int] = {}
    for tag in definitions.descendants():
        if tag.id is None or not tag.name.startswith("bpmn:"):
            continue
        if tag.id in lines:
            report.add(tag, f"the id '{tag.id}' is already used in line {lines[tag.id]}")
        lines.setdefault(tag.id, tag.line)


def surroundings_of(outline: Outline, report: Report) -> Surroundings:
    flows = [item for item in outline if item.is_flow]
    by_id = {item.id: item for item in reversed(outline) if item.id}
    sources, targets = _grouped(flows, "sourceRef"), _grouped(flows, "targetRef")
    boundaries: defaultdict[str, list[Item]] = defaultdict(list)
    for item in outline:
        if isinstance(item.node, BoundaryEvent):
            boundaries[item.tag.attributes.get("attachedToRef", "")].append(item)
    return Surroundings(outline, by_id, sources, targets, boundaries, link_catches_in(outline), report)


def link_catches_in(outline: Outline) -> Mapping[tuple[int, str], Item]:
    """By the scope and the name of the link; of two that are alike the first."""
    links: dict[tuple[int, str], Item] = {}
    for item in outline:
        match item.node:
            case CatchEvent(trigger=LinkDefinition(name=name)):
                links.setdefault((item.scope, name), item)
            case _:
                pass
    return links


def check_structure(around: Surroundings) -> None:
    """What holds for all processes, whatever their elements are."""
    report = around.report
    starts: defaultdict[int, list[Item]] = defaultdict(list)
    events: dict[str, list[Item]] = {}
    for item in around.outline:
        if item.is_flow:
            _check_end("sourceRef", item, around)
            _check_end("targetRef", item, around)
            _check_borders(item, around)
        match item.node:
            case StartEvent():
                starts[item.scope].append(item)
            case BoundaryEvent():
                events.setdefault(item.tag.attributes.get("attachedToRef", ""), []).append(item)
            case _:
                pass
    for item in around.outline:
        if item.is_container:
            _check_starts(item, starts[item.position], report)
    beside: defaultdict[int, list[Item]] = defaultdict(list)
    for item in around.outline:
        if isinstance(item.node, EventSubProcess):
            beside[item.scope] += starts[item.position]
    for scope, event_starts in beside.items():
        check_waited_for_once(event_starts, report)
        _check_codes_caught_once(around.outline[scope], event_starts, report)
        _check_undoing(around.outline[scope], event_starts, around)
    for activity_id, boundaries in events.items():
        activity = around.by_id.get(activity_id)
        waiting = [activity] if activity is not None and isinstance(activity.node, CatchEvent) else []
        check_waited_for_once([*waiting, *boundaries], report)
        if activity is not None:
            _check_codes_caught_once(activity, boundaries, report)


def _grouped(flows: Iterable[Item], end: str) -> Mapping[str, list[Item]]:
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for flow in flows:
        groups[flow.tag.attributes.get(end, "")].append(flow)
    return groups


def _check_end(end: str, flow: Item, around: Surroundings) -> None:
    reference = flow.tag.attributes.get(end)
    if not reference:
        around.report.add(flow.tag, f"a sequence flow must have a {end}")
        return

    found = around.by_id.get(reference)
    if found is None:
        around.report.add(flow.tag, f"the {end} '{reference}' does not exist in this process")
    elif found.is_flow or found.tag.name == "bpmn:process":
        reason = f"the {end} '{reference}' is a {found.tag.bare_name}, which no flow can meet"
        around.report.add(flow.tag, reason)


def _check_borders(flow: Item, around: Surroundings) -> None:
    source = around.by_id.get(flow.tag.attributes.get("sourceRef", ""))
    target = around.target_of(flow)
    if source is not None and target is not None and source.scope != target.scope:
        around.report.add(flow.tag, "a sequence flow must not cross the border of a sub-process")


def check_no_conditions(item: Item, around: Surroundings) -> None:
    """Of an element that takes all its outgoing flows."""
    for flow in around.outgoing[item.id]:
        if item.node is not None and isinstance(flow.node, SequenceFlow) and flow.node.condition is not None:
            around.report.add(
                flow.tag,
                "a condition is only supported behind an activity, an exclusive or an inclusive gateway",
            )


def check_conditions(item: Item, around: Surroundings) -> None:
    """Behind a gateway with a choice every flow has a condition or is the default."""
    flows = [(flow, flow.node) for flow in around.outgoing[item.id] if isinstance(flow.node, SequenceFlow)]
    for flow, node in flows:
        is_default = flow.id == item.tag.attributes.get("default")
        if len(flows) > 1 and node.condition is None and not is_default:
            around.report.add(flow.tag, "must have a condition or be the default flow of its gateway")


def check_default(source: Item, around: Surroundings) -> None:
    default = source.tag.attributes.get("default")
    if default is None:
        return
    flow = around.by_id.get(default)
    if flow is None or not flow.is_flow:
        around.report.add(source.tag, f"the default flow '{default}' does not exist in this process")
    elif flow.tag.attributes.get("sourceRef") != source.id:
        around.report.add(source.tag, f"the default flow '{default}' must start at '{source.id}'")


def _check_starts(container: Item, starts: Sequence[Item], report: Report) -> None:
    """A process is started through one none start event, or by what triggers the others; an embedded
    sub-process by its one none start event."""
    if container.node is None:
        return
    if isinstance(container.node, AdHocSubProcess):
        return
    if isinstance(container.node, EventSubProcess):
        _check_event_start(container, starts, report)
        return
    if not starts:
        report.add(container.tag, f"a {container.tag.bare_name} must have a start event")
    triggered = [start for start in starts if triggers_of(start)]
    if container.tag.name != "bpmn:process":
        for start in triggered:
            report.add(start.tag, "the start event of a sub-process must have no event definition")
    else:
        check_waited_for_once(starts, report)
    none_starts = [start for start in starts if not _has_definition(start)]
    for surplus in none_starts[1:]:
        report.add(
            surplus.tag,
            f"the {container.tag.bare_name} '{container.id}' must not have a second none start event",
        )


def _check_event_start(container: Item, starts: Sequence[Item], report: Report) -> None:
    if not starts:
        report.add(container.tag, "an event sub-process must have a start event")
    for surplus in starts[1:]:
        report.add(surplus.tag, "an event sub-process must not have more than one start event")
    for start in starts:
        if not _has_definition(start):
            report.add(start.tag, "the start event of an event sub-process must have an event definition")


def _check_undoing(container: Item, starts: Sequence[Item], around: Surroundings) -> None:
    """A sub-process that can be undone as a whole has one handler for that."""
    undoing = [start for start in starts if _waits_for_compensation(start)]
    if not undoing:
        return
    what = f"the {container.tag.bare_name} '{container.id}'"
    if not isinstance(container.node, SubProcess | EventSubProcess):
        reason = f"{what} cannot be compensated by an event sub-process in it"
        around.report.add(undoing[0].tag, reason)
    for surplus in undoing[1:]:
        around.report.add(surplus.tag, f"another event sub-process compensates {what} already")
    if any(_waits_for_compensation(boundary) for boundary in around.boundaries.get(container.id, ())):
        around.report.add(undoing[0].tag, f"{what} has a compensation boundary event already")


def _waits_for_compensation(event: Item) -> bool:
    return any(isinstance(trigger, CompensationDefinition) for trigger in triggers_of(event))


def _has_definition(event: Item) -> bool:
    """Also one that is refused."""
    return any(child.name.endswith(_DEFINITIONS) for child in event.tag.children)


def triggers_of(event: Item) -> tuple[EventDefinition, ...]:
    """What the event waits for, if it is one that does."""
    match event.node:
        case StartEvent(trigger=trigger) | CatchEvent(trigger=trigger) | BoundaryEvent(trigger=trigger):
            return parts_of(trigger)
        case _:
            return ()


def _triggers_of_all(events: Iterable[Item]) -> Iterator[tuple[Item, EventDefinition]]:
    return ((item, trigger) for item in events for trigger in triggers_of(item))


def check_waited_for_once(events: Iterable[Item], report: Report) -> None:
    """Of those that wait at the same place, each waits for another name. Expressions are known only later."""
    known: set[tuple[str, str]] = set()
    for item, trigger in _triggers_of_all(events):
        match trigger:
            case MessageDefinition(name=str(name)):
                waited_for = "message", name
            case SignalDefinition(name=str(name)):
                waited_for = "signal", name
            case _:
                continue
        if waited_for in known:
            report.add(
                item.tag, f"another event here already waits for the {waited_for[0]} '{waited_for[1]}'"
            )
        known.add(waited_for)


def _check_codes_caught_once(place: Item, events: Iterable[Item], report: Report) -> None:
    """Of the events that catch errors, and of those that catch escalations, each has another code."""
    caught: set[tuple[str, object]] = set()
    for item, trigger in _triggers_of_all(events):
        match trigger:
            case ErrorDefinition(code=code):
                what = "error"
            case EscalationDefinition(code=code):
                what = "escalation"
            case _:
                continue
        if (what, code) in caught:
            which = f"every {what}" if code is None else f"the {what} code '{code}'"
            kind = "boundary event" if isinstance(item.node, BoundaryEvent) else "event sub-process"
            report.add(item.tag, f"another {kind} of '{place.id}' already catches {which}")
        caught.add((what, code))
