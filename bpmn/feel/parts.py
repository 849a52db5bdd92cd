"""FEEL as a part of something larger, as decision logic is: closures over an environment that is given.

What is around the expressions opens frames for the names they see, pays for its own steps, and catches
`Stopped` and `RecursionError` where the evaluation as a whole ends.
"""

from collections.abc import Mapping
from typing import Final

from bpmnd.bpmn.feel.closures import Closure, Tester
from bpmnd.bpmn.feel.compiler import compile_part as compile_tree_part
from bpmnd.bpmn.feel.compiler import compile_part_tests
from bpmnd.bpmn.feel.environment import Environment, Frame, Stopped
from bpmnd.bpmn.feel.names import Vocabulary
from bpmnd.bpmn.feel.outcomes import SyntaxProblem
from bpmnd.bpmn.feel.parser import parse_expression, parse_unary_tests
from bpmnd.bpmn.feel.types import TypeTest

__all__ = [
    "Closure",
    "Environment",
    "Frame",
    "Stopped",
    "Tester",
    "TypeTest",
    "Vocabulary",
    "compile_part",
    "compile_tests",
]

_NO_TYPES: Final[Mapping[str, TypeTest]] = {}


def compile_part(
    text: str, known: frozenset[str], words: Vocabulary, types: Mapping[str, TypeTest] = _NO_TYPES
) -> Closure | SyntaxProblem:
    """Compile an expression. `known` names are in its frames, and stand before built-ins of that name;
    `words` are those of the entries that contexts may have."""
    tree = parse_expression(text, known, words)
    return tree if isinstance(tree, SyntaxProblem) else compile_tree_part(tree, known, types)


def compile_tests(
    text: str, known: frozenset[str], words: Vocabulary, types: Mapping[str, TypeTest] = _NO_TYPES
) -> Tester | SyntaxProblem:
    """Compile unary tests, which are handed the value to be tested."""
    tree = parse_unary_tests(text, known, words)
    return tree if isinstance(tree, SyntaxProblem) else compile_part_tests(tree, known, types)
