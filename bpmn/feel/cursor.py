"""A place in the tokens of a text."""

from bpmnd.bpmn.feel.outcomes import SyntaxProblem
from bpmnd.bpmn.feel.tokens import END, KEYWORDS, NAME, NUMBER, Token


class Unexpected(Exception):  # noqa: N818 (a problem of the text, handed out as a value)
    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.problem = SyntaxProblem(message, position)


class Cursor:
    """Looks at the next tokens and takes them."""

    __slots__ = ("at", "tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def kind(self) -> str:
        return self.tokens[self.at][0]

    def word(self) -> str:
        return self.tokens[self.at][1]

    def take(self, kind: str) -> bool:
        if self.tokens[self.at][0] != kind:
            return False
        self.at += 1
        return True

    def expect(self, kind: str) -> None:
        if self.tokens[self.at][0] != kind:
            found = self.tokens[self.at]
            wanted = "the end" if kind == END else f"'{kind}'"
            raise self.unexpected(f"{wanted} expected, but found {repr(found[1]) if found[1] else 'the end'}")
        self.at += 1

    def unexpected(self, message: str) -> Unexpected:
        return Unexpected(message, self.tokens[self.at][2])

    def words_before(self, *ends: str) -> tuple[str, ...]:
        """The words up to one of the ends, which is passed too; none, if anything else is in between."""
        tokens, at = self.tokens, self.at
        while True:
            kind = tokens[at][0]
            if kind in ends and at > self.at:
                words = tuple(text.strip("`") for _, text, _ in tokens[self.at : at])
                self.at = at + 1
                return words
            if kind not in (NAME, NUMBER, "-", "+", "*", "/", ".") and kind not in KEYWORDS:
                return ()
            if at == self.at and kind != NAME and kind not in KEYWORDS:
                return ()
            at += 1
