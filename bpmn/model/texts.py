"""Attributes and texts of a model: meant literally, or a FEEL expression behind a '='."""

from typing import Final

from bpmnd.bpmn.feel import SyntaxProblem, compile_expression
from bpmnd.bpmn.model.graph import BrokenExpression, Evaluable, Text
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.xml import Tag

QUOTE_LENGTH_MAX: Final = 200
"""How much of a text is repeated in a problem, so that there is room for what is wrong with it."""


def is_expression(text: str) -> bool:
    """A lone '=' is literal, and so is one behind a space (which only attributes can have)."""
    return text.startswith("=") and len(text) > 1


def read_text(text: str, element: Tag, report: Report, *, at: Tag) -> Text:
    """The literal text or the compiled expression."""
    return _compiled(text, element, report, at=at) if is_expression(text) else text


def read_name(shared: Tag, element: Tag, report: Report) -> Text:
    """The name of what an event refers to, such as a message."""
    name = shared.attributes.get("name", "")
    if not name:
        report.add(shared, f"the name of a {shared.bare_name} must be present and not empty")
    return read_text(name, element, report, at=shared)


def read_expression(text: str, element: Tag, report: Report, *, at: Tag) -> Evaluable:
    """The compiled expression; literal text is a problem."""
    if is_expression(text):
        return _compiled(text, element, report, at=at)

    reason = (
        f"expected an expression but found the static value '{_short(text)}'; an expression starts with '='"
    )
    report.add(element, reason, at=at)
    return BrokenExpression(text, reason)


def _compiled(text: str, element: Tag, report: Report, *, at: Tag) -> Evaluable:
    compiled = report.compiled.get(text)
    if compiled is None:
        compiled = report.compiled[text] = compile_expression(text[1:])
    match compiled:
        case SyntaxProblem(message, position):
            reason = f"failed to parse expression '{_short(text[1:])}' at character {position}: {message}"
            report.add(element, reason, at=at)
            return BrokenExpression(text[1:], reason)
        case expression:
            return expression


def _short(text: str) -> str:
    return text if len(text) <= QUOTE_LENGTH_MAX else f"{text[:QUOTE_LENGTH_MAX]}…"
