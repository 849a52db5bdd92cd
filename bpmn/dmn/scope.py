"""What an expression of a model can see when it is compiled, and where its problems are noted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, final

from bpmnd.bpmn.dmn.document import LiteralExpression
from bpmnd.bpmn.dmn.types import Types
from bpmnd.bpmn.feel.outcomes import SyntaxProblem
from bpmnd.bpmn.feel.parts import (
    Closure,
    Environment,
    Stopped,
    Tester,
    TypeTest,
    Vocabulary,
    compile_part,
    compile_tests,
)
from bpmnd.bpmn.feel.values import Value
from bpmnd.bpmn.model.graph import Problem

_SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Scope:
    """`known` are the names in the frames around; `element` is that of the graph, for problems."""

    model: "ModelScope"
    element: str
    known: frozenset[str]

    def within(self, names: Iterable[str]) -> "Scope":
        return Scope(self.model, self.element, self.known.union(names))

    def expression(self, literal: LiteralExpression) -> Closure:
        if literal.text is None:
            return _nothing
        compiled = compile_part(literal.text, self.known, self.model.words, self.model.type_tests)
        if isinstance(compiled, SyntaxProblem):
            return self._broken(literal, compiled)
        return compiled

    def tests(self, literal: LiteralExpression) -> Tester:
        if literal.text is None:
            return _anything
        compiled = compile_tests(literal.text, self.known, self.model.words, self.model.type_tests)
        if isinstance(compiled, SyntaxProblem):
            broken = self._broken(literal, compiled)
            return lambda environment, subject: bool(broken(environment))
        return compiled

    def allowed_values(self, text: str, line: int) -> Tester | None:
        return self.tests(LiteralExpression(text, line)) if text else None

    def _broken(self, literal: LiteralExpression, problem: SyntaxProblem) -> Closure:
        """An expression that cannot be compiled stops whoever evaluates it."""
        text = literal.text or ""
        shown = text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
        reason = f"failed to parse expression '{shown}': {problem.message} (character {problem.position + 1})"
        self.model.broken.append(Problem(self.element, literal.line, reason))

        def stop(environment: Environment) -> Value:
            raise Stopped(reason)

        return stop


@final
@dataclass(slots=True)
class ModelScope:
    """What all expressions of a model share."""

    types: Types
    words: Vocabulary
    checks_types: bool
    type_tests: Mapping[str, TypeTest] = field(default_factory=dict[str, TypeTest])
    broken: list[Problem] = field(default_factory=list[Problem])


def _nothing(environment: Environment) -> Value:
    return None


def _anything(environment: Environment, subject: Value) -> bool:
    return True
