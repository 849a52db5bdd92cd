"""The language where Zeebe has less than DMN 1.5, or where nobody was asked."""

from decimal import Decimal

import pytest

from bpmnd.bpmn.feel import Value
from tests.bpmn.feel.expressions import json, passes, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e3", "1000"),
        (".5 + .5", "1"),
        ("1/3*3 < 1", "true"),
        ("12345678901234567890123456789012345", "12345678901234567890123456789012340"),
        ("9999999999999999999999999999999999 + 1", "1E+34"),
        ("for i in [1..3] return i", "[1,2,3]"),
        ("for i in (1..3) return i", "[2]"),
        ("for i in [3..1] return i", "null"),
        ('for d in @"2020-02-28"..@"2020-03-01" return d', '["2020-02-28","2020-02-29","2020-03-01"]'),
        ("(function(x) x + 1)(2)", "3"),
        ("[1..3].end included", "true"),
        ("[1..3] = [1..3]", "true"),
        ("[1] instance of list<number>", "true"),
        ('["a"] instance of list<number>', "false"),
        ("{a: 1} instance of context<a: number>", "true"),
        ("(function(a, b) a) instance of function<Any, Any> -> Any", "true"),
        ("[1..2] instance of range<number>", "true"),
        ("{f: function(n) if n = 0 then 0 else n + f(n - 1), r: f(10)}.r", "55"),
        ("for i in 1..2 return {was: partial}", '[{"was":[]},{"was":[{"was":[]}]}]'),
        ("(for f in (for i in 1..3 return function(x) x + i) return f(10))", "[11,12,13]"),
        ('{"a": 1, b c: 2, d: b c + a}.d', "3"),
        ('"\\u0041\\n\\t\\"\\\\\\U01F600"', '"A\\n\\t\\"\\\\😀"'),
        ('string length("😀")', "1"),
        ("1 = 1 = true", "true"),
        ("x in (1 + 2) * 2", "true"),
        ("x in (= 6)", "true"),
        ("not(x in (1, 2))", "true"),
        ('range("[1..3]") = [1..3]', "true"),
        ("5 in (<= 5)", "true"),
        ("5 in (null..10]", "null"),
        ("sort([2,1], before)", "[1,2]"),
        ("partition([1,2,3], 2)", "[[1,2],[3]]"),
        ("list replace([1,2], 1, 9)", "[9,2]"),
        ("list replace([1,2,3], function(old, new) old < new, 3)", "[3,3,3]"),
        ('is(@"10:00:00Z", @"10:00:00+00:00")', "true"),
        ('- duration("P1Y")', '"P-1Y"'),
        ("if a.b then 1 else 2", "2"),
        ("{a: {b: 1}, c: a.b}.c", "1"),
        ("some i in 1..3, j in 1..3 satisfies i + j = 6", "true"),
        ("{item: 1}.item", "1"),
        ("[[1,2],[3]][count(item) = 2]", "[[1,2]]"),
        ("uuid()", "null"),
        ("random number()", "null"),
        ("10 ** 33 + 0.5", "1000000000000000000000000000000000"),
    ],
)
def test_the_result_is_the_one_of_dmn(text: str, expected: str) -> None:
    assert json(text, b'{"x":6}') == expected


def test_numbers_have_34_digits() -> None:
    assert value("2 / 3") == Decimal("0.6666666666666666666666666666666667")


def test_a_name_of_an_element_comes_before_a_variable_in_a_filter() -> None:
    assert value("orders[price > limit]", orders=[{"price": 5}, {"price": 9, "limit": 20}], limit=6) == []


def test_an_entry_shadows_a_builtin_function() -> None:
    assert value("{count: function(x) 7, r: count([1])}.r") == 7


@pytest.mark.parametrize(
    ("tests", "subject", "expected"),
    [
        ("-", 5, True),
        ("5", 5, True),
        ("5, 6", 7, False),
        ("< 5", 4, True),
        ("> 1, < 0", 1, False),
        (">= 5", 5, True),
        ("= 5", 5, True),
        ("!= 5", 5, False),
        ("[1..5]", 5, True),
        ("]1..5[", 5, False),
        ("not(5, 6)", 7, True),
        ("not(5)", 5, False),
        ("? > 3", 4, True),
        ("? > 3 and ? < 5", 5, False),
        ('starts with(?, "a")', "abc", True),
        ('"a", "b"', "b", True),
        ("null", None, True),
        ("limit", 3, True),
        ("< limit", 3, False),
        ("true", True, True),
        ("true", False, False),
        ("[1, 2]", 2, True),
        ("< 5", "a", None),
        ("limit + 1", 4, True),
        ('date("2020-01-01")', None, False),
        ("every x in ? satisfies x > 0", [1, 2], True),
        ("not(limit > 2)", 9, False),
        ("limit = 3", False, True),
        ("limit = 4", False, True),
        ("? > 3", None, None),
        ("? = true", False, False),
        ("?", 5, None),
    ],
)
def test_a_unary_test_asks_about_its_input(tests: str, subject: object, expected: bool | None) -> None:
    assert isinstance(subject, int | str | list | None)
    assert passes(tests, subject, limit=3) is expected  # pyright: ignore[reportUnknownArgumentType]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('to json({a: [1, 2.50, "x", date("2020-01-01"), null]})', '{"a":[1,2.5,"x","2020-01-01",null]}'),
        ('from json("{\\"a\\": [1, 2.5]}").a[1]', 1),
        ('from json("nope")', None),
        ("from json(to json({a: 1})).a", 1),
        ("fromAi(5)", 5),
        ('fromAi(5, null, "number")', 5),
        ('fromAi(value: 5, type: "number", options: {required: true})', 5),
        ("3 in (= 3)", True),
        ("(= 3).start", 3),
        (r'matches("a\u000Db", "a.b")', False),
        (r'matches("a\u000Db", "a.b", "s")', True),
        (r'matches("aé", "^\p{IsBasicLatin}+$")', False),
        (r'matches("a", "[a\1]")', None),
        ('extract("abcdefg", "[a-g-[bd-e]]")', ["a", "c", "f", "g"]),
        ('extract("abc1-", "[^a-b-[c]]")', ["1", "-"]),
        ('extract("abcde", "[a-e-[^b-d]]")', ["b", "c", "d"]),
        ('matches("a", "[a-[a]]")', False),
        (r'matches("a", "[\w-[\d]]")', None),
    ],
)
def test_functions_and_patterns(text: str, expected: Value) -> None:
    assert value(text) == expected
