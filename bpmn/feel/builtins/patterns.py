"""Regular expressions of users. They run on RE2, whose time is linear in the text, never on Python's `re`."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Protocol

import re2

from bpmnd.bpmn.feel.builtins.character_classes import without_subtractions
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.values import Value

_PATTERN_SIZE_MAX: Final = 4096
_MEMORY_MAX: Final = 1 << 20
_PROGRAMME_SIZE_MAX: Final = 1_000_000
# Our own patterns: the bounds of a repetition, and an escaped character, or a reference to a group.
_REPETITION: Final = re.compile(r"\{(\d{1,6})(?:,(\d{0,6}))?\}", re.ASCII)
_REFERENCE: Final = re.compile(r"\\([\\$])|\$(\d{1,2})|([\\$])", re.ASCII)


_BLOCK: Final = re.compile(r"\\p\{Is([\w-]{1,40})\}", re.ASCII)
_BLOCKS: Final = {
    "BasicLatin": r"[\x00-\x7F]",
    "Latin-1Supplement": r"[\x{80}-\x{FF}]",
    "LatinExtended-A": r"[\x{100}-\x{17F}]",
    "Greek": r"[\x{370}-\x{3FF}]",
    "Cyrillic": r"[\x{400}-\x{4FF}]",
}


class _Match(Protocol):
    def group(self, index: int = ..., /) -> str | None: ...
    def start(self) -> int: ...
    def end(self) -> int: ...


class _Pattern(Protocol):
    @property
    def groups(self) -> int: ...
    def search(self, text: str) -> _Match | None: ...
    def finditer(self, text: str) -> Iterator[_Match]: ...


@lru_cache(maxsize=256)
def _compiled(pattern: str, flags: str) -> _Pattern | str:
    """The pattern with XPath's flags, or why there is none."""
    if len(pattern) > _PATTERN_SIZE_MAX:
        return f"the pattern is longer than {_PATTERN_SIZE_MAX} characters"
    if unknown := set(flags) - set("smixq"):
        return f"there is no flag '{min(unknown)}'"
    if "q" not in flags:
        if "x" in flags:
            pattern = _without_blanks(pattern)
        pattern = without_subtractions(pattern)
        if _subtracts(pattern):
            return "only plain characters can be taken away from a class"
        if (translated := _translated(pattern, dot_is_any="s" in flags)) is None:
            return "there is no reference within a class"
        pattern = translated
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_MAX
    options.case_sensitive = "i" not in flags
    options.dot_nl = "s" in flags
    if "q" in flags:
        options.literal = True
    if "m" in flags and "q" not in flags:
        pattern = f"(?m){pattern}"
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it is no pattern"
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def _subtracts(pattern: str) -> bool:
    """Whether a class takes another away, as in `[a-z-[aeiou]]`, which RE2 would take for something else."""
    if "-[" not in pattern:
        return False
    within, escaped, before = False, False, ""
    for character in pattern:
        if escaped or character == "\\":
            escaped = not escaped
        elif character == "[" and within and before == "-":
            return True
        elif character in "[]":
            within = character == "["
        before = character
    return False


def _translated(pattern: str, *, dot_is_any: bool) -> str | None:
    """The pattern as RE2 says it: there a point matches a carriage return, and blocks of Unicode are unknown.
    None for a reference within a class."""
    kept: list[str] = []
    within, escaped = False, False
    for character in _BLOCK.sub(_block_of, pattern):
        if escaped:
            escaped = False
            if within and character.isdecimal():
                return None
        elif character == "\\":
            escaped = True
        elif character in "[]":
            within = character == "["
        elif character == "." and not within and not dot_is_any:
            character = r"[^\n\r]"
        kept.append(character)
    return "".join(kept)


def _block_of(found: re.Match[str]) -> str:
    return _BLOCKS.get(found[1], found[0])


def _without_blanks(pattern: str) -> str:
    """XPath's flag `x`: blanks mean nothing, but within square brackets."""
    kept: list[str] = []
    brackets, escaped = 0, False
    for character in pattern:
        if character in " \t\n\r" and not brackets:
            continue
        if escaped or character == "\\":
            escaped = not escaped
        elif character == "[":
            brackets += 1
        elif character == "]":
            brackets = max(brackets - 1, 0)
        kept.append(character)
    return "".join(kept)


def _programme_size(pattern: str) -> int:
    """About how long the pattern is with its repetitions written out, which is what running it costs."""
    size = len(pattern)
    for found in _REPETITION.finditer(pattern):
        times = max(int(found[1]), int(found[2] or 0), 1)
        size = min(size * times, _PROGRAMME_SIZE_MAX)
    return size


def _usable(environment: Environment, text: str, pattern: str, flags: str) -> _Pattern | None:
    weight = 1 + _programme_size(pattern) // 64
    environment.charge(10 + len(pattern) * weight + len(text) * weight // 8)
    compiled = _compiled(pattern, flags)
    if isinstance(compiled, str):
        environment.warn(f"Can't use the pattern '{pattern[:100]}': {compiled}")
        return None
    return compiled


def matched(environment: Environment, text: str, pattern: str, flags: str) -> Value:
    compiled = _usable(environment, text, pattern, flags)
    return None if compiled is None else compiled.search(text) is not None


def extracted(environment: Environment, text: str, pattern: str) -> Value:
    compiled = _usable(environment, text, pattern, "")
    if compiled is None:
        return None
    found: list[Value] = []
    for match in compiled.finditer(text):
        environment.charge(1)
        found.append(match.group())
    return found


def splitted(environment: Environment, text: str, delimiter: str) -> Value:
    """The parts between all matches. An empty match parts every character from the next."""
    compiled = _usable(environment, text, delimiter, "")
    if compiled is None:
        return None
    parts: list[Value] = []
    position = 0
    for match in compiled.finditer(text):
        environment.charge(1)
        if match.end() == match.start() == 0:
            continue
        parts.append(text[position : match.start()])
        position = match.end()
    parts.append(text[position:])
    return parts


def replaced(environment: Environment, text: str, pattern: str, replacement: str, flags: str) -> Value:
    compiled = _usable(environment, text, pattern, flags)
    if compiled is None:
        return None
    pieces = [replacement] if "q" in flags else _pieces(replacement, compiled.groups)
    if pieces is None:
        environment.warn(f"Can't use the replacement '{replacement[:100]}'")
        return None
    parts: list[str] = []
    position = 0
    for match in compiled.finditer(text):
        parts.append(text[position : match.start()])
        size = 0
        for piece in pieces:
            part = piece if isinstance(piece, str) else match.group(piece) or ""
            size += len(part)
            parts.append(part)
        environment.charge(1 + len(pieces))
        environment.charge_text(size)
        position = match.end()
    parts.append(text[position:])
    return "".join(parts)


def _pieces(replacement: str, groups: int) -> list[str | int] | None:
    """Texts and numbers of groups; None if there is no such group, or a sign stands alone."""
    pieces: list[str | int] = []
    position = 0
    for found in _REFERENCE.finditer(replacement):
        escaped, group, alone = found.groups()
        if alone is not None:
            return None
        pieces.append(replacement[position : found.start()])
        position = found.end()
        if escaped is not None:
            pieces.append(escaped)
        elif int(group) <= groups:
            pieces.append(int(group))
        elif int(group[0]) <= groups:
            pieces += [int(group[0]), group[1:]]
        else:
            return None
    pieces.append(replacement[position:])
    return [piece for piece in pieces if piece != ""]
