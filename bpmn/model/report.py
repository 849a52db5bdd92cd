"""Where the problems of a resource are gathered, so that all are told at once."""

from typing import Final

from bpmnd.bpmn.feel import Expression, SyntaxProblem
from bpmnd.bpmn.model.graph import Problem
from bpmnd.bpmn.model.xml import Tag

PROBLEMS_MAX: Final = 1000
REASON_LENGTH_MAX: Final = 500


class Report:
    """All that is wrong with one resource, in the order of its lines."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}  # A set that remembers the order.
        self.compiled: Final[dict[str, Expression | SyntaxProblem]] = {}
        """What came of the expressions of the resource. Many elements may refer to the place of one."""

    def add(self, element: Tag, reason: str, *, at: Tag | None = None) -> None:
        """Note what is wrong with `element`, at a tag inside it if that is more exact."""
        if len(reason) > REASON_LENGTH_MAX:
            reason = f"{reason[: REASON_LENGTH_MAX - 1]}…"
        self._problems.setdefault(Problem(element.id, (at or element).line, reason))

    def problems(self) -> tuple[Problem, ...]:
        found = sorted(self._problems, key=lambda problem: problem.line or 0)
        if len(found) > PROBLEMS_MAX:
            rest = len(found) - PROBLEMS_MAX
            found[PROBLEMS_MAX:] = [Problem(None, None, f"{rest} more problems are left out")]
        return tuple(found)
