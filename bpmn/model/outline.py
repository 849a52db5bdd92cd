"""The first reading of a process: every element by itself, in document order.

The nodes have their positions in the outline as indexes; the references between them are still ids.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from bpmnd.bpmn.model.events import Shared
from bpmnd.bpmn.model.extensions import refuse_unsupported_extensions
from bpmnd.bpmn.model.graph import Node, SequenceFlow
from bpmnd.bpmn.model.nodes import READABLE, read_node, read_process
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.support import EVENT_DEFINITIONS, IGNORED, UNSUPPORTED_ELEMENTS, refusal
from bpmnd.bpmn.model.xml import Tag

_ELEMENTS: Final = READABLE | UNSUPPORTED_ELEMENTS.keys()
_CONTAINERS: Final = frozenset(
    {"bpmn:process", "bpmn:subProcess", "bpmn:transaction", "bpmn:adHocSubProcess"}
)
_DETAILS: Final = frozenset(
    f"bpmn:{name}"
    for name in (
        *IGNORED,
        *EVENT_DEFINITIONS,
        "completionCondition",
        "conditionExpression",
        "rendering",
    )
)
"""What an element may be made of, besides other elements."""

_NAME_START: Final = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME: Final = re.compile(f"[{_NAME_START}][{_NAME_START}0-9.\u00b7\u0300-\u036f\u203f\u2040-]*")
"""What XML calls an NCName."""


@dataclass(frozen=True, slots=True)
class Item:
    """An element of a process, or a flow, at its position in the outline."""

    tag: Tag
    position: int
    scope: int
    """Position of the enclosing item; the process is its own scope."""
    node: Node | SequenceFlow | None
    """None if the engine does not run it; then there is a problem about it."""
    id: str
    """Empty if it lacks one; then there is a problem about that."""

    @property
    def is_container(self) -> bool:
        return self.tag.name in _CONTAINERS

    @property
    def is_flow(self) -> bool:
        return self.tag.name == "bpmn:sequenceFlow"


Outline: TypeAlias = tuple[Item, ...]


def count_elements(processes: Iterable[Tag]) -> int:
    """How many elements and flows the outlines of these processes will have."""
    return sum(tag.name in _ELEMENTS for process in processes for tag in process.descendants())


def read_outline(process: Tag, shared: Shared, report: Report) -> Outline:
    """The process and all elements and flows in it."""
    items: list[Item] = []
    for tag, scope in _walk(process):
        _check_id(tag, report)
        _check_details(tag, report)
        position = len(items)
        node = read_node(tag, position, scope, shared, report) if position else read_process(tag)
        items.append(Item(tag, position, scope, node, tag.id or ""))
    return tuple(items)


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
        if reason := refusal(child.name):
            report.add(tag, reason, at=child)
        elif child.name not in _DETAILS and child.name.startswith("bpmn:"):
            report.add(tag, f"must not contain a {child.bare_name}", at=child)
