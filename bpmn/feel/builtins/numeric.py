"""Built-ins about numbers."""

from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Final

from bpmnd.bpmn.feel import numbers
from bpmnd.bpmn.feel.builtins.registry import builtin
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.temporal import DayTimeDuration, YearMonthDuration
from bpmnd.bpmn.feel.values import Duration, Number, Value

_SCALE_LIMIT: Final = 10_000


def _rounding(name: str, rounding: str, *, scale_optional: bool) -> None:
    def rounded(environment: Environment, number: Number, scale: Number = 0) -> Value:
        digits = int(scale) if -_SCALE_LIMIT < scale < _SCALE_LIMIT else _SCALE_LIMIT
        result = numbers.with_scale(number, digits, rounding)
        if result is None:
            environment.warn(f"'{name}' takes a scale from {numbers.SCALE_MIN} to {numbers.SCALE_MAX}")
        return result

    builtin(f"{name}(n, scale{'?' if scale_optional else ''})")(rounded)


_rounding("decimal", ROUND_HALF_EVEN, scale_optional=False)
_rounding("floor", ROUND_FLOOR, scale_optional=True)
_rounding("ceiling", ROUND_CEILING, scale_optional=True)
_rounding("round up", ROUND_UP, scale_optional=False)
_rounding("round down", ROUND_DOWN, scale_optional=False)
_rounding("round half up", ROUND_HALF_UP, scale_optional=False)
_rounding("round half down", ROUND_HALF_DOWN, scale_optional=False)


def _function(name: str, calculate: Callable[[Number], Decimal]) -> None:
    def calculated(environment: Environment, number: Number) -> Value:
        environment.charge(20)
        result = calculate(number)
        settled = numbers.settled(result)
        if settled is None:
            environment.warn(f"'{name}' has no result for {number}")
        return settled

    builtin(f"{name}(number)")(calculated)


_function("sqrt", lambda number: numbers.CONTEXT.sqrt(number))
_function("log", lambda number: numbers.CONTEXT.ln(number))
_function("exp", lambda number: numbers.CONTEXT.exp(number))


@builtin("abs(n)", "abs(number)")
def absolute(environment: Environment, number: Number) -> Value:
    return numbers.negate(number) if number < 0 else number


@builtin("abs(n)")
def absolute_duration(environment: Environment, duration: Duration) -> Value:
    if isinstance(duration, DayTimeDuration):
        return DayTimeDuration(abs(duration.nanos))
    return YearMonthDuration(abs(duration.months))


@builtin("modulo(dividend, divisor)")
def modulo(environment: Environment, dividend: Number, divisor: Number) -> Value:
    """The rest of a division that rounds down, hence with the sign of the divisor."""
    if not divisor:
        environment.warn("Can't divide by zero")
        return None
    if isinstance(dividend, int) and isinstance(divisor, int):
        return dividend % divisor
    rest = numbers.CONTEXT.remainder(dividend, divisor)
    if rest.is_finite() and rest and (rest < 0) is not (divisor < 0):
        rest = numbers.CONTEXT.add(rest, divisor)
    result = numbers.settled(rest)
    if result is None:
        environment.warn("The quotient is too large to have a rest")
    return result


@builtin("odd(number)")
def is_odd(environment: Environment, number: Number) -> Value:
    return _rest_of_two(number) == 1


@builtin("even(number)")
def is_even(environment: Environment, number: Number) -> Value:
    return _rest_of_two(number) == 0


def _rest_of_two(number: Number) -> Number:
    if isinstance(number, int):
        return number % 2
    rest = abs(numbers.CONTEXT.remainder(number, 2))
    return rest if rest.is_finite() else 0  # So large a number has no digits left to be odd with.


@builtin("random number()")
def random_number(environment: Environment) -> Value:
    environment.warn("'random number' is not available: an expression has the same result whenever it runs")
    return None
