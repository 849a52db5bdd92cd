"""What items of multi-instance activities earn: steps that their instance may do without a rest.

Their number is known when a body begins, so that what they take ends by itself, however many there are. What
goes round in a loop begins bodies anew: of an activity only one body may earn in work without a rest, and
inside of another one only one in each item of a body that earns itself.
"""

from typing import Final

from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.turn import Earner, Turn

_STEPS_PER_ITEM: Final = 12
_STEPS_PER_INNER_ITEM: Final = 5
"""Of a body in an item: of these there may be very many."""
_EARNERS_MAX: Final = 256


def earn(turn: Turn, instance: ProcessInstance, body_key: int, items: int) -> None:
    """A body begins so many items."""
    found = _earner(turn, instance, body_key)
    if found is None:
        return
    known = next((each for each in turn.earners if each[:3] == found[:3]), None)
    if known is None and len(turn.earners) < _EARNERS_MAX:
        turn.earners = (*turn.earners, found)
    elif known != found:
        return
    turn.earned += items * (_STEPS_PER_INNER_ITEM if found[2] else _STEPS_PER_ITEM)


def _earner(turn: Turn, instance: ProcessInstance, body_key: int) -> Earner | None:
    """None if it is inside of something that earns nothing, or in a process that calls itself."""
    definition_key, element = instance.definition_key, instance.elements[body_key].element
    key, definitions = body_key, {definition_key}
    while True:
        if key == instance.key:
            if instance.parent is None:
                return definition_key, element, 0, body_key
            key = instance.parent.element_instance_key
            caller = turn.state.instances.get(instance.parent.instance_key)
            if caller is None or caller.definition_key in definitions:
                return None
            instance = caller
            definitions.add(caller.definition_key)
        scope_key = instance.elements[key].scope_key
        loop = instance.loops.get(scope_key)
        if loop is not None and loop.items:
            earns = any(each[3] == scope_key for each in turn.earners)
            return (definition_key, element, key, body_key) if earns else None
        key = scope_key
