"""Filters of searches: read strictly, by the table of the entity's fields."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

from bpmnd.actors.history.entities import RELATED, USER_TASKS, Entity, Field, Filter, Kind
from bpmnd.actors.history.queries import AnyOf, Compare, Condition, Has, Operator
from bpmnd.gateway.complaints import missing, not_in_enum
from bpmnd.gateway.errors import Problem, bad_request, invalid_argument
from bpmnd.gateway.keys import key_in_body
from bpmnd.gateway.search.patterns import LENGTH_MAX, expression_of, names_like

_ORDERED: Final = (Operator.GREATER, Operator.AT_LEAST, Operator.LESS, Operator.AT_MOST)
_LISTS: Final = (Operator.IN, Operator.NOT_IN)
_BASIC: Final = (Operator.EQUAL, Operator.NOT_EQUAL, Operator.EXISTS, Operator.IN)
_OPERATORS: Final[Mapping[Kind, frozenset[Operator]]] = {
    Kind.KEY: frozenset({*_BASIC, Operator.NOT_IN}),
    Kind.TEXT: frozenset({*_BASIC, Operator.NOT_IN, Operator.LIKE}),
    Kind.INTEGER: frozenset({*_BASIC, *_ORDERED}),
    Kind.MOMENT: frozenset({*_BASIC, *_ORDERED}),
    Kind.ENUM: frozenset({*_BASIC, Operator.LIKE}),
    Kind.BOOLEAN: frozenset(),
    Kind.JSON: frozenset(),
}
_INT32: Final = range(-(2**31), 2**31)
_FINER: Final = re.compile(r"[.,]\d{3}\d*[1-9]")
"""A part of a second with more than milliseconds."""
_OF_NOTHING: Final = {Operator.EQUAL: Operator.IN, Operator.NOT_EQUAL: Operator.NOT_IN}
_BEYOND: Final = {Operator.AT_LEAST: Operator.GREATER, Operator.LESS: Operator.AT_MOST}
"""What asks the same of whole milliseconds of a moment between two, for which the earlier stands."""
CONDITIONS_MAX: Final = 500
LIST_MAX: Final = 10_000
_OF_INCIDENT: Final = ("errorMessage", "incidentErrorHashCode")
_OF_ELEMENT: Final = ("elementInstanceState", "elementId", "hasElementInstanceIncident")


def conditions_of(entity: Entity, raw: object, at: str = "filter") -> tuple[Condition, ...]:
    """The conditions in a filter; what is null is left out."""
    conditions: list[Condition] = []
    for name, value in _object(raw, at).items():
        field = entity.fields.get(name)
        if field is None or field.filter is Filter.NONE:
            raise _unknown(f"{at}.{name}")
        conditions += _conditions_on(name, field, value, f"{at}.{name}")
    return tuple(conditions)


def instance_conditions_of(
    entity: Entity, raw: object, at: str = "filter", *, without: frozenset[str] = frozenset()
) -> tuple[Condition, ...]:
    """The same for process instances, which can be filtered by what belongs to them, and by alternatives."""
    plain: dict[str, object] = {}
    conditions: list[Condition] = []
    related: dict[str, dict[str, object]] = {}
    for name, value in _object(raw, at).items():
        place = f"{at}.{name}"
        if value is None:
            continue
        if name in without:
            raise _unknown(place)
        if name == "$or":
            groups = _list(value, place)
            inner = [
                instance_conditions_of(entity, group, f"{place}[{n}]", without=without | {"$or"})
                for n, group in enumerate(groups)
            ]
            conditions.append(AnyOf(tuple(inner)))
        elif name == "variables":
            conditions += variable_conditions(value, place)
        elif name == "tags":
            tags = [_text(tag, f"{place}[{n}]") for n, tag in enumerate(_list(value, place))]
            conditions += [Has("tag", (Compare("tag", Operator.EQUAL, (tag,)),)) for tag in tags]
        elif name == "hasRetriesLeft":
            conditions.append(Has("failed job", (), negated=not _boolean(value, place)))
        elif name in _OF_INCIDENT:
            related.setdefault("open incident", {})[name] = value
        elif name in _OF_ELEMENT:
            related.setdefault("element instance", {})[name] = value
        else:
            plain[name] = value
    if plain.keys() >= {"batchOperationId", "batchOperationKey"}:
        raise invalid_argument(["Only one of [batchOperationId, batchOperationKey] is allowed."])
    conditions += conditions_of(entity, plain, at)
    for what, some in related.items():
        fields = RELATED[what][1]
        inner_conditions = [
            condition
            for name, value in some.items()
            for condition in _conditions_on(name, fields[name], value, f"{at}.{name}")
        ]
        if inner_conditions:
            conditions.append(Has(what, tuple(inner_conditions)))
    return tuple(conditions)


def task_conditions_of(raw: object, at: str = "filter") -> tuple[Condition, ...]:
    """The same for user tasks."""
    plain: dict[str, object] = {}
    conditions: list[Condition] = []
    for name, value in _object(raw, at).items():
        place = f"{at}.{name}"
        if value is None:
            continue
        if name in ("candidateGroup", "candidateUser"):
            conditions += _candidate_conditions(name, value, place)
        elif name == "processInstanceVariables":
            conditions += variable_conditions(value, place, "variable of instance")
        elif name == "localVariables":
            conditions += variable_conditions(value, place, "variable of task")
        elif name == "tags":
            tags = [_text(tag, f"{place}[{n}]") for n, tag in enumerate(_list(value, place))]
            conditions += [Has("tag of task", (Compare("tag", Operator.EQUAL, (tag,)),)) for tag in tags]
        else:
            plain[name] = value
    return (*conditions, *conditions_of(USER_TASKS, plain, at))


def _candidate_conditions(name: str, raw: object, at: str) -> list[Condition]:
    """Of the candidates one is such; what is denied is so of all."""
    positive = {Operator.NOT_EQUAL: Operator.EQUAL, Operator.NOT_IN: Operator.IN}
    found: list[Condition] = []
    for condition in _conditions_on(name, RELATED[name][1][name], raw, at):
        assert isinstance(condition, Compare), f"{condition} is about nothing of its own"
        if condition.operator is Operator.EXISTS:
            found.append(Has(name, (), negated=not condition.values[0]))
        elif condition.operator in positive:
            denied = Compare(name, positive[condition.operator], condition.values)
            found.append(Has(name, (denied,), negated=True))
        else:
            found.append(Has(name, (condition,)))
    return found


def variable_conditions(raw: object, at: str, what: str = "variable") -> list[Condition]:
    """`[{name, value}]`: for each there is such a variable."""
    fields = RELATED["variable"][1]
    conditions: list[Condition] = []
    for number, item in enumerate(_list(raw, at)):
        place = f"{at}[{number}]"
        parts = _object(item, place)
        for name in parts.keys() - {"name", "value"}:
            raise _unknown(f"{place}.{name}")
        complaints = [missing(f"{place}.{name}") for name in ("name", "value") if parts.get(name) is None]
        if complaints:
            raise invalid_argument(complaints)
        named = Compare("name", Operator.EQUAL, (_text(parts["name"], f"{place}.name"),))
        value = _conditions_on("value", fields["value"], parts["value"], f"{place}.value")
        conditions.append(Has(what, (named, *value)))
    return conditions


def _conditions_on(name: str, field: Field, raw: object, at: str) -> list[Condition]:
    """What one property says: a plain value, or operators that must all hold."""
    if raw is None:
        return []
    if not isinstance(raw, dict):
        return [_comparison(name, field, Operator.EQUAL, raw, at)]
    if field.filter is Filter.PLAIN:
        raise _not_a(field, at)
    operators = _OPERATORS[field.kind]
    if field.kind is Kind.ENUM and field.filter is Filter.FULL_NOT_IN:
        operators |= {Operator.NOT_IN}
    if field.filter is Filter.BASIC:
        operators -= {Operator.LIKE}
    conditions: list[Condition] = []
    for key, value in cast(dict[str, object], raw).items():
        if key not in operators:
            raise _unknown(f"{at}.{key}")
        operator = Operator(key)
        if value is not None:
            conditions.append(_comparison(name, field, operator, value, f"{at}.{key}"))
    return conditions


def _comparison(name: str, field: Field, operator: Operator, raw: object, at: str) -> Compare:
    if operator is Operator.EXISTS:
        return Compare(name, operator, (int(_boolean(raw, at)),))
    if operator in _LISTS:
        each = [(item, _value(field, item, place)) for place, item in each_in(raw, at)]
        if len(each) > LIST_MAX:
            raise invalid_argument([f"There are {len(each)} values in {at}, but at most {LIST_MAX} may be."])
        return Compare(name, operator, tuple(value for item, value in each if not _is_finer(field, item)))
    if operator is Operator.LIKE:
        pattern = _text(raw, at)
        if len(pattern) > LENGTH_MAX:
            raise invalid_argument([f"The pattern in {at} is longer than {LENGTH_MAX} characters."])
        if field.kind is Kind.ENUM:
            return Compare(name, Operator.IN, names_like(field.names, pattern))
        return Compare(name, operator, (pattern,))
    value = _value(field, raw, at)
    if not _is_finer(field, raw):
        return Compare(name, operator, (value,))
    if operator in _OF_NOTHING:
        return Compare(name, _OF_NOTHING[operator], ())
    return Compare(name, _BEYOND.get(operator, operator), (value,))


def _is_finer(field: Field, raw: object) -> bool:
    """Whether it is a moment between milliseconds, which nothing that is stored has."""
    return field.kind is Kind.MOMENT and isinstance(raw, str) and _FINER.search(raw) is not None


def bounded(conditions: Iterable[Condition]) -> None:
    """Refuse what SQL could not be made of. Raises Problem."""
    count = _count(conditions)
    if count > CONDITIONS_MAX:
        raise invalid_argument(
            [f"There are {count} conditions in the filter, but at most {CONDITIONS_MAX} may be."]
        )


def _count(conditions: Iterable[Condition]) -> int:
    """An empty group counts as well; what something related must be like is not more than a handful."""
    count = 0
    for condition in conditions:
        if isinstance(condition, AnyOf):
            count += sum(max(_count(group), 1) for group in condition.groups)
        else:
            count += 1
    return count


def text_conditions(raw: object, at: str) -> Sequence[Compare]:
    """What is said of a text that is compared here, not in a table."""
    return field_conditions(Field("", Kind.TEXT), raw, at)


def field_conditions(field: Field, raw: object, at: str) -> Sequence[Compare]:
    """The same for a field of any kind."""
    return [condition for condition in _conditions_on("", field, raw, at) if isinstance(condition, Compare)]


def each_in(raw: object, at: str) -> Iterator[tuple[str, object]]:
    """The place and the value of each item of an array."""
    for number, item in enumerate(_list(raw, at)):
        yield f"{at}[{number}]", item


def text_fits(text: str, conditions: Sequence[Compare]) -> bool:
    return all(fits(text, condition) for condition in conditions)


def fits(value: int | str, condition: Compare) -> bool:
    """Whether a value, as it is stored, is such as the condition says."""
    values = condition.values
    match condition.operator:
        case Operator.EQUAL | Operator.IN:
            return value in values
        case Operator.NOT_EQUAL | Operator.NOT_IN:
            return value not in values
        case Operator.EXISTS:
            return bool(values[0])
        case Operator.LIKE:
            return expression_of(str(values[0])).fullmatch(str(value)) is not None
        case Operator.GREATER | Operator.AT_LEAST | Operator.LESS | Operator.AT_MOST:
            return _is_so(value, condition.operator, values[0])


def _is_so(value: int | str, operator: Operator, other: int | str) -> bool:
    assert isinstance(value, int), f"{value!r} has no order"
    assert isinstance(other, int), f"{other!r} has no order"
    match operator:
        case Operator.GREATER:
            return value > other
        case Operator.AT_LEAST:
            return value >= other
        case Operator.LESS:
            return value < other
        case _:
            return value <= other


def _value(field: Field, raw: object, at: str) -> int | str:
    """A value as it is stored."""
    match field.kind:
        case Kind.KEY if isinstance(raw, str):
            return key_in_body(raw, at)
        case Kind.TEXT if isinstance(raw, str):
            return raw
        case Kind.INTEGER if isinstance(raw, int) and not isinstance(raw, bool) and raw in _INT32:
            return raw
        case Kind.BOOLEAN if isinstance(raw, bool):
            return int(raw)
        case Kind.MOMENT if isinstance(raw, str):
            return moment_in(raw, at)
        case Kind.ENUM if isinstance(raw, str):
            if raw not in field.names:
                raise not_in_enum(at, raw, frozenset(field.names))
            return field.names.index(raw)
        case _:
            raise _not_a(field, at)


def moment_in(text: str, at: str) -> int:
    """A moment in milliseconds, the last one that is not after it; it must say its offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in text.upper():
        raise bad_request(f"Request property [{at}] cannot be parsed: '{text}' is no date-time with offset")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


