"""Decision logic to closures: boxed expressions of every kind, within each other."""

from collections.abc import Sequence
from typing import Final

from bpmnd.bpmn.dmn.document import (
    Conditional,
    ContextExpression,
    DecisionTable,
    FilterExpression,
    ForExpression,
    FunctionDefinition,
    Invocation,
    ListExpression,
    LiteralExpression,
    Logic,
    QuantifiedExpression,
    Relation,
    Variable,
)
from bpmnd.bpmn.dmn.scope import Scope
from bpmnd.bpmn.dmn.tables import CompiledTable
from bpmnd.bpmn.dmn.types import Kind, coerced
from bpmnd.bpmn.feel import loops, operators
from bpmnd.bpmn.feel.names import spelled
from bpmnd.bpmn.feel.parts import Closure, Environment, Frame
from bpmnd.bpmn.feel.values import Function, Value, feel_type

# What a round of a boxed loop and a call cost at least, in nodes of an expression.
_NODES: Final = 16
_CALL_STEPS: Final = 4


def compile_logic(logic: Logic, scope: Scope) -> Closure:
    """The closure of the logic; its frames are those that the names of the scope are in."""
    closure = _compile(logic, scope)
    kind = scope.model.types.resolve(logic.type_ref) if scope.model.checks_types else None
    return closure if kind is None else _typed(closure, kind, "The expression")


def _typed(closure: Closure, kind: Kind, what: str) -> Closure:
    return lambda environment: coerced(environment, closure(environment), kind, what)


def _compile(logic: Logic, scope: Scope) -> Closure:
    match logic:
        case LiteralExpression():
            return scope.expression(logic)
        case DecisionTable():
            return CompiledTable(logic, scope).evaluate
        case ContextExpression():
            return _context(logic, scope)
        case ListExpression(items):
            return operators.list_of([compile_logic(item, scope) for item in items])
        case Relation():
            return _relation(logic, scope)
        case Invocation():
            return _invocation(logic, scope)
        case FunctionDefinition():
            return _function(logic, scope)
        case Conditional():
            return _conditional(logic, scope)
        case ForExpression(variable, source, result):
            values = _source(variable, source, scope)
            body = compile_logic(result, scope.within((values.name, "partial")))
            return loops.for_each([values], body, _NODES, with_partial="partial" in str(result))
        case QuantifiedExpression(every, variable, source, condition):
            values = _source(variable, source, scope)
            body = compile_logic(condition, scope.within((values.name,)))
            return _quantified(loops.for_each([values], body, _NODES, with_partial=False), every)
        case FilterExpression(source, condition):
            body = compile_logic(condition, scope.within(("item",)))
            return loops.filtered(compile_logic(source, scope), body, _NODES, is_boxed=True)


def _source(variable: str, source: Logic, scope: Scope) -> loops.Source:
    return loops.Source(spelled(variable), compile_logic(source, scope), None, _NODES)


def _conditional(logic: Conditional, scope: Scope) -> Closure:
    """Null if the condition is neither true nor false nor null, which is false."""
    condition = compile_logic(logic.condition, scope)
    then, otherwise = compile_logic(logic.then, scope), compile_logic(logic.otherwise, scope)

    def choose(environment: Environment) -> Value:
        value = condition(environment)
        if value is not None and not isinstance(value, bool):
            environment.warn(f"Expected Boolean but found '{feel_type(value)}'")
            return None
        return then(environment) if value else otherwise(environment)

    return choose


def _quantified(answers: Closure, every: bool) -> Closure:
    """What the answers for all elements come to; null if any is neither true nor false nor null."""

    def decide(environment: Environment) -> Value:
        values = answers(environment)
        if not isinstance(values, list):
            return None
        for value in values:
            if value is not None and not isinstance(value, bool):
                environment.warn(f"Expected Boolean but found '{feel_type(value)}'")
                return None
        if (not every) in values:
            return not every
        return None if None in values else every

    return decide


