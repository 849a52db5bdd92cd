"""From a query to SQL. Names of columns come from our own tables; what a client sent becomes parameters."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, assert_never, final

import msgspec

from bpmnd.actors.history.entities import ENTITIES, RELATED, Entity, Field, Kind
from bpmnd.actors.history.names import ACTIVE
from bpmnd.actors.history.queries import (
    AnyOf,
    Below,
    Compare,
    Condition,
    Has,
    Operator,
    Order,
    Scalar,
    Search,
)

Lookup: TypeAlias = Callable[[str, Sequence[Scalar]], Sequence[tuple[Any, ...]]]
"""Runs a small query beforehand."""

FEW: Final = 10_000
"""So many rows are looked up one by one rather than met on a way through all."""
_INDEXED_PREFIX: Final = 40
_PARAMETERS_MAX: Final = 50
"""A longer list is one parameter, as SQLite takes so many only."""
_ELEMENTS_MAX: Final = 100
_BY_INDEX: Final = {"open incident", "failed job"}
"""Of these there are so few that they are found first."""
_COMPARISONS: Final = {
    Operator.GREATER: ">",
    Operator.AT_LEAST: ">=",
    Operator.LESS: "<",
    Operator.AT_MOST: "<=",
}


@final
class Statement:
    """SQL that grows with its parameters."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self.parameters: list[Scalar] = []

    def parameter(self, value: Scalar) -> str:
        self.parameters.append(value)
        return "?"

    def parameters_of(self, values: Sequence[Scalar]) -> str:
        self.parameters += values
        return ", ".join("?" * len(values))


def search_sql(search: Search, lookup: Lookup) -> tuple[str, Sequence[Scalar]]:
    """The rows of a search: the fields that are shown, then the values of the order, then the key."""
    entity = ENTITIES[search.entity]
    statement = Statement(lookup)
    columns = [
        f"substr({field.sql}, 1, {search.cut})" if field.is_cut and search.cut else field.sql
        for field in entity.shown.values()
        if not search.places_only
    ]
    columns += [entity.fields[order.field].sql for order in search.order]
    where = where_sql(statement, entity, search.conditions)
    orders = directions(search)
    if search.after is not None:
        where += f" AND ({_after_sql(statement, entity, search.order, orders, search.after)})"
    ordered = [
        f"{entity.fields[order.field].sql} {_direction(descending)}"
        for order, descending in zip(search.order, orders, strict=False)
    ]
    if len(search.order) == 1 and entity.fields[search.order[0].field].follows_key:
        ordered.clear()  # Rows stand in this order already.
    ordered.append(f"{entity.key} {_direction(orders[-1])}")
    sql = (
        f"SELECT {', '.join([*columns, entity.key])} FROM {entity.table}{entity.joins}"
        f" WHERE {where} ORDER BY {', '.join(ordered)} LIMIT {search.limit} OFFSET {search.offset}"
    )
    return sql, statement.parameters


def count_sql(search: Search, lookup: Lookup) -> tuple[str, Sequence[Scalar]]:
    """How many rows there are in all, up to one more than is counted."""
    entity = ENTITIES[search.entity]
    statement = Statement(lookup)
    where = where_sql(statement, entity, search.conditions)
    sql = (
        f"SELECT count(*) FROM (SELECT 1 FROM {entity.table}{entity.joins} WHERE {where}"
        f" LIMIT {search.count_max + 1})"
    )
    return sql, statement.parameters


def first_count_sql(search: Search, lookup: Lookup) -> tuple[str, Sequence[Scalar]]:
    """The same, but no further than is counted in any case."""
    return count_sql(msgspec.structs.replace(search, count_max=min(search.count_max, FEW)), lookup)


def directions(search: Search) -> list[bool]:
    """Whether each field of the order, and at last the key, goes down. Ties go as the first field goes."""
    orders = [order.descending != search.backward for order in search.order]
    return [*orders, orders[0] if orders else search.backward]


def where_sql(statement: Statement, entity: Entity, conditions: Sequence[Condition]) -> str:
    """All conditions. What the definition decides is decided first, so that rows are found by its key."""
    on_definition: list[Compare] = []
    on_element: list[Compare] = []
    parts: list[str] = []
    for condition in conditions:
        if isinstance(condition, Compare) and entity.fields[condition.field].on_definition:
            on_definition.append(condition)
        elif isinstance(condition, Compare) and entity.fields[condition.field].on_element:
            on_element.append(condition)
        else:
            parts.append(_condition_sql(statement, entity, condition))
    if on_definition:
        parts.append(_definitions_sql(statement, entity, on_definition))
    if on_element:
        parts.append(_elements_sql(statement, entity, on_element))
    return " AND ".join(parts) or "1"


