"""JSON to values and back."""

from decimal import Decimal
from typing import Final

import msgspec

from bpmnd.bpmn.feel.numbers import CONTEXT, DIGITS
from bpmnd.bpmn.feel.temporal import Date, DateTime, DayTimeDuration, Time, YearMonthDuration
from bpmnd.bpmn.feel.temporal_text import (
    java_date,
    java_date_time,
    java_day_time,
    java_year_month,
    java_zoned_time,
)
from bpmnd.bpmn.feel.values import Function, Range, Value


def _fraction(text: str) -> Decimal | None:
    """What is too large for a decimal has no value here."""
    number = CONTEXT.create_decimal(text)
    return number if number.is_finite() else None


_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_DECODER: Final = msgspec.json.Decoder(float_hook=_fraction)
_PLAIN: Final = frozenset((str, int, bool, type(None)))


def from_json(raw: bytes | msgspec.Raw) -> Value:
    """The value that a JSON text says. Numbers are taken as written, rounded at 34 digits.

    Null for what nobody can hold: a number of thousands of digits, half a character, a thousand levels.
    """
    try:
        value: Value = _DECODER.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return value


def to_json(value: Value) -> bytes:
    """The shortest JSON. Times become strings as Camunda writes them, ranges and functions null."""
    try:
        return _ENCODER.encode(value if type(value) in _PLAIN else _plain(value))
    except RecursionError:  # As deep as what `from_json` does not take.
        return b"null"


def _plain(value: Value) -> Value:
    match value:
        case Decimal():
            return _shortest(value)
        case list():
            return [one if type(one) in _PLAIN else _plain(one) for one in value]
        case dict():
            return {key: one if type(one) in _PLAIN else _plain(one) for key, one in value.items()}
        case Date():
            return java_date(value)
        case Time():
            return java_zoned_time(value)
        case DateTime():
            return java_date_time(value)
        case DayTimeDuration():
            return java_day_time(value)
        case YearMonthDuration():
            return java_year_month(value)
        case Range() | Function():
            return None
        case _:
            return value


def _shortest(number: Decimal) -> int | Decimal | None:
    if not number.is_finite():
        return None
    reduced = number.normalize(CONTEXT)
    exponent = reduced.as_tuple().exponent
    assert isinstance(exponent, int), f"{number} is not finite"
    return int(reduced) if 0 <= exponent < DIGITS else reduced
