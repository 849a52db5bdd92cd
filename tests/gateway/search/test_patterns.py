"""Patterns of `$like`, where names are compared here and not in a table."""

import itertools

import pytest

from bpmnd.gateway.search.patterns import expression_of, names_like


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("A*", ("A_B", "A_C")),
        ("?_C", ("A_C",)),
        ("*\\**", ("B*C",)),
        ("*", ("A_B", "A_C", "B*C", "", "\\")),
        ("", ("",)),
        ("\\", ("\\",)),
        ("\\\\", ("\\",)),
        ("nothing", ()),
    ],
)
def test_a_pattern_finds_names(pattern: str, found: tuple[str, ...]) -> None:
    names = ("A_B", "A_C", "B*C", "", "\\")
    assert tuple(names[number] for number in names_like(names, pattern)) == found


def test_every_pattern_finds_what_trying_all_ways_finds() -> None:
    texts = ["".join(text) for length in range(5) for text in itertools.product("ab", repeat=length)]
    for length in range(6):
        for pattern in itertools.product("ab?*", repeat=length):
            expression = expression_of("".join(pattern))
            for text in texts:
                assert (expression.fullmatch(text) is not None) == _fits("".join(pattern), text), pattern


def _fits(pattern: str, text: str) -> bool:
    if not pattern or not text:
        return not text and not pattern.strip("*")
    if pattern[0] == "*":
        return _fits(pattern[1:], text) or _fits(pattern, text[1:])
    return pattern[0] in ("?", text[0]) and _fits(pattern[1:], text[1:])


@pytest.mark.parametrize("pattern", ["*" * 1000 + "x", "*a" * 500 + "x", "*?" * 500 + "x", "*aab" * 200])
def test_a_pattern_of_many_stars_ends(pattern: str) -> None:
    """With plain `.*` each of these takes longer than there is time."""
    assert expression_of(pattern).fullmatch("a" * 2000) is None