_KIND_NAMES: Final[Mapping[Kind, str]] = {
    Kind.KEY: "a key (a string of digits)",
    Kind.TEXT: "a string",
    Kind.INTEGER: "an integer of 32 bits",
    Kind.BOOLEAN: "a boolean",
    Kind.MOMENT: "a date-time",
    Kind.ENUM: "a string",
    Kind.JSON: "nothing to filter by",
}


def _not_a(field: Field, at: str) -> Problem:
    return bad_request(f"Request property [{at}] cannot be parsed: expected {_KIND_NAMES[field.kind]}")


def _unknown(at: str) -> Problem:
    return bad_request(f"Request property [{at}] cannot be parsed: there is no such property")


def _object(raw: object, at: str) -> dict[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise bad_request(f"Request property [{at}] cannot be parsed: expected an object")
    return cast(dict[str, Any], raw)


def _list(raw: object, at: str) -> Sequence[object]:
    if not isinstance(raw, list):
        raise bad_request(f"Request property [{at}] cannot be parsed: expected an array")
    return cast(list[object], raw)


def _text(raw: object, at: str) -> str:
    if not isinstance(raw, str):
        raise bad_request(f"Request property [{at}] cannot be parsed: expected a string")
    return raw


def _boolean(raw: object, at: str) -> bool:
    if not isinstance(raw, bool):
        raise bad_request(f"Request property [{at}] cannot be parsed: expected a boolean")
    return raw
