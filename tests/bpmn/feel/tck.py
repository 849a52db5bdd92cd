"""Reads the DMN TCK: expressions of decisions that are plain FEEL, and what they must yield."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from lxml import etree
from lxml.etree import _Element as LxmlElement  # pyright: ignore[reportPrivateUsage]  # lxml has no public name for it

from bpmnd.bpmn.feel import (
    MISSING,
    EvaluationFailure,
    Expression,
    SyntaxProblem,
    Value,
    compile_expression,
)
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.equality import equal
from bpmnd.bpmn.feel.values import is_number

TCK: Final = Path(__file__).parents[4] / "shared" / "data" / "dmn-tck" / "TestCases"
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
_XSI_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_XSI_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
# The tests round what is no whole number, some after eight digits.
_TOLERANCE: Final = Decimal("1e-8")
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
    model: Path
    decision: str
    inputs: tuple[tuple[str, Value], ...]
    expected: Value
    error: bool


class NotPlain(Exception):  # noqa: N818 (says only that a decision is not for these tests)
    """The decision is no plain FEEL: a table, a boxed expression, an import."""


def cases() -> Iterator[Case]:
    for tests in sorted(TCK.rglob("*-test-*.xml")):
        root = etree.parse(tests, _PARSER).getroot()
        model = tests.parent / root.findtext("{*}modelName", "")
        for test in root.iterfind("{*}testCase"):
            inputs = tuple((node.get("name", ""), value_of(node)) for node in test.iterfind("{*}inputNode"))
            for at, result in enumerate(test.iterfind("{*}resultNode")):
                name = result.get("name", "")
                expected = result.find("{*}expected")
                yield Case(
                    f"{tests.parent.name}/{test.get('id')}.{at}",
                    model,
                    name,
                    inputs,
                    None if expected is None else value_of(expected),
                    result.get("errorResult") == "true",
                )


def value_of(node: LxmlElement) -> Value:
    items = node.find("{*}list")
    if items is not None:
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
            return yielded(compile_expression(text.lstrip("+")))
        case kind if kind in _CONSTRUCTORS:
            return yielded(compile_expression(f'{_CONSTRUCTORS[kind]}("{text}")'))
        case _:
            return text


def yielded(expression: Expression | SyntaxProblem) -> Value:
    assert isinstance(expression, Expression), f"{expression}"
    evaluated = expression.evaluate(lambda name: MISSING)
    assert not isinstance(evaluated, EvaluationFailure), f"{evaluated}"
    return evaluated.value


class Model:
    """The decisions of a file by name, evaluated on demand."""

    def __init__(self, path: Path) -> None:
        root = etree.parse(path, _PARSER).getroot()
        self._root = root
        self._logic = {
            node.get("name", ""): node
            for tag in ("decision", "businessKnowledgeModel")
            for node in root.iterfind(f"{{*}}{tag}")
        }
        self._names = frozenset(
            node.get("name", "")
            for node in root.iter("{*}decision", "{*}inputData", "{*}businessKnowledgeModel")
        ) | frozenset(node.get("name", "") for node in root.iter("{*}itemComponent"))

    def decide(self, name: str, inputs: dict[str, Value]) -> Value | EvaluationFailure | SyntaxProblem:
        node = self._logic.get(name)
        if node is None or self._root.find("{*}import") is not None:
            raise NotPlain
        text = self._text(node)
        expression = compile_expression(text, self._names)
        if isinstance(expression, SyntaxProblem):
            return expression

        def lookup(wanted: str) -> Value:
            if wanted in inputs:
                return inputs[wanted]
            if wanted in self._logic:
                value = self.decide(wanted, inputs)
                return None if isinstance(value, EvaluationFailure | SyntaxProblem) else value
            return MISSING

        evaluated = expression.evaluate(lookup)
        return evaluated if isinstance(evaluated, EvaluationFailure) else evaluated.value

    def _text(self, node: LxmlElement) -> str:
        function = node.find("{*}encapsulatedLogic")
        if function is not None:
            if function.get("kind", "FEEL") != "FEEL":
                raise NotPlain
            parameters = [part.get("name", "") for part in function.iterfind("{*}formalParameter")]
            return f"function({', '.join(parameters)}) {self._literal(function)}"
        return self._literal(node)

    def _literal(self, node: LxmlElement) -> str:
        literal = node.find("{*}literalExpression")
        if literal is None:
            raise NotPlain
        return literal.findtext("{*}text", "")


def agrees(expected: Value, result: Value) -> bool:
    if is_number(expected) and is_number(result):
        wanted, got = Decimal(expected), Decimal(result)
        return abs(wanted - got) <= abs(wanted) * _TOLERANCE
    return bool(equal(Environment(lambda name: MISSING, 0, 1_000_000), expected, result))
