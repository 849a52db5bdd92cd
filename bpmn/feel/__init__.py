"""FEEL, the expression language of DMN 1.5 with Camunda's additions."""

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
