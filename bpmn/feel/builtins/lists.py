"""Built-ins about lists. Positions count from 1, or from -1 at the end."""

from functools import cmp_to_key

from bpmnd.bpmn.feel.builtins.registry import builtin
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.equality import Distinct, contains, equal
from bpmnd.bpmn.feel.values import Function, Number, Value


@builtin("list contains(list, element)")
def list_contains(environment: Environment, values: list[Value], element: Value) -> Value:
    return contains(environment, values, element)


@builtin("count(list)")
def count(environment: Environment, values: list[Value]) -> Value:
    return len(values)


@builtin("is empty(list)")
def is_empty(environment: Environment, values: list[Value]) -> Value:
    return not values


@builtin("sublist(list, start position, length?)")
def sublist(
    environment: Environment, values: list[Value], start: Number, length: Number | None = None
) -> Value:
    environment.charge(len(values))
    first = int(start)
    if first == 0 or (length is not None and int(length) < 0):
        return []
    begin = first - 1 if first > 0 else max(len(values) + first, 0)
    return values[begin:] if length is None else values[begin : begin + int(length)]


@builtin("append(list, items...)", "append(list, item...)")
def append(environment: Environment, values: list[Value], *items: Value) -> Value:
    environment.charge(len(values) + len(items))
    return [*values, *items]


@builtin("concatenate(lists...)", "concatenate(list...)")
def concatenate(environment: Environment, *lists: Value) -> Value:
    """Lists one after another; what is no list counts as one of a single element."""
    joined: list[Value] = []
    for values in lists:
        if isinstance(values, list):
            environment.charge(len(values))
            joined += values
        else:
            environment.charge(1)
            joined.append(values)
    return joined


@builtin("union(lists...)", "union(list...)")
def union(environment: Environment, *lists: Value) -> Value:
    joined = concatenate(environment, *lists)
    assert isinstance(joined, list), f"{joined} are lists one after another"
    return distinct_values(environment, joined)


@builtin("distinct values(list)")
def distinct_values(environment: Environment, values: list[Value]) -> Value:
    distinct = Distinct(environment)
    for value in values:
        distinct.add(value)
    return distinct.values


@builtin("duplicate values(list)")
def duplicate_values(environment: Environment, values: list[Value]) -> Value:
    distinct = Distinct(environment)
    for value in values:
        distinct.add(value)
    return [value for at, value in enumerate(distinct.values) if distinct.count(at) > 1]


@builtin("insert before(list, position, newItem)")
def insert_before(environment: Environment, values: list[Value], position: Number, item: Value) -> Value:
    """A position behind the end means the end."""
    environment.charge(len(values))
    at = int(position)
    if at == 0 or at < -len(values):
        environment.warn(f"The list has no position {at}")
        return None
    index = min(at - 1, len(values)) if at > 0 else len(values) + at
    return [*values[:index], item, *values[index:]]


@builtin("remove(list, position)")
def remove(environment: Environment, values: list[Value], position: Number) -> Value:
    """A list without such a position stays as it is."""
    environment.charge(len(values))
    index = _index(values, position)
    return values if index is None else [*values[:index], *values[index + 1 :]]


@builtin("list replace(list, position, newItem)")
def replace_at(environment: Environment, values: list[Value], position: Number, item: Value) -> Value:
    environment.charge(len(values))
    index = _index(values, position)
    if index is None:
        environment.warn(f"The list has no position {position}")
        return None
    return [*values[:index], item, *values[index + 1 :]]


@builtin("list replace(list, match, newItem)")
def replace_where(environment: Environment, values: list[Value], match: Function, item: Value) -> Value:
    """Replace every element for which a function of it and the new one is true."""
    if len(match.parameters) != 2:
        environment.warn("'list replace' expects a function of two parameters")
        return None
    environment.charge(len(values))
    replaced: list[Value] = []
    for value in values:
        answer = match.call([value, item])
        if not isinstance(answer, bool):
            environment.warn("'list replace' expects a function that yields true or false")
            return None
        replaced.append(item if answer else value)
    return replaced


def _index(values: list[Value], position: Number) -> int | None:
    at = int(position)
    if 0 < at <= len(values):
        return at - 1
    return len(values) + at if -len(values) <= at < 0 else None


@builtin("reverse(list)")
def reverse(environment: Environment, values: list[Value]) -> Value:
    environment.charge(len(values))
    return values[::-1]


@builtin("index of(list, match)")
def index_of(environment: Environment, values: list[Value], match: Value) -> Value:
    environment.charge(len(values))
    return [at for at, value in enumerate(values, 1) if equal(environment, value, match)]


@builtin("flatten(list)")
def flatten(environment: Environment, values: list[Value]) -> Value:
    flat: list[Value] = []
    _flatten_into(environment, values, flat)
    return flat


def _flatten_into(environment: Environment, values: list[Value], flat: list[Value]) -> None:
    environment.charge(len(values) + 1)
    environment.deeper()
    for value in values:
        if isinstance(value, list):
            _flatten_into(environment, value, flat)
        else:
            flat.append(value)
    environment.nesting -= 1


@builtin("partition(list, size)")
def partition(environment: Environment, values: list[Value], size: Number) -> Value:
    environment.charge(len(values))
    length = int(size)
    if length <= 0:
        environment.warn("'partition' expects a size above zero")
        return None
    return [values[at : at + length] for at in range(0, len(values), length)]


@builtin("sort(list, precedes)")
def sort(environment: Environment, values: list[Value], precedes: Function) -> Value:
    """Null if the function does not answer true or false for every pair it is asked about."""
    if len(precedes.parameters) != 2:
        environment.warn("'sort' expects a function of two parameters")
        return None
    comparable = True

    def compare(one: Value, other: Value) -> int:
        nonlocal comparable
        answer = precedes.call([one, other]) if comparable else False
        comparable = comparable and isinstance(answer, bool)
        return -1 if answer is True else 1

    environment.charge(len(values))
    ordered = sorted(values, key=cmp_to_key(compare))
    if not comparable:
        environment.warn("'sort' expects a function that yields true or false")
        return None
    return ordered
