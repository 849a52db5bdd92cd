"""Built-ins that make strings and numbers of other values."""

import re
from typing import Final

from bpmnd.bpmn.feel import numbers
from bpmnd.bpmn.feel.builtins.registry import builtin
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.texts import text_of
from bpmnd.bpmn.feel.values import Value

_NUMBER: Final = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d{1,9}+)?", re.ASCII)
_SIZE_MAX: Final = 10_000


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
