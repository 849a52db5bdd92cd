"""Listeners: jobs that are worked before an element, or a user task, goes on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from bpmnd.bpmn.model.extensions import RETRIES_DEFAULT
from bpmnd.bpmn.model.graph import ElementType, Listener, ListenerEvent
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.texts import read_text
from bpmnd.bpmn.model.xml import Tag

_EXECUTION_EVENTS: Final = {"start": ListenerEvent.START, "end": ListenerEvent.END}
_WITHOUT_START: Final = frozenset({ElementType.START_EVENT, ElementType.BOUNDARY_EVENT})
"""They have happened before they are activated."""


def read_execution_listeners(
    tag: Tag, element_type: ElementType, report: Report
) -> tuple[tuple[Listener, ...], tuple[Listener, ...]]:
    """Those of the start and those of the end of an element, in the order of the file."""
    listeners = tuple(read_listeners(tag, "executionListener", _EXECUTION_EVENTS, report))
    starts = tuple(listener for listener in listeners if listener.event is ListenerEvent.START)
    ends = tuple(listener for listener in listeners if listener.event is ListenerEvent.END)
    if starts and element_type in _WITHOUT_START:
        report.add(tag, f"a {tag.bare_name} must not have execution listeners of its start")
    if ends and element_type.endswith("GATEWAY"):
        report.add(tag, "a gateway must not have execution listeners of its end")
    return starts, ends


def read_listeners(
    tag: Tag, kind: str, events: Mapping[str, ListenerEvent], report: Report
) -> Iterator[Listener]:
    """The listeners of a kind such as `executionListener`; `events` are those that it may listen for."""
    containers = tag.extensions(f"zeebe:{kind}s")
    for surplus in containers[1:]:
        report.add(tag, f"must have at most one zeebe:{kind}s", at=surplus)
    found = [listener for container in containers for listener in container.all(f"zeebe:{kind}")]
    counts = Counter(
        (listener.attributes.get("eventType"), listener.attributes.get("type")) for listener in found
    )
    for (event, type_), count in counts.items():
        if count > 1:
            report.add(tag, f"must not have {count} listeners for '{event}' with the type '{type_}'")
    for listener in found:
        event = listener.attributes.get("eventType", "")
        type_ = listener.attributes.get("type", "")
        if event not in events:
            allowed = ", ".join(f"'{name}'" for name in events)
            report.add(tag, f"{_article(kind)} cannot listen for '{event}', but for {allowed}", at=listener)
            continue
        if not type_:
            report.add(tag, f"the type of {_article(kind)} must not be empty", at=listener)
        retries = listener.attributes.get("retries") or RETRIES_DEFAULT
        yield Listener(
            events[event],
            read_text(type_, tag, report, at=listener),
            read_text(retries, tag, report, at=listener),
        )


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
