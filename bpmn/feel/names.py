"""Names of several words, found by longest match."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, final

from bpmnd.bpmn.feel.tokens import Token, tokenize

_SIGNS: Final = frozenset(("+", "-", "*", "/", "**", "."))


@final
class Names:
    """Known names by their first word, the longest first."""

    __slots__ = ("_by_word",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_word: dict[str, list[tuple[str, ...]]] = {}
        for name in names:
            tokens = tokenize(name)
            if isinstance(tokens, list):
                self.add(tuple(word for _, word, _ in tokens[:-1]))

    def add(self, words: tuple[str, ...]) -> None:
        if len(words) > 1:
            known = self._by_word.setdefault(words[0], [])
            known.append(words)
            known.sort(key=len, reverse=True)

    def find(self, tokens: list[Token], at: int, followed_by: str | None = None) -> tuple[str, ...] | None:
        """The longest known name of several words that begins at a token."""
        known = self._by_word.get(tokens[at][1])
        if known is None:
            return None
        for words in known:
            end = at + len(words)
            if end >= len(tokens) or (followed_by is not None and tokens[end][1] != followed_by):
                continue
            if all(token[1] == word for token, word in zip(tokens[at:end], words, strict=True)):
                return words
        return None


@final
class Vocabulary:
    """All names of several words in a model. Any of them may stand behind a point.

    Where an expression begins, an entry may be meant that a filter brings, but not by a name with a sign in
    it that is more likely an operator.
    """

    __slots__ = ("entries", "properties")

    def __init__(self, names: Iterable[str]) -> None:
        self.properties = Names()
        self.entries = Names()
        for name in names:
            tokens = tokenize(name)
            if not isinstance(tokens, list):
                continue
            words = tuple(word for _, word, _ in tokens[:-1])
            self.properties.add(words)
            if _SIGNS.isdisjoint(words):
                self.entries.add(words)


@lru_cache(maxsize=64)
def names_of(names: frozenset[str]) -> Names:
    """An index of names given from outside; read only, as it is shared."""
    return Names(names)


def joined(words: Iterable[str]) -> str:
    """How a name of several words is spelled when it is looked up."""
    text = ""
    for word in words:
        glue = " " if text and (text[-1].isalnum() and word[0].isalnum()) else ""
        text += glue + word
    return text


def spelled(name: str) -> str:
    """A name from outside as it is spelled when an expression says it: `a  b` is `a b`, `a - b` is `a-b`."""
    tokens = tokenize(name)
    return joined(word for _, word, _ in tokens[:-1]) if isinstance(tokens, list) else name
