"""Evaluates a decision with all that it requires, within one budget."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, final

from bpmnd.bpmn.dmn.boxed import call_body
from bpmnd.bpmn.dmn.document import TableInput, TableOutput, TableRule
from bpmnd.bpmn.dmn.model import (
    DecisionNode,
    InputNode,
    KnowledgeNode,
    Model,
    Node,
    Requirement,
    ServiceNode,
    in_order,
)
from bpmnd.bpmn.dmn.results import (
    DecisionFailure,
    DecisionResult,
    EvaluatedDecision,
    EvaluatedInput,
    EvaluatedOutput,
    MatchedRule,
)
from bpmnd.bpmn.dmn.tables import CompiledTable
from bpmnd.bpmn.dmn.types import ItemType, coerced
from bpmnd.bpmn.feel.json import to_json
from bpmnd.bpmn.feel.limits import STEPS_MAX
from bpmnd.bpmn.feel.outcomes import Lookup
from bpmnd.bpmn.feel.parts import Environment, Frame, Stopped
from bpmnd.bpmn.feel.results import bounded
from bpmnd.bpmn.feel.values import MISSING, Function, Value

_NULL: Final = b"null"
# An element of a list takes far longer to write than a character of a string.
_WRITTEN_PER_STEP: Final = 4


def evaluate_decision(
    model: Model,
    decision_id: str,
    lookup: Lookup,
    *,
    now_ms: int = 0,
    steps_max: int = STEPS_MAX,
    spent: Callable[[int], None] | None = None,
) -> DecisionResult:
    """The result with its whole tree; a failure is a result, too. `spent` is told the steps that it took."""
    root = model.nodes[decision_id]
    assert isinstance(root, DecisionNode), f"{decision_id} is no decision"
    environment = Environment(lookup, now_ms, steps_max, is_standard=not model.is_camunda)
    evaluation = _Evaluation(environment)
    try:
        return evaluation.result(root)
    finally:
        if spent is not None:
            spent(steps_max - environment.steps_left)


def _ordered(root: DecisionNode) -> list[DecisionNode]:
    """Worked out when it is asked for first: of all decisions at once it might be much."""
    root.order = in_order((root,))
    return root.order


@final
class _Evaluation:
    """One evaluation: the functions that are known in it, and what has been decided so far."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._functions: dict[KnowledgeNode | ServiceNode, Function] = {}
        self._decided: list[EvaluatedDecision] = []

    def result(self, root: DecisionNode) -> DecisionResult:
        world = _World(self._environment, self._function_of)
        current = root
        trace: _Trace | None = None
        try:
            for current in root.order or _ordered(root):
                trace = _Trace(self._environment, current)
                output = trace.written(world.decide(current, trace))
                self._decided.append(trace.decided(output))
        except Stopped as stopped:
            return self._failed(root, current, trace, str(stopped))
        except RecursionError:
            return self._failed(root, current, trace, "the values are nested too deeply")
        warnings = tuple(self._environment.warnings or ())
        return DecisionResult(self._decided[-1].output, tuple(self._decided), None, warnings)

    def _failed(
        self, root: DecisionNode, failed: DecisionNode, trace: "_Trace | None", reason: str
    ) -> DecisionResult:
        if trace is not None:
            self._decided.append(trace.decided(trace.refused))
        message = f"Expected to evaluate decision '{root.id}', but {reason}"
        warnings = tuple(self._environment.warnings or ())
        return DecisionResult(_NULL, tuple(self._decided), DecisionFailure(failed.id, message), warnings)

    def _function_of(self, node: KnowledgeNode | ServiceNode) -> Function:
        function = self._functions.get(node)
        if function is None:
            function = self._knowledge(node) if isinstance(node, KnowledgeNode) else self._service(node)
            self._functions[node] = function
        return function

    def _knowledge(self, node: KnowledgeNode) -> Function:
        environment = self._environment
        around: list[Frame] = []

        def call(arguments: list[Value]) -> Value:
            if node.body is None:
                return None
            if not around:  # Made by the first call, as knowledge may require itself.
                values = scope_of(node.requirements, self._function_of)
                values.setdefault(node.name, self._functions[node])
                around.append(Frame(values, None))
            value = call_body(
                environment, node.parameters, node.parameter_kinds, arguments, node.body, around[0]
            )
            return coerced(environment, value, node.kind, f"The result of '{node.name}'")

        return Function(node.parameters, call)

    def _service(self, node: ServiceNode) -> Function:
        environment = self._environment

        def call(arguments: list[Value]) -> Value:
            environment.charge(1 + len(node.order))
            environment.deeper()
            world = _World(environment, self._function_of)
            for one, argument in zip(node.inputs, arguments, strict=True):
                if not world.give(one, argument):
                    environment.nesting -= 1
                    return None
            for decision in node.order:
                world.decide(decision, None)
            environment.nesting -= 1
            results = {one.result_name: world.values[one] for one in node.outputs}
            value: Value = next(iter(results.values()), None) if len(node.outputs) == 1 else results
            return coerced(environment, value, node.kind, f"The result of '{node.name}'")

        return Function(node.parameters, call)


