"""Elements that a command begins in an ad-hoc sub-process."""

from collections.abc import Iterable

from bpmnd.bpmn.commands import ActivateAdHocActivities
from bpmnd.bpmn.elements.ad_hoc_sub_process import begin_inside, elements_inside
from bpmnd.bpmn.elements.triggers import can_happen
from bpmnd.bpmn.model.graph import AdHocSubProcess
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.state.records import size_of
from bpmnd.bpmn.steps import TerminateElement
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import INSTANCE_SIZE_MAX


def activate(turn: Turn, command: ActivateAdHocActivities) -> Outcome:
    key = command.key
    instance = turn.state.owner_of(key)
    record = instance.elements.get(key) if instance is not None else None
    process = turn.executable_of(instance) if instance is not None else None
    element = process.elements[record.element] if process is not None and record is not None else None
    if instance is None or process is None or not isinstance(element, AdHocSubProcess):
        return Rejected(
            RejectionType.NOT_FOUND,
            "Expected to activate activities for ad-hoc sub-process but no ad-hoc sub-process instance found"
            f" with key '{key}'.",
        )
    loop = instance.loops.get(key)
    if loop is None or loop.ended or not can_happen(instance, key):
        return _rejected(RejectionType.INVALID_STATE, key, "but it is not active.")
    ids = [element_id for element_id, _ in command.elements]
    if len(set(ids)) < len(ids):
        return _rejected(RejectionType.INVALID_ARGUMENT, key, "but duplicate activities were given.")
    inside = elements_inside(process, element)
    unknown = [element_id for element_id in ids if element_id not in inside]
    if unknown:
        problem = f"but the given elements [{_joined(unknown)}] do not exist."
        return _rejected(RejectionType.NOT_FOUND, key, problem)
    size = instance.size + sum(size_of(variables) for _, variables in command.elements)
    if size > INSTANCE_SIZE_MAX:
        problem = f"but its process instance would have {size} bytes of variables, of {INSTANCE_SIZE_MAX}."
        return _rejected(RejectionType.INVALID_ARGUMENT, key, problem)

    if command.cancel_remaining:
        for child in instance.children_of(key):
            turn.schedule(TerminateElement(instance.key, child.key))
    for element_id, own in command.elements:
        begin_inside(turn, instance, key, element, inside[element_id], own)
    return Accepted()


def _rejected(kind: RejectionType, key: int, problem: str) -> Rejected:
    reason = f"Expected to activate activities for ad-hoc sub-process with key '{key}', {problem}"
    return Rejected(kind, reason)


def _joined(element_ids: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(element_ids))
