"""What a gateway asks the history of a partition, and what it is answered: plain data that nodes exchange.

Fields are named as in the API (`actors/history/entities/` says what they are here); values are as they are
stored: keys, moments and enumerations are numbers.
"""

from enum import StrEnum
from typing import TypeAlias

import msgspec

Scalar: TypeAlias = int | str | None


class Operator(StrEnum):
    EQUAL = "$eq"
    NOT_EQUAL = "$neq"
    EXISTS = "$exists"
    IN = "$in"
    NOT_IN = "$notIn"
    LIKE = "$like"
    GREATER = "$gt"
    AT_LEAST = "$gte"
    LESS = "$lt"
    AT_MOST = "$lte"


class _Part(msgspec.Struct, frozen=True, gc=False, array_like=True):
    pass


class Compare(_Part, frozen=True, gc=False, tag=1):
    """A field compared with a value; with one of several for `$in` and `$notIn`; `$exists` has 1 or 0."""

    field: str
    operator: Operator
    values: tuple[int | str, ...]


class Has(_Part, frozen=True, gc=False, tag=2):
    """There is something of this kind, as a variable of a process instance, for which all of this holds."""

    what: str
    conditions: tuple["Condition", ...]
    negated: bool = False


class AnyOf(_Part, frozen=True, gc=False, tag=3):
    """In one of the groups all conditions hold."""

    groups: tuple[tuple["Condition", ...], ...]


class Below(_Part, frozen=True, gc=False, tag=4):
    """It belongs to this process or element instance, or to what is within it or called from there."""

    key: int


Condition: TypeAlias = Compare | Has | AnyOf | Below


class Order(_Part, frozen=True, gc=False):
    field: str
    descending: bool = False


class Search(_Part, frozen=True, gc=False, tag=1):
    """The first rows of an entity in an order, after `after`.

    The order is completed by the key. `after` has the value of each field in the order, the key at last.
    `backward`: the order is turned round, so that these are the rows before. `count_max`: matches are counted
    up to there, or less if that takes long; 0: not at all. `cut`: values that may be long are shown up
    to so many characters, 0: whole. `places_only`: rows have only their place in the order.
    """

    entity: str
    conditions: tuple[Condition, ...] = ()
    order: tuple[Order, ...] = ()
    after: tuple[Scalar, ...] | None = None
    backward: bool = False
    offset: int = 0
    limit: int = 100
    count_max: int = 0
    cut: int = 0
    places_only: bool = False


class Report(_Part, frozen=True, gc=False, tag=2):
    """A count of something, by name; see `actors/history/reports.py`."""

    name: str
    values: tuple[int | str, ...] = ()
    conditions: tuple[Condition, ...] = ()


class TrailOf(_Part, frozen=True, gc=False, tag=3):
    """All that happened to one process instance, out of archive and log, from behind a place in them on. With
    `with_called` also what happened to the instances that it has called.

    A row is a place, of two numbers, then the record in JSON, and as a line to read.
    """

    instance_key: int
    with_called: bool = False
    after: tuple[int, int] = (0, 0)
    limit: int = 1000


Query: TypeAlias = Search | Report | TrailOf


class Found(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Rows, and how many there are in all, as far as they were counted: `is_more` if there are more.

    Of a search a row has the values of the entity's fields, then those of the order and the key.
    """

    rows: list[tuple[Scalar, ...]]
    total: int = 0
    is_more: bool = False
