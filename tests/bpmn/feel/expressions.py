"""What the tests of FEEL share: evaluating a text against variables."""

from collections.abc import Mapping

from bpmnd.bpmn.feel import (
    MISSING,
    Evaluated,
    EvaluationFailure,
    Expression,
    Lookup,
    SyntaxProblem,
    Value,
    compile_expression,
    compile_unary_tests,
    from_json,
    to_json,
)


def lookup_in(variables: Mapping[str, Value]) -> Lookup:
    return lambda name: variables.get(name, MISSING)


def compiled(text: str) -> Expression:
    expression = compile_expression(text)
    assert isinstance(expression, Expression), f"{text}: {expression}"
    return expression


def outcome(text: str, **variables: Value) -> Evaluated | EvaluationFailure:
    return compiled(text).evaluate(lookup_in(variables))


def value(text: str, **variables: Value) -> Value:
    evaluated = outcome(text, **variables)
    assert isinstance(evaluated, Evaluated), f"{text}: {evaluated}"
    return evaluated.value


def json(text: str, variables: bytes = b"{}") -> str:
    """The result of a text as JSON, with variables from JSON: what an engine sees of FEEL."""
    given = from_json(variables)
    assert isinstance(given, dict), f"{variables!r} is no object"
    return to_json(value(text, **given)).decode()


def problem(text: str) -> SyntaxProblem:
    answer = compile_expression(text)
    assert isinstance(answer, SyntaxProblem), f"{text} is an expression"
    return answer


def passes(tests: str, subject: Value, **variables: Value) -> Value:
    expression = compile_unary_tests(tests)
    assert isinstance(expression, Expression), f"{tests}: {expression}"
    evaluated = expression.evaluate(lookup_in({"?": subject, **variables}))
    assert isinstance(evaluated, Evaluated), f"{tests}: {evaluated}"
    return evaluated.value
