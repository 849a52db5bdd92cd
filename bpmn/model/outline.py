"""The first reading of a process: every element by itself, in document order.

The nodes have their positions in the outline as indexes; the references between them are still ids.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from bpmnd.bpmn.elements.events.registry import EVENTS
from bpmnd.bpmn.elements.registry import ELEMENTS
from bpmnd.bpmn.model.details import IGNORED, detail_refusal
from bpmnd.bpmn.model.extensions import (
    LINKED_RESOURCES,
    read_inputs,
    read_outputs,
    refuse_unsupported_extensions,
)
from bpmnd.bpmn.model.graph import Element, ElementType, Process, SequenceFlow, ServiceTask, WorkedUserTask
from bpmnd.bpmn.model.listeners import read_execution_listeners
from bpmnd.bpmn.model.loops import LOOPS, is_activity, read_loop
from bpmnd.bpmn.model.reading import UNKNOWN, Common, Reading
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.support import FLOW_ELEMENTS, refusal
from bpmnd.bpmn.model.surroundings import Item, Outline
from bpmnd.bpmn.model.texts import read_expression
from bpmnd.bpmn.model.xml import Tag

_FLOW: Final = "bpmn:sequenceFlow"
_ELEMENTS: Final = FLOW_ELEMENTS.keys() | {_FLOW}
_CONTAINERS: Final = frozenset(
    {"bpmn:process", "bpmn:subProcess", "bpmn:transaction", "bpmn:adHocSubProcess"}
)
_DETAILS: Final = frozenset(
    {
        *(f"bpmn:{name}" for name in (*IGNORED, "completionCondition", "conditionExpression", "rendering")),
        *EVENTS,
        "bpmn:activationCondition",
        "bpmn:eventDefinitionRef",
    }
)
"""What an element may be made of, besides other elements."""

_NAME_START: Final = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME: Final = re.compile(f"[{_NAME_START}][{_NAME_START}0-9.\u00b7\u0300-\u036f\u203f\u2040-]*")
"""What XML calls an NCName."""


def count_elements(processes: Iterable[Tag]) -> int:
    """How many elements and flows the outlines of these processes will have."""
    return sum(tag.name in _ELEMENTS for process in processes for tag in process.descendants())


def read_outline(process: Tag, reading: Reading) -> Outline:
    """The process and all elements and flows in it."""
    items: list[Item] = []
    node: Element | SequenceFlow | None
    for tag, scope in _walk(process):
        _check_id(tag, reading.report)
        _check_details(tag, reading.report)
        position = len(items)
        if position:
            reading = reading.inside(items[scope].tag)
            node = _read_node(tag, position, scope, reading)
        else:
            node = _read_process(tag, reading)
        loop = read_loop(tag, reading.report)
        items.append(Item(tag, position, scope, node, tag.id or "", tag.name in _CONTAINERS, loop))
    return tuple(items)


def _read_process(tag: Tag, reading: Reading) -> Process:
    """The root of a process, with its position in the outline, which is 0."""
    starts, ends = read_execution_listeners(tag, ElementType.PROCESS, reading.report)
    return Process(
        index=0,
        id=tag.id or "",
        name=tag.attributes.get("name"),
        element_type=ElementType.PROCESS,
        scope=0,
        start_listeners=starts,
        end_listeners=ends,
        start_event=UNKNOWN,
    )


def _read_node(tag: Tag, position: int, scope: int, reading: Reading) -> Element | SequenceFlow | None:
    """The node at a position of the outline, or None, with a problem, if it is of no supported kind."""
    if tag.name == _FLOW:
        return _read_sequence_flow(tag, position, scope, reading.report)
    registered = ELEMENTS.get(tag.name)
    if registered is None:
        return None

    kind = registered.kind
    inputs, outputs = read_inputs(tag, reading.report), read_outputs(tag, reading.report)
    starts, ends = read_execution_listeners(tag, registered.element_type, reading.report)
    common = Common(
        index=position,
        id=tag.id or "",
        name=tag.attributes.get("name"),
        element_type=registered.element_type,
        scope=scope,
        inputs=inputs if kind.with_inputs else (),
        outputs=outputs if kind.with_outputs else (),
        start_listeners=starts,
        end_listeners=ends,
    )
    node: Element | None = kind.read(tag, common, reading)
    if node is not None and not (isinstance(node, ServiceTask) and not isinstance(node, WorkedUserTask)):
        for linked in tag.extensions(LINKED_RESOURCES):
            reason = "linked resources are only supported where the work is done by job workers"
            reading.report.add(tag, reason, at=linked)
    return node


def _read_sequence_flow(tag: Tag, position: int, scope: int, report: Report) -> SequenceFlow:
    condition = None
    for found in tag.all("bpmn:conditionExpression")[:1]:
        condition = read_expression(found.text, tag, report, at=found)
    return SequenceFlow(
        index=position, id=tag.id or "", scope=scope, source=UNKNOWN, target=UNKNOWN, condition=condition
    )


def _walk(process: Tag) -> Iterator[tuple[Tag, int]]:
    """Every element with the position of the one around it, outer before inner, in document order."""
    waiting = [(process, 0)]
    position = 0
    while waiting:
        tag, scope = waiting.pop()
        yield tag, scope
        if tag.name in _CONTAINERS:
            inner = [(child, position) for child in tag.children if child.name in _ELEMENTS]
            waiting.extend(reversed(inner))
        position += 1


def _check_id(tag: Tag, report: Report) -> None:
    if not tag.id:
        report.add(tag, f"a {tag.bare_name} must have an id")
    elif not _NAME.fullmatch(tag.id):
        report.add(tag, "an id must begin with a letter or '_' and have neither spaces nor colons")


def _check_details(tag: Tag, report: Report) -> None:
    """Report the element, and what it is made of, where that is not supported or not known."""
    if reason := refusal(tag.name):
        report.add(tag, reason)
    refuse_unsupported_extensions(tag, report)

    for child in tag.children:
        if tag.name in _CONTAINERS and child.name in _ELEMENTS:
            continue
        if child.name in LOOPS and is_activity(tag):
            continue
        if reason := detail_refusal(child.name) or refusal(child.name):
            report.add(tag, reason, at=child)
        elif child.name not in _DETAILS and child.name.startswith("bpmn:"):
            report.add(tag, f"must not contain a {child.bare_name}", at=child)
