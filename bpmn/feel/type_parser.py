"""Types, as they stand behind `instance of` and behind parameters."""

from typing import Final

from bpmnd.bpmn.feel.cursor import Cursor
from bpmnd.bpmn.feel.limits import NESTING_MAX
from bpmnd.bpmn.feel.names import Names, joined
from bpmnd.bpmn.feel.syntax import TypeName
from bpmnd.bpmn.feel.tokens import NAME, Token

_TYPES: Final = Names(
    (
        "date and time",
        "days and time duration",
        "day-time-duration",
        "years and months duration",
        "year-month-duration",
    )
)


class TypeParser(Cursor):
    """Takes types, within the same bound of nesting as the expressions around them."""

    __slots__ = ("depth",)

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.depth = 0

    def type_name(self) -> TypeName:
        self.depth += 1
        if self.depth > NESTING_MAX:
            raise self.unexpected("nested too deeply")
        kind, text, _ = self.tokens[self.at]
        if words := _TYPES.find(self.tokens, self.at):
            self.at += len(words)
            name = joined(words)
        elif kind == NAME or kind in ("function", "null"):
            self.at += 1
            name = text
            while self.kind() == "." and self.tokens[self.at + 1][0] == NAME:  # A type of an imported model.
                name += f".{self.tokens[self.at + 1][1]}"
                self.at += 2
        else:
            raise self.unexpected("a type expected")
        parts: list[TypeName] = []
        entries: list[str] = []
        if self.kind() == "<" and name in ("list", "range", "context", "function"):
            self.at += 1
            while not self.take(">"):
                if parts:
                    self.expect(",")
                if entry := self.words_before(":"):
                    entries.append(joined(entry))
                parts.append(self.type_name())
        if name == "function" and self.take("->"):
            parts.append(self.type_name())
        self.depth -= 1
        return TypeName(name, tuple(parts), tuple(entries))
