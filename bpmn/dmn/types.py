"""Types of a model: what their values are, and how values are made to fit.

As DMN has it, a list of one element is taken for the element where one is wanted, and the other way round,
and a day for its midnight; whatever else does not fit becomes null. Values from JSON come first: a string
where a date, a time or a duration is wanted is read as such.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, final

from bpmnd.bpmn.dmn.document import ItemDefinition
from bpmnd.bpmn.feel.outcomes import SyntaxProblem
from bpmnd.bpmn.feel.parts import Environment, Tester, TypeTest, Vocabulary, compile_tests
from bpmnd.bpmn.feel.temporal import Date, DateTime
from bpmnd.bpmn.feel.temporal_text import parse_date, parse_date_time, parse_duration, parse_time
from bpmnd.bpmn.feel.values import MISSING, Value, feel_type
from bpmnd.bpmn.feel.zones import Zone

_SIMPLE: Final[Mapping[str, str]] = {
    **{
        name: name
        for name in ("number", "string", "boolean", "date", "time", "date and time", "list", "context")
    },
    "days and time duration": "days and time duration",
    "years and months duration": "years and months duration",
    "range": "range",
    "function": "function",
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    # What models for Camunda call them.
    "integer": "number",
    "long": "number",
    "double": "number",
}
_UTC: Final = Zone(None, 0)
_NESTING_MAX: Final = 100
_INPUT: Final = frozenset("?")
_STEPS_OF_TEST: Final = 10_000


@final
class ItemType:
    """A type by its name. Its parts are set when all types of the model are known, as they may name each
    other, and themselves."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.simple: str | None = None
        """The FEEL type that it is; None for any, or where components or another type say more."""
        self.base: ItemType | None = None
        self.is_collection = False
        self.components: Mapping[str, ItemType | None] | None = None
        self.allowed: Tester | None = None
        self.constraint: Tester | None = None

    def fits(
        self, environment: Environment, value: Value, nesting: int = 0, *, by_kind: bool = False
    ) -> bool:
        """Null fits every type. `by_kind` leaves out which values are allowed, as `instance of` does."""
        if value is None:
            return True
        if nesting > _NESTING_MAX:
            return False
        if self.is_collection:
            if not isinstance(value, list):
                return False
            environment.charge(len(value))
            if not all(self._element_fits(environment, one, nesting, by_kind) for one in value):
                return False
        elif not self._element_fits(environment, value, nesting, by_kind):
            return False
        return by_kind or self.constraint is None or self.constraint(environment, value) is True

    def _element_fits(self, environment: Environment, value: Value, nesting: int, by_kind: bool) -> bool:
        if value is None:
            return True
        if self.simple is not None and feel_type(value) != self.simple:
            return False
        if self.base is not None and not self.base.fits(environment, value, nesting + 1, by_kind=by_kind):
            return False
        if self.components is not None:
            if not isinstance(value, dict):
                return False
            environment.charge(len(self.components))
            for name, kind in self.components.items():
                if name not in value:
                    return False
                if kind is not None and not kind.fits(environment, value[name], nesting + 1, by_kind=by_kind):
                    return False
        return by_kind or self.allowed is None or self.allowed(environment, value) is True

    def wants_list(self) -> bool:
        """Whether only lists can be of this type."""
        kind: ItemType | None = self
        for _ in range(_NESTING_MAX):
            if kind is None:
                return False
            if kind.is_collection or kind.simple == "list":
                return True
            kind = kind.base
        return False

    def read(self, value: Value, nesting: int = 0) -> Value:
        """A value from JSON, with the dates, times and durations that its strings are meant to be."""
        if nesting > _NESTING_MAX:
            return value
        if isinstance(value, list) and (self.is_collection or self.wants_list()):
            if self.is_collection:
                return [self._read_element(one, nesting) for one in value]
            return self.base.read(value, nesting + 1) if self.base is not None else value
        return self._read_element(value, nesting)

    def _read_element(self, value: Value, nesting: int) -> Value:
        if self.base is not None:
            return self.base.read(value, nesting + 1)
        if self.components is not None and isinstance(value, dict):
            return {
                name: one if (kind := self.components.get(name)) is None else kind.read(one, nesting + 1)
                for name, one in value.items()
            }
        return _temporal(self.simple, value) if isinstance(value, str) else value


Kind: TypeAlias = ItemType | None
"""None is any type."""


