"""`instance of`."""

from collections.abc import Callable, Mapping
from typing import Final

from bpmnd.bpmn.feel.syntax import TypeName
from bpmnd.bpmn.feel.values import Function, Range, Value, feel_type

_SPELLINGS: Final = {
    "number": "number",
    "string": "string",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "date and time": "date and time",
    "days and time duration": "days and time duration",
    "day-time-duration": "days and time duration",
    "years and months duration": "years and months duration",
    "year-month-duration": "years and months duration",
    "list": "list",
    "context": "context",
    "range": "range",
    "function": "function",
    "null": "null",
    "Null": "null",
    "Any": "Any",
}

TypeTest = Callable[[Value], bool]


def is_known_type(kind: TypeName, types: Mapping[str, TypeTest]) -> bool:
    """`types` are those that the model around the expression defines."""
    return (kind.name in _SPELLINGS or kind.name in types) and all(
        is_known_type(part, types) for part in kind.parts
    )


def type_test(kind: TypeName, types: Mapping[str, TypeTest]) -> TypeTest:
    """Null is an instance of nothing but `null`; `Any` takes whatever is not null."""
    if kind.name not in _SPELLINGS:
        return types[kind.name]
    name = _SPELLINGS[kind.name]
    if name == "Any":
        return lambda value: value is not None
    parts = [type_test(part, types) for part in kind.parts]
    match name, parts:
        case "list", [element]:
            return lambda value: isinstance(value, list) and all(_conforms(element, one) for one in value)
        case "range", [end]:
            return lambda value: (
                isinstance(value, Range) and end(value.start if value.start is not None else value.end)
            )
        case "context", [_, *_]:
            entries = list(zip(kind.entries, parts, strict=False))
            return lambda value: (
                isinstance(value, dict)
                and all(key in value and _conforms(part, value[key]) for key, part in entries)
            )
        case "function", [_, *_]:
            return lambda value: isinstance(value, Function) and len(value.parameters) == len(parts) - 1
        case _:
            return lambda value: feel_type(value) == name


def _conforms(test: TypeTest, value: Value) -> bool:
    return value is None or test(value)