@final
class _World:
    """Values of input data and decisions: one for the decision that was asked for, one for each call of a
    decision service."""

    def __init__(
        self,
        environment: Environment,
        function_of: Callable[[KnowledgeNode | ServiceNode], Function],
    ) -> None:
        self._environment = environment
        self._function_of = function_of
        self.values: dict[Node, Value] = {}

    def give(self, node: InputNode | DecisionNode, value: Value) -> bool:
        """Take a value as given; false if it is not of its type."""
        given = coerced(self._environment, value, node.kind, f"The argument '{node.name}'")
        self.values[node] = given
        return given is not None or value is None

    def decide(self, node: DecisionNode, trace: "_Trace | None") -> Value:
        """Evaluate a decision whose requirements are there already."""
        environment = self._environment
        environment.charge(1 + len(node.requirements))
        outer = environment.frame
        environment.frame = Frame(scope_of(node.requirements, self._function_of, self), None)
        logic = node.logic
        if logic is None:
            value = None
        elif isinstance(logic, CompiledTable):
            value = logic.evaluate(environment, trace)
        else:
            value = logic(environment)
        environment.frame = outer
        if node.kind is not None and value is not None:
            value = self._fitting(node, node.kind, value, trace)
        self.values[node] = value
        return value

    def _fitting(self, node: DecisionNode, kind: ItemType, value: Value, trace: "_Trace | None") -> Value:
        if not node.fails_on_type:
            return coerced(self._environment, value, kind, f"The decision '{node.name}'")
        if kind.fits(self._environment, value):
            return value
        shown = to_json(value)
        if trace is not None:
            trace.refused = shown
        raise Stopped(f"expected '{kind.name}' but found '{shown.decode()[:500]}'")

    def value_of(self, node: InputNode | DecisionNode) -> Value:
        """MISSING for data that was not given."""
        value = self.values.get(node, MISSING)
        if value is not MISSING or isinstance(node, DecisionNode):
            return value
        value = self._environment.lookup(node.name)
        if value is not MISSING and node.kind is not None:
            read = node.kind.read(value)
            value = coerced(self._environment, read, node.kind, f"The input '{node.name}'")
        self.values[node] = value
        return value


def scope_of(
    requirements: Iterable[Requirement],
    function_of: Callable[[KnowledgeNode | ServiceNode], Function],
    world: _World | None = None,
) -> dict[str, Value]:
    """What an element sees of those it requires, by their names; those of an import within its name."""
    values: dict[str, Value] = {}
    for requirement in requirements:
        node = requirement.node
        if isinstance(node, KnowledgeNode | ServiceNode):
            value: Value = function_of(node)
        else:
            value = MISSING if world is None else world.value_of(node)
        if value is MISSING:
            continue
        if requirement.prefix:
            inner = values.setdefault(requirement.prefix, {})
            assert isinstance(inner, dict), f"{requirement.prefix} is the name of something else"
            inner[requirement.name] = value
        else:
            values[requirement.name] = value
    return values


@final
class _Trace:
    """Takes down what the table of a decision does."""

    def __init__(self, environment: Environment, node: DecisionNode) -> None:
        self._environment = environment
        self._node = node
        self.refused = _NULL
        """What the decision came to if that was not of its type."""
        self._inputs: list[EvaluatedInput] = []
        self._rules: list[MatchedRule] = []

    def input(self, clause: TableInput, value: Value) -> None:
        self._inputs.append(EvaluatedInput(clause.id, clause.label, self.written(value)))

    def match(
        self, index: int, rule: TableRule, outputs: Sequence[TableOutput], values: Sequence[Value]
    ) -> None:
        evaluated = tuple(
            EvaluatedOutput(output.id, output.label, self.written(value))
            for output, value in zip(outputs, values, strict=True)
        )
        self._rules.append(MatchedRule(rule.id, index, evaluated))

    def written(self, value: Value) -> bytes:
        """A value as JSON, which is paid for before: so the whole tree has a bound."""
        self._environment.charge(bounded(value) // _WRITTEN_PER_STEP)
        return to_json(value)

    def decided(self, output: bytes) -> EvaluatedDecision:
        node = self._node
        return EvaluatedDecision(
            node.deployed.key,
            node.id,
            node.name,
            node.deployed.version,
            node.type,
            output,
            tuple(self._inputs),
            tuple(self._rules),
        )
