"""What an expression is compiled to."""

from collections.abc import Callable
from typing import TypeAlias

from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.values import Value

Closure: TypeAlias = Callable[[Environment], Value]
# Answers for an input whether it passes; None where FEEL has no answer.
Tester: TypeAlias = Callable[[Environment, Value], bool | None]
