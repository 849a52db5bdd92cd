"""Built-ins that say how points and ranges lie to each other (Allen's relations).

An end that a range does not have lies infinitely far off.
"""

import re
from collections.abc import Callable
from typing import Final

from bpmnd.bpmn.feel import numbers
from bpmnd.bpmn.feel.builtins.registry import builtin
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.equality import order
from bpmnd.bpmn.feel.temporal_text import (
    parse_date,
    parse_date_time,
    parse_duration,
    parse_literal,
    parse_time,
)
from bpmnd.bpmn.feel.tokens import string_of
from bpmnd.bpmn.feel.values import Range, Value

_LITERAL: Final = re.compile(
    r'(?:(date and time|date|time|duration)\s*\(\s*|(@)\s*)?("(?:[^"\\]|\\.)*+")\s*(\))?|([-+]?[0-9.]{1,40})',
    re.ASCII,
)
_RANGE: Final = re.compile(r"\s*([\[\](])(.*?)\.\.(.*)([\[\])])\s*", re.DOTALL)

Relation = Callable[["_Pair"], bool]


class _Incomparable(Exception):  # noqa: N818 (never leaves this module)
    pass


class _Pair:
    """Two ranges, with the order of their ends. A point is a range from itself to itself."""

    __slots__ = ("_environment", "left", "right")

    def __init__(self, environment: Environment, left: Range, right: Range) -> None:
        self._environment = environment
        self.left = left
        self.right = right

    def starts(self) -> int:
        return self._order(self.left.start, -1, self.right.start, -1)

    def ends(self) -> int:
        return self._order(self.left.end, 1, self.right.end, 1)

    def end_to_start(self) -> int:
        return self._order(self.left.end, 1, self.right.start, -1)

    def mirrored(self) -> "_Pair":
        return _Pair(self._environment, self.right, self.left)

    def _order(self, one: Value, one_side: int, other: Value, other_side: int) -> int:
        if one is None:
            return 0 if other is None and one_side == other_side else one_side
        if other is None:
            return -other_side
        result = order(self._environment, one, other)
        if result is None:
            raise _Incomparable
        return result


def before(pair: _Pair) -> bool:
    between = pair.end_to_start()
    return between < 0 or (between == 0 and not (pair.left.end_included and pair.right.start_included))


def meets(pair: _Pair) -> bool:
    return pair.left.end_included and pair.right.start_included and pair.end_to_start() == 0


def overlaps(pair: _Pair) -> bool:
    return not before(pair) and not before(pair.mirrored())


def overlaps_before(pair: _Pair) -> bool:
    starts, ends = pair.starts(), pair.ends()
    begins_before = starts < 0 or (starts == 0 and pair.left.start_included and not pair.right.start_included)
    ends_before = ends < 0 or (ends == 0 and (not pair.left.end_included or pair.right.end_included))
    return begins_before and ends_before and not before(pair)


def finishes(pair: _Pair) -> bool:
    starts = pair.starts()
    begins_within = starts > 0 or (
        starts == 0 and (not pair.left.start_included or pair.right.start_included)
    )
    return pair.left.end_included == pair.right.end_included and pair.ends() == 0 and begins_within


def starts(pair: _Pair) -> bool:
    ends = pair.ends()
    ends_within = ends < 0 or (ends == 0 and (not pair.left.end_included or pair.right.end_included))
    return pair.left.start_included == pair.right.start_included and pair.starts() == 0 and ends_within


def includes(pair: _Pair) -> bool:
    starts, ends = pair.starts(), pair.ends()
    from_before = starts < 0 or (starts == 0 and (pair.left.start_included or not pair.right.start_included))
    to_behind = ends > 0 or (ends == 0 and (pair.left.end_included or not pair.right.end_included))
    return from_before and to_behind


def coincides(pair: _Pair) -> bool:
    return (
        pair.left.start_included == pair.right.start_included
        and pair.left.end_included == pair.right.end_included
        and pair.starts() == 0
        and pair.ends() == 0
    )


@builtin("range(from)")
def range_from_text(environment: Environment, text: str) -> Value:
    """A range written out, whose ends are numbers, strings, or times as `@"..."` or by their functions."""
    environment.charge_text(len(text))
    found = _RANGE.fullmatch(text)
    ends = None if found is None else (_literal(found[2].strip()), _literal(found[3].strip()))
    if found is None or ends is None or None in ends or type(ends[0]) is not type(ends[1]):
        environment.warn(f"Failed to parse range from '{text[:100]}'")
        return None
    if order(environment, ends[0], ends[1]) not in (-1, 0):
        return None
    return Range(ends[0], ends[1], found[1] == "[", found[4] == "]")


def _literal(text: str) -> Value:
    found = _LITERAL.fullmatch(text)
    if found is None:
        return None
    constructor, sign, quoted, closing, number = found.groups()
    if number is not None:
        return numbers.parsed(number) if number.count(".") <= 1 else None
    if (constructor is None) is not (closing is None):
        return None
    inner = string_of(quoted)
    match sign or constructor:
        case None:
            return inner
        case "@":
            return parse_literal(inner)
        case "date":
            return parse_date(inner)
        case "time":
            return parse_time(inner)
        case "duration":
            return parse_duration(inner)
        case _:
            return parse_date_time(inner)


def _mirrored(relation: Relation) -> Relation:
    return lambda pair: relation(pair.mirrored())


def _point(value: Value) -> Range:
    return value if isinstance(value, Range) else Range(value, value, True, True)


def _declare(name: str, kinds: str, relation: Relation) -> None:
    """`kinds` tells which arguments may be points: `pp`, `pr`, `rp`, `rr`."""
    allowed = kinds.split()

    def decide(environment: Environment, one: Value, other: Value) -> Value:
        given = "".join("r" if isinstance(value, Range) else "p" for value in (one, other))
        if given not in allowed or one is None or other is None:
            environment.warn(f"'{name}' does not take these arguments")
            return None
        try:
            return relation(_Pair(environment, _point(one), _point(other)))
        except _Incomparable:
            return None

    first, second = ("range1", "range2") if allowed == ["rr"] else ("value1", "value2")
    named = {"p": "point", "r": "range"}
    signatures = {f"{name}({first}, {second})"}
    for pair in allowed:
        one, other = named[pair[0]], named[pair[1]]
        if one == other:
            one, other = f"{one}1", f"{other}2"
        signatures.add(f"{name}({one}, {other})")
    builtin(*sorted(signatures))(decide)


_declare("before", "pp pr rp rr", before)
_declare("after", "pp pr rp rr", _mirrored(before))
_declare("meets", "rr", meets)
_declare("met by", "rr", _mirrored(meets))
_declare("overlaps", "rr", overlaps)
_declare("overlaps before", "rr", overlaps_before)
_declare("overlaps after", "rr", _mirrored(overlaps_before))
_declare("finishes", "pr rr", finishes)
_declare("finished by", "rp rr", _mirrored(finishes))
_declare("includes", "rp rr", includes)
_declare("during", "pr rr", _mirrored(includes))
_declare("starts", "pr rr", starts)
_declare("started by", "rp rr", _mirrored(starts))
_declare("coincides", "pp rr", coincides)
