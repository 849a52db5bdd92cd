"""What an entity is: a table of its fields, with what they are called in the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, final

from bpmnd.actors.history.names import Names


class Kind(Enum):
    """What the values of a field are outside."""

    KEY = auto()
    TEXT = auto()
    INTEGER = auto()
    MOMENT = auto()
    BOOLEAN = auto()
    ENUM = auto()
    JSON = auto()
    """Text that is JSON, shown as what it stands for."""


class Filter(Enum):
    """How a field can be filtered by."""

    NONE = auto()
    PLAIN = auto()
    """By equality alone, without operators."""
    BASIC = auto()
    """All operators of its kind, but for `$like`."""
    FULL = auto()
    FULL_NOT_IN = auto()
    """With `$notIn`, which only some enumerations have."""


@final
@dataclass(frozen=True, slots=True)
class Field:
    """A column or an expression, but no bare number: in an order that would be the number of a column."""

    sql: str
    kind: Kind
    filter: Filter = Filter.FULL
    sorts: bool = True
    shows: bool = True
    names: Names = ()
    on_definition: bool = False
    """It is the same for all rows of a definition: which those are is found out before."""
    on_element: bool = False
    """The same for all instances of an element."""
    has_prefix_index: bool = False
    """There is an index on its first characters."""
    follows_key: bool = False
    """In one partition it never goes down as keys go up."""
    is_cut: bool = False
    """It may be long, and be cut where it is shown."""
    found_by: str = ""
    """Where few rows have it: a condition by which they are looked up one by one."""


@final
@dataclass(frozen=True, slots=True)
class Entity:
    """A table that is searched, and what is joined to it only when a field needs it."""

    table: str
    joins: str
    key: str
    fields: Mapping[str, Field]

    @property
    def shown(self) -> Mapping[str, Field]:
        return {name: field for name, field in self.fields.items() if field.shows}


DEFINITION: Final = " LEFT JOIN definitions d ON d.key = x.definition_key"
ELEMENT: Final = " LEFT JOIN elements e ON e.definition_key = x.definition_key AND e.element = x.element"
INSTANCE: Final = " LEFT JOIN instances i ON i.key = x.instance_key"
ROOT: Final = Field("coalesce(i.root_key, x.instance_key)", Kind.KEY, Filter.NONE, sorts=False)


def key_field(column: str, *, filter: Filter = Filter.FULL, sorts: bool = True, shows: bool = True) -> Field:
    return Field(f"x.{column}", Kind.KEY, filter, sorts, shows)


def enum_field(
    column: str, names: Names, *, filter: Filter = Filter.FULL, sorts: bool = True, shows: bool = True
) -> Field:
    return Field(column, Kind.ENUM, filter, sorts, shows, names)


def definition_field(
    column: str, kind: Kind = Kind.TEXT, *, filter: Filter = Filter.FULL, sorts: bool = True
) -> Field:
    return Field(f"d.{column}", kind, filter, sorts, on_definition=True)


def plain_field(column: str, kind: Kind = Kind.TEXT, *, sorts: bool = True) -> Field:
    return Field(column, kind, Filter.PLAIN, sorts)


TENANT: Final = definition_field("tenant_id")
