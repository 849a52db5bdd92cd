"""The statements of the exporter, each made once. They take many rows, with a column for a parameter: that
costs less than half of a row at a time."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, Table, bindparam, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert

NOTHING: Final = select(literal(1))
ENTITY_COLUMNS: Final = ("key", "partition", "entry", "number")
"""What every row has that changes."""


@cache
def insert_new(table: Table, columns: tuple[str, ...]) -> Insert:
    """Only what is not there."""
    return insert(table).from_select(columns, _unnested(table, columns)).on_conflict_do_nothing()


@cache
def upsert(table: Table, columns: tuple[str, ...]) -> Insert:
    """Only what is newer than what is there, and only what it says."""
    everything = (*ENTITY_COLUMNS, *columns)
    if has_lists(table, columns):
        statement = insert(table)  # An array of arrays would be taken apart whole.
    else:
        statement = insert(table).from_select(everything, _unnested(table, everything))
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={name: new[name] for name in (*columns, "entry", "number")},
        where=tuple_(table.c.entry, table.c.number) < tuple_(new.entry, new.number),
    )


def has_lists(table: Table, columns: Sequence[str]) -> bool:
    """Whether rows have to be written one by one."""
    return any(isinstance(table.c[name].type, ARRAY) for name in columns)


def by_column(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Mapping[str, list[Any]]:
    """The parameters of a statement that takes a column at a time."""
    return {name: list(values) for name, values in zip(columns, zip(*rows, strict=True), strict=True)}


def _unnested(table: Table, columns: Sequence[str]) -> Select[Any]:
    parameters = (bindparam(name, type_=ARRAY(table.c[name].type)) for name in columns)
    return select(*map(func.unnest, parameters))
