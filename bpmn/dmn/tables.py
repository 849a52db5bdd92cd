"""Decision tables: which rules match, and what the hit policy makes of them."""

from collections.abc import Sequence
from typing import Final, Protocol, final

from bpmnd.bpmn.dmn.document import (
    Aggregation,
    DecisionTable,
    HitPolicy,
    LiteralExpression,
    TableInput,
    TableOutput,
    TableRule,
)
from bpmnd.bpmn.dmn.scope import Scope
from bpmnd.bpmn.dmn.types import Kind, coerced
from bpmnd.bpmn.feel.builtins.statistics import maximum, minimum, total
from bpmnd.bpmn.feel.equality import equal
from bpmnd.bpmn.feel.json import to_json
from bpmnd.bpmn.feel.parts import Closure, Environment, Stopped, Tester
from bpmnd.bpmn.feel.values import Value, is_number

_SHOWN_MAX: Final = 500


class Trace(Protocol):
    """Told what a table does; `evaluate` can do without."""

    def input(self, clause: TableInput, value: Value) -> None: ...
    def match(
        self, index: int, rule: TableRule, outputs: Sequence[TableOutput], values: Sequence[Value]
    ) -> None: ...


@final
class _Rule:
    __slots__ = ("outputs", "rule", "tests")

    def __init__(self, rule: TableRule, tests: list[tuple[int, Tester]], outputs: list[Closure]) -> None:
        self.rule = rule
        self.tests = tests
        """Only of the cells that test something, with the number of their input."""
        self.outputs = outputs


