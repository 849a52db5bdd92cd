"""Activities with many instances, as far as their instances begin and end (BPMN 2.0, §13.3.7), and what is
begun in ad-hoc sub-processes (§13.3.5)."""

from typing import Final, NamedTuple

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.elements import standard_loop
from bpmnd.bpmn.elements.earning import earn
from bpmnd.bpmn.elements.standard_loop import COUNTER
from bpmnd.bpmn.evaluation import evaluate, lookup_in, not_of_type, with_numbers
from bpmnd.bpmn.events import ElementActivating, LoopEnded, LoopOutputCollected
from bpmnd.bpmn.feel import Value, to_json
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import AdHocSubProcess, Evaluable, LoopBody, StandardLoop
from bpmnd.bpmn.state.records import ElementInstance, Lifecycle, ProcessInstance, loop_size
from bpmnd.bpmn.steps import (
    ActivateElement,
    BeginItem,
    CompleteElement,
    CreateAdHocJob,
    TerminateChildren,
)
from bpmnd.bpmn.turn import CHARACTERS_PER_STEP, Turn
from bpmnd.bpmn.variables import INSTANCE_SIZE_MAX, merge_local, oversize

_BEGUN_AT_ONCE: Final = 40
"""Parallel instances that all begin before the first of them can complete, even if it does not wait."""
_STEPS_PER_BEGINNING: Final = 40
"""What beginning one costs, in steps of expressions."""


class Gathered(NamedTuple):
    """What an instance of an activity has left to its body, before it completes."""

    ends_loop: bool
    """The completion condition holds."""


def begin_item(turn: Turn, step: BeginItem) -> None:
    """Begin the next instance of an activity; if they are parallel, the next few, then those behind them."""
    instance = turn.state.instances.get(step.instance_key)
    record = instance.elements.get(step.key) if instance is not None else None
    if instance is None or record is None or record.state is not Lifecycle.ACTIVATED:
        return
    loop = instance.loops[step.key]
    if step.key in instance.triggers or loop.ended:
        return
    body = body_of(turn, instance, step.key)
    assert isinstance(body, LoopBody), f"{body} has no items"
    if isinstance(body.loop, StandardLoop):
        if step.key in instance.children:
            return
        again = standard_loop.runs_again(turn, instance, step.key, body.loop)
        if isinstance(again, Incident):
            turn.raise_incident(instance, step.key, again, step)
        elif again:
            _begin(turn, instance, step, body, {})
        else:
            turn.schedule(CompleteElement(instance.key, step.key))
        return
    begun = loop.begun
    few = loop.items[begun : begun + (1 if body.one_by_one else _BEGUN_AT_ONCE)]
    for item in few:
        variables: Variables = {}
        if body.loop.output_variable:
            variables[body.loop.output_variable] = b"null"
        if body.loop.input_element:
            variables[body.loop.input_element] = item
        if not _begin(turn, instance, step, body, variables):
            return
    if few:
        earn(turn, instance, step.key, len(few))
    if not body.one_by_one and few:
        turn.spend(_STEPS_PER_BEGINNING * len(few))
        turn.is_bounded = True
        if begun + len(few) < len(loop.items):
            turn.schedule(step)


def _begin(
    turn: Turn, instance: ProcessInstance, step: BeginItem, body: LoopBody, variables: Variables
) -> bool:
    """One instance, unless its variables are too much: that is an incident, and it is tried again with it."""
    variables[COUNTER] = b"%d" % (instance.loops[step.key].begun + 1)
    too_large = oversize(instance, step.key, variables, local=True)
    if too_large is not None:
        incident = Incident(IncidentType.MESSAGE_SIZE_EXCEEDED, too_large)
        turn.raise_incident(instance, step.key, incident, step)
        return False
    key = turn.new_key()
    turn.emit(ElementActivating(key, instance.key, step.key, body.inner, ()))
    merge_local(turn, instance, key, variables)
    turn.schedule(ActivateElement(instance.key, step.key, body.inner, key=key))
    return True


def gather(turn: Turn, instance: ProcessInstance, record: ElementInstance) -> Gathered | Incident:
    """Take what an instance of an activity leaves to its body, and see whether that has enough of it."""
    body = body_of(turn, instance, record.scope_key)
    looked_at = body if isinstance(body, AdHocSubProcess) else body.loop
    if isinstance(looked_at, StandardLoop):
        ends = standard_loop.ends_with(turn, instance, record, looked_at)
        return ends if isinstance(ends, Incident) else Gathered(ends)
    if looked_at.output_element is not None:
        incident = _collect(turn, instance, record, body, looked_at.output_element)
        if incident is not None:
            return incident
    condition = looked_at.completion_condition
    if condition is None or instance.loops[record.scope_key].ended:
        return Gathered(False)
    if isinstance(body, AdHocSubProcess):
        lookup = lookup_in(instance, record.scope_key)
    else:
        lookup = with_numbers(lookup_in(instance, record.key), _numbers(instance, record.scope_key))
    evaluated = evaluate(turn, condition, lookup, IncidentType.EXTRACT_VALUE_ERROR)
    if isinstance(evaluated, Incident):
        return evaluated
    if not isinstance(evaluated.value, bool):
        return not_of_type(condition, "BOOLEAN", evaluated)
    return Gathered(evaluated.value)


