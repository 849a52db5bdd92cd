"""The order and the pages of searches: four styles of asking, and cursors that any replica can go on from."""

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

from bpmnd.actors.history.entities import Entity
from bpmnd.actors.history.queries import Order, Scalar
from bpmnd.gateway.complaints import missing, not_in_enum
from bpmnd.gateway.errors import bad_request, invalid_argument

LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 10_000
_INT32_MAX: Final = 2**31 - 1
_DIRECTIONS: Final = frozenset({"ASC", "DESC"})
_STYLES: Final = ("from", "after", "before")
_CURSOR: Final = msgspec.json.Decoder(list[int | str | None])


class Page(msgspec.Struct, frozen=True):
    """Which part of the result is wanted: so many from an offset, or after or before a place."""

    limit: int = LIMIT_DEFAULT
    offset: int = 0
    after: tuple[Scalar, ...] | None = None
    before: tuple[Scalar, ...] | None = None


def sort_of(fields: Collection[str], raw: object) -> tuple[Order, ...]:
    """The fields to sort by. One that comes again has no say any more."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise bad_request("Request property [sort] cannot be parsed: expected an array")
    orders: dict[str, Order] = {}
    for number, item in enumerate(cast(list[object], raw)):
        at = f"sort[{number}]"
        parts = _object(item, at, ("field", "order"))
        field, direction = parts.get("field"), parts.get("order")
        if field is None:
            raise invalid_argument([missing(f"{at}.field")])
        if not isinstance(field, str) or field not in fields:
            raise not_in_enum(f"{at}.field", str(field), frozenset(fields))
        if direction is not None and (not isinstance(direction, str) or direction not in _DIRECTIONS):
            raise not_in_enum(f"{at}.order", str(direction), _DIRECTIONS)
        orders.setdefault(field, Order(field, descending=direction == "DESC"))
    return tuple(orders.values())


def sorts_of(entity: Entity) -> tuple[str, ...]:
    return tuple(name for name, field in entity.fields.items() if field.sorts)


def page_of(raw: object, order_length: int = 0, *, styles: Sequence[str] = _STYLES) -> Page:
    """One of the styles: a limit alone, or one with `from`, `after` or `before`.

    A cursor has a value for each field of the order, and the key.
    """
    parts = _object(raw, "page", ("limit", *styles))
    given = [style for style in _STYLES if parts.get(style) is not None]
    if len(given) > 1:
        raise invalid_argument([f"Only one of [{', '.join(given)}] is allowed in page."])
    limit, offset = _integer(parts, "limit", LIMIT_DEFAULT), _integer(parts, "from", 0)
    limit_max = _INT32_MAX if "from" in given else LIMIT_MAX
    if not 1 <= limit <= limit_max:
        raise invalid_argument([f"The value for page.limit is '{limit}' but must be from 1 to {limit_max}."])
    if offset < 0:
        raise invalid_argument([f"The value for page.from is '{offset}' but must not be negative."])
    return Page(limit, offset, _cursor(parts, "after", order_length), _cursor(parts, "before", order_length))


def cursor_of(place: Sequence[Scalar]) -> str:
    """Opaque, and standard padded base64."""
    return base64.b64encode(msgspec.json.encode(place)).decode()


def _cursor(parts: Mapping[str, Any], name: str, order_length: int) -> tuple[Scalar, ...] | None:
    raw = parts.get(name)
    if raw is None:
        return None
    place: list[int | str | None] | None = None
    if isinstance(raw, str):
        try:
            place = _CURSOR.decode(base64.b64decode(raw, validate=True))
        except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, ValueError):
            place = None
    is_place = place is not None and len(place) == order_length + 1 and isinstance(place[-1], int)
    if place is None or not is_place or any(_is_too_large(value) for value in place):
        raise invalid_argument([f"The cursor in page.{name} cannot be read for this sort."])
    return tuple(place)


def _is_too_large(value: Scalar) -> bool:
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def _integer(parts: Mapping[str, Any], name: str, default: int) -> int:
    value: object = parts.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**31) <= value <= _INT32_MAX:
        raise bad_request(f"Request property [page.{name}] cannot be parsed: expected an integer of 32 bits")
    return value


def _object(raw: object, at: str, known: Sequence[str]) -> Mapping[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise bad_request(f"Request property [{at}] cannot be parsed: expected an object")
    parts = cast(dict[str, Any], raw)
    for name in parts:
        if name not in known:
            raise bad_request(f"Request property [{at}.{name}] cannot be parsed: there is no such property")
    return parts
