"""Built-ins that make strings and numbers of other values."""

import re
from typing import Final

from bpmnd.bpmn.feel import numbers
from bpmnd.bpmn.feel.builtins.registry import builtin
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.json import from_json, to_json
from bpmnd.bpmn.feel.results import bounded
from bpmnd.bpmn.feel.texts import text_of
from bpmnd.bpmn.feel.values import Value

_NUMBER: Final = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d{1,9}+)?", re.ASCII)
_SIZE_MAX: Final = 10_000
_JSON_PER_STEP: Final = 4


@builtin("string(from)")
def string(environment: Environment, value: Value) -> Value:
    return None if value is None else text_of(environment, value)


@builtin("number(from)")
def number(environment: Environment, text: str) -> Value:
    result = None
    if len(text) <= _SIZE_MAX and _NUMBER.fullmatch(text):
        environment.charge_text(len(text))
        result = numbers.parsed(text)
    if result is None:
        environment.warn(f"Can't parse '{text[:100]}' as a number")
    return result


@builtin("number(from, grouping separator)")
def grouped_number(environment: Environment, text: str, grouping: str | None) -> Value:
    return separated_number(environment, text, grouping, ".")


@builtin("number(from, grouping separator, decimal separator)")
def separated_number(environment: Environment, text: str, grouping: str | None, point: str | None) -> Value:
    """A number as people write it: `1.000,50`."""
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", ".") or grouping == (point or "."):
        environment.warn("Expected a space, a comma or a point as separators, and not twice the same")
        return None
    if grouping is not None:
        text = text.replace(grouping, "")
    if point is not None and point != ".":
        if "." in text:
            environment.warn(f"Can't parse '{text[:100]}' as a number")
            return None
        text = text.replace(point, ".")
    return number(environment, text)


@builtin("to json(value)")
def to_json_text(environment: Environment, value: Value) -> Value:
    """JSON as variables have it: times are strings, ranges and functions null."""
    environment.charge(bounded(value) // _JSON_PER_STEP)
    return to_json(value).decode()


@builtin("from json(value)")
def from_json_text(environment: Environment, text: str) -> Value:
    environment.charge(len(text) // _JSON_PER_STEP)
    value = from_json(text.encode())
    if value is None and text.strip() != "null":
        environment.warn(f"Failed to parse JSON from '{text[:100]}'")
    return value


@builtin("fromAi(value, description?, type?, schema?, options?)")
def from_ai(
    environment: Environment,
    value: Value,
    description: Value = None,
    kind: Value = None,
    schema: Value = None,
    options: Value = None,
) -> Value:
    """The value as it is. The rest tells those who read the model what it is for."""
    return value
