"""What must hold between the events of a process: names waited for once, and event-based gateways."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bpmnd.bpmn.model.graph import (
    EventBasedGateway,
    MessageBoundaryEvent,
    MessageCatchEvent,
    MessageDefinition,
    ReceiveTask,
    SignalBoundaryEvent,
    SignalCatchEvent,
    SignalDefinition,
    StartEvent,
    TimerCatchEvent,
)
from bpmnd.bpmn.model.outline import Item, Outline
from bpmnd.bpmn.model.report import Report

_EVENTS_MIN: Final = 2


def check_events(
    outline: Outline,
    outgoing: Mapping[str, Sequence[Item]],
    incoming: Mapping[str, Sequence[Item]],
    by_id: Mapping[str, Item],
    report: Report,
) -> None:
    """`outgoing` and `incoming` are the flows of each element by its id."""
    starts: list[Item] = []
    boundaries: dict[str, list[Item]] = {}
    for item in outline:
        match item.node:
            case StartEvent():
                starts.append(item)
            case MessageBoundaryEvent() | SignalBoundaryEvent():
                boundaries.setdefault(item.tag.attributes.get("attachedToRef", ""), []).append(item)
            case EventBasedGateway():
                targets = [by_id.get(flow.tag.attributes.get("targetRef", "")) for flow in outgoing[item.id]]
                events = [target for target in targets if target is not None]
                _check_gateway(item, events, incoming, report)
            case _:
                pass
    _check_names(starts, report)
    for activity_id, events in boundaries.items():
        activity = by_id.get(activity_id)
        waiting = [activity] if activity is not None and isinstance(activity.node, ReceiveTask) else []
        _check_names([*waiting, *events], report)


def _check_names(events: Iterable[Item], report: Report) -> None:
    """Of those that wait at the same place, each waits for another name. Expressions are known only later."""
    known: set[tuple[str, str]] = set()
    for item in events:
        waited_for = _waited_for(item)
        if waited_for is None or not isinstance(waited_for.name, str):
            continue
        kind = "message" if isinstance(waited_for, MessageDefinition) else "signal"
        if (kind, waited_for.name) in known:
            report.add(item.tag, f"another event here already waits for the {kind} '{waited_for.name}'")
        known.add((kind, waited_for.name))


def _waited_for(item: Item) -> MessageDefinition | SignalDefinition | None:
    match item.node:
        case StartEvent(trigger=trigger):
            return trigger
        case MessageBoundaryEvent() | MessageCatchEvent() | ReceiveTask() as node:
            return node.message
        case SignalBoundaryEvent() | SignalCatchEvent() as node:
            return node.signal
        case _:
            return None


def _check_gateway(
    gateway: Item, events: Sequence[Item], incoming: Mapping[str, Sequence[Item]], report: Report
) -> None:
    if len(events) < _EVENTS_MIN:
        report.add(gateway.tag, "an event-based gateway must have at least two outgoing sequence flows")
    for event in events:
        if event.node is None:
            continue
        if not isinstance(event.node, MessageCatchEvent | SignalCatchEvent | TimerCatchEvent):
            what = f"the {event.tag.bare_name} '{event.id}'"
            report.add(gateway.tag, f"must only lead to intermediate catch events, not to {what}")
        elif len(incoming[event.id]) > 1:
            report.add(
                event.tag, "an event behind an event-based gateway must have no other incoming sequence flow"
            )
    _check_names(events, report)
