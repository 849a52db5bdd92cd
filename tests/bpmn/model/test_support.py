from pathlib import Path

import pytest
from lxml import etree

from bpmnd.bpmn.elements.events.registry import EVENTS
from bpmnd.bpmn.elements.kind import Position
from bpmnd.bpmn.elements.registry import ELEMENTS
from bpmnd.bpmn.model.parser import Invalid, Parsed, parse_resource
from bpmnd.bpmn.model.support import FLOW_ELEMENTS, unsupported_words
from tests.bpmn.model.models import BPMN, END, START, WORK, flow, model, reasons, sub_process, task

REFERENCE = Path(__file__).parents[4] / "shared" / "data" / "bpmn-miwg" / "Reference"
JOB = '<zeebe:taskDefinition type="pay"/>'
UNSUPPORTED_ELEMENTS = {name: words for name, words in FLOW_ELEMENTS.items() if name not in ELEMENTS}
TAGS = {
    Position.START: "startEvent",
    Position.EVENT_START: "startEvent",
    Position.CATCH: "intermediateCatchEvent",
    Position.BOUNDARY: "boundaryEvent",
    Position.THROW: "intermediateThrowEvent",
    Position.END: "endEvent",
}
VENDOR = 'xmlns:vendor="urn:vendor"'


@pytest.mark.parametrize(("name", "words"), UNSUPPORTED_ELEMENTS.items())
def test_an_element_that_is_not_supported_is_refused_by_name(name: str, words: str) -> None:
    content = model(START + f'<{name.removeprefix("bpmn:")} id="it"/>' + flow("flow", "start", "it"))
    assert reasons(content) == [("it", f"{words} are not supported yet")]


@pytest.mark.parametrize("position", Position)
@pytest.mark.parametrize("definition", EVENTS)
def test_an_event_that_bpmn_or_this_engine_lacks_is_refused_by_name(
    position: Position, definition: str
) -> None:
    kind = EVENTS[definition]
    if position in kind.positions:
        return
    event, bare = TAGS[position], definition.removeprefix("bpmn:")
    attached = 'attachedToRef="work"' if event == "boundaryEvent" else ""
    way_out = "" if event in ("endEvent", "startEvent") else flow("flow", "event", "end")
    inner = f'<{event} id="event" {attached}><{bare}/></{event}>' + way_out
    if position is Position.EVENT_START:
        inner = sub_process(inner, attributes='triggeredByEvent="true"')
    content = model(START + WORK + END + inner)
    why = "are not supported yet" if position in kind.lacks else "do not exist in BPMN"
    assert reasons(content) == [("event", f"{kind.words} {position} {why}")]


@pytest.mark.parametrize(
    ("extension", "kind", "words"),
    [
        ("<zeebe:publishMessage/>", "sendTask", "published messages"),
    ],
)
def test_an_extension_that_is_not_supported_is_refused_by_name(extension: str, kind: str, words: str) -> None:
    start = "" if kind == "startEvent" else START
    assert reasons(model(start + task(extension, kind=kind))) == [("task", f"{words} are not supported yet")]


def test_what_stands_in_something_refused_is_looked_at_too() -> None:
    inside = sub_process('<startEvent id="s"/><callChoreography id="inner"/>')
    content = model(START + '<callChoreography id="outer"/>' + inside)
    assert [element_id for element_id, _ in reasons(content)] == ["outer", "inner"]


def test_what_bpmn_does_not_know_is_refused() -> None:
    assert reasons(model(START + "<fooBar/>")) == [("process", "must not contain a fooBar")]


@pytest.mark.parametrize(
    "inside",
    [
        '<laneSet id="l"><lane id="m"><flowNodeRef>start</flowNodeRef></lane></laneSet>',
        "<documentation>Text</documentation>",
        '<dataObject id="d"/><dataObjectReference id="r" dataObjectRef="d"/><dataStoreReference id="s"/>',
        '<textAnnotation id="t"><text>Text</text></textAnnotation>',
        '<association id="a" sourceRef="start" targetRef="start"/>',
        '<group id="g"/><ioSpecification/><property id="p"/>',
        f"<extensionElements {VENDOR}><vendor:thing><vendor:inner/></vendor:thing></extensionElements>",
        f'<task id="t" {VENDOR} vendor:attribute="x"><vendor:child/></task>',
        "<extensionElements><zeebe:properties/><zeebe:userTaskForm id='f'/></extensionElements>",
    ],
)
def test_what_says_nothing_about_running_is_passed_over(inside: str) -> None:
    assert reasons(model(START + inside)) == []


def test_participants_messages_and_diagrams_are_passed_over() -> None:
    beside = (
        '<collaboration id="c"><participant id="p" processRef="process"/></collaboration><message id="m"/>'
    )
    beside += '<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI" id="process"/>'
    assert reasons(model(START, beside=beside)) == []


def test_the_list_for_the_documentation_has_everything() -> None:
    words = {"call choreographies", "choreography tasks"}
    assert words <= set(unsupported_words())


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the BPMN MIWG models are not here")
@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.bpmn")), ids=lambda path: path.stem)
def test_a_reference_model_is_read_or_all_that_is_not_supported_is_named(path: Path) -> None:
    root = etree.fromstring(path.read_bytes())
    for process in root.iter(f"{{{BPMN}}}process"):
        process.set("isExecutable", "true")
    unsupported = {
        element.get("id")
        for name in UNSUPPORTED_ELEMENTS
        for element in root.iter(f"{{{BPMN}}}{name.removeprefix('bpmn:')}")
    }

    match parse_resource(etree.tostring(root), name=path.name):
        case Parsed(processes):
            assert processes
            assert not unsupported
        case Invalid(problems):
            assert unsupported <= {problem.element_id for problem in problems}
            assert all(problem.line and problem.element_id for problem in problems)