@final
class CompiledTable:
    """A table whose cells are closures. Errors of its hit policy end the evaluation."""

    def __init__(self, table: DecisionTable, scope: Scope) -> None:
        self._table = table
        self._inputs = [scope.expression(clause.expression) for clause in table.inputs]
        self._allowed = [
            scope.allowed_values(clause.allowed, clause.expression.line) for clause in table.inputs
        ]
        self._rules = [_compile(rule, scope) for rule in table.rules]
        self._defaults = [
            None if output.default is None else scope.expression(output.default) for output in table.outputs
        ]
        self._checked = scope.model.checks_types
        self._kinds: list[Kind] = [scope.model.types.resolve(output.type_ref) for output in table.outputs]
        self._output_values = [scope.allowed_values(output.allowed, output.line) for output in table.outputs]
        self._priorities = [
            scope.expression(LiteralExpression(f"[{output.allowed}]", output.line))
            for output in table.outputs
        ]
        self._first_only = table.hit_policy is HitPolicy.FIRST

    def evaluate(self, environment: Environment, trace: Trace | None = None) -> Value:
        table = self._table
        environment.charge(1 + len(self._rules))
        subjects: list[Value] = []
        for clause, expression, allowed in zip(table.inputs, self._inputs, self._allowed, strict=True):
            value = expression(environment)
            if allowed is not None and self._checked and allowed(environment, value) is not True:
                environment.warn(f"The value of the input '{clause.label}' is not one of '{clause.allowed}'")
                return None
            subjects.append(value)
        if trace is not None:
            for clause, value in zip(table.inputs, subjects, strict=True):
                trace.input(clause, value)
        matched: list[list[Value]] = []
        for index, rule in enumerate(self._rules, 1):
            for at, test in rule.tests:
                if test(environment, subjects[at]) is not True:
                    break
            else:
                values = [output(environment) for output in rule.outputs]
                if trace is not None:
                    trace.match(index, rule.rule, table.outputs, values)
                matched.append(self._fitting(environment, values))
                if self._first_only:
                    break
        if not matched:
            return self._default(environment)
        return self._decide(environment, matched)

    def _fitting(self, environment: Environment, values: list[Value]) -> list[Value]:
        if not self._checked:
            return values
        fitting: list[Value] = []
        for value, output, kind, allowed in zip(
            values, self._table.outputs, self._kinds, self._output_values, strict=True
        ):
            one = coerced(environment, value, kind, f"The output '{output.label}'")
            if allowed is not None and one is not None and allowed(environment, one) is not True:
                environment.warn(f"The value of the output '{output.label}' is not one of '{output.allowed}'")
                one = None
            fitting.append(one)
        return fitting

    def _default(self, environment: Environment) -> Value:
        """Camunda leaves out the outputs that have no default; where one is left, it stands for itself."""
        values = [None if default is None else default(environment) for default in self._defaults]
        given = [
            (output.name, value)
            for output, value, default in zip(self._table.outputs, values, self._defaults, strict=True)
            if default is not None
        ]
        if not given:
            return None
        if self._checked:
            return self._result(values)
        return given[0][1] if len(given) == 1 else dict(given)

    def _result(self, values: Sequence[Value]) -> Value:
        outputs = self._table.outputs
        if len(outputs) == 1:
            return values[0]
        return {output.name: value for output, value in zip(outputs, values, strict=True)}

    def _decide(self, environment: Environment, matched: list[list[Value]]) -> Value:
        policy = self._table.hit_policy
        match policy:
            case HitPolicy.FIRST:
                return self._result(matched[0])
            case HitPolicy.UNIQUE:
                if len(matched) > 1:
                    raise self._violation("multiple values aren't allowed for UNIQUE hit policy", matched)
                return self._result(matched[0])
            case HitPolicy.ANY:
                first = self._result(matched[0])
                for values in matched[1:]:
                    if equal(environment, self._result(values), first) is not True:
                        raise self._violation("different values aren't allowed for ANY hit policy", matched)
                return first
            case HitPolicy.PRIORITY:
                return self._result(min(matched, key=self._rank(environment)))
            case HitPolicy.OUTPUT_ORDER:
                environment.charge(len(matched))
                return [self._result(values) for values in sorted(matched, key=self._rank(environment))]
            case HitPolicy.RULE_ORDER | HitPolicy.COLLECT:
                results = [self._result(values) for values in matched]
                return self._aggregated(environment, results)

    def _violation(self, reason: str, matched: list[list[Value]]) -> Stopped:
        shown = to_json([self._result(values) for values in matched]).decode()
        return Stopped(f"{reason}. found: '{shown[:_SHOWN_MAX]}'")

    def _rank(self, environment: Environment) -> "_Ranking":
        return _Ranking(environment, self._priorities)

    def _aggregated(self, environment: Environment, results: list[Value]) -> Value:
        aggregation = self._table.aggregation
        if aggregation is None:
            return results
        if aggregation is Aggregation.COUNT:
            return len(results)
        for result in results:
            if not is_number(result) and (aggregation is Aggregation.SUM or not self._checked):
                raise Stopped(f"expected number but found '{to_json(result).decode()[:_SHOWN_MAX]}'")
        match aggregation:
            case Aggregation.SUM:
                return total(environment, results)
            case Aggregation.MIN:
                return minimum(environment, results)
            case Aggregation.MAX:
                return maximum(environment, results)


@final
class _Ranking:
    """The place of a rule's outputs among those that are allowed, the first output first."""

    def __init__(self, environment: Environment, priorities: list[Closure]) -> None:
        self._environment = environment
        self._values: list[list[Value]] = []
        for priority in priorities:
            values = priority(environment)
            self._values.append(values if isinstance(values, list) else [])

    def __call__(self, values: Sequence[Value]) -> tuple[int, ...]:
        return tuple(
            next(
                (at for at, one in enumerate(ranked) if equal(self._environment, one, value) is True),
                len(ranked),
            )
            for ranked, value in zip(self._values, values, strict=True)
        )


def _compile(rule: TableRule, scope: Scope) -> _Rule:
    tests = [
        (at, scope.tests(entry))
        for at, entry in enumerate(rule.inputs)
        if entry.text is not None and entry.text != "-"
    ]
    return _Rule(rule, tests, [scope.expression(entry) for entry in rule.outputs])
