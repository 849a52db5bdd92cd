"""Evaluating an expression for a client."""

from bpmnd.bpmn.commands import EvaluateExpression
from bpmnd.bpmn.feel import EvaluationFailure, SyntaxProblem, compile_expression, to_json
from bpmnd.bpmn.outcomes import ExpressionEvaluated, Outcome, Rejected, RejectionType
from bpmnd.bpmn.processors.decisions import lookup_in
from bpmnd.bpmn.turn import Turn


def evaluate(turn: Turn, command: EvaluateExpression) -> Outcome:
    """The value with its warnings; an expression that cannot be parsed or was stopped is rejected."""
    text = command.expression
    if not text.startswith("="):
        return _invalid(f"Expected to evaluate an expression with a leading '=', but found '{text[:200]}'")
    expression = compile_expression(text[1:])
    if isinstance(expression, SyntaxProblem):
        reason = f"{expression.message} (character {expression.position + 2})"
        return _invalid(f"Expected to evaluate expression '{text[:200]}', but failed to parse it: {reason}")
    evaluated = expression.evaluate(lookup_in(command.variables), now_ms=turn.now, spent=turn.spend)
    if isinstance(evaluated, EvaluationFailure):
        return _invalid(f"Expected to evaluate expression '{text[:200]}', but {evaluated.message}")
    return ExpressionEvaluated(to_json(evaluated.value), evaluated.warnings)


def _invalid(reason: str) -> Rejected:
    return Rejected(RejectionType.INVALID_ARGUMENT, reason)
