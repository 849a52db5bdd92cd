"""What a DMN file says, as it says it: read from its XML, not yet compiled."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class HitPolicy(StrEnum):
    UNIQUE = "UNIQUE"
    ANY = "ANY"
    FIRST = "FIRST"
    PRIORITY = "PRIORITY"
    RULE_ORDER = "RULE ORDER"
    OUTPUT_ORDER = "OUTPUT ORDER"
    COLLECT = "COLLECT"


class Aggregation(StrEnum):
    SUM = "SUM"
    MIN = "MIN"
    MAX = "MAX"
    COUNT = "COUNT"


@dataclass(frozen=True, slots=True)
class Variable:
    """A name with its type; a type that is empty is any type."""

    name: str
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class LiteralExpression:
    """`text` is None where there is no expression at all, which yields null."""

    text: str | None
    line: int
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """Without a variable the entry is the result of its context."""

    variable: Variable | None
    value: "Logic"


@dataclass(frozen=True, slots=True)
class ContextExpression:
    entries: tuple[ContextEntry, ...]
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class ListExpression:
    items: tuple["Logic", ...]
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    columns: tuple[Variable, ...]
    rows: tuple[tuple["Logic", ...], ...]
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class Invocation:
    function: "Logic"
    bindings: tuple[tuple[str, "Logic"], ...]
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    parameters: tuple[Variable, ...]
    body: "Logic"
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class Conditional:
    condition: "Logic"
    then: "Logic"
    otherwise: "Logic"
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class ForExpression:
    variable: str
    source: "Logic"
    result: "Logic"
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class QuantifiedExpression:
    every: bool
    variable: str
    source: "Logic"
    condition: "Logic"
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class FilterExpression:
    source: "Logic"
    condition: "Logic"
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class TableInput:
    """`label` is what it is called in results: its own label, or else the text of its expression."""

    id: str
    label: str
    expression: LiteralExpression
    allowed: str


@dataclass(frozen=True, slots=True)
class TableOutput:
    id: str
    line: int
    name: str
    label: str
    type_ref: str
    allowed: str
    default: LiteralExpression | None


@dataclass(frozen=True, slots=True)
class TableRule:
    id: str
    inputs: tuple[LiteralExpression, ...]
    outputs: tuple[LiteralExpression, ...]


@dataclass(frozen=True, slots=True)
class DecisionTable:
    hit_policy: HitPolicy
    aggregation: Aggregation | None
    inputs: tuple[TableInput, ...]
    outputs: tuple[TableOutput, ...]
    rules: tuple[TableRule, ...]
    type_ref: str = ""


Logic: TypeAlias = (
    LiteralExpression
    | ContextExpression
    | ListExpression
    | Relation
    | Invocation
    | FunctionDefinition
    | Conditional
    | ForExpression
    | QuantifiedExpression
    | FilterExpression
    | DecisionTable
)


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    """A type by its name: another one, made narrower by `allowed`, or made of components or of functions.

    `allowed` are unary tests of an element where the type is a collection, `constraint` those of the whole.
    """

    name: str
    line: int
    type_ref: str
    is_collection: bool
    allowed: str
    constraint: str
    components: tuple["ItemDefinition", ...]
    is_function: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A requirement: the id of another element, and the namespace of its model if that is another one."""

    namespace: str
    id: str
    line: int


@dataclass(frozen=True, slots=True)
class InputData:
    id: str
    name: str
    line: int
    type_ref: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`result_name` is what those that require it call its result: its variable's name, if it has one."""

    id: str
    name: str
    line: int
    result_name: str | None
    type_ref: str
    version_tag: str
    information: tuple[Reference, ...]
    knowledge: tuple[Reference, ...]
    logic: Logic | None


@dataclass(frozen=True, slots=True)
class BusinessKnowledgeModel:
    id: str
    name: str
    line: int
    type_ref: str
    knowledge: tuple[Reference, ...]
    function: FunctionDefinition | None


@dataclass(frozen=True, slots=True)
class DecisionService:
    id: str
    name: str
    line: int
    type_ref: str
    output_decisions: tuple[Reference, ...]
    encapsulated_decisions: tuple[Reference, ...]
    input_decisions: tuple[Reference, ...]
    input_data: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Import:
    name: str
    namespace: str
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    """One DMN file. `is_camunda` tells that it was made for Camunda, whose ways it then follows where they
    are not those of the standard."""

    id: str
    name: str
    namespace: str
    is_camunda: bool
    imports: tuple[Import, ...]
    types: tuple[ItemDefinition, ...]
    input_data: tuple[InputData, ...]
    decisions: tuple[Decision, ...]
    knowledge: tuple[BusinessKnowledgeModel, ...]
    services: tuple[DecisionService, ...]
