from decimal import Decimal

import pytest

from bpmnd.bpmn.feel import (
    MISSING,
    Evaluated,
    EvaluationFailure,
    Expression,
    NotBoolean,
    SyntaxProblem,
    Value,
    compile_expression,
    from_json,
    to_json,
    type_name,
)
from tests.bpmn.feel.expressions import compiled, json, lookup_in, outcome, problem, value


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("amount > 100 and vip", {"amount", "vip"}),
        ("order.items[1].price", {"order"}),
        ("for x in xs, y in f(x) return x + y + z", {"xs", "f", "z"}),
        ("some x in xs satisfies x > limit", {"xs", "limit"}),
        ("function(a, b) a + b + c", {"c"}),
        ("{a: 1, b: a + c}", {"c"}),
        ("{a: b, b: 1}", {"b"}),
        ("xs[item > limit]", {"xs", "limit"}),
        ("for x in xs return partial", {"xs"}),
        ('string length("a")', set[str]()),
        ("`my name` + 1", {"my name"}),
        ("item + partial", {"item", "partial"}),
    ],
)
def test_only_free_names_are_variables(text: str, variables: set[str]) -> None:
    assert compiled(text).variables == variables


def test_a_missing_variable_is_null_with_a_warning() -> None:
    assert outcome("x") == Evaluated(None, ("No variable found with name 'x'",))


def test_a_variable_is_looked_up_once_in_an_evaluation() -> None:
    asked: list[str] = []

    def lookup(name: str) -> Value:
        asked.append(name)
        return 1

    compiled("x + x + (for i in 1..3 return x)[1]").evaluate(lookup)

    assert asked == ["x"]


def test_a_variable_that_no_branch_needs_is_not_looked_up() -> None:
    def lookup(name: str) -> Value:
        assert name != "y"
        return True

    assert compiled("if x then 1 else y").evaluate(lookup) == Evaluated(1, ())


def test_a_condition_that_is_no_boolean_says_what_it_was() -> None:
    answer = compiled("x").test(lookup_in({"x": 5}))

    assert answer == NotBoolean(5)


@pytest.mark.parametrize(("amount", "holds"), [(101, True), (100, False), (Decimal("100.5"), True)])
def test_a_condition_holds_or_does_not(amount: int | Decimal, holds: bool) -> None:
    assert compiled("amount > 100").test(lookup_in({"amount": amount})) is holds


def test_a_condition_can_fail() -> None:
    answer = compiled("assert(x, x > 1)").test(lookup_in({"x": 1}))

    assert isinstance(answer, EvaluationFailure)


def test_a_failed_assertion_says_why() -> None:
    assert outcome('assert(x, x > 1, "too small")', x=1) == EvaluationFailure(
        "Assertion failure on evaluate the expression: too small"
    )


def test_the_moment_comes_from_the_caller() -> None:
    evaluated = compiled("now()").evaluate(lookup_in({}), now_ms=1_600_000_000_123)

    assert isinstance(evaluated, Evaluated)
    assert to_json(evaluated.value) == b'"2020-09-13T12:26:40.123Z"'


def test_today_is_the_day_of_the_moment() -> None:
    evaluated = compiled("today()").evaluate(lookup_in({}), now_ms=1_600_000_000_123)

    assert isinstance(evaluated, Evaluated)
    assert to_json(evaluated.value) == b'"2020-09-13"'


def test_names_of_several_words_may_be_made_known() -> None:
    expression = compile_expression(
        "Applicant's Age + monthly income", frozenset({"Applicant's Age", "monthly income"})
    )

    assert isinstance(expression, Expression)
    assert expression.evaluate(lookup_in({"Applicant's Age": 1, "monthly income": 2})) == Evaluated(3, ())


@pytest.mark.parametrize(
    ("text", "position"),
    [("", 0), ("1 +", 3), ("(1", 2), ("1 2", 2), ("a b", 2), ("if x then 1", 11), ('"a', 0), ("{a 1}", 1)],
)
def test_a_syntax_problem_says_where_it_is(text: str, position: int) -> None:
    assert problem(text).position == position


@pytest.mark.parametrize(
    "text",
    [
        "x y z",
        "[1,]",
        "f(a: 1, 2)",
        "#",
        "'a'",
        "1..3",
        "for in x return 1",
        "a.",
        "1 +* 2",
        "/* x",
        "\ud800",
    ],
)
def test_what_is_no_expression_is_a_value_not_an_exception(text: str) -> None:
    assert isinstance(compile_expression(text), SyntaxProblem)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("null", "NULL"),
        ("true", "BOOLEAN"),
        ("1", "NUMBER"),
        ("1.5", "NUMBER"),
        ('"a"', "STRING"),
        ('@"PT1H"', "DURATION"),
        ('@"P1Y"', "PERIOD"),
        ('@"2020-01-01T10:00:00"', "DATE_TIME"),
        ("[]", "ARRAY"),
        ("{}", "OBJECT"),
    ],
)
def test_types_have_the_names_of_camunda(text: str, name: str) -> None:
    assert type_name(value(text)) == name


@pytest.mark.parametrize(
    "raw",
    [b"null", b"true", b"-5", b"1.5", b'"a\xc3\xa4"', b"[1,[2]]", b'{"a":{"b":null}}', b"0.1", b"1E+40"],
)
def test_json_survives_the_way_there_and_back(raw: bytes) -> None:
    assert to_json(from_json(raw)) == raw


@pytest.mark.parametrize(
    ("raw", "written"),
    [(b"1.0", b"1"), (b"1.50", b"1.5"), (b"1e3", b"1000"), (b"-0.0", b"0"), (b"1e99999", b"null")],
)
def test_numbers_are_written_in_their_shortest_form(raw: bytes, written: bytes) -> None:
    assert to_json(from_json(raw)) == written


@pytest.mark.parametrize("raw", [b"1" * 5000, b'"\\ud800"', b"[" * 5000 + b"]" * 5000])
def test_json_that_nobody_can_hold_is_null(raw: bytes) -> None:
    assert from_json(raw) is None


@pytest.mark.parametrize("levels", [100, 300, 600, 900])
def test_deep_json_never_raises(levels: int) -> None:
    nested = from_json(b"[" * levels + b"]" * levels)

    for text in ("x", "x = x", "flatten(x)", "string(x)", "x.a", "[x, x]", "distinct values([x, x])"):
        answer = compiled(text).evaluate(lookup_in({"x": nested}))
        assert isinstance(answer, EvaluationFailure) or to_json(answer.value)


def test_fractions_are_exact() -> None:
    assert json("f * 3 = 0.3", b'{"f":0.1}') == "true"


def test_missing_is_not_a_value_of_any_type() -> None:
    assert MISSING is not None
