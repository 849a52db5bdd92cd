"""When an activity of a standard loop runs again (BPMN 2.0, §10.3.8 and §13.3.6): as long as its condition
holds, which is asked before each time or after it, and no more often than its maximum."""

from typing import Final

from bpmnd.bpmn.evaluation import evaluate, lookup_in, not_of_type, with_numbers
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import StandardLoop
from bpmnd.bpmn.state.records import ElementInstance, ProcessInstance
from bpmnd.bpmn.turn import Turn

COUNTER: Final = "loopCounter"
"""The variable that says how many times an activity has begun."""


def runs_again(turn: Turn, instance: ProcessInstance, body_key: int, loop: StandardLoop) -> bool | Incident:
    """Whether the activity begins once more, as far as that is asked before it begins: `loopCounter` is then
    the number it would have."""
    return not loop.test_before or _holds(turn, instance, body_key, loop, instance.loops[body_key].begun + 1)


def ends_with(
    turn: Turn, instance: ProcessInstance, record: ElementInstance, loop: StandardLoop
) -> bool | Incident:
    """Whether the loop ends with this instance of the activity, which is about to complete."""
    begun = instance.loops[record.scope_key].begun
    if begun == loop.maximum:
        return True
    if loop.test_before:
        return False
    holds = _holds(turn, instance, record.key, loop, begun)
    return holds if isinstance(holds, Incident) else not holds


def _holds(
    turn: Turn, instance: ProcessInstance, scope_key: int, loop: StandardLoop, counter: int
) -> bool | Incident:
    if loop.condition is None:
        return True
    lookup = with_numbers(lookup_in(instance, scope_key), {COUNTER: counter})
    evaluated = evaluate(turn, loop.condition, lookup, IncidentType.EXTRACT_VALUE_ERROR)
    if isinstance(evaluated, Incident):
        return evaluated
    if not isinstance(evaluated.value, bool):
        return not_of_type(loop.condition, "BOOLEAN", evaluated)
    return evaluated.value
