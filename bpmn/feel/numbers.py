"""Numbers: decimals of 34 digits, rounded half to even."""

from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
)
from typing import Final

from bpmnd.bpmn.feel.values import Number

DIGITS: Final = 34
WHOLE_LIMIT: Final = 10**DIGITS

# Decimal128. Nothing traps: what has no result becomes NaN or infinite, and that becomes null.
CONTEXT: Final = Context(
    prec=DIGITS, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, capitals=1, clamp=0, traps=[]
)
# Wide enough to set the scale of any number there is.
_WIDE: Final = Context(prec=7000, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])

SCALE_MIN: Final = -6111
SCALE_MAX: Final = 6176


def settled(result: Decimal) -> Number | None:
    """The result of an operation, as the fast kind where it is whole."""
    if not result.is_finite():
        return None
    exponent = result.as_tuple().exponent
    assert isinstance(exponent, int), f"{result} is not finite"
    return int(result) if exponent >= 0 and result.adjusted() < DIGITS else result


def whole(value: int) -> Number | None:
    """A whole result, rounded when it has too many digits."""
    if -WHOLE_LIMIT < value < WHOLE_LIMIT:
        return value
    return settled(CONTEXT.create_decimal(value))


def add(left: Number, right: Number) -> Number | None:
    if type(left) is int and type(right) is int:
        return whole(left + right)
    return settled(CONTEXT.add(left, right))


def subtract(left: Number, right: Number) -> Number | None:
    if type(left) is int and type(right) is int:
        return whole(left - right)
    return settled(CONTEXT.subtract(left, right))


def multiply(left: Number, right: Number) -> Number | None:
    if type(left) is int and type(right) is int:
        return whole(left * right)
    return settled(CONTEXT.multiply(left, right))


def divide(left: Number, right: Number) -> Number | None:
    if not right:
        return None
    return settled(CONTEXT.divide(left, right))


def power(base: Number, exponent: Number) -> Number | None:
    """Whole numbers to a whole power are exact while they have room; roots and the like are rounded."""
    result = CONTEXT.power(base, exponent)
    return settled(result.normalize(CONTEXT)) if result.is_finite() else None


def negate(value: Number) -> Number:
    return -value if type(value) is int else CONTEXT.copy_negate(value)


def with_scale(value: Number, scale: int, rounding: str) -> Number | None:
    """The number with so many digits behind the point; before it, where the scale is negative."""
    if not SCALE_MIN <= scale <= SCALE_MAX:
        return None
    if isinstance(value, int):
        if scale >= 0:
            return value
        value = Decimal(value)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), f"{value} is not finite"
    if -exponent <= scale:
        return settled(value)
    rounded = value.quantize(Decimal((0, (1,), -scale)), rounding=rounding, context=_WIDE)
    plain = rounded if scale > 0 else rounded.quantize(Decimal(1), context=_WIDE)
    return settled(CONTEXT.plus(plain))


def parsed(text: str) -> Number | None:
    """The number that a text says; None for what is too large."""
    if len(text) <= DIGITS and text.isdecimal():
        return int(text)
    return settled(CONTEXT.create_decimal(text))
