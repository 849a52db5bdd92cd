"""Hostile expressions end at once, with a value of ours and in bounded memory."""

import pytest

from bpmnd.bpmn.feel import EvaluationFailure, Expression, SyntaxProblem, Value, compile_expression
from tests.bpmn.feel.expressions import compiled, lookup_in, outcome


@pytest.mark.parametrize(
    "text",
    [
        "for i in 1..10**12 return i",
        "for i in 1..1e30 return i",
        "for i in 1..1000, j in 1..1000, k in 1..1000 return 1",
        "some i in 1..10**12 satisfies i < 0",
        "every i in 1..10**12 satisfies true",
        'for i in 1..100 return if i = 1 then "aaaaaaaa" else partial[-1] + partial[-1]',
        "for i in 1..100 return if i = 1 then 1 else [partial[-1], partial[-1]]",
        'for i in 1..100000 return [1, 2, 3, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]',
        "for i in 1..100000 return [partial[-1]]",
        "{f: function(g, n) g(g, n + 1), r: f(f, 1)}.r",
        "{f: function(n) f(n + 1) + f(n + 2), r: f(1)}.r",
        "count(flatten(for i in 1..60 return if i = 1 then [1] else [partial[-1], partial[-1]]))",
        "string(for i in 1..60 return if i = 1 then 1 else [partial[-1], partial[-1]])",
        "(for i in 1..200 return [partial[-1]]) = (for i in 1..200 return [partial[-1]])",
        "{l: for i in 1..60 return if i = 1 then 1 else [partial[-1], partial[-1]], r: l = l}.r",
        "{l: for i in 1..2000 return [i], r: distinct values(l)}.r",
        "for i in 1..1e9 return 1.5 ** 1.5 ** 1.5 ** 1.5",
        "[1][[1][[1][for i in 1..10**9 return 1]]]",
        'replace(string join(for i in 1..10000 return "aaaaaaaaaa"), "a", "bbbbbbbbbbbbbbbbbbbb")',
    ],
)
def test_work_without_end_is_stopped(text: str) -> None:
    ended = outcome(text)

    assert isinstance(ended, EvaluationFailure)


@pytest.mark.parametrize(
    "text",
    [
        "10 ** 10 ** 10",
        "9 ** 9 ** 9 ** 9",
        "1.0000001 ** 1e9",
        "exp(1e30)",
        "exp(-1e30)",
        "floor(1e6000, 6000)",
        "decimal(1e-6000, 6176)",
        "modulo(1e6000, 3)",
        'date("999999999-12-31") + duration("P999999999Y")',
        'duration("P999999999999999999D") * 1e30',
        '@"999999999-12-31T23:59:59@Europe/Berlin" + @"P1D"',
        'substring("abc", 1e30, 1e30)',
        "[1,2,3][1e30]",
        "sublist([1], 1e6000, -1e6000)",
        'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a+)+$")',
        'matches("a", "((a{1000}){1000}){1000}")',
        "time(1e30, 1e30, 1e30)",
        "date(1e30, 1e30, 1e30)",
        'number("1e999999999")',
        "round up(1, -1e30)",
        "for i in 1e30..1e30 return i",
        "partition([1,2], 1e30)",
    ],
)
def test_extreme_arguments_are_harmless(text: str) -> None:
    outcome(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "(" * 5_000 + "1" + ")" * 5_000,
        "[" * 5_000 + "]" * 5_000,
        "-" * 10_000 + "1",
        "not(" * 5_000 + "true" + ")" * 5_000,
        "1" + "+1" * 10_000,
        "a" + ".a" * 10_000,
        "a" + "[1]" * 5_000,
        "if " * 5_000,
        "function() " * 3_000 + "1",
        "x instance of " + "list<" * 5_000,
        "{a:" * 5_000 + "1" + "}" * 5_000,
        '"' + "a" * 70_000 + '"',
        "/*" * 30_000,
        " " * 60_000 + "#",
        "\n \t" * 20_000 + "'",
    ],
)
def test_a_text_too_deep_or_too_long_is_a_syntax_problem(text: str) -> None:
    assert isinstance(compile_expression(text), SyntaxProblem)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 150 + "1" + ")" * 150,
        "[" * 100 + "]" * 100,
        "1" + "+1" * 190,
        " or ".join(f"x = {i}" for i in range(2_000)),
        "[" + "1," * 20_000 + "1]",
    ],
)
def test_what_people_write_is_within_the_limits(text: str) -> None:
    expression = compile_expression(text)

    assert isinstance(expression, Expression), f"{expression}"
    assert not isinstance(expression.evaluate(lookup_in({"x": 1999})), EvaluationFailure)


def test_the_budget_is_the_callers() -> None:
    expression = compiled("for i in 1..1000 return i")

    assert isinstance(expression.evaluate(lookup_in({}), steps_max=100), EvaluationFailure)
    assert not isinstance(expression.evaluate(lookup_in({}), steps_max=10_000), EvaluationFailure)


def test_a_large_variable_may_be_passed_on() -> None:
    large: list[Value] = list(range(500_000))
    expression = compiled("x")

    assert not isinstance(expression.evaluate(lambda name: large), EvaluationFailure)


def test_lists_of_thousands_are_no_trouble() -> None:
    text = "count(distinct values(for i in 1..10000 return string(modulo(i, 5000))))"

    assert not isinstance(outcome(text), EvaluationFailure)
