"""Elements that a command begins in an ad-hoc sub-process."""

from collections.abc import Iterable, Sequence

from bpmnd.bpmn.commands import ActivateAdHocActivities, CompleteJob, Variables
from bpmnd.bpmn.elements.ad_hoc_sub_process import begin_inside, elements_inside
from bpmnd.bpmn.elements.triggers import can_happen
from bpmnd.bpmn.events import JobCompleted, LoopEnded
from bpmnd.bpmn.model.graph import AdHocSubProcess, ExecutableProcess
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.state.records import Job, ProcessInstance, size_of
from bpmnd.bpmn.steps import CompleteElement, TerminateChildren, TerminateElement
from bpmnd.bpmn.turn import JobNote, Turn
from bpmnd.bpmn.variables import INSTANCE_SIZE_MAX, merge_local


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
    rejected = _problem_of(instance, process, element, key, command.elements)
    if rejected is not None:
        return rejected

    _begin(turn, instance, process, element, key, command.elements, cancel_remaining=command.cancel_remaining)
    return Accepted()


def complete_job(
    turn: Turn, command: CompleteJob, instance: ProcessInstance, job: Job, element: AdHocSubProcess
) -> Outcome:
    """Do what the worker has decided: begin elements, or, if it is done, end the sub-process."""
    key, result = job.element_instance_key, command.ad_hoc_result
    process = turn.executable_of(instance)
    rejected = _problem_of(instance, process, element, key, result.elements)
    if rejected is not None:
        return rejected

    turn.emit(JobCompleted(job.key, instance.key))
    turn.notes.append(JobNote(job.type, "completed", 1))
    merge_local(turn, instance, key, command.variables)
    if not result.is_done:
        _begin(
            turn, instance, process, element, key, result.elements, cancel_remaining=result.cancel_remaining
        )
        return Accepted()
    turn.emit(LoopEnded(key, instance.key))
    if key not in instance.children:
        turn.schedule(CompleteElement(instance.key, key))
    elif result.cancel_remaining:
        turn.schedule(TerminateChildren(instance.key, key))
    return Accepted()


def _begin(
    turn: Turn,
    instance: ProcessInstance,
    process: ExecutableProcess,
    element: AdHocSubProcess,
    key: int,
    elements: Sequence[tuple[str, Variables]],
    *,
    cancel_remaining: bool,
) -> None:
    if cancel_remaining:
        for child in instance.children_of(key):
            turn.schedule(TerminateElement(instance.key, child.key))
    inside = elements_inside(process, element)
    for element_id, variables in elements:
        begin_inside(turn, instance, key, element, inside[element_id], variables)


def _problem_of(
    instance: ProcessInstance,
    process: ExecutableProcess,
    element: AdHocSubProcess,
    key: int,
    elements: Sequence[tuple[str, Variables]],
) -> Rejected | None:
    """Why these elements cannot begin."""
    ids = [element_id for element_id, _ in elements]
    if len(set(ids)) < len(ids):
        return _rejected(RejectionType.INVALID_ARGUMENT, key, "but duplicate activities were given.")
    inside = elements_inside(process, element)
    unknown = [element_id for element_id in ids if element_id not in inside]
    if unknown:
        problem = f"but the given elements [{_joined(unknown)}] do not exist."
        return _rejected(RejectionType.NOT_FOUND, key, problem)
    size = instance.size + sum(size_of(variables) for _, variables in elements)
    if size > INSTANCE_SIZE_MAX:
        problem = f"but its process instance would have {size} bytes of variables, of {INSTANCE_SIZE_MAX}."
        return _rejected(RejectionType.INVALID_ARGUMENT, key, problem)
    return None


def _rejected(kind: RejectionType, key: int, problem: str) -> Rejected:
    reason = f"Expected to activate activities for ad-hoc sub-process with key '{key}', {problem}"
    return Rejected(kind, reason)


def _joined(element_ids: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(element_ids))
