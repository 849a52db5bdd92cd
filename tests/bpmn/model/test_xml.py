import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmnd.bpmn.feel import Expression, SyntaxProblem, compile_expression
from bpmnd.bpmn.model import parser, texts, xml
from bpmnd.bpmn.model.graph import Problem
from bpmnd.bpmn.model.parser import Invalid, Parsed, parse_resource
from bpmnd.bpmn.model.report import PROBLEMS_MAX
from tests.bpmn.events import catch, message
from tests.bpmn.model.models import BPMN, END, START, WORK, flow, model, parsed

VALID = model(START + WORK + END + flow("first", "start", "work") + flow("second", "work", "end"))
ENTITIES = "".join(
    f'<!ENTITY {name} "{f"&{of};" * 10}">' for of, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def problem(content: bytes) -> Problem:
    """The only problem of a file that is refused, and refused quickly."""
    began = time.process_time()
    result = parse_resource(content, name="test.bpmn")
    took = time.process_time() - began

    assert took < 1, f"took {took} s"
    assert isinstance(result, Invalid)
    (only,) = result.problems
    return only


def padded(unit: str) -> bytes:
    """A file of just the largest size, filled up with `unit`."""
    empty = model(START)
    head, tail = empty.removesuffix(b"</process></definitions>"), b"</process></definitions>"
    return head + unit.encode() * ((xml.SIZE_MAX - len(empty)) // len(unit)) + tail


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig", "iso-8859-1"])
def test_a_file_may_have_any_usual_encoding(encoding: str) -> None:
    declared = encoding.removesuffix("-sig").upper()
    text = f'<?xml version="1.0" encoding="{declared}"?>' + model(START, beside="").decode()
    content = text.replace('id="start"', 'id="start" name="Über"').encode(encoding)
    assert parsed(content).elements[1].id == "start"


def test_prefixes_are_free() -> None:
    content = f'<b:definitions xmlns:b="{BPMN}"><b:process id="p" isExecutable="true"><b:startEvent id="s"/>'
    assert parsed(f"{content}</b:process></b:definitions>".encode()).element_ids() == ("p", "s")


def test_malformed_xml_is_refused_with_its_line() -> None:
    assert problem(b"<definitions>\n\n</process>").line == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"\x00",
        b"<a>\x00</a>",
        b"<a>\xff\xfe</a>",
        b"<a>",
        b"\x00" * 1_000_000,
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b'<?xml version="1.0" encoding="UTF-16"?><a/>',
        "<a/>".encode("utf-32"),
        b"\x4c\x6f\xa7\x94\x93",
        b"<" + b"a" * 4_000_000,
        b"<a>" * 100_000,
    ],
)
def test_what_is_not_xml_is_refused(content: bytes) -> None:
    assert problem(content).reason.startswith("is not well-formed XML")


def test_a_doctype_is_refused() -> None:
    assert problem(b"<!DOCTYPE definitions>" + VALID).reason == "must not have a DOCTYPE"


@pytest.mark.parametrize(
    "place", ["<!DOCTYPE a SYSTEM '{0}'><a/>", "<!DOCTYPE a [<!ENTITY % x SYSTEM '{0}'> %x;]><a/>"]
)
def test_no_file_is_opened_for_a_doctype(tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside.dtd"
    outside.write_text("this would be an error if it were read")
    assert problem(place.format(outside.as_uri()).encode()).reason == "must not have a DOCTYPE"


def test_an_entity_from_a_file_is_refused() -> None:
    content = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    assert problem(content).reason == "must not have a DOCTYPE"


@pytest.mark.parametrize("use", ["<a>&i;</a>", '<a b="&i;"/>'])
def test_a_billion_laughs_are_refused(use: str) -> None:
    content = f'<!DOCTYPE a [<!ENTITY a "lol">{ENTITIES}]>{use}'.encode()
    assert problem(content).element_id is None


def test_a_file_that_is_too_large_is_refused() -> None:
    assert "must not be larger than" in problem(b" " * (xml.SIZE_MAX + 1)).reason


def test_elements_nested_too_deeply_are_refused() -> None:
    assert "101" not in problem(b"<a>" * 101 + b"</a>" * 101).reason
    assert "levels" in problem(b"<a>" * 101 + b"</a>" * 101).reason


@pytest.mark.parametrize("unit", ["<a/>", '<task id="a"/>', "<x:y xmlns:x='urn:x'/>"])
def test_too_many_elements_of_xml_are_refused(unit: str) -> None:
    assert f"more than {xml.ELEMENTS_MAX} elements" in problem(padded(unit)).reason


def test_too_many_elements_of_bpmn_are_refused() -> None:
    tags = "<documentation/>" * xml.MODEL_ELEMENTS_MAX
    assert "elements of the model" in problem(model(START + tags)).reason


def test_too_many_attributes_are_refused() -> None:
    attributes = " ".join(f'a{number}=""' for number in range(xml.ATTRIBUTES_MAX))
    assert "attributes" in problem(model(START + f'<task id="t" {attributes}/>')).reason


def test_too_many_elements_in_processes_are_refused() -> None:
    tasks = "".join(f'<task id="t{number}"/>' for number in range(parser.ELEMENTS_MAX))
    assert "elements and sequence flows" in problem(model(START + tasks)).reason


@pytest.mark.parametrize("unit", ["x", "<!---->", "<?a b?>", "<![CDATA[x]]>", "&#65;"])
def test_a_large_file_with_little_in_it_is_read(unit: str) -> None:
    assert len(parsed(padded(unit)).elements) == 2


def test_the_number_of_problems_is_bounded() -> None:
    result = parse_resource(model(START + "<task/>\n" * (PROBLEMS_MAX + 5)), name="test.bpmn")
    assert isinstance(result, Invalid)
    assert len(result.problems) == PROBLEMS_MAX + 1
    assert result.problems[-1].reason == "5 more problems are left out"


def test_the_length_of_a_reason_is_bounded() -> None:
    assert (
        len(
            problem(
                model(START + f'<sequenceFlow id="f" sourceRef="start" targetRef="{"x" * 9999}"/>')
            ).reason
        )
        == 500
    )


def test_another_root_is_refused() -> None:
    assert problem(b"<definitions/>").reason == "must have BPMN 2.0 definitions as its root"


def test_a_comment_inside_a_text_is_no_part_of_it() -> None:
    tag = xml.read(b"<a>PT<!-- one -->1S</a>")
    assert isinstance(tag, xml.Tag)
    assert tag.text == "PT1S"


@given(st.binary(max_size=300))
def test_no_bytes_make_the_parser_raise(content: bytes) -> None:
    assert isinstance(parse_resource(content, name="test.bpmn"), Invalid)


@settings(max_examples=150)
@given(st.data())
def test_no_mutation_of_a_file_makes_the_parser_raise(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(VALID)))
    end = data.draw(st.integers(start, min(len(VALID), start + 60)))
    pieces = [
        b"",
        b'"',
        b"<task/>",
        b"=",
        b" id='start'",
        b"</process>",
        b"\x00",
        b"work",
        b"<sequenceFlow/>",
    ]
    mutated = VALID[:start] + data.draw(st.sampled_from(pieces)) + VALID[end:]
    assert isinstance(parse_resource(mutated, name="test.bpmn"), Parsed | Invalid)


