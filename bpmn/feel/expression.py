"""Compiled expressions, and the way from text to them."""

from collections.abc import Callable
from typing import Final, final

import msgspec

from bpmnd.bpmn.feel.closures import Closure
from bpmnd.bpmn.feel.compiler import compile_tree
from bpmnd.bpmn.feel.environment import Environment, Stopped
from bpmnd.bpmn.feel.limits import STEPS_MAX
from bpmnd.bpmn.feel.outcomes import Evaluated, EvaluationFailure, Lookup, NotBoolean, SyntaxProblem
from bpmnd.bpmn.feel.parser import parse_expression, parse_unary_tests
from bpmnd.bpmn.feel.results import bounded
from bpmnd.bpmn.feel.syntax import Tree

_NO_NAMES: Final[frozenset[str]] = frozenset()
_TOO_DEEP: Final = EvaluationFailure("The values are nested too deeply.")


@final
class Expression(msgspec.Struct, frozen=True, eq=False):
    """A compiled expression. Evaluating it changes nothing, in it or elsewhere.

    Where Camunda and DMN differ it does as Camunda: whatever has no sense is null and leaves a warning
    (`1 = "a"`, `5[1]`, `true and 1`, a variable that does not exist), and only a few things are failures.
    """

    text: str
    variables: frozenset[str]
    _closure: Closure
    _builds: bool

    def evaluate(
        self,
        lookup: Lookup,
        *,
        now_ms: int = 0,
        steps_max: int = STEPS_MAX,
        spent: Callable[[int], None] | None = None,
    ) -> Evaluated | EvaluationFailure:
        """The value with its warnings. `now_ms` is the moment that `now()` and `today()` tell.

        `spent` is told the steps that it took, in the end.
        """
        environment = Environment(lookup, now_ms, steps_max)
        try:
            value = self._closure(environment)
            if self._builds:
                bounded(value)
        except Stopped as stopped:
            return EvaluationFailure(str(stopped))
        except RecursionError:
            return _TOO_DEEP
        finally:
            if spent is not None:
                spent(steps_max - environment.steps_left)
        return Evaluated(value, tuple(environment.warnings or ()))

    def test(
        self,
        lookup: Lookup,
        *,
        now_ms: int = 0,
        steps_max: int = STEPS_MAX,
        spent: Callable[[int], None] | None = None,
    ) -> bool | NotBoolean | EvaluationFailure:
        """Whether a condition holds."""
        environment = Environment(lookup, now_ms, steps_max)
        try:
            value = self._closure(environment)
        except Stopped as stopped:
            return EvaluationFailure(str(stopped))
        except RecursionError:
            return _TOO_DEEP
        finally:
            if spent is not None:
                spent(steps_max - environment.steps_left)
        if value is True or value is False:
            return value
        return NotBoolean(value, tuple(environment.warnings or ()))


def compile_expression(text: str, names: frozenset[str] = _NO_NAMES) -> Expression | SyntaxProblem:
    """Compile a text without its leading `=`. `names` are known names of several words."""
    return _compiled(text, parse_expression(text, names))


def compile_unary_tests(text: str, names: frozenset[str] = _NO_NAMES) -> Expression | SyntaxProblem:
    """Compile a cell of a decision table; the value to be tested is looked up as `?`."""
    return _compiled(text, parse_unary_tests(text, names))


def _compiled(text: str, tree: Tree | SyntaxProblem) -> Expression | SyntaxProblem:
    if isinstance(tree, SyntaxProblem):
        return tree
    compiled = compile_tree(tree)
    if isinstance(compiled, SyntaxProblem):
        return compiled
    closure, variables, builds = compiled
    return Expression(text, variables, closure, builds)