def _temporal(kind: str | None, text: str) -> Value:
    """What does not read as a time stays a string."""
    parsed: Value
    match kind:
        case "date":
            parsed = parse_date(text)
        case "time":
            parsed = parse_time(text)
        case "date and time":
            parsed = parse_date_time(text)
        case "days and time duration" | "years and months duration":
            parsed = parse_duration(text)
        case _:
            return text
    return text if parsed is None else parsed


def coerced(environment: Environment, value: Value, kind: Kind, what: str) -> Value:
    """The value as one of a type; null with a warning if it cannot be."""
    if kind is None or value is None:
        return value
    fitting = fitted(environment, value, kind)
    if fitting is MISSING:
        environment.warn(f"{what} has the type '{kind.name}', but the value is a '{feel_type(value)}'")
        return None
    return fitting


def fitted(environment: Environment, value: Value, kind: ItemType) -> Value:
    """The value as one of the type; MISSING if it cannot be."""
    if kind.fits(environment, value):
        return value
    if isinstance(value, list):
        if len(value) == 1 and not kind.wants_list() and kind.fits(environment, value[0]):
            return value[0]
    elif kind.wants_list() and kind.fits(environment, [value]):
        return [value]
    if isinstance(value, Date):
        midnight = DateTime(value, 0, _UTC, 0)
        if kind.fits(environment, midnight):
            return midnight
    return MISSING


@final
class Types:
    """The types of one model, by the names that its elements and expressions use."""

    def __init__(self) -> None:
        self._known: dict[str, ItemType] = {}

    def declare(self, definitions: Sequence[ItemDefinition]) -> None:
        for definition in definitions:
            self._known[definition.name] = ItemType(definition.name)

    def include(self, prefix: str, types: "Types") -> None:
        """The types of an imported model, whose names begin with that of the import."""
        for name, kind in types._known.items():
            self._known[f"{prefix}.{name}" if prefix else name] = kind

    def resolve(self, reference: str) -> Kind:
        """The type of that name. What nobody defines is any type, as Camunda has it."""
        if not reference:
            return None
        known = self._known.get(reference)
        if known is not None:
            return known
        simple = _SIMPLE.get(reference)
        if simple is None:
            return None
        kind = ItemType(reference)
        kind.simple = simple
        return kind

    def define(self, definitions: Sequence[ItemDefinition], words: Vocabulary) -> list[tuple[int, str]]:
        """Fill in what the declared types are; what is wrong with them, by lines."""
        problems: list[tuple[int, str]] = []
        for definition in definitions:
            self._fill(self._known[definition.name], definition, words, problems)
        for definition in definitions:
            if _is_endless(self._known[definition.name]):
                problems.append((definition.line, f"type '{definition.name}' is defined by itself"))
        return problems

    def _fill(
        self,
        kind: ItemType,
        definition: ItemDefinition,
        words: Vocabulary,
        problems: list[tuple[int, str]],
    ) -> None:
        kind.is_collection = definition.is_collection
        if definition.is_function:
            kind.simple = "function"
        elif definition.components:
            components: dict[str, Kind] = {}
            for component in definition.components:
                inner = ItemType(component.name)
                self._fill(inner, component, words, problems)
                components[component.name] = inner
            kind.components = components
        elif (base := self._known.get(definition.type_ref)) is not None:
            kind.base = base
        else:
            kind.simple = _SIMPLE.get(definition.type_ref)
        kind.allowed = self._tests(definition, definition.allowed, words, problems)
        kind.constraint = self._tests(definition, definition.constraint, words, problems)

    def _tests(
        self, definition: ItemDefinition, text: str, words: Vocabulary, problems: list[tuple[int, str]]
    ) -> Tester | None:
        if not text:
            return None
        tests = compile_tests(text, _INPUT, words)
        if isinstance(tests, SyntaxProblem):
            problems.append(
                (definition.line, f"allowed values '{text}' of '{definition.name}': {tests.message}")
            )
            return None
        return tests

    def tests(self) -> Mapping[str, TypeTest]:
        """For `instance of`."""
        return {name: _test_of(kind) for name, kind in self._known.items()}


def _test_of(kind: ItemType) -> TypeTest:
    def test(value: Value) -> bool:
        environment = Environment(_no_variable, 0, _STEPS_OF_TEST)
        return value is not None and kind.fits(environment, value, by_kind=True)

    return test


def _no_variable(name: str) -> Value:
    return MISSING


def _is_endless(kind: ItemType) -> bool:
    base = kind.base
    for _ in range(_NESTING_MAX):
        if base is None:
            return False
        if base is kind:
            return True
        base = base.base
    return True
