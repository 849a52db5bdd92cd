"""Reads decision logic: literal expressions, tables and all boxed expressions."""

from typing import Final, final

from bpmnd.bpmn.dmn.document import (
    Aggregation,
    Conditional,
    ContextEntry,
    ContextExpression,
    DecisionTable,
    FilterExpression,
    ForExpression,
    FunctionDefinition,
    HitPolicy,
    Invocation,
    ListExpression,
    LiteralExpression,
    Logic,
    QuantifiedExpression,
    Relation,
    TableInput,
    TableOutput,
    TableRule,
    Variable,
)
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.xml import Tag

_FEEL: Final = ("FEEL", "feel", "")
_LOGIC: Final = frozenset(
    ("literalExpression", "decisionTable", "context", "list", "relation", "invocation", "functionDefinition")
) | frozenset(("conditional", "for", "every", "some", "filter"))
_NOTHING: Final = LiteralExpression(None, 0)


@final
class LogicReader:
    def __init__(self, report: Report) -> None:
        self._report = report

    def only(self, element: Tag, tag: Tag) -> Logic | None:
        """The expression that stands in a tag, if there is one; of several the first."""
        for child in tag.children:
            if child.bare_name in _LOGIC and child.name.startswith("dmn:"):
                return self._expression(element, child)
        return None

    def _inside(self, element: Tag, tag: Tag, name: str) -> Logic:
        """The expression within a part such as `<in>` or `<then>`."""
        parts = tag.all(f"dmn:{name}")
        found = self.only(element, parts[0]) if parts else None
        if found is None:
            self._report.add(element, f"{tag.bare_name} must have an expression in '{name}'", at=tag)
            return _NOTHING
        return found

    def _expression(self, element: Tag, tag: Tag) -> Logic:
        type_ref = _type_ref(tag)
        match tag.bare_name:
            case "decisionTable":
                return self._table(element, tag)
            case "context":
                entries = tuple(self._entry(element, entry) for entry in tag.all("dmn:contextEntry"))
                return ContextExpression(entries, type_ref)
            case "list":
                return ListExpression(self._all(element, tag), type_ref)
            case "relation":
                columns = tuple(_variable_of(column) for column in tag.all("dmn:column"))
                rows = tuple(self._row(element, row, len(columns)) for row in tag.all("dmn:row"))
                return Relation(columns, rows, type_ref)
            case "invocation":
                return self._invocation(element, tag)
            case "functionDefinition":
                return self.function(element, tag)
            case "conditional":
                condition = self._inside(element, tag, "if")
                then = self._inside(element, tag, "then")
                return Conditional(condition, then, self._inside(element, tag, "else"), type_ref)
            case "for":
                source = self._inside(element, tag, "in")
                return ForExpression(
                    self._iterator(element, tag), source, self._inside(element, tag, "return"), type_ref
                )
            case "every" | "some":
                source = self._inside(element, tag, "in")
                condition = self._inside(element, tag, "satisfies")
                return QuantifiedExpression(
                    tag.bare_name == "every", self._iterator(element, tag), source, condition, type_ref
                )
            case "filter":
                source = self._inside(element, tag, "in")
                return FilterExpression(source, self._inside(element, tag, "match"), type_ref)
            case _:
                return self._literal(element, tag)

    def _all(self, element: Tag, tag: Tag) -> tuple[Logic, ...]:
        return tuple(
            self._expression(element, child)
            for child in tag.children
            if child.bare_name in _LOGIC and child.name.startswith("dmn:")
        )

    def _row(self, element: Tag, tag: Tag, columns: int) -> tuple[Logic, ...]:
        cells = self._all(element, tag)
        if len(cells) != columns:
            self._report.add(element, f"a row must have {columns} cells, but has {len(cells)}", at=tag)
        return cells

    def _literal(self, element: Tag, tag: Tag) -> LiteralExpression:
        language = tag.attributes.get("expressionLanguage", "").rstrip("/").rpartition("/")[2]
        if language not in _FEEL and not language.upper().endswith("FEEL"):
            self._report.add(element, f"expression language '{language}' is not supported; use FEEL", at=tag)
        return LiteralExpression(text_in(tag) or None, tag.line, _type_ref(tag))

    def _entry(self, element: Tag, tag: Tag) -> ContextEntry:
        variables = tag.all("dmn:variable")
        value = self.only(element, tag)
        return ContextEntry(_variable_of(variables[0]) if variables else None, value or _NOTHING)

    def _iterator(self, element: Tag, tag: Tag) -> str:
        name = tag.attributes.get("iteratorVariable", "").strip()
        if not name:
            self._report.add(element, f"{tag.bare_name} must have an 'iteratorVariable'", at=tag)
        return name

    def _invocation(self, element: Tag, tag: Tag) -> Invocation:
        function = self.only(element, tag)
        if function is None:
            self._report.add(element, "an invocation must name what it calls", at=tag)
        bindings: list[tuple[str, Logic]] = []
        for binding in tag.all("dmn:binding"):
            parameters = binding.all("dmn:parameter")
            name = parameters[0].attributes.get("name", "") if parameters else ""
            if not name:
                self._report.add(element, "a binding must name its parameter", at=binding)
            bindings.append((" ".join(name.split()), self.only(element, binding) or _NOTHING))
        return Invocation(function or _NOTHING, tuple(bindings), _type_ref(tag))

    def function(self, element: Tag, tag: Tag) -> FunctionDefinition:
        kind = tag.attributes.get("kind", "FEEL")
        if kind != "FEEL":
            self._report.add(element, f"functions of kind '{kind}' are not supported; use FEEL", at=tag)
        parameters = tuple(_variable_of(parameter) for parameter in tag.all("dmn:formalParameter"))
        return FunctionDefinition(parameters, self.only(element, tag) or _NOTHING, _type_ref(tag))

    # -- decision tables

    def _table(self, element: Tag, tag: Tag) -> DecisionTable:
        outputs = tuple(self._output(element, output) for output in tag.all("dmn:output"))
        inputs = tuple(self._input(element, clause) for clause in tag.all("dmn:input"))
        table = DecisionTable(
            hit_policy=self._hit_policy(element, tag),
            aggregation=self._aggregation(element, tag),
            inputs=inputs,
            outputs=outputs,
            rules=tuple(self._rule(element, rule, len(inputs), len(outputs)) for rule in tag.all("dmn:rule")),
            type_ref=_type_ref(tag),
        )
        if not outputs:
            self._report.add(element, "a decision table must have an output", at=tag)
        if len(outputs) > 1:
            if table.aggregation is not None:
                reason = "hit policy 'COLLECT' with aggregator is not defined for compound output"
                self._report.add(element, reason, at=tag)
            names = [output.name for output in outputs]
            if "" in names or len(set(names)) < len(names):
                self._report.add(element, "several outputs must have names, each its own", at=tag)
        return table

    def _hit_policy(self, element: Tag, tag: Tag) -> HitPolicy:
        name = tag.attributes.get("hitPolicy", "UNIQUE")
        try:
            return HitPolicy(name)
        except ValueError:
            self._report.add(element, f"there is no hit policy '{name}'", at=tag)
            return HitPolicy.UNIQUE

    def _aggregation(self, element: Tag, tag: Tag) -> Aggregation | None:
        name = tag.attributes.get("aggregation")
        if name is None or tag.attributes.get("hitPolicy") != "COLLECT":
            return None
        try:
            return Aggregation(name)
        except ValueError:
            self._report.add(element, f"there is no aggregation '{name}'", at=tag)
            return None

    def _input(self, element: Tag, tag: Tag) -> TableInput:
        expressions = tag.all("dmn:inputExpression")
        if not expressions:
            self._report.add(element, "an input must have an expression", at=tag)
        expression = self._literal(element, expressions[0]) if expressions else _NOTHING
        return TableInput(
            id=tag.id or "",
            label=tag.attributes.get("label", "") or expression.text or "",
            expression=expression,
            allowed=_tests(tag, "inputValues"),
        )

    def _output(self, element: Tag, tag: Tag) -> TableOutput:
        defaults = tag.all("dmn:defaultOutputEntry")
        default = self._literal(element, defaults[0]) if defaults else None
        name = tag.attributes.get("name", "")
        return TableOutput(
            id=tag.id or "",
            line=tag.line,
            name=name,
            label=tag.attributes.get("label", "") or name,
            type_ref=_type_ref(tag),
            allowed=_tests(tag, "outputValues"),
            default=default if default is not None and default.text is not None else None,
        )

    def _rule(self, element: Tag, tag: Tag, inputs: int, outputs: int) -> TableRule:
        rule = TableRule(
            id=tag.id or "",
            inputs=tuple(self._literal(element, entry) for entry in tag.all("dmn:inputEntry")),
            outputs=tuple(self._literal(element, entry) for entry in tag.all("dmn:outputEntry")),
        )
        if len(rule.inputs) != inputs or len(rule.outputs) != outputs:
            reason = f"a rule must have {inputs} input entries and {outputs} output entries, but has "
            self._report.add(element, reason + f"{len(rule.inputs)} and {len(rule.outputs)}", at=tag)
        return rule


def text_in(tag: Tag) -> str:
    """What stands in the tag's `text`, which is optional."""
    texts = tag.all("dmn:text")
    return texts[0].text if texts else ""


def _tests(tag: Tag, name: str) -> str:
    tests = tag.all(f"dmn:{name}")
    return text_in(tests[0]) if tests else ""


def _type_ref(tag: Tag) -> str:
    return plain_type(tag.attributes.get("typeRef", ""))


def _variable_of(tag: Tag) -> Variable:
    return Variable(" ".join(tag.attributes.get("name", "").split()), _type_ref(tag))


def plain_type(reference: str) -> str:
    """DMN 1.1 writes types with the prefix of their namespace, later versions do not."""
    prefix, colon, name = reference.strip().partition(":")
    return name if colon and prefix.isidentifier() else reference.strip()
