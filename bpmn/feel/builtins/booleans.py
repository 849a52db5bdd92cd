"""Built-ins about truth and existence. A plain call of `is defined` is the compiler's: it must not warn."""

from bpmnd.bpmn.feel.builtins.registry import builtin, listwise
from bpmnd.bpmn.feel.environment import Environment, Stopped
from bpmnd.bpmn.feel.equality import equal
from bpmnd.bpmn.feel.values import Value


@builtin("not(negand)")
def negate(environment: Environment, negand: bool) -> Value:
    return not negand


@builtin("is defined(value)")
def is_defined(environment: Environment, value: Value) -> Value:
    return value is not None


@builtin("get or else(value, default)")
def get_or_else(environment: Environment, value: Value, default: Value) -> Value:
    return default if value is None else value


@builtin("assert(value, condition)")
def assert_that(environment: Environment, value: Value, condition: Value) -> Value:
    if condition is not True:
        raise Stopped("Assertion failure on evaluate the expression: the condition is not fulfilled")
    return value


@builtin("assert(value, condition, cause)")
def assert_with_cause(environment: Environment, value: Value, condition: Value, cause: str) -> Value:
    if condition is not True:
        raise Stopped(f"Assertion failure on evaluate the expression: {cause}")
    return value


@listwise("all", "and")
def all_of(environment: Environment, values: list[Value]) -> Value:
    environment.charge(len(values))
    if any(value is False for value in values):
        return False
    return True if all(value is True for value in values) else None


@listwise("any", "or")
def any_of(environment: Environment, values: list[Value]) -> Value:
    environment.charge(len(values))
    if any(value is True for value in values):
        return True
    return False if all(value is False for value in values) else None


@builtin("is(value1, value2)")
def is_same(environment: Environment, one: Value, other: Value) -> Value:
    """The same value of the same type; times in different zones are not the same moment here."""
    if isinstance(one, list | dict | str):
        return equal(environment, one, other) is True
    return type(one) is type(other) and one == other
