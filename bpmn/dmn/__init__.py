"""DMN: decisions, from their files to their results.

A file is read (`reader`), compiled to closures of FEEL's (`compiler`), and its decisions are evaluated with
all that they require (`evaluation`). Nothing of it looks at a clock, a disk or a state.

A file that was made for Camunda does as in Camunda: an expression that cannot be parsed keeps it from being
deployed, types are checked of literal expressions only, and a result of another type is a failure. Any other
file does as the standard has it: what cannot be parsed fails when it is evaluated, all types are checked, and
what does not fit is null.
"""

from bpmnd.bpmn.dmn.compiler import compile_model
from bpmnd.bpmn.dmn.document import Document
from bpmnd.bpmn.dmn.evaluation import evaluate_decision
from bpmnd.bpmn.dmn.model import Deployed, Model
from bpmnd.bpmn.dmn.reader import read_document
from bpmnd.bpmn.dmn.results import DecisionFailure, DecisionResult, EvaluatedDecision

__all__ = [
    "DecisionFailure",
    "DecisionResult",
    "Deployed",
    "Document",
    "EvaluatedDecision",
    "Model",
    "compile_model",
    "evaluate_decision",
    "read_document",
]
