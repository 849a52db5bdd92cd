"""Text to tokens. A name is one word here; which words belong together is the parser's to know."""

import re
from collections.abc import Callable
from typing import Final

from bpmnd.bpmn.feel.outcomes import SyntaxProblem

# Kinds of tokens. An operator's and a keyword's kind is its own text.
NUMBER: Final = "number"
STRING: Final = "string"
TEMPORAL: Final = "temporal"
NAME: Final = "name"
END: Final = "end"

KEYWORDS: Final = frozenset(
    ("and", "or", "if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "between")
) | frozenset(("instance", "function", "true", "false", "null"))

# Our own pattern, not a user's; no part of it can match in two ways. Apostrophes stand in names of DMN.
_TOKEN: Final = re.compile(
    r"(?:[\s\u200b\ufeff]++|//[^\n\r]*+|/\*.*?\*/)*+"
    r"(?:(?P<number>\d+(?:\.(?!\.)\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d][\w$]*|[?$_][\w$]*|[\U00010000-\U000EFFFF][\w$\U00010000-\U000EFFFF]*)"
    r"|(?P<temporal>@\s*\"(?:[^\"\\]|\\.)*\")"
    r'|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<quoted>`[^`]+`)"
    r"|(?P<operator>\.\.|\*\*|<=|>=|!=|->|/(?!\*)|[-+*()\[\]{},:.<>='\u2019]))",
    re.DOTALL,
)
_BLANK: Final = re.compile(r"(?:[\s\u200b\ufeff]++|//[^\n\r]*+|/\*.*?\*/)*+", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(.))", re.DOTALL)
_SURROGATES: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")
_PLAIN_ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "\\": "\\",
    "'": "'",
}

# (kind, text, position); a plain tuple, as they are many and short-lived.
Token = tuple[str, str, int]


def tokenize(text: str) -> list[Token] | SyntaxProblem:
    """All tokens, and one of kind END behind the last."""
    tokens: list[Token] = []
    add: Callable[[Token], None] = tokens.append
    match = _TOKEN.match
    position = 0
    while found := match(text, position):
        kind = found.lastgroup
        assert kind is not None, f"a token of no kind at {position} of {text}"
        word = found[kind]
        position = found.end()
        if kind == "operator" or word in KEYWORDS:
            add((word, word, position - len(word)))
        elif kind == "quoted":
            add((NAME, word, position - len(word)))
        else:
            add((kind, word, position - len(word)))
    blank = _BLANK.match(text, position)
    end = blank.end() if blank is not None else position
    if end < len(text):
        return SyntaxProblem(f"unexpected character {text[end]!r}", end)
    add((END, "", end))
    return tokens


def string_of(literal: str) -> str:
    """The text that a string literal stands for. An unknown escape stands for itself, as `\\d` does."""
    inner = literal[1:-1]
    if "\\" not in inner:
        return inner
    plain = _ESCAPE.sub(_unescaped, inner)
    return _SURROGATES.sub(_joined, plain)


def _unescaped(found: re.Match[str]) -> str:
    short, long, other = found.groups()
    if other is not None:
        return _PLAIN_ESCAPES.get(other, "\\" + other)
    code = int(short or long, 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def _joined(found: re.Match[str]) -> str:
    """Two halves of a character as one; half a character alone has no meaning and no UTF-8."""
    return found[0].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
