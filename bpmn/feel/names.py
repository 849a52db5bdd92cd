"""Names of several words, found by longest match."""

from collections.abc import Iterable
from functools import lru_cache
from typing import final

from bpmnd.bpmn.feel.tokens import Token, tokenize


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
