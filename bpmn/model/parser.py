"""From the bytes of a BPMN file to executable processes, or to all that is wrong with them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, NamedTuple, TypeAlias

from bpmnd.bpmn.elements.registry import ELEMENTS
from bpmnd.bpmn.model.checks import (
    check_default,
    check_ids,
    check_no_conditions,
    check_structure,
    link_catches_in,
    surroundings_of,
)
from bpmnd.bpmn.model.extensions import read_version_tag
from bpmnd.bpmn.model.graph import (
    INNER_INSTANCE,
    AdHocInner,
    AdHocSubProcess,
    BoundaryEvent,
    Element,
    ElementType,
    EventSubProcess,
    ExecutableProcess,
    LinkDefinition,
    LoopBody,
    Problem,
    Process,
    SequenceFlow,
    StartEvent,
    SubProcess,
    ThrowEvent,
)
from bpmnd.bpmn.model.loops import is_activity
from bpmnd.bpmn.model.outline import count_elements, read_outline
from bpmnd.bpmn.model.reading import read_flag, reading_of
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.surroundings import Item, Outline
from bpmnd.bpmn.model.xml import Tag, read

ELEMENTS_MAX: Final = 10_000
"""Elements and flows of all executable processes of a resource; it bounds how long a deployment takes."""
EXPRESSIONS_SIZE_MAX: Final = 512 * 1024
"""Characters of all expressions of a resource, for the same reason."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The executable processes of a resource, at least one, in document order."""

    processes: tuple[ExecutableProcess, ...]


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a resource cannot be deployed: all that is wrong with it, at least one problem."""

    problems: tuple[Problem, ...]


ParseResult: TypeAlias = Parsed | Invalid


def _text_size(definitions: Tag) -> int:
    return sum(
        len(text)
        for tag in definitions.descendants()
        for text in (tag.text, *tag.attributes.values())
        if text.startswith("=")
    )


def parse_resource(content: bytes, *, name: str) -> ParseResult:
    """Read a resource for deployment. Nothing that `content` holds makes it raise."""
    definitions = read(content)
    if isinstance(definitions, Problem):
        return Invalid((definitions,))
    if definitions.name != "bpmn:definitions":
        return Invalid((Problem(None, definitions.line, "must have BPMN 2.0 definitions as its root"),))

    report = Report()
    processes = [
        process
        for process in definitions.all("bpmn:process")
        if read_flag(process, "isExecutable", report, default=False)
    ]
    count = count_elements(processes)
    if count > ELEMENTS_MAX:
        reason = f"must not have more than {ELEMENTS_MAX} elements and sequence flows but has {count}"
        return Invalid((Problem(None, definitions.line, reason),))
    if _text_size(definitions) > EXPRESSIONS_SIZE_MAX:
        reason = f"must not have expressions of more than {EXPRESSIONS_SIZE_MAX} characters"
        return Invalid((Problem(None, definitions.line, reason),))

    check_ids(definitions, report)
    reading = reading_of(definitions, report)
    outlines = [read_outline(process, reading) for process in processes]
    tags = [read_version_tag(process, report) for process in processes]
    for outline in outlines:
        _check(outline, report)
    if problems := report.problems():
        return Invalid(problems)
    if not processes:
        return Invalid((Problem(None, definitions.line, f"'{name}' must contain an executable process"),))

    return Parsed(
        tuple(
            _assemble(outline, tag, _new_indexes(outline))
            for outline, tag in zip(outlines, tags, strict=True)
        )
    )


def _check(outline: Outline, report: Report) -> None:
    around = surroundings_of(outline, report)
    check_structure(around)
    for item in outline:
        registered = ELEMENTS.get(item.tag.name)
        if registered is None:
            continue
        if item.node is not None:
            registered.kind.check(item, around)
        if is_activity(item.tag):
            check_default(item, around)
        elif not registered.kind.chooses_flows:
            check_no_conditions(item, around)


def rebuild(content: bytes, process_id: str, element_ids: tuple[str, ...]) -> ExecutableProcess:
    """Read a stored process again, with the indexes it was deployed with.

    It was valid for the build that deployed it, so nothing is checked again. What this build knows beyond the
    table is put behind it; an expression that no longer compiles becomes a `BrokenExpression`.
    """
    definitions = read(content)
    assert isinstance(definitions, Tag), f"stored process '{process_id}': {definitions}"
    process = next((tag for tag in definitions.all("bpmn:process") if tag.id == process_id), None)
    assert process is not None, f"the stored resource has no process '{process_id}'"

    report = Report()
    outline = read_outline(process, reading_of(definitions, report))
    unknown = [str(problem) for problem in report.problems()]
    assert all(item.node is not None for item in outline), f"this build cannot run '{process_id}': {unknown}"

    return _assemble(outline, read_version_tag(process, report), _recorded_indexes(outline, element_ids))


class _Indexes(NamedTuple):
    """Position in the outline -> index; and for activities that run more than once, that of the activity
    itself: then the first is that of its body."""

    of: Sequence[int]
    inner: Mapping[int, int]
    holders: Mapping[int, int]
    """Of ad-hoc sub-processes the index of what is around each element that is begun in them."""

    def as_scope(self, position: int) -> int:
        """The index that what is inside the element has for its scope."""
        holder = self.holders.get(position)
        return self.inner.get(position, self.of[position]) if holder is None else holder


def _new_indexes(outline: Outline) -> _Indexes:
    looped = [item.position for item in outline if item.loop is not None]
    holding = [item.position for item in outline if isinstance(item.node, AdHocSubProcess)]
    return _Indexes(
        range(len(outline)),
        {position: number for number, position in enumerate(looped, len(outline))},
        {position: number for number, position in enumerate(holding, len(outline) + len(looped))},
    )


def _recorded_indexes(outline: Outline, element_ids: tuple[str, ...]) -> _Indexes:
    """By the table of the deployment. An id that is there twice is first that of a body."""
    index_of: dict[str, int] = {}
    inner_of: dict[str, int] = {}
    holder_of: dict[str, int] = {}
    for index, element_id in enumerate(element_ids):
        if element_id.endswith(INNER_INSTANCE):
            holder_of[element_id.removesuffix(INNER_INSTANCE)] = index
        else:
            (inner_of if element_id in index_of else index_of)[element_id] = index
    looped = [item for item in outline if item.loop is not None]
    holding = [item for item in outline if isinstance(item.node, AdHocSubProcess)]
    new = count(len(element_ids))
    for known, items in ((index_of, outline), (inner_of, looped), (holder_of, holding)):
        for item in items:
            if item.id not in known:
                known[item.id] = next(new)
        assert len(known) == len(items), f"the table has elements that the process lacks: {element_ids}"
    return _Indexes(
        [index_of[item.id] for item in outline],
        {item.position: inner_of[item.id] for item in looped},
        {item.position: holder_of[item.id] for item in holding},
    )


def _assemble(outline: Outline, version_tag: str | None, indexes: _Indexes) -> ExecutableProcess:
    """Join the elements of an outline."""
    linker = _Linker(outline, indexes)
    linked = [element for item in outline for element in linker.linked(item)]
    joins = [
        indexes.of[item.position]
        for item in outline
        if item.tag.name in ELEMENTS and ELEMENTS[item.tag.name].kind.joins_what_comes
    ]
    return ExecutableProcess(
        outline[0].id, version_tag, tuple(sorted(linked, key=lambda element: element.index)), tuple(joins)
    )


class _Linker:
    """Turns references by id into indexes."""

    def __init__(self, outline: Outline, indexes: _Indexes) -> None:
        self._indexes = indexes
        self._index_of = {item.id: indexes.of[item.position] for item in outline}
        self._scope_of = {item.id: indexes.as_scope(item.scope) for item in outline}
        self._incoming: defaultdict[str, list[int]] = defaultdict(list)
        self._outgoing: defaultdict[str, list[int]] = defaultdict(list)
        self._choosing: set[str] = set()
        self._boundary_events: defaultdict[str, list[int]] = defaultdict(list)
        self._event_starts: defaultdict[int, list[int]] = defaultdict(list)
        self._start_events: dict[int, int] = {}
        self._links = link_catches_in(outline)
        self._triggered_starts: list[int] = []
        for item in reversed(outline):
            index = indexes.of[item.position]
            scope = indexes.as_scope(item.scope)
            attributes = item.tag.attributes
            match item.node:
                case SequenceFlow(condition=condition):
                    if condition is not None:
                        self._choosing.add(attributes["sourceRef"])
                    self._outgoing[attributes["sourceRef"]].append(index)
                    self._incoming[attributes["targetRef"]].append(index)
                case BoundaryEvent():
                    self._boundary_events[attributes["attachedToRef"]].append(index)
                case StartEvent(trigger=None):
                    self._start_events[scope] = index
                case StartEvent() if isinstance(outline[item.scope].node, EventSubProcess):
                    self._start_events[scope] = index
                    self._event_starts[indexes.as_scope(outline[item.scope].scope)].append(index)
                case StartEvent():
                    self._triggered_starts.append(index)
                case _:
                    pass

    def linked(self, item: Item) -> Iterator[Element | SequenceFlow]:
        """The element or flow; of an activity that runs more than once its body, too."""
        index = self._indexes.of[item.position]
        attributes = item.tag.attributes
        match item.node:
            case None:
                raise AssertionError(f"'{item.id}' has a problem and no node")
            case SequenceFlow() as flow:
                yield replace(
                    flow,
                    index=index,
                    scope=self._scope_of[attributes["sourceRef"]],
                    source=self._index_of[attributes["sourceRef"]],
                    target=self._index_of[attributes["targetRef"]],
                )
                return
            case node:
                pass

        scope = self._scope_of[item.id]
        incoming = tuple(reversed(self._incoming[item.id]))
        outgoing = tuple(self._outgoing[item.id])
        boundary_events = tuple(self._boundary_events[item.id])
        chooses = item.id in self._choosing and is_activity(item.tag)
        default = attributes.get("default") if chooses else None
        default_flow = None if default is None else self._index_of[default]
        holder = self._indexes.holders.get(item.position)
        if isinstance(node, AdHocSubProcess):
            assert holder is not None, f"nothing holds what begins in {node}"
            node = replace(node, inner=holder)
            yield AdHocInner(
                index=holder,
                id=f"{node.id}{INNER_INSTANCE}",
                name=None,
                element_type=ElementType.AD_HOC_SUB_PROCESS_INNER_INSTANCE,
                scope=self._indexes.inner.get(item.position, index),
            )
        if item.loop is None:
            node = replace(
                node,
                index=index,
                scope=scope,
                incoming=incoming,
                outgoing=outgoing,
                boundary_events=boundary_events,
                chooses=chooses,
                default_flow=default_flow,
            )
            yield self._with_references(node, item)
            return
        inner = self._indexes.inner[item.position]
        yield LoopBody(
            index=index,
            id=node.id,
            name=node.name,
            element_type=ElementType.MULTI_INSTANCE_BODY,
            scope=scope,
            incoming=incoming,
            outgoing=outgoing,
            boundary_events=boundary_events,
            chooses=chooses,
            default_flow=default_flow,
            inner=inner,
            loop=item.loop,
        )
        yield self._with_references(replace(node, index=inner, scope=index), item)

    def _with_references(self, node: Element, item: Item) -> Element:
        index = node.index
        if event_starts := self._event_starts.get(index):
            node = replace(node, event_starts=tuple(event_starts))
        match node:
            case Process():
                starts = tuple(reversed(self._triggered_starts))
                return replace(node, start_event=self._start_events.get(index), triggered_starts=starts)
            case SubProcess() | EventSubProcess():
                return replace(node, start_event=self._start_events[index])
            case _:
                if isinstance(node, ThrowEvent) and isinstance(node.throws, LinkDefinition):
                    target = self._links[item.scope, node.throws.name]
                    throws = replace(node.throws, target=self._indexes.of[target.position])
                    node = replace(node, throws=throws)
                linked: Element = ELEMENTS[item.tag.name].kind.link(node, item.tag, self._index_of)
                return linked
