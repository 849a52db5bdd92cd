"""What an expression can yield, and how the types are called."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeAlias, TypeGuard, Union, cast, final

import msgspec

from bpmnd.bpmn.feel.temporal import Date, DateTime, DayTimeDuration, Time, YearMonthDuration

# Whole numbers are `int` while they have at most 34 digits, anything else is `Decimal`; both compare, hash
# and round alike, so nobody can tell them apart from within FEEL.
Number: TypeAlias = int | Decimal
Duration: TypeAlias = DayTimeDuration | YearMonthDuration
Temporal: TypeAlias = Date | Time | DateTime


@final
class Range(msgspec.Struct, frozen=True, gc=False):
    """An interval. An end that is None is open towards infinity."""

    start: "Value"
    end: "Value"
    start_included: bool
    end_included: bool


@final
class Function(msgspec.Struct, frozen=True, eq=False):
    """A function made by an expression. `call` takes as many arguments as there are parameters."""

    parameters: tuple[str, ...]
    call: "Callable[[list[Value]], Value]"


# Lists and contexts are never changed once they are made.
Value: TypeAlias = Union[  # noqa: UP007 (a string cannot stand beside `|`)
    bool,
    int,
    Decimal,
    str,
    list["Value"],
    dict[str, "Value"],
    Date,
    Time,
    DateTime,
    DayTimeDuration,
    YearMonthDuration,
    Range,
    Function,
    None,
]

# What a lookup answers when there is no such variable. Known by identity, never seen as a result.
MISSING: Final[Value] = cast("Value", object())

_ZEEBE_NAMES: Final[dict[type, str]] = {
    type(None): "NULL",
    bool: "BOOLEAN",
    int: "NUMBER",
    Decimal: "NUMBER",
    str: "STRING",
    list: "ARRAY",
    dict: "OBJECT",
    Date: "DATE",
    Time: "TIME",
    DateTime: "DATE_TIME",
    DayTimeDuration: "DURATION",
    YearMonthDuration: "PERIOD",
    # JSON has neither, so that both arrive as null.
    Range: "NULL",
    Function: "NULL",
}

_FEEL_NAMES: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    Decimal: "number",
    str: "string",
    list: "list",
    dict: "context",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    DayTimeDuration: "days and time duration",
    YearMonthDuration: "years and months duration",
    Range: "range",
    Function: "function",
}


def type_name(value: Value) -> str:
    """The type as Camunda's messages call it."""
    return _ZEEBE_NAMES[type(value)]


def feel_type(value: Value) -> str:
    """The type as FEEL calls it."""
    return _FEEL_NAMES[type(value)]


def is_number(value: Value) -> TypeGuard[Number]:
    kind = type(value)
    return kind is int or kind is Decimal
