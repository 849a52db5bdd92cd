"""Reads the DMN TCK: models as they are, and what their decisions must yield for which inputs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from lxml import etree
from lxml.etree import _Element as LxmlElement  # pyright: ignore[reportPrivateUsage]  # lxml has no public name for it

from bpmnd.bpmn.feel import MISSING, EvaluationFailure, Expression, SyntaxProblem, Value, compile_expression
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.equality import equal
from bpmnd.bpmn.feel.json import to_json
from bpmnd.bpmn.feel.values import is_number

TCK: Final = Path(__file__).parents[3] / "shared" / "data" / "dmn-tck" / "TestCases"
LEVELS: Final = ("compliance-level-2", "compliance-level-3", "non-compliant")
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
_XSI_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_XSI_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
# The tests round what is no whole number, some after eight digits.
_TOLERANCE: Final = Decimal("1e-8")
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_CONSTRUCTORS: Final = {
    "date": "date",
    "time": "time",
    "dateTime": "date and time",
    "duration": "duration",
    "dayTimeDuration": "duration",
    "yearMonthDuration": "duration",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One result that one test demands of one decision."""

    id: str
    level: str
    model: Path
    decision: str
    is_decision: bool
    """False where a decision service is called, for which the REST API has no request."""
    inputs: tuple[tuple[str, Value], ...]
    expected: Value


def cases() -> Iterator[Case]:
    for tests in sorted(TCK.rglob("*-test-*.xml")):
        root = etree.parse(tests, _PARSER).getroot()
        model = tests.parent / root.findtext("{*}modelName", "")
        level = tests.relative_to(TCK).parts[0]
        for test in root.iterfind("{*}testCase"):
            inputs = tuple((node.get("name", ""), value_of(node)) for node in test.iterfind("{*}inputNode"))
            for at, result in enumerate(test.iterfind("{*}resultNode")):
                expected = result.find("{*}expected")
                yield Case(
                    f"{tests.parent.name}/{test.get('id')}.{at}",
                    level,
                    model,
                    result.get("name", ""),
                    test.get("type", "decision") == "decision",
                    inputs,
                    None if expected is None else value_of(expected),
                )


def value_of(node: LxmlElement) -> Value:
    items = node.find("{*}list")
    if items is not None:
        if items.get(_XSI_NIL) == "true":
            return None
        return [value_of(item) for item in items.iterfind("{*}item")]
    components = node.findall("{*}component")
    if components:
        return {component.get("name", ""): value_of(component) for component in components}
    value = node.find("{*}value")
    if value is None or value.get(_XSI_NIL) == "true":
        return None
    text = value.text or ""
    match value.get(_XSI_TYPE, "").partition(":")[2]:
        case "boolean":
            return text == "true"
        case "decimal" | "double" | "integer" | "int" | "float" | "long":
            return _yielded(compile_expression(text.strip().lstrip("+")))
        case kind if kind in _CONSTRUCTORS:
            return _yielded(compile_expression(f'{_CONSTRUCTORS[kind]}("{text.strip()}")'))
        case "":
            return _untyped(text)
        case _:
            return text


def _untyped(text: str) -> Value:
    """A value whose type the test leaves out is what it looks like."""
    if text in ("true", "false"):
        return text == "true"
    return _yielded(compile_expression(text)) if _NUMBER.fullmatch(text) else text


def _yielded(expression: Expression | SyntaxProblem) -> Value:
    assert isinstance(expression, Expression), f"{expression}"
    evaluated = expression.evaluate(lambda name: MISSING)
    assert not isinstance(evaluated, EvaluationFailure), f"{evaluated}"
    return evaluated.value


def models_beside(model: Path) -> list[Path]:
    """All models of a test, those that the others may import first."""
    return [path for path in sorted(model.parent.glob("*.dmn")) if path != model] + [model]


def agrees(expected: Value, result: Value) -> bool:
    """Whether a result that came as JSON is the expected value; JSON has strings for all times."""
    if isinstance(expected, list):
        return (
            isinstance(result, list)
            and len(expected) == len(result)
            and all(agrees(one, other) for one, other in zip(expected, result, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(result, dict)
            and expected.keys() == result.keys()
            and all(agrees(one, result[key]) for key, one in expected.items())
        )
    if is_number(expected) and is_number(result):
        wanted, got = Decimal(expected), Decimal(result)
        return abs(wanted - got) <= abs(wanted) * _TOLERANCE
    if isinstance(expected, bool | str) or expected is None or is_number(expected):
        return type(expected) is type(result) and expected == result
    return isinstance(result, str) and (
        to_json(expected) == to_json(result) or _same_moment(expected, result)
    )


def _same_moment(expected: Value, text: str) -> bool:
    """Java writes a place behind the offset, and leaves out what is zero."""
    from bpmnd.bpmn.feel.temporal_text import parse_date_time, parse_duration, parse_time

    environment = Environment(lambda name: MISSING, 0, 1_000_000)
    return any(
        (value := parse(text)) is not None
        and type(value) is type(expected)
        and bool(equal(environment, expected, value))
        for parse in (parse_date_time, parse_time, parse_duration)
    )
