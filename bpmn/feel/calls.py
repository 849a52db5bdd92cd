"""Closures that call a function."""

from bpmnd.bpmn.feel.builtins.registry import Builtin, invoke
from bpmnd.bpmn.feel.closures import Closure
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.values import MISSING, Function, Value


def call_builtin(
    name: str, candidates: list[Builtin], arguments: list[Closure], names: tuple[str, ...] | None
) -> Closure:
    def call(environment: Environment) -> Value:
        environment.charge(1)
        values = [argument(environment) for argument in arguments]
        return invoke(environment, name, candidates, values, names)

    return call


def builtin_value(name: str, candidates: list[Builtin]) -> Closure:
    """A built-in function by its name alone, unless there is a variable of that name."""

    def read(environment: Environment) -> Value:
        known = environment.lookup(name)
        if known is not MISSING:
            return known
        parameters = candidates[0].parameters
        return Function(parameters, lambda arguments: invoke(environment, name, candidates, arguments, None))

    return read


def call_value(
    name: str, function: Closure, arguments: list[Closure], names: tuple[str, ...] | None
) -> Closure:
    """Call a function that is a value: a context's entry, a parameter, a decision's knowledge."""

    def call(environment: Environment) -> Value:
        target = function(environment)
        values = [argument(environment) for argument in arguments]
        if not isinstance(target, Function):
            environment.warn(f"No function found with name '{name}' and {len(values)} parameters")
            return None
        if names is not None:
            given = dict(zip(names, values, strict=True))
            if len(given) < len(names) or not given.keys() <= set(target.parameters):
                environment.warn(f"Function '{name}' has no such parameters: {', '.join(names)}")
                return None
            values = [given.get(parameter) for parameter in target.parameters]
        if len(values) != len(target.parameters):
            environment.warn(f"No function found with name '{name}' and {len(values)} parameters")
            return None
        return target.call(values)

    return call


def is_defined(operand: Closure) -> Closure:
    """Whether there is a value. A variable that is null counts as missing, as Camunda has it."""

    def check(environment: Environment) -> Value:
        warnings = environment.warnings
        environment.warnings = []
        value = operand(environment)
        environment.warnings = warnings
        return value is not None

    return check