EVENTS = [
    "startEvent",
    "endEvent",
    "boundaryEvent",
    "timerEventDefinition",
    "errorEventDefinition",
    "timeCycle",
]
OTHERS = ["task", "serviceTask", "exclusiveGateway", "subProcess", "process", "error"]
FLOWS = ["sequenceFlow", "conditionExpression"]
REFERENCES = ["id", "sourceRef", "targetRef", "attachedToRef", "default", "errorRef"]
FLAGS = ["isExecutable", "cancelActivity"]


@st.composite
def trees(draw: st.DrawFn, depth: int = 2) -> str:
    """Nonsense made of the right words."""
    name = draw(st.sampled_from(EVENTS + OTHERS + FLOWS))
    attributes = draw(
        st.dictionaries(
            st.sampled_from(REFERENCES + FLAGS), st.sampled_from(["a", "b", "c", "true", "false", "", "=x"])
        )
    )
    inside = "".join(draw(st.lists(trees(depth - 1), max_size=3))) if depth else "R3/PT1S"
    words = [name, *(f'{key}="{value}"' for key, value in attributes.items())]
    return f"<{' '.join(words)}>{inside}</{name}>"


@given(st.lists(trees(), max_size=6))
def test_no_nonsense_of_bpmn_makes_the_parser_raise(inside: list[str]) -> None:
    content = model(START + "".join(inside), beside='<error id="d" errorCode="x"/>')
    assert isinstance(parse_resource(content, name="test.bpmn"), Parsed | Invalid)


def test_the_size_of_all_expressions_has_a_bound() -> None:
    condition = "=" + "+".join(["1"] * 30_000)
    tasks = "".join(
        f'<serviceTask id="t{number}"><extensionElements><zeebe:taskDefinition type="{condition}"/>'
        "</extensionElements></serviceTask>"
        for number in range(9)
    )
    reason = problem(model(START + tasks)).reason
    assert reason == f"must not have expressions of more than {parser.EXPRESSIONS_SIZE_MAX} characters"


@pytest.mark.parametrize(
    ("definition", "beside"),
    [
        ('<messageEventDefinition messageRef="m"/>', message("m", "go", "=a + b")),
        (
            "<eventDefinitionRef>c</eventDefinitionRef>",
            '<conditionalEventDefinition id="c"><condition>=a + b</condition></conditionalEventDefinition>',
        ),
    ],
)
def test_an_expression_that_many_events_refer_to_is_compiled_once(
    monkeypatch: pytest.MonkeyPatch, definition: str, beside: str
) -> None:
    compiled: list[str] = []

    def compile_and_count(text: str) -> Expression | SyntaxProblem:
        compiled.append(text)
        return compile_expression(text)

    monkeypatch.setattr(texts, "compile_expression", compile_and_count)
    events = "".join(catch(f"e{number}", definition) for number in range(10))
    assert isinstance(parse_resource(model(START + events, beside=beside), name="test.bpmn"), Parsed)
    assert compiled == ["a + b"]
