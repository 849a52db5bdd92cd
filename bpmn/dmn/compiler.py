"""From what a DMN file says to a model that can be evaluated, or to all that is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Final, cast, final

from bpmnd.bpmn.dmn.boxed import compile_logic, parameter_kinds
from bpmnd.bpmn.dmn.document import (
    Decision,
    DecisionTable,
    Document,
    ForExpression,
    ItemDefinition,
    LiteralExpression,
    QuantifiedExpression,
    Reference,
    TableOutput,
    Variable,
)
from bpmnd.bpmn.dmn.model import (
    NOT_DEPLOYED,
    DecisionNode,
    Deployed,
    InputNode,
    KnowledgeNode,
    Model,
    Node,
    Requirement,
    ServiceNode,
    in_order,
)
from bpmnd.bpmn.dmn.scope import ModelScope, Scope
from bpmnd.bpmn.dmn.tables import CompiledTable
from bpmnd.bpmn.dmn.types import Kind, Types
from bpmnd.bpmn.feel.names import spelled
from bpmnd.bpmn.feel.parts import Closure, Vocabulary
from bpmnd.bpmn.model.graph import Problem

_TABLE: Final = "DECISION_TABLE"
_LITERAL: Final = "LITERAL_EXPRESSION"
_OTHER: Final = "UNKNOWN"
IMPORT_DEPTH_MAX: Final = 16
_NONE_DEPLOYED: Final[Mapping[str, Deployed]] = {}


def compile_model(
    document: Document, imported: Mapping[str, Model], deployed: Mapping[str, Deployed] = _NONE_DEPLOYED
) -> Model | tuple[Problem, ...]:
    """`imported` are the models that may be imported, by namespace; `deployed` goes by ids of decisions."""
    compiler = _Compiler(document, imported, deployed)
    model = compiler.compile()
    return tuple(compiler.problems) or model


@final
class _Compiler:
    def __init__(
        self, document: Document, imported: Mapping[str, Model], deployed: Mapping[str, Deployed]
    ) -> None:
        self._document = document
        self._deployed = deployed
        self.problems: list[Problem] = []
        imports: dict[str, Model] = {}
        for one in document.imports:
            model = imported.get(one.namespace)
            if model is not None:
                imports[one.name] = model
        self._model = Model(
            document.id,
            document.name,
            document.namespace,
            document.is_camunda,
            Types(),
            {},
            imports,
            frozenset(_names(document, imports)),
        )
        self._scope = ModelScope(
            self._model.types, Vocabulary(self._model.names), checks_types=not document.is_camunda
        )

    def compile(self) -> Model:
        if self._model.depth > IMPORT_DEPTH_MAX:
            reason = (
                f"must not stand at the end of more than {IMPORT_DEPTH_MAX} models that import each other"
            )
            self.problems.append(Problem(None, None, reason))
        self._define_types()
        self._declare()
        self._bind()
        if not self.problems:
            self._check_cycles()
        if not self.problems:
            self._compile_logic()
        if self._document.is_camunda:
            self.problems += self._scope.broken
        return self._model

    def _define_types(self) -> None:
        types = self._model.types
        for prefix, model in self._model.imports.items():
            types.include(prefix, model.types)
        types.declare(self._document.types)
        for line, reason in types.define(self._document.types, self._scope.words):
            self.problems.append(Problem(None, line, reason))
        self._scope.type_tests = types.tests()

    # -- elements

    def _declare(self) -> None:
        document, nodes, types = self._document, self._model.nodes, self._model.types
        for data in document.input_data:
            kind = None if document.is_camunda else types.resolve(data.type_ref)
            nodes[data.id] = InputNode(data.id, data.name, spelled(data.name), kind)
        for decision in document.decisions:
            nodes[decision.id] = self._decision(decision)
        for knowledge in document.knowledge:
            node = KnowledgeNode(knowledge.id, spelled(knowledge.name), None)
            if not document.is_camunda:
                node.kind = types.resolve(knowledge.type_ref)
            nodes[knowledge.id] = node
        for service in document.services:
            nodes[service.id] = ServiceNode(
                service.id, spelled(service.name), types.resolve(service.type_ref)
            )

    def _decision(self, decision: Decision) -> DecisionNode:
        is_camunda = self._document.is_camunda
        kind: Kind = self._model.types.resolve(decision.type_ref)
        match decision.logic:
            case DecisionTable():
                logic_type = _TABLE
            case LiteralExpression():
                logic_type = _LITERAL
            case None if is_camunda:
                logic_type = _OTHER
                reason = "a decision must have a decision table, a literal or a boxed expression"
                self.problems.append(Problem(decision.id, decision.line, reason))
            case _:
                logic_type = _OTHER
        if is_camunda and logic_type is not _LITERAL:
            kind = None
        return DecisionNode(
            decision.id,
            decision.name,
            spelled(decision.result_name or (decision.id if is_camunda else decision.name)),
            logic_type,
            decision.version_tag,
            kind,
            is_camunda,
            self._deployed.get(decision.id, NOT_DEPLOYED),
        )

    # -- requirements

    def _bind(self) -> None:
        document, nodes = self._document, self._model.nodes
        for decision in document.decisions:
            node = nodes[decision.id]
            assert isinstance(node, DecisionNode), f"{decision.id} is no decision"
            node.requirements = list(self._requirements(decision.id, decision.information))
            node.requirements += self._requirements(decision.id, decision.knowledge)
        for knowledge in document.knowledge:
            node = nodes[knowledge.id]
            assert isinstance(node, KnowledgeNode), f"{knowledge.id} is no knowledge"
            node.requirements = list(self._requirements(knowledge.id, knowledge.knowledge))
        for service in document.services:
            node = nodes[service.id]
            assert isinstance(node, ServiceNode), f"{service.id} is no service"
            self._bind_service(node, service.input_data, service.input_decisions, service.output_decisions)

    def _bind_service(
        self,
        node: ServiceNode,
        input_data: Sequence[Reference],
        input_decisions: Sequence[Reference],
        outputs: Sequence[Reference],
    ) -> None:
        for requirement in self._requirements(node.id, (*input_data, *input_decisions)):
            if isinstance(requirement.node, InputNode | DecisionNode):
                node.inputs.append(requirement.node)
        for requirement in self._requirements(node.id, outputs):
            if isinstance(requirement.node, DecisionNode):
                node.outputs.append(requirement.node)
        node.parameters = tuple(_name_of(one) for one in node.inputs)

    def _requirements(self, element: str, references: Iterable[Reference]) -> Iterator[Requirement]:
        for reference in references:
            prefix, model = self._model_of(reference)
            node = None if model is None else model.nodes.get(reference.id)
            if node is None:
                where = f" of '{reference.namespace}'" if reference.namespace else ""
                reason = f"requires '{reference.id}'{where}, which is not there"
                self.problems.append(Problem(element, reference.line, reason))
                continue
            yield Requirement(prefix, _name_of(node), node)

    def _model_of(self, reference: Reference) -> tuple[str, Model | None]:
        """The model that a reference is about, and the name that it was imported under."""
        if reference.namespace in ("", self._document.namespace) and reference.id in self._model.nodes:
            return "", self._model
        for one in self._document.imports:
            if one.namespace == reference.namespace:
                return spelled(one.name), self._model.imports.get(one.name)
        return "", self._model if reference.namespace in ("", self._document.namespace) else None

    def _check_cycles(self) -> None:
        """Decisions that require themselves, over whichever others."""
        place = {node: at for at, node in enumerate(in_order(list(self._model.decisions)))}
        lines = {decision.id: decision.line for decision in self._document.decisions}
        for node in self._model.decisions:
            for requirement in node.requirements:
                required = requirement.node
                if isinstance(required, DecisionNode) and place[required] >= place[node]:
                    reason = f"cyclic dependencies between decisions: requires '{required.id}'"
                    self.problems.append(Problem(node.id, lines.get(node.id), reason))

    # -- logic

    def _compile_logic(self) -> None:
        document, nodes = self._document, self._model.nodes
        for decision in document.decisions:
            node = nodes[decision.id]
            assert isinstance(node, DecisionNode), f"{decision.id} is no decision"
            node.logic = self._logic_of(decision, self._scope_of(node.id, node.requirements))
        for knowledge in document.knowledge:
            node = nodes[knowledge.id]
            assert isinstance(node, KnowledgeNode), f"{knowledge.id} is no knowledge"
            if knowledge.function is None:
                continue
            scope = self._scope_of(node.id, node.requirements).within((node.name,))
            function = knowledge.function
            node.parameters = tuple(spelled(parameter.name) for parameter in function.parameters)
            node.parameter_kinds = parameter_kinds(function.parameters, scope)
            node.body = compile_logic(function.body, scope.within(node.parameters))
        for service in nodes.values():
            if isinstance(service, ServiceNode):
                service.order = in_order(service.outputs, service.inputs)

    def _logic_of(self, decision: Decision, scope: Scope) -> Closure | CompiledTable | None:
        if decision.logic is None:
            return None
        if isinstance(decision.logic, DecisionTable):
            return CompiledTable(decision.logic, scope)
        return compile_logic(decision.logic, scope)

    def _scope_of(self, element: str, requirements: Iterable[Requirement]) -> Scope:
        names = frozenset(requirement.prefix or requirement.name for requirement in requirements)
        return Scope(self._scope, element, names)


def _name_of(node: Node) -> str:
    match node:
        case InputNode():
            return node.spelled
        case DecisionNode():
            return node.result_name
        case KnowledgeNode() | ServiceNode():
            return node.name


def _names(document: Document, imports: Mapping[str, Model]) -> Iterator[str]:
    """All names of several words; of a model for Camunda, those that no operator could be meant by."""
    found: set[str] = set()
    for one in document.imports:
        found.add(one.name)
    for data in document.input_data:
        found.add(data.name)
    for decision in document.decisions:
        found.update((decision.name, decision.result_name or decision.name))
        found.update(_names_in(decision.logic))
    for knowledge in document.knowledge:
        found.add(knowledge.name)
        found.update(_names_in(knowledge.function))
    found.update(service.name for service in document.services)
    for definition in document.types:
        found.update(_names_in(definition))
    for name in found:
        if not document.is_camunda or name.replace(" ", "").isalnum():
            yield name
    for model in imports.values():
        yield from model.names


def _names_in(part: object) -> Iterator[str]:
    """Names given anywhere within logic or a type."""
    stack = [part]
    while stack:
        one = stack.pop()
        match one:
            case Variable(name) | TableOutput(name=name) | ItemDefinition(name=name):
                yield name
            case ForExpression(variable=name) | QuantifiedExpression(variable=name):
                yield name
            case _:
                pass
        if isinstance(one, tuple):
            stack.extend(cast("tuple[object, ...]", one))
        elif is_dataclass(one) and not isinstance(one, LiteralExpression):
            stack.extend(getattr(one, part.name) for part in fields(one))