def _elements_sql(statement: Statement, entity: Entity, conditions: Sequence[Compare]) -> str:
    """The same for what the element decides, unless there are too many of them."""
    inner = Statement(statement.lookup)
    where = " AND ".join(compare_sql(inner, entity.fields, condition) for condition in conditions)
    found = statement.lookup(
        f"SELECT e.definition_key, e.element FROM elements e WHERE {where} LIMIT {_ELEMENTS_MAX + 1}",
        inner.parameters,
    )
    if len(found) > _ELEMENTS_MAX:
        statement.parameters += inner.parameters
        return where
    each = [f"x.definition_key = {definition} AND x.element = {element}" for definition, element in found]
    return f"({' OR '.join(each)})" if each else "0"


def _condition_sql(statement: Statement, entity: Entity, condition: Condition) -> str:
    match condition:
        case Compare():
            return compare_sql(statement, entity.fields, condition)
        case Has(what, conditions, negated):
            has = _has_sql(statement, what, conditions)
            if what == "element instance" and _asks_for_active(conditions):
                has = f"(x.state = {ACTIVE} AND {has})"  # Only a live instance has one that is active.
            return f"NOT {has}" if negated else has
        case Below(key):
            return f"x.element_key IN ({_below_sql(statement, key)})"
        case AnyOf(groups):
            each = [f"({where_sql(statement, entity, group)})" for group in groups]
            return f"({' OR '.join(each)})" if each else "1"
        case _:
            assert_never(condition)


def _definitions_sql(statement: Statement, entity: Entity, conditions: Sequence[Compare]) -> str:
    inner = Statement(statement.lookup)
    where = " AND ".join(compare_sql(inner, entity.fields, condition) for condition in conditions)
    found = statement.lookup(f"SELECT d.key FROM definitions d WHERE {where}", inner.parameters)
    keys = ", ".join(str(key) for (key,) in found)
    if len(found) == 1:
        return f"x.definition_key = {keys}"
    if not found:
        return "0"
    table = entity.table.partition(" ")[0]
    ((count,),) = statement.lookup(
        f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE definition_key IN ({keys}) LIMIT {FEW + 1})", ()
    )
    # With many rows of several definitions, an index by definition would need a sort of them all.
    is_many = isinstance(count, int) and count > FEW
    return f"{'+' if is_many else ''}x.definition_key IN ({keys})"


def _has_sql(statement: Statement, what: str, conditions: Sequence[Condition]) -> str:
    source, fields = RELATED[what]
    inner = Statement(statement.lookup)
    parts = [_related_sql(inner, fields, condition) for condition in conditions]
    name, value = _equal(conditions, "name"), _equal(conditions, "value")
    is_found_first = what in _BY_INDEX
    if what == "variable" and name is not None and value is not None:
        ((count,),) = statement.lookup(
            "SELECT count(*) FROM (SELECT 1 FROM variables r WHERE r.name = ?"
            f" AND substr(r.value, 1, {_INDEXED_PREFIX}) = ? LIMIT {FEW + 1})",
            (name, _prefix(value)),
        )
        is_found_first = isinstance(count, int) and count <= FEW
    statement.parameters += inner.parameters
    where = "".join(f" AND {part}" for part in parts)
    if is_found_first:
        return f"x.key IN (SELECT r.instance_key FROM {source.replace('r.instance_key = x.key', '1')}{where})"
    return f"EXISTS (SELECT 1 FROM {source}{where})"


def _asks_for_active(conditions: Sequence[Condition]) -> bool:
    wanted = Compare("elementInstanceState", Operator.EQUAL, (ACTIVE,))
    return wanted in conditions


def _below_sql(statement: Statement, key: int) -> str:
    first, second = statement.parameter(key), statement.parameter(key)
    return (
        "WITH RECURSIVE below (key, instance_key) AS ("
        f" SELECT key, instance_key FROM element_instances WHERE key = {first}"
        f" UNION SELECT key, key FROM instances WHERE key = {second}"
        " UNION SELECT c.key, c.instance_key FROM below b JOIN element_instances c"
        "  ON c.instance_key = b.instance_key AND c.scope_key = b.key"
        " UNION SELECT i.key, i.key FROM below b JOIN instances i"
        "  ON i.parent_key = b.instance_key AND i.parent_element_key = b.key"
        ") SELECT key FROM below"
    )


