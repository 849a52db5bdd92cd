"""Classes of characters that take others away, `[a-z-[aeiou]]`, which XPath has and RE2 has not.

They are written out as ranges, as long as they consist of plain characters and ranges of them.
"""

import re
from typing import Final, TypeAlias

_SUBTRACTION: Final = re.compile(r"\[(\^?)([^\[\]\\]{1,60})-\[(\^?)([^\[\]\\]{1,60})\]\]")
_LAST: Final = 0x10FFFF
_Ranges: TypeAlias = list[tuple[int, int]]


def without_subtractions(pattern: str) -> str:
    """The pattern with all such classes written out; those with escapes in them stay as they are."""
    return _SUBTRACTION.sub(_written_out, pattern)


def _written_out(found: re.Match[str]) -> str:
    negated, base, taken_negated, taken = found.groups()
    ranges = _within(_ranges(base, negated=bool(negated)), _ranges(taken, negated=not taken_negated))
    if not ranges:
        return rf"[^\x00-\x{{{_LAST:X}}}]"
    return "[" + "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last in ranges) + "]"


def _ranges(text: str, *, negated: bool) -> _Ranges:
    """The ranges of a class in ascending order; of all other characters, if it is negated."""
    found: _Ranges = []
    at = 0
    while at < len(text):
        first = last = ord(text[at])
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            last = ord(text[at + 2])
            at += 2
        found.append((first, last))
        at += 1
    found.sort()
    if not negated:
        return found
    others: _Ranges = []
    begin = 0
    for first, last in found:
        if begin < first:
            others.append((begin, first - 1))
        begin = max(begin, last + 1)
    if begin <= _LAST:
        others.append((begin, _LAST))
    return others


def _within(ranges: _Ranges, allowed: _Ranges) -> _Ranges:
    """What is in both."""
    return [
        (max(first, low), min(last, high))
        for first, last in ranges
        for low, high in allowed
        if max(first, low) <= min(last, high)
    ]
