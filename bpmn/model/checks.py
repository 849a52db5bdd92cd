"""What must hold between the elements of a process. Each check reports all it finds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bpmnd.bpmn.model.event_checks import check_events
from bpmnd.bpmn.model.events import definitions_of
from bpmnd.bpmn.model.graph import (
    ErrorBoundaryEvent,
    ExclusiveGateway,
    SequenceFlow,
    StartEvent,
)
from bpmnd.bpmn.model.outline import Item, Outline
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.xml import Tag

_ACTIVITIES: Final = frozenset(
    {"bpmn:subProcess", "bpmn:transaction", "bpmn:adHocSubProcess", "bpmn:callActivity"}
)


def check_ids(definitions: Tag, report: Report) -> None:
    """An id is given once in the whole document."""
    lines: dict[str, int] = {}
    for tag in definitions.descendants():
        if tag.id is None or not tag.name.startswith("bpmn:"):
            continue
        if tag.id in lines:
            report.add(tag, f"the id '{tag.id}' is already used in line {lines[tag.id]}")
        lines.setdefault(tag.id, tag.line)


def check_structure(outline: Outline, report: Report) -> None:
    """The checks of one process."""
    by_id = {item.id: item for item in reversed(outline) if item.id}
    flows = [item for item in outline if item.is_flow]
    for flow in flows:
        _check_end("sourceRef", flow, by_id, report)
        _check_end("targetRef", flow, by_id, report)
        _check_borders(flow, by_id, report)

    outgoing = _grouped(flows, "sourceRef")
    incoming = _grouped(flows, "targetRef")
    starts: defaultdict[int, list[Item]] = defaultdict(list)
    for item in outline:
        if isinstance(item.node, StartEvent):
            starts[item.scope].append(item)

    for item in outline:
        _check_outgoing(item, outgoing[item.id], report)
        match item.node:
            case ExclusiveGateway():
                _check_default(item, by_id, report)
            case _ if item.tag.name == "bpmn:endEvent" and outgoing[item.id]:
                report.add(item.tag, "an end event must not have outgoing sequence flows")
            case _:
                pass
        if item.tag.name == "bpmn:boundaryEvent":
            _check_attached(item, by_id, report)
            if incoming[item.id]:
                report.add(item.tag, "a boundary event must not have incoming sequence flows")
            if not outgoing[item.id]:
                report.add(item.tag, "a boundary event must have an outgoing sequence flow")
        if item.is_container:
            _check_starts(item, starts[item.position], report)
    _check_errors_caught_once(outline, report)
    check_events(outline, outgoing, incoming, by_id, report)


def _grouped(flows: Iterable[Item], end: str) -> Mapping[str, list[Item]]:
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for flow in flows:
        groups[flow.tag.attributes.get(end, "")].append(flow)
    return groups


def _check_end(end: str, flow: Item, by_id: Mapping[str, Item], report: Report) -> None:
    reference = flow.tag.attributes.get(end)
    if not reference:
        report.add(flow.tag, f"a sequence flow must have a {end}")
        return

    found = by_id.get(reference)
    if found is None:
        report.add(flow.tag, f"the {end} '{reference}' does not exist in this process")
    elif found.is_flow or found.tag.name == "bpmn:process":
        report.add(flow.tag, f"the {end} '{reference}' is a {found.tag.bare_name}, which no flow can meet")


def _check_borders(flow: Item, by_id: Mapping[str, Item], report: Report) -> None:
    source = by_id.get(flow.tag.attributes.get("sourceRef", ""))
    target = by_id.get(flow.tag.attributes.get("targetRef", ""))
    if source is not None and target is not None and source.scope != target.scope:
        report.add(flow.tag, "a sequence flow must not cross the border of a sub-process")


def _check_outgoing(item: Item, outgoing: Iterable[Item], report: Report) -> None:
    """Behind an exclusive gateway with a choice, every flow has a condition or is the default; else none."""
    flows = [(flow, flow.node.condition) for flow in outgoing if isinstance(flow.node, SequenceFlow)]
    if not isinstance(item.node, ExclusiveGateway):
        for flow, condition in flows:
            if item.node is not None and condition is not None:
                report.add(flow.tag, "a condition is only supported behind an exclusive gateway")
        return

    for flow, condition in flows:
        is_default = flow.id == item.tag.attributes.get("default")
        if len(flows) > 1 and condition is None and not is_default:
            report.add(flow.tag, "must have a condition or be the default flow of its gateway")


def _check_default(gateway: Item, by_id: Mapping[str, Item], report: Report) -> None:
    default = gateway.tag.attributes.get("default")
    if default is None:
        return
    flow = by_id.get(default)
    if flow is None or not flow.is_flow:
        report.add(gateway.tag, f"the default flow '{default}' does not exist in this process")
    elif flow.tag.attributes.get("sourceRef") != gateway.id:
        report.add(gateway.tag, f"the default flow '{default}' must start at the gateway")


def _check_attached(boundary: Item, by_id: Mapping[str, Item], report: Report) -> None:
    reference = boundary.tag.attributes.get("attachedToRef")
    if not reference:
        report.add(boundary.tag, "a boundary event must have an attachedToRef")
        return

    activity = by_id.get(reference)
    if activity is None:
        report.add(boundary.tag, f"the attachedToRef '{reference}' does not exist in this process")
    elif not _is_activity(activity):
        report.add(
            boundary.tag,
            f"must be attached to an activity, not to the {activity.tag.bare_name} '{reference}'",
        )
    elif activity.scope != boundary.scope:
        report.add(boundary.tag, f"must stand in the same sub-process as the activity '{reference}'")


def _is_activity(item: Item) -> bool:
    return item.tag.name in _ACTIVITIES or item.tag.name.lower().endswith("task")


def _check_starts(container: Item, starts: Sequence[Item], report: Report) -> None:
    """A process is started through one none start event, or by what triggers the others; an embedded
    sub-process by its one none start event."""
    if container.node is None:
        return
    if not starts:
        report.add(container.tag, f"a {container.tag.bare_name} must have a start event")
    none_starts = [start for start in starts if not definitions_of(start.tag)]
    if container.tag.name != "bpmn:process":
        for start in starts:
            if isinstance(start.node, StartEvent) and start.node.trigger is not None:
                report.add(start.tag, "the start event of a sub-process must have no event definition")
    for surplus in none_starts[1:]:
        report.add(
            surplus.tag,
            f"the {container.tag.bare_name} '{container.id}' must not have a second none start event",
        )


def _check_errors_caught_once(outline: Outline, report: Report) -> None:
    caught: set[tuple[str, str | None]] = set()
    for item in outline:
        if not isinstance(item.node, ErrorBoundaryEvent):
            continue
        code, activity = item.node.error.code, item.tag.attributes.get("attachedToRef", "")
        if (activity, code) in caught:
            what = "every error" if code is None else f"the error code '{code}'"
            report.add(item.tag, f"another boundary event of '{activity}' already catches {what}")
        caught.add((activity, code))
