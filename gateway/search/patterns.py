"""Patterns of `$like`: `*` and `?`, and a backslash before what stands for itself."""

import re
from functools import lru_cache
from typing import Final

from bpmnd.actors.history.names import Names

LENGTH_MAX: Final = 2_000


@lru_cache(maxsize=16)
def expression_of(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression.

    After a `*` only the first place has to be tried where the next piece fits; what matched there is never
    tried otherwise. With plain `.*` a few of them would take for ever.
    """
    pieces, escaped = [""], False
    for character in pattern:
        if escaped or character not in "*?\\":
            pieces[-1] += re.escape(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "?":
            pieces[-1] += "."
        elif len(pieces) == 1 or pieces[-1]:
            pieces.append("")
    if escaped:
        pieces[-1] += re.escape("\\")
    if len(pieces) == 1:
        return re.compile(pieces[0], re.DOTALL)
    first, *middle, last = pieces
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in middle) + f".*{last}", re.DOTALL)


def names_like(names: Names, pattern: str) -> tuple[int, ...]:
    """The numbers of the names that a pattern fits."""
    expression = expression_of(pattern)
    return tuple(number for number, name in enumerate(names) if expression.fullmatch(name))
