"""The body of an activity that runs more than once (BPMN 2.0, §10.3.8)."""

from typing import final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.elements.loops import items_too_large
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_events
from bpmnd.bpmn.evaluation import evaluate, evaluate_int, lookup_in, not_of_type
from bpmnd.bpmn.events import LoopStarted
from bpmnd.bpmn.feel import to_json
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import LoopBody, MultiInstance, StandardLoop
from bpmnd.bpmn.state.records import ProcessInstance
from bpmnd.bpmn.steps import BeginItem, CompleteElement
from bpmnd.bpmn.turn import CHARACTERS_PER_STEP, Turn
from bpmnd.bpmn.variables import INSTANCE_SIZE_MAX


@final
class LoopBodyKind(ElementKind[LoopBody]):
    """Works out the items, then runs the activity once for each, one after the other or all at once; or runs
    it as long as the condition of a standard loop holds."""

    nodes = (LoopBody,)

    def activate(self, element: LoopBody, activation: Activation) -> Incident | None:
        turn, instance, key = activation.turn, activation.instance, activation.key
        items, output_collection = _begun_with(turn, instance, element.loop, activation.inner_key)
        if isinstance(items, Incident):
            return items
        too_large = items_too_large(instance, items)
        if too_large is not None:
            return too_large
        events = plan_events(element, activation)
        if isinstance(events, Incident):
            return events

        activated(element, activation)
        begin_waiting(activation, events)
        turn.emit(LoopStarted(key, instance.key, element.index, output_collection, items))
        turn.spend(sum(map(len, items)) // CHARACTERS_PER_STEP)
        has_next = items or isinstance(element.loop, StandardLoop)
        turn.schedule(BeginItem(instance.key, key) if has_next else CompleteElement(instance.key, key))
        return None


def _begun_with(
    turn: Turn, instance: ProcessInstance, loop: MultiInstance | StandardLoop, scope_key: int
) -> tuple[tuple[bytes, ...] | Incident, str]:
    """The items, and the name of the output collection. A standard loop has neither."""
    if isinstance(loop, StandardLoop):
        return (), ""
    return _items(turn, instance, loop, scope_key), loop.output_collection


def _items(
    turn: Turn, instance: ProcessInstance, loop: MultiInstance, scope_key: int
) -> tuple[bytes, ...] | Incident:
    lookup = lookup_in(instance, scope_key)
    if loop.input_collection is not None:
        collection = evaluate(turn, loop.input_collection, lookup, IncidentType.EXTRACT_VALUE_ERROR)
        if isinstance(collection, Incident):
            return collection
        if not isinstance(collection.value, list):
            return not_of_type(loop.input_collection, "ARRAY", collection)
        return tuple([to_json(item) for item in collection.value])

    assert loop.cardinality is not None, f"{loop} runs nobody knows how often"
    cardinality = evaluate_int(turn, loop.cardinality, lookup)
    if isinstance(cardinality, Incident):
        return cardinality
    if not 0 <= cardinality <= INSTANCE_SIZE_MAX:
        reason = f"Expected a loop cardinality from 0 to {INSTANCE_SIZE_MAX}, but found {cardinality}."
        return Incident(IncidentType.EXTRACT_VALUE_ERROR, reason)
    return (b"null",) * cardinality