def _related_sql(statement: Statement, fields: Mapping[str, Field], condition: Condition) -> str:
    assert isinstance(condition, Compare), f"{condition} is about nothing of its own"
    return compare_sql(statement, fields, condition)


def _equal(conditions: Sequence[Condition], name: str) -> str | None:
    for condition in conditions:
        if (
            isinstance(condition, Compare)
            and condition.field == name
            and condition.operator is Operator.EQUAL
            and isinstance(value := condition.values[0], str)
        ):
            return value
    return None


def compare_sql(statement: Statement, fields: Mapping[str, Field], compare: Compare) -> str:
    """One comparison. Numbers of enumerations stand in the text, so that partial indexes are found."""
    field = fields[compare.field]
    sql, values = field.sql, compare.values
    if field.found_by and compare.operator is Operator.EQUAL and values[0]:
        return field.found_by
    if field.kind is Kind.BOOLEAN and compare.operator is Operator.EQUAL:
        return f"({sql})" if values[0] else f"NOT ({sql})"
    match compare.operator:
        case Operator.EQUAL if field.has_prefix_index:
            # With a plus before it SQLite does not put the value into the expression that is indexed.
            whole, prefix = statement.parameter(values[0]), statement.parameter(_prefix(values[0]))
            return f"(+{sql} = {whole} AND substr({sql}, 1, {_INDEXED_PREFIX}) = {prefix})"
        case Operator.EQUAL:
            return f"{sql} = {_value_sql(statement, field, values[0])}"
        case Operator.NOT_EQUAL:
            return f"{sql} IS NOT {_value_sql(statement, field, values[0])}"
        case Operator.EXISTS:
            return f"{sql} IS NOT NULL" if values[0] else f"{sql} IS NULL"
        case Operator.IN:
            return f"{sql} IN ({_values_sql(statement, field, values)})"
        case Operator.NOT_IN:
            return f"({sql} IS NULL OR {sql} NOT IN ({_values_sql(statement, field, values)}))"
        case Operator.LIKE:
            return f"{sql} GLOB {statement.parameter(glob_of(str(values[0])))}"
        case operator:
            return f"{sql} {_COMPARISONS[operator]} {statement.parameter(values[0])}"


def _prefix(value: int | str) -> str:
    return str(value)[:_INDEXED_PREFIX]


def _value_sql(statement: Statement, field: Field, value: int | str) -> str:
    if field.kind is Kind.ENUM:
        assert isinstance(value, int), f"{value} is no number of a name"
        return str(value)
    return statement.parameter(value)


def _values_sql(statement: Statement, field: Field, values: Sequence[int | str]) -> str:
    if len(values) > _PARAMETERS_MAX and field.kind is not Kind.ENUM:
        return f"SELECT value FROM json_each({statement.parameter(msgspec.json.encode(values).decode())})"
    return ", ".join(_value_sql(statement, field, value) for value in values)


def glob_of(like: str) -> str:
    """The pattern of SQLite's GLOB for one of the API: `*`, `?`, and a backslash before what stands for
    itself."""
    pattern, escaped = "", False
    for character in like:
        if escaped or character == "[":
            pattern += f"[{character}]" if character in "*?[" else character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            pattern += character
    return pattern + "\\" if escaped else pattern


def _after_sql(
    statement: Statement,
    entity: Entity,
    orders: Sequence[Order],
    descending: Sequence[bool],
    after: Sequence[Scalar],
) -> str:
    """What comes after a row, of which the values in the order are known. NULL comes before all else."""
    columns = [*(entity.fields[order.field].sql for order in orders), entity.key]
    assert len(columns) == len(after), f"{after} is no place in {orders}"
    alternatives: list[str] = []
    equal: list[tuple[str, Scalar]] = []
    for column, down, value in zip(columns, descending, after, strict=True):
        beyond = _beyond(column, value, down=down)
        if beyond is not None:
            parts = [f"{known} IS {statement.parameter(known_value)}" for known, known_value in equal]
            parts.append(beyond if value is None else beyond.replace("?", statement.parameter(value), 1))
            alternatives.append(f"({' AND '.join(parts)})")
        equal.append((column, value))
    return " OR ".join(alternatives)


def _beyond(column: str, value: Scalar, *, down: bool) -> str | None:
    if value is None:
        return None if down else f"{column} IS NOT NULL"
    return f"({column} < ? OR {column} IS NULL)" if down else f"{column} > ?"


def _direction(descending: bool) -> str:
    return "DESC" if descending else "ASC"
