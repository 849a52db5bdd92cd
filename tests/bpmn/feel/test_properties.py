from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bpmnd.bpmn.feel import (
    MISSING,
    Expression,
    Value,
    compile_expression,
    compile_unary_tests,
    from_json,
    to_json,
)
from bpmnd.bpmn.feel.builtins.registry import all_names

STEPS_MAX = 20_000
VARIABLES: dict[str, Value] = {
    "n": 5,
    "d": Decimal("1.5"),
    "s": "text",
    "b": True,
    "z": None,
    "l": [1, 2, "a", None, [3]],
    "c": {"a": 1, "b": {"c": [1]}},
    "o": [{"a": 1}, {"a": 2, "item": 3}],
}

ATOMS = st.sampled_from(
    [
        *VARIABLES,
        *("x", "?", "item", "partial", "1", "0", "2.5", "-3", "1e40", "true", "null"),
        *('"a"', '""', '"[a-z]+"', '"2020-02-29"', '"PT1H"', "[]", "{}", "[1..3]", "(1..2)", "[1,2,3]"),
        *('@"2020-02-29"', '@"10:00:00Z"', '@"2020-01-01T00:00:00@Europe/Berlin"', '@"P1Y"', '@"PT36H"'),
        *(
            "(function(x) x)",
            "(function(x, y) x < y)",
            "{a: 1, b: a}",
            "now()",
            '"Europe/Berlin"',
            "-1",
            "1e-40",
        ),
    ]
)
OPERATORS = st.sampled_from(["+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in"])
NAMES = st.sampled_from(["a", "b", "item", "year", "month", "time offset", "start", "weekday", "hours"])
FUNCTIONS = st.sampled_from([*sorted(all_names() - {"and", "or"}), "is defined", "nope"])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, OPERATORS, inner),
        st.builds("{}({})".format, FUNCTIONS, st.lists(inner, max_size=4).map(", ".join)),
        st.builds("({}).{}".format, inner, NAMES),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("(if {} then {} else {})".format, inner, inner, inner),
        st.builds("(for x in {} return {})".format, inner, inner),
        st.builds("(for x in {}, y in {}..{} return {})".format, inner, inner, inner, inner),
        st.builds("(some x in {} satisfies {})".format, inner, inner),
        st.builds("(every x in {} satisfies {})".format, inner, inner),
        st.builds("({} between {} and {})".format, inner, inner, inner),
        st.builds("({} in ({}, < {}))".format, inner, inner, inner),
        st.builds("({} instance of {})".format, inner, st.sampled_from(["number", "list", "date", "Any"])),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("[{}..{})".format, inner, inner),
        st.builds("{{a: {}, b: {}}}".format, inner, inner),
        st.builds("(function(x, y) {})({}, {})".format, inner, inner, inner),
        st.builds("-({})".format, inner),
    )


EXPRESSIONS = st.recursive(ATOMS, larger, max_leaves=12)
TOKENS = st.lists(
    st.one_of(
        ATOMS,
        OPERATORS,
        FUNCTIONS,
        st.sampled_from([*"()[]{},.:;?@#'`", "..", "if", "then", "else", "for", "return", "//", "/*", "*/"]),
    ),
    max_size=12,
).map(" ".join)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def lookup(name: str) -> Value:
    return VARIABLES.get(name, MISSING)


def results(expression: Expression) -> list[str]:
    """Two evaluations as text; a function has none but its place, so it shows as JSON has it."""
    shown: list[str] = []
    for _ in range(2):
        evaluated = expression.evaluate(lookup, now_ms=1_600_000_000_000, steps_max=STEPS_MAX)
        value = getattr(evaluated, "value", None)
        shown.append(f"{to_json(value)!r} {getattr(evaluated, 'warnings', evaluated)}")
    return shown


@settings(max_examples=300, deadline=2_000)
@given(EXPRESSIONS)
def test_an_expression_has_one_result_and_never_raises(text: str) -> None:
    expression = compile_expression(text)

    assert isinstance(expression, Expression), f"{text}: {expression}"
    first, second = results(expression)
    assert first == second


@settings(max_examples=200, deadline=2_000)
@given(st.text(max_size=60) | TOKENS | st.text(alphabet='ab1."\\/*()[]{}<>=-+:,?@` \n', max_size=40))
def test_any_text_is_an_expression_or_a_syntax_problem(text: str) -> None:
    for compiled in (compile_expression(text), compile_unary_tests(text)):
        if isinstance(compiled, Expression):
            first, second = results(compiled)
            assert first == second


@settings(max_examples=200)
@given(JSON)
def test_values_survive_json(value: Value) -> None:
    written = to_json(value)

    assert to_json(from_json(written)) == written


@given(st.integers(-(10**34), 10**34), st.integers(-(10**34), 10**34), st.sampled_from(["+", "-", "*"]))
def test_whole_numbers_are_decimals_of_34_digits(left: int, right: int, operator: str) -> None:
    whole = compile_expression(f"a {operator} b")
    assert isinstance(whole, Expression)

    fast = whole.evaluate(lambda name: left if name == "a" else right)
    slow = whole.evaluate(lambda name: Decimal(left) if name == "a" else Decimal(right))

    assert fast == slow
