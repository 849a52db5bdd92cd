"""FEEL, the expression language of DMN 1.5 with Camunda's additions.

Where DMN 1.5 and Camunda 8.6 (feel-scala 1.18) differ, an expression does as in Camunda; in decisions that
were not made for Camunda, as DMN has it. docs/feel.md lists both, and what is unlike Camunda on purpose.
"""

from bpmnd.bpmn.feel.expression import Expression, compile_expression, compile_unary_tests
from bpmnd.bpmn.feel.json import from_json, to_json
from bpmnd.bpmn.feel.limits import STEPS_MAX
from bpmnd.bpmn.feel.outcomes import Evaluated, EvaluationFailure, Lookup, NotBoolean, SyntaxProblem
from bpmnd.bpmn.feel.values import MISSING, Value, type_name

__all__ = [
    "MISSING",
    "STEPS_MAX",
    "Evaluated",
    "EvaluationFailure",
    "Expression",
    "Lookup",
    "NotBoolean",
    "SyntaxProblem",
    "Value",
    "compile_expression",
    "compile_unary_tests",
    "from_json",
    "to_json",
    "type_name",
]
