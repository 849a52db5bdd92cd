"""The tree of an expression."""

from typing import TypeAlias

import msgspec

from bpmnd.bpmn.feel.values import Value


class Node(msgspec.Struct, frozen=True, gc=False, eq=False):
    """Made once per expression, compiled, and thrown away."""


class Literal(Node, frozen=True):
    value: Value


class Name(Node, frozen=True):
    name: str


class Binary(Node, frozen=True):
    """`+ - * / **`"""

    operator: str
    left: "Tree"
    right: "Tree"


class Comparison(Node, frozen=True):
    """`= != < <= > >=`"""

    operator: str
    left: "Tree"
    right: "Tree"


class And(Node, frozen=True):
    """All operands of a chain side by side, so that a long one is not deep."""

    operands: tuple["Tree", ...]


class Or(Node, frozen=True):
    operands: tuple["Tree", ...]


class Negation(Node, frozen=True):
    operand: "Tree"


class Path(Node, frozen=True):
    source: "Tree"
    name: str


class Filter(Node, frozen=True):
    source: "Tree"
    condition: "Tree"


class Call(Node, frozen=True):
    """`function` is a `Name` for built-ins and variables, any other tree for what yields a function."""

    function: "Tree"
    arguments: tuple["Tree", ...]
    names: tuple[str, ...] | None = None


class If(Node, frozen=True):
    condition: "Tree"
    then: "Tree"
    otherwise: "Tree"


class Iterator(Node, frozen=True):
    """`name in source`, or `name in source..end`."""

    name: str
    source: "Tree"
    end: "Tree | None"


class For(Node, frozen=True):
    iterators: tuple[Iterator, ...]
    result: "Tree"


class Quantified(Node, frozen=True):
    every: bool
    iterators: tuple[Iterator, ...]
    condition: "Tree"


class Between(Node, frozen=True):
    value: "Tree"
    low: "Tree"
    high: "Tree"


class In(Node, frozen=True):
    value: "Tree"
    tests: tuple["Tree", ...]


class InstanceOf(Node, frozen=True):
    value: "Tree"
    type: "TypeName"


class TypeName(Node, frozen=True):
    """A type, with those it is made of: the element, the entries, or parameters and result at last."""

    name: str
    parts: tuple["TypeName", ...] = ()
    entries: tuple[str, ...] = ()


class ListOf(Node, frozen=True):
    items: tuple["Tree", ...]


class ContextOf(Node, frozen=True):
    entries: tuple[tuple[str, "Tree"], ...]


class RangeOf(Node, frozen=True):
    """Ends may be left out in unary tests only: `< 5` is a range without a start."""

    start: "Tree | None"
    end: "Tree | None"
    start_included: bool
    end_included: bool


class Test(Node, frozen=True):
    """`= 5` or `!= 5` as a unary test."""

    operator: str
    operand: "Tree"


class FunctionOf(Node, frozen=True):
    parameters: tuple[str, ...]
    types: tuple[TypeName | None, ...]
    body: "Tree"


class UnaryTests(Node, frozen=True):
    """`tests` is empty for `-`, which holds always."""

    tests: tuple["Tree", ...]
    negated: bool


Tree: TypeAlias = (
    Literal
    | Name
    | Comparison
    | Binary
    | And
    | Or
    | Negation
    | Path
    | Filter
    | Call
    | If
    | For
    | Quantified
    | Between
    | In
    | InstanceOf
    | ListOf
    | ContextOf
    | RangeOf
    | Test
    | FunctionOf
    | UnaryTests
)
