"""Built-ins that make one value of a list of numbers, or of what has an order."""

from functools import cmp_to_key, partial

from bpmnd.bpmn.feel import numbers
from bpmnd.bpmn.feel.builtins.registry import listwise
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.equality import Distinct, order
from bpmnd.bpmn.feel.values import Number, Value, is_number


def _numbers(environment: Environment, values: list[Value]) -> list[Number] | None:
    """All elements, if they are numbers and there is one at least."""
    environment.charge(len(values))
    found = [value for value in values if is_number(value)]
    if len(found) < len(values):
        environment.warn("Expected a list of numbers")
        return None
    return found or None


def _extreme(environment: Environment, values: list[Value], sign: int) -> Value:
    if not values:
        return None
    environment.charge(len(values))
    extreme = values[0]
    if order(environment, extreme, extreme) is None:
        return None
    for value in values[1:]:
        after = order(environment, value, extreme)
        if after is None:
            return None
        if after * sign > 0:
            extreme = value
    return extreme


@listwise("min")
def minimum(environment: Environment, values: list[Value]) -> Value:
    return _extreme(environment, values, -1)


@listwise("max")
def maximum(environment: Environment, values: list[Value]) -> Value:
    return _extreme(environment, values, 1)


def _sum(values: list[Number]) -> Number | None:
    total: Number | None = 0
    for value in values:
        if total is None:
            return None
        total = numbers.add(total, value)
    return total


@listwise("sum")
def total(environment: Environment, values: list[Value]) -> Value:
    summands = _numbers(environment, values)
    return None if summands is None else _sum(summands)


@listwise("product")
def product(environment: Environment, values: list[Value]) -> Value:
    factors = _numbers(environment, values)
    if factors is None:
        return None
    result: Number | None = 1
    for factor in factors:
        if result is None:
            return None
        result = numbers.multiply(result, factor)
    return result


def _mean(values: list[Number]) -> Number | None:
    sum_of_all = _sum(values)
    return None if sum_of_all is None else numbers.divide(sum_of_all, len(values))


@listwise("mean")
def mean(environment: Environment, values: list[Value]) -> Value:
    found = _numbers(environment, values)
    return None if found is None else _mean(found)


@listwise("median")
def median(environment: Environment, values: list[Value]) -> Value:
    """The one in the middle, or the mean of the two."""
    found = _numbers(environment, values)
    if found is None:
        return None
    ordered = sorted(found)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return _mean([ordered[middle - 1], ordered[middle]])


@listwise("stddev")
def standard_deviation(environment: Environment, values: list[Value]) -> Value:
    """Of a sample; a single number has none."""
    found = _numbers(environment, values)
    if found is None or len(found) < 2:
        return None
    middle = _mean(found)
    if middle is None:
        return None
    squares: list[Number] = []
    for value in found:
        distance = numbers.subtract(value, middle)
        square = None if distance is None else numbers.multiply(distance, distance)
        if square is None:
            return None
        squares.append(square)
    all_squares = _sum(squares)
    variance = None if all_squares is None else numbers.divide(all_squares, len(found) - 1)
    return None if variance is None else numbers.settled(numbers.CONTEXT.sqrt(variance))


@listwise("mode")
def mode(environment: Environment, values: list[Value]) -> Value:
    """The most frequent values, in ascending order."""
    if not values:
        return []
    if _numbers(environment, values) is None:
        return None
    distinct = Distinct(environment)
    for value in values:
        distinct.add(value)
    most = max(distinct.count(at) for at in range(len(distinct.values)))
    modes = [value for at, value in enumerate(distinct.values) if distinct.count(at) == most]
    return sorted(modes, key=cmp_to_key(partial(_before_or_behind, environment)))


def _before_or_behind(environment: Environment, one: Value, other: Value) -> int:
    return order(environment, one, other) or 0
