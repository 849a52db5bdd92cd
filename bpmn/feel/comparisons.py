"""Closures that compare. Whole numbers, which most conditions are about, never go through decimals."""

import operator
from collections.abc import Callable
from typing import Final

from bpmnd.bpmn.feel.closures import Closure
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.equality import equal, order
from bpmnd.bpmn.feel.operators import variable
from bpmnd.bpmn.feel.values import MISSING, Value

_WHOLE: Final[dict[str, Callable[[int, int], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(environment: Environment, sign: str, left: Value, right: Value) -> bool | None:
    """Any two values by any comparison."""
    if sign == "=":
        return equal(environment, left, right)
    if sign == "!=":
        same = equal(environment, left, right)
        return None if same is None else not same
    after = order(environment, left, right)
    return None if after is None else _WHOLE[sign](after, 0)


def compared(sign: str, left: Closure, right: Closure) -> Closure:
    whole = _WHOLE[sign]

    def comparison(environment: Environment) -> Value:
        one, other = left(environment), right(environment)
        if type(one) is int and type(other) is int:
            return whole(one, other)
        return compare(environment, sign, one, other)

    return comparison


def compared_to_whole(sign: str, left: Closure, number: int) -> Closure:
    whole = _WHOLE[sign]

    def comparison(environment: Environment) -> Value:
        value = left(environment)
        if type(value) is int:
            return whole(value, number)
        return compare(environment, sign, value, number)

    return comparison


def equal_to_text(left: Closure, text: str) -> Closure:
    """`= "text"`; a text as short as nobody has to pay for."""

    def comparison(environment: Environment) -> Value:
        value = left(environment)
        if type(value) is str:
            return value == text
        return equal(environment, value, text)

    return comparison


def variable_to_whole(sign: str, name: str, number: int) -> Closure:
    """A variable compared to a number, as in most conditions, by one call instead of two."""
    whole, read = _WHOLE[sign], variable(name)

    def comparison(environment: Environment) -> Value:
        known = environment.variables
        if name in known:
            value = known[name]
        else:
            value = environment.lookup(name)
            if value is MISSING:
                value = read(environment)
            known[name] = value
        if type(value) is int:
            return whole(value, number)
        return compare(environment, sign, value, number)

    return comparison


def variable_equal_to_text(name: str, text: str) -> Closure:
    """The same for `= "text"`."""
    read = variable(name)

    def comparison(environment: Environment) -> Value:
        known = environment.variables
        if name in known:
            value = known[name]
        else:
            value = environment.lookup(name)
            if value is MISSING:
                value = read(environment)
            known[name] = value
        if type(value) is str:
            return value == text
        return equal(environment, value, text)

    return comparison


def between(value: Closure, low: Closure, high: Closure) -> Closure:
    def within(environment: Environment) -> Value:
        subject = value(environment)
        above = compare(environment, ">=", subject, low(environment))
        below = compare(environment, "<=", subject, high(environment))
        if above is False or below is False:
            return False
        return None if above is None or below is None else True

    return within
