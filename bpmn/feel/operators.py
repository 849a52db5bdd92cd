"""Closures for what stands between and around operands."""

from collections.abc import Callable

from bpmnd.bpmn.feel import arithmetic
from bpmnd.bpmn.feel.closures import Closure
from bpmnd.bpmn.feel.environment import Environment, Frame
from bpmnd.bpmn.feel.equality import order
from bpmnd.bpmn.feel.numbers import WHOLE_LIMIT
from bpmnd.bpmn.feel.properties import property_of
from bpmnd.bpmn.feel.values import MISSING, Range, Value, feel_type


def constant(value: Value) -> Closure:
    return lambda environment: value


def variable(name: str) -> Closure:
    """A name that can only come from outside. It is looked up, hence parsed, once in an evaluation."""

    def read(environment: Environment) -> Value:
        known = environment.variables
        value = known.get(name, MISSING)
        if value is MISSING:
            value = environment.lookup(name)
            if value is MISSING:
                environment.warn(f"No variable found with name '{name}'")
                value = None
            known[name] = value
        return value

    return read


def local(name: str) -> Closure:
    """A name that the expression itself gives, or else one from outside."""
    outer = variable(name)

    def read(environment: Environment) -> Value:
        frame = environment.frame
        while frame is not None:
            value = frame.values.get(name, MISSING)
            if value is not MISSING:
                return value
            frame = frame.parent
        return outer(environment)

    return read


def conjunction(operands: list[Closure]) -> Closure:
    """False if any is false, else null unless all are true."""
    if len(operands) == 2:
        return _both(*operands)

    def all_of(environment: Environment) -> Value:
        unknown = False
        for operand in operands:
            value = operand(environment)
            if value is False:
                return False
            if value is not True:
                _expect_boolean(environment, value)
                unknown = True
        return None if unknown else True

    return all_of


def _both(left: Closure, right: Closure) -> Closure:
    """The same for two operands, as most conditions have."""

    def both(environment: Environment) -> Value:
        one = left(environment)
        if one is False:
            return False
        other = right(environment)
        if other is False:
            if one is not True:
                _expect_boolean(environment, one)
            return False
        if one is True and other is True:
            return True
        for value in (one, other):
            if value is not True:
                _expect_boolean(environment, value)
        return None

    return both


def disjunction(operands: list[Closure]) -> Closure:
    """True if any is true, else null unless all are false."""

    def any_of(environment: Environment) -> Value:
        unknown = False
        for operand in operands:
            value = operand(environment)
            if value is True:
                return True
            if value is not False:
                _expect_boolean(environment, value)
                unknown = True
        return None if unknown else False

    return any_of


def _expect_boolean(environment: Environment, value: Value) -> None:
    if value is not None:
        environment.warn(f"Expected Boolean but found '{feel_type(value)}'")


def choice(condition: Closure, then: Closure, otherwise: Closure) -> Closure:
    """What is not true, null too, is false."""

    def choose(environment: Environment) -> Value:
        value = condition(environment)
        if value is True:
            return then(environment)
        if value is not False:
            _expect_boolean(environment, value)
        return otherwise(environment)

    return choose


def binary(sign: str, left: Closure, right: Closure) -> Closure:
    operation = arithmetic.OPERATIONS[sign]

    def calculate(environment: Environment) -> Value:
        return operation(environment, left(environment), right(environment))

    match sign:
        case "+":
            return _sum(left, right)
        case "-":
            return _difference(left, right)
        case _:
            return calculate


def _sum(left: Closure, right: Closure) -> Closure:
    def calculate(environment: Environment) -> Value:
        one, other = left(environment), right(environment)
        if type(one) is int and type(other) is int and -WHOLE_LIMIT < (total := one + other) < WHOLE_LIMIT:
            return total
        return arithmetic.add(environment, one, other)

    return calculate


def _difference(left: Closure, right: Closure) -> Closure:
    def calculate(environment: Environment) -> Value:
        one, other = left(environment), right(environment)
        if type(one) is int and type(other) is int and -WHOLE_LIMIT < (rest := one - other) < WHOLE_LIMIT:
            return rest
        return arithmetic.subtract(environment, one, other)

    return calculate


def negation(operand: Closure) -> Closure:
    return lambda environment: arithmetic.negate(environment, operand(environment))


def path(source: Closure, name: str) -> Closure:
    """An entry of a context, of each context in a list, or a property of any other value."""

    def follow(environment: Environment) -> Value:
        value = source(environment)
        if type(value) is dict:
            entry = value.get(name, MISSING)
            if entry is not MISSING:
                return entry
        return property_of(environment, value, name)

    return follow


def element(source: Closure, index: int) -> Closure:
    return lambda environment: element_of(environment, source(environment), index)


def element_of(environment: Environment, value: Value, index: int) -> Value:
    """The element at a position, counted from 1, or from -1 at the end."""
    if not isinstance(value, list):
        environment.warn(f"Expected List but found '{feel_type(value)}'")
        return None
    if 0 < index <= len(value):
        return value[index - 1]
    if -len(value) <= index < 0:
        return value[index]
    environment.warn(f"Index out of bound. The list has {len(value)} elements, and none at {index}")
    return None


def list_of(items: list[Closure]) -> Closure:
    def build(environment: Environment) -> Value:
        environment.charge(len(items))
        return [item(environment) for item in items]

    return build


def context_of(entries: list[tuple[str, Closure]]) -> Closure:
    """Each entry sees those before it."""

    def build(environment: Environment) -> Value:
        environment.charge(len(entries))
        values: dict[str, Value] = {}
        outer = environment.frame
        environment.frame = Frame(values, outer)
        for key, entry in entries:
            values[key] = entry(environment)
        environment.frame = outer
        if len(values) < len(entries) and environment.is_standard:
            environment.warn("A context has two entries with the same key")
            return None
        return values

    return build


def instance_of(operand: Closure, test: Callable[[Value], bool] | None) -> Closure:
    def check(environment: Environment) -> Value:
        value = operand(environment)
        if test is None:
            environment.warn("Unknown type behind 'instance of'")
            return None
        return test(value)

    return check


def range_of(start: Closure | None, end: Closure | None, start_included: bool, end_included: bool) -> Closure:
    """A range; null if its ends have no common order or stand the wrong way round."""

    def build(environment: Environment) -> Value:
        low = None if start is None else start(environment)
        high = None if end is None else end(environment)
        if (low is None and start is not None) or (high is None and end is not None):
            environment.warn("The ends of a range must not be null")
            return None
        if low is not None and high is not None and order(environment, low, high) is None:
            return None
        return Range(low, high, start_included, end_included)

    return build
