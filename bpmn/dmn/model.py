"""A requirements graph that can be evaluated: its elements, compiled and bound to those they require."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, final

from bpmnd.bpmn.dmn.tables import CompiledTable
from bpmnd.bpmn.dmn.types import Kind, Types
from bpmnd.bpmn.feel.parts import Closure


@final
@dataclass(frozen=True, slots=True)
class Deployed:
    """Under which key and version a decision was deployed, for its results."""

    key: int
    version: int


NOT_DEPLOYED: Final = Deployed(0, 0)


@final
@dataclass(slots=True, eq=False)
class InputNode:
    """`name` is by what it is given, `spelled` as expressions say it."""

    id: str
    name: str
    spelled: str
    kind: Kind


@final
@dataclass(slots=True, eq=False)
class DecisionNode:
    """A decision. `requirements` and `logic` are set when all elements of the model are known."""

    id: str
    name: str
    result_name: str
    type: str
    version_tag: str
    kind: Kind
    fails_on_type: bool
    """Whether a result of another type is a failure, as in Camunda, and not just null."""
    deployed: "Deployed"
    requirements: "list[Requirement]" = field(default_factory=list)
    logic: Closure | CompiledTable | None = None
    order: "list[DecisionNode]" = field(default_factory=list)
    """Itself behind all that it requires, over whatever ways."""


@final
@dataclass(slots=True, eq=False)
class KnowledgeNode:
    """A business knowledge model: a function by its name."""

    id: str
    name: str
    kind: Kind
    parameters: tuple[str, ...] = ()
    parameter_kinds: Sequence[Kind] = ()
    requirements: "list[Requirement]" = field(default_factory=list)
    body: Closure | None = None


@final
@dataclass(slots=True, eq=False)
class ServiceNode:
    """A decision service: a function of its input data and input decisions."""

    id: str
    name: str
    kind: Kind
    inputs: "list[InputNode | DecisionNode]" = field(default_factory=list)
    parameters: tuple[str, ...] = ()
    outputs: list[DecisionNode] = field(default_factory=list)
    order: list[DecisionNode] = field(default_factory=list)


Node: TypeAlias = InputNode | DecisionNode | KnowledgeNode | ServiceNode


@final
@dataclass(frozen=True, slots=True)
class Requirement:
    """By which name an element sees another one; `prefix` is the name of the import that it comes from."""

    prefix: str
    name: str
    node: Node


@final
@dataclass(slots=True, eq=False)
class Model:
    """A compiled model."""

    id: str
    name: str
    namespace: str
    is_camunda: bool
    types: Types
    nodes: dict[str, Node]
    imports: Mapping[str, "Model"]
    """By the names they are imported under."""
    names: frozenset[str]

    @property
    def depth(self) -> int:
        """How many models import each other in a row up to this one."""
        return 1 + max((model.depth for model in self.imports.values()), default=0)

    @property
    def decisions(self) -> Iterator[DecisionNode]:
        """In the order of the file."""
        return (node for node in self.nodes.values() if isinstance(node, DecisionNode))


def in_order(roots: Sequence[DecisionNode], given: Sequence[Node] = ()) -> list[DecisionNode]:
    """The decisions that have to be evaluated, those required first; without those that are given.

    A model has no cycle; on the way to knowing that, one just ends.
    """
    ordered: dict[DecisionNode, None] = {}
    seen: set[Node] = set(given)
    stack: list[tuple[DecisionNode, Iterator[Requirement]]] = []
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        stack.append((root, iter(root.requirements)))
        while stack:
            node, requirements = stack[-1]
            required = next((one.node for one in requirements if _is_open(one.node, seen)), None)
            if isinstance(required, DecisionNode):
                seen.add(required)
                stack.append((required, iter(required.requirements)))
            else:
                stack.pop()
                ordered[node] = None
    return list(ordered)


def _is_open(node: Node, seen: set[Node]) -> bool:
    return isinstance(node, DecisionNode) and node not in seen