def _collect(
    turn: Turn,
    instance: ProcessInstance,
    record: ElementInstance,
    body: LoopBody | AdHocSubProcess,
    output_element: Evaluable,
) -> Incident | None:
    """Keep the output: that of an item at its place, that of something begun ad hoc behind the others."""
    lookup = lookup_in(instance, record.key)
    output = evaluate(turn, output_element, lookup, IncidentType.EXTRACT_VALUE_ERROR)
    if isinstance(output, Incident):
        return output
    value, body_key = to_json(output.value), record.scope_key
    if isinstance(body, AdHocSubProcess):
        index = instance.loops[body_key].completed
    else:
        index = instance.loop_indexes[record.key]
    before = instance.loop_outputs.get(body_key, {}).get(index, b"")
    size = instance.size + len(value) - len(before)
    if size > INSTANCE_SIZE_MAX:
        return _too_large(size)
    if value != before:
        turn.emit(LoopOutputCollected(body_key, instance.key, index, value))
        turn.spend(len(value) // CHARACTERS_PER_STEP)
    return None


def output_of(instance: ProcessInstance, record: ElementInstance) -> Variables | Incident:
    """What a multi-instance body that is about to complete leaves to the scope around it."""
    name = instance.loops[record.key].output_collection
    if not name:
        return {}
    made = {name: instance.collected(record.key)}
    freed = loop_size(instance, record.key)
    too_large = oversize(instance, record.scope_key, made, freed=freed)
    return made if too_large is None else Incident(IncidentType.EXTRACT_VALUE_ERROR, too_large)


def _too_large(size: int) -> Incident:
    reason = (
        f"Expected the items and outputs of a multi-instance activity to fit into {INSTANCE_SIZE_MAX} bytes"
        f" with all variables of the process instance, but they would take {size}"
    )
    return Incident(IncidentType.EXTRACT_VALUE_ERROR, reason)


def items_too_large(instance: ProcessInstance, items: tuple[bytes, ...]) -> Incident | None:
    size = instance.size + sum(map(len, items))
    return _too_large(size) if size > INSTANCE_SIZE_MAX else None


def _numbers(instance: ProcessInstance, body_key: int) -> dict[str, Value]:
    """What a completion condition can count with, as it is when the instance that asks has completed."""
    loop = instance.loops[body_key]
    return {
        "numberOfInstances": len(loop.items),
        "numberOfActiveInstances": instance.children[body_key] - 1,
        "numberOfCompletedInstances": loop.completed + 1,
        "numberOfTerminatedInstances": loop.terminated,
    }


def end(turn: Turn, instance: ProcessInstance, body_key: int) -> None:
    """Nothing else begins, and what is active is terminated, unless an ad-hoc sub-process waits for it."""
    turn.emit(LoopEnded(body_key, instance.key))
    body = body_of(turn, instance, body_key)
    if isinstance(body, AdHocSubProcess) and not body.cancels_remaining:
        return
    if body_key in instance.children:
        turn.schedule(TerminateChildren(instance.key, body_key))


def completed_inside(turn: Turn, instance: ProcessInstance, body_key: int, *, ends_loop: bool) -> None:
    """Something that was begun here has completed."""
    if ends_loop:
        end(turn, instance, body_key)
        return
    body = body_of(turn, instance, body_key)
    if isinstance(body, AdHocSubProcess) and body.job is not None and not instance.loops[body_key].ended:
        turn.schedule(CreateAdHocJob(instance.key, body_key))


def go_on(turn: Turn, instance: ProcessInstance, body_key: int) -> None:
    """Something has ended that was begun here: the next one begins, or the body completes with the last."""
    if body_key in instance.children:
        return
    loop, body = instance.loops[body_key], body_of(turn, instance, body_key)
    if isinstance(body, AdHocSubProcess):
        is_done = loop.ended or (body.completion_condition is None and body.job is None)
    elif isinstance(body.loop, StandardLoop):
        is_done = loop.ended or loop.begun == body.loop.maximum
    else:
        is_done = loop.ended or loop.begun == len(loop.items)
    if is_done:
        turn.schedule(CompleteElement(instance.key, body_key))
    elif isinstance(body, LoopBody) and body.one_by_one:
        turn.schedule(BeginItem(instance.key, body_key))


def body_of(turn: Turn, instance: ProcessInstance, body_key: int) -> LoopBody | AdHocSubProcess:
    body = turn.executable_of(instance).elements[instance.elements[body_key].element]
    assert isinstance(body, LoopBody | AdHocSubProcess), f"{body} has loops"
    return body