def _context(logic: ContextExpression, scope: Scope) -> Closure:
    """Each entry sees those before it, and a function itself. An entry without a name is the result."""
    entries: list[tuple[str, Closure]] = []
    result: Closure | None = None
    for entry in logic.entries:
        if entry.variable is None:
            result = compile_logic(entry.value, scope)
            break
        name = spelled(entry.variable.name)
        within = scope.within((name,))
        value = compile_logic(entry.value, within if isinstance(entry.value, FunctionDefinition) else scope)
        kind = scope.model.types.resolve(entry.variable.type_ref) if scope.model.checks_types else None
        entries.append((name, value if kind is None else _typed(value, kind, f"The entry '{name}'")))
        scope = within
    if result is None:
        return operators.context_of(entries)
    return _result_after(entries, result)


def _result_after(entries: Sequence[tuple[str, Closure]], result: Closure) -> Closure:
    def build(environment: Environment) -> Value:
        environment.charge(len(entries))
        values: dict[str, Value] = {}
        outer = environment.frame
        environment.frame = Frame(values, outer)
        for name, entry in entries:
            values[name] = entry(environment)
        value = result(environment)
        environment.frame = outer
        return value

    return build


def _relation(logic: Relation, scope: Scope) -> Closure:
    types = scope.model.types
    names = [spelled(column.name) for column in logic.columns]
    kinds = [types.resolve(column.type_ref) if scope.model.checks_types else None for column in logic.columns]
    rows = [[compile_logic(cell, scope) for cell in row] for row in logic.rows]

    def build(environment: Environment) -> Value:
        environment.charge(len(rows) * len(names))
        table: list[Value] = []
        for row in rows:
            values: dict[str, Value] = {}
            for name, kind, cell in zip(names, kinds, row, strict=True):
                values[name] = coerced(environment, cell(environment), kind, f"The column '{name}'")
            table.append(values)
        return table

    return build


def _invocation(logic: Invocation, scope: Scope) -> Closure:
    function = compile_logic(logic.function, scope)
    bindings = [(spelled(name), compile_logic(value, scope)) for name, value in logic.bindings]

    def invoke(environment: Environment) -> Value:
        target = function(environment)
        given = {name: value(environment) for name, value in bindings}
        if not isinstance(target, Function):
            environment.warn(f"An invocation calls a '{feel_type(target)}', which is no function")
            return None
        if unknown := given.keys() - set(target.parameters):
            environment.warn(f"An invocation binds '{min(unknown)}', which is no parameter of its function")
            return None
        return target.call([given.get(parameter) for parameter in target.parameters])

    return invoke


def _function(logic: FunctionDefinition, scope: Scope) -> Closure:
    names = tuple(spelled(parameter.name) for parameter in logic.parameters)
    body = compile_logic(logic.body, scope.within(names))
    kinds = parameter_kinds(logic.parameters, scope)

    def make(environment: Environment) -> Value:
        made_in = environment.frame
        return Function(
            names, lambda arguments: call_body(environment, names, kinds, arguments, body, made_in)
        )

    return make


def parameter_kinds(parameters: Sequence[Variable], scope: Scope) -> list[Kind]:
    checks = scope.model.checks_types
    return [scope.model.types.resolve(parameter.type_ref) if checks else None for parameter in parameters]


def call_body(
    environment: Environment,
    names: Sequence[str],
    kinds: Sequence[Kind],
    arguments: Sequence[Value],
    body: Closure,
    made_in: Frame | None,
) -> Value:
    """What a call of a function yields that was made where `made_in` are the names around; null if an
    argument is not of its type."""
    environment.charge(_CALL_STEPS)
    environment.deeper()
    values: dict[str, Value] = {}
    for name, kind, argument in zip(names, kinds, arguments, strict=True):
        values[name] = coerced(environment, argument, kind, f"The parameter '{name}'")
        if values[name] is None and argument is not None:
            environment.nesting -= 1
            return None
    outer = environment.frame
    environment.frame = Frame(values, made_in)
    value = body(environment)
    environment.frame = outer
    environment.nesting -= 1
    return value
