"""How built-in functions are declared and found.

    @builtin("substring(string, start position, length?)")
    def substring(environment: Environment, string: str, start: Number, length: Number = 9) -> Value:

The text names the parameters as FEEL does; `?` may be left out, `...` takes any number. What each accepts is
read from the annotations: an argument of another type makes the call yield null with a warning.
"""

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Final, Union, get_args, get_origin

import msgspec

from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.names import Names
from bpmnd.bpmn.feel.values import Value, feel_type

Body = Callable[..., Value]
Kinds = frozenset[type] | None


class Builtin(msgspec.Struct, frozen=True, eq=False):
    """One way to call a function. `kinds` are the types that a parameter takes, None for any."""

    parameters: tuple[str, ...]
    kinds: tuple[Kinds, ...]
    required: int
    variadic: bool
    body: Body

    def takes(self, arguments: list[Value]) -> bool:
        for value, kinds in zip(arguments, self.kinds, strict=False):
            if kinds is not None and type(value) not in kinds:
                return False
        if self.variadic and (kinds := self.kinds[-1]) is not None:
            return all(type(value) in kinds for value in arguments[len(self.kinds) :])
        return True

    def converted(self, arguments: list[Value], names: tuple[str, ...] | None) -> list[Value] | None:
        """The arguments as DMN makes them fit: lists and their only elements are taken for each other, and
        what is not given by name is null. None if they do not fit even so."""
        ordered = arguments
        if names is not None:
            given = dict(zip(names, arguments, strict=True))
            wanted = self.parameters[: max(self.required, len(arguments))]
            if self.variadic or len(given) < len(names) or not given.keys() <= set(wanted):
                return None
            ordered = [given.get(parameter) for parameter in wanted]
        if not self.fits(len(ordered)):
            return None
        fitting = [
            value if kinds is None else _made_to_fit(value, kinds)
            for value, kinds in zip(ordered, self.kinds, strict=False)
        ]
        fitting += ordered[len(fitting) :]
        return fitting if self.takes(fitting) else None

    def fits(self, count: int) -> bool:
        return count >= self.required and (self.variadic or count <= len(self.parameters))


def _made_to_fit(value: Value, kinds: frozenset[type]) -> Value:
    if type(value) in kinds:
        return value
    if isinstance(value, list):
        return value[0] if len(value) == 1 else value
    return [value] if list in kinds and value is not None else value


_BUILTINS: Final[dict[str, list[Builtin]]] = {}
BUILTIN_NAMES: Final = Names()
_ANY: Final = frozenset(get_args(Value))


def builtin(*signatures: str) -> Callable[[Body], Body]:
    """Declare a function under one or more signatures, which differ in names only."""

    def declare(body: Body) -> Body:
        hints = [hint for name, hint in body.__annotations__.items() if name != "return"][1:]
        for signature in signatures:
            name, _, inner = signature.rstrip(")").partition("(")
            parameters = [part.strip() for part in inner.split(",") if part.strip()]
            assert len(parameters) == len(hints), f"{signature} has other parameters than its function"
            optional = [part for part in parameters if part[-1] in "?."]
            _BUILTINS.setdefault(name, []).append(
                Builtin(
                    parameters=tuple(part.rstrip("?.") for part in parameters),
                    kinds=tuple(_kinds_of(hint, part) for hint, part in zip(hints, parameters, strict=True)),
                    required=len(parameters) - len(optional),
                    variadic=bool(optional) and optional[-1].endswith("..."),
                    body=body,
                )
            )
            BUILTIN_NAMES.add(tuple(name.split(" ")))
        return body

    return declare


def listwise(*names: str) -> Callable[[Body], Body]:
    """Declare a function of a list that may be called with the list's elements as well."""

    def declare(body: Body) -> Body:
        def spread(environment: Environment, value: Value, *values: Value) -> Value:
            result: Value = body(environment, [value, *values])
            return result

        for name in names:
            builtin(f"{name}(list)")(body)
            builtin(f"{name}(value, values...)")(spread)
        return body

    return declare


def _kinds_of(hint: object, parameter: str) -> Kinds:
    if hint is None:
        return frozenset((NoneType,))
    members = get_args(hint) if isinstance(hint, UnionType) or get_origin(hint) is Union else (hint,)
    if frozenset(members) == _ANY:
        return None
    kinds = {get_origin(member) or member for member in members}
    if parameter[-1] == "?":
        kinds.discard(NoneType)
    return frozenset(kind for kind in kinds if isinstance(kind, type))


def find(name: str) -> list[Builtin] | None:
    return _BUILTINS.get(name)


def arranged(function: Builtin, names: tuple[str, ...], arguments: list[Value]) -> list[Value] | None:
    """Named arguments in the order of the parameters; None if the names do not fit."""
    given = dict(zip(names, arguments, strict=True))
    if len(given) < len(names) or not function.fits(len(given)):
        return None
    ordered: list[Value] = []
    for parameter, kinds in zip(function.parameters, function.kinds, strict=True):
        if parameter in given:
            ordered.append(given.pop(parameter))
        elif not given:
            break
        elif kinds is None and len(ordered) >= function.required:
            ordered.append(None)  # What is left out in between is null where that is allowed.
        else:
            return None
    return ordered if not given and len(ordered) >= function.required else None


def invoke(
    environment: Environment,
    name: str,
    candidates: list[Builtin],
    arguments: list[Value],
    names: tuple[str, ...] | None,
) -> Value:
    """Call the first way that takes the arguments."""
    for function in candidates:
        if names is None:
            if function.fits(len(arguments)) and function.takes(arguments):
                result: Value = function.body(environment, *arguments)
                return result
        else:
            ordered = arranged(function, names, arguments)
            if ordered is not None and function.takes(ordered):
                result = function.body(environment, *ordered)
                return result
    if environment.is_standard:
        for function in candidates:
            converted = function.converted(arguments, names)
            if converted is not None:
                result = function.body(environment, *converted)
                return result
    given = ", ".join(feel_type(value) for value in arguments)
    environment.warn(f"Failed to invoke function '{name}': it takes no arguments of these types: ({given})")
    return None


def all_names() -> frozenset[str]:
    return frozenset(_BUILTINS)
