"""The size of a result, as it would be written out."""

from typing import final

from bpmnd.bpmn.feel.environment import Stopped
from bpmnd.bpmn.feel.limits import RESULT_SIZE_MAX, VALUE_NESTING_MAX
from bpmnd.bpmn.feel.values import Range, Value


def bounded(value: Value) -> int:
    """Stop the evaluation if its result is too large or too deep; else how large it is, in characters
    and elements.

    An element may be shared: a small expression can build a list that has itself twice in each of a hundred
    levels. So sizes are counted as written out, but each list and context is gone through only once.
    """
    if isinstance(value, list | dict | Range):
        return _Sizes().of(value, 0)
    return _check(len(value)) if isinstance(value, str) else 1


def _check(size: int) -> int:
    if size > RESULT_SIZE_MAX:
        raise Stopped(f"The result is larger than {RESULT_SIZE_MAX} characters and elements.")
    return size


@final
class _Sizes:
    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def of(self, value: Value, nesting: int) -> int:
        if isinstance(value, str):
            return len(value) + 1
        if isinstance(value, list):
            return self._total(value, value, nesting)
        if isinstance(value, dict):
            return self._total(value, list(value.values()), nesting) + sum(map(len, value))
        return 1

    def _total(self, container: Value, values: list[Value], nesting: int) -> int:
        known = self._known.get(id(container))
        if known is not None:
            return known
        if nesting >= VALUE_NESTING_MAX:
            raise Stopped("The result is nested too deeply.")
        size = 1
        for value in values:
            size = _check(size + self.of(value, nesting + 1))
        self._known[id(container)] = size
        return size
