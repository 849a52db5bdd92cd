"""What compiling and evaluating answer."""

from typing import Protocol

import msgspec

from bpmnd.bpmn.feel.values import Value


class SyntaxProblem(msgspec.Struct, frozen=True, gc=False):
    """Why a text is no expression, and at which character that was noticed."""

    message: str
    position: int


class Evaluated(msgspec.Struct, frozen=True, gc=False):
    """A result, with what was odd on the way to it."""

    value: Value
    warnings: tuple[str, ...]


class EvaluationFailure(msgspec.Struct, frozen=True, gc=False):
    """The expression was stopped, or an `assert` in it does not hold."""

    message: str


class NotBoolean(msgspec.Struct, frozen=True, gc=False):
    """A condition yielded something else than true or false."""

    value: Value
    warnings: tuple[str, ...] = ()


class Lookup(Protocol):
    """Where an expression finds its variables; `MISSING` stands for those that do not exist."""

    def __call__(self, name: str, /) -> Value: ...
