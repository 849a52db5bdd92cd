"""Creation and cancellation of process instances, and their variables."""

from bpmnd.bpmn.commands import CancelProcessInstance, CreateProcessInstance, SetVariables
from bpmnd.bpmn.elements.opening import (
    LoopScope,
    Opening,
    can_be_activated,
    is_behind_event_based_gateway,
)
from bpmnd.bpmn.events import ProcessInstanceCreated
from bpmnd.bpmn.model.graph import ExecutableProcess
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.outcomes import ProcessInstanceCreated as InstanceAnswer
from bpmnd.bpmn.processors.modification import ACTIVATED_BY_HAND, type_of
from bpmnd.bpmn.starts import open_process
from bpmnd.bpmn.state.deployed import Definition
from bpmnd.bpmn.state.records import ACTIVATED, ElementInstance, ProcessInstance
from bpmnd.bpmn.steps import ActivateElement, TerminateElement
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import merge_local, merge_upwards, oversize


def create(turn: Turn, command: CreateProcessInstance) -> Outcome | None:
    """Answers at once, or with `await_result` when the instance has completed."""
    definition = _definition(turn, command)
    if isinstance(definition, Rejected):
        return definition
    process = turn.definitions.executable(definition.key)
    starts = _starts(turn, process, command.start_elements)
    if isinstance(starts, Rejected):
        return starts
    terminate_after = _indexes(process, command.terminate_after)
    if isinstance(terminate_after, Rejected):
        return terminate_after

    key = turn.new_key()
    opening: Opening | None = None
    if starts:
        sketch = ProcessInstance(key, definition.key, definition.tenant_id, (), None, turn.now)
        sketch.elements = {key: ElementInstance(key, process.root.index, key, ACTIVATED)}
        sketch.variables = {key: command.variables}
        planned = _opening(turn, process, sketch, starts)
        if isinstance(planned, Rejected):
            return planned
        opening = planned
    request = turn.request if command.await_result else 0
    turn.emit(
        ProcessInstanceCreated(
            key,
            definition.key,
            definition.tenant_id,
            command.tags,
            command.business_id,
            terminate_after,
            request,
            command.fetch_variables,
        )
    )
    if opening is not None:
        opening.happen_in_new_process(command.variables)
    else:
        start = process.root.start_event
        assert start is not None, f"{process.id} has no none start event"
        first = (ActivateElement(key, key, start),)
        open_process(turn, key, process, command.variables, first)
    if command.await_result:
        return None
    return InstanceAnswer(
        key,
        definition.key,
        definition.process_id,
        definition.version,
        definition.tenant_id,
        command.tags,
        command.business_id,
        {},
    )


def _definition(turn: Turn, command: CreateProcessInstance) -> Definition | Rejected:
    state = turn.state
    if command.definition_key:
        definition = state.definitions.get(command.definition_key)
        if (
            definition is None
            or definition.tenant_id != command.tenant_id
            or state.deleted.get(definition.key)
        ):
            return Rejected(
                RejectionType.NOT_FOUND,
                f"Expected to find process definition with key '{command.definition_key}', but none found",
            )
        return definition
    versions = state.latest.get((command.tenant_id, command.process_id))
    if not versions:
        return Rejected(
            RejectionType.NOT_FOUND,
            f"Expected to find process definition with process ID '{command.process_id}', but none found",
        )
    version = command.version if command.version >= 0 else max(versions)
    if version not in versions:
        return Rejected(
            RejectionType.NOT_FOUND,
            f"Expected to find process definition with process ID '{command.process_id}'"
            f" and version '{version}', but none found",
        )
    return state.definitions.items[versions[version]]


def _starts(
    turn: Turn, process: ExecutableProcess, element_ids: tuple[str, ...]
) -> tuple[int, ...] | Rejected:
    """Where to start instead of the none start event; nothing for the ordinary start."""
    if not element_ids:
        if process.root.start_event is None:
            return Rejected(
                RejectionType.INVALID_STATE,
                "Expected to create instance of process with none start event, but there is no such event",
            )
        return ()
    indexes = _indexes(process, element_ids)
    if isinstance(indexes, Rejected):
        return indexes
    for index in indexes:
        element = process.elements[index]
        if not can_be_activated(turn, element):
            return _not_a_start(
                f"the element with id '{element.id}' targets unsupported element type '{type_of(element)}'."
                f" Supported element types are: [{ACTIVATED_BY_HAND}]"
            )
        if is_behind_event_based_gateway(process, element):
            return _not_a_start(
                f"the element with id '{element.id}' belongs to an event-based gateway. The creation of"
                " elements belonging to an event-based gateway is not supported."
            )
    return indexes


def _not_a_start(problem: str) -> Rejected:
    reason = f"Expected to create instance of process with start instructions but {problem}"
    return Rejected(RejectionType.INVALID_ARGUMENT, reason)


def _indexes(process: ExecutableProcess, element_ids: tuple[str, ...]) -> tuple[int, ...] | Rejected:
    if not element_ids:
        return ()
    by_id = process.by_id()
    unknown = [element_id for element_id in element_ids if element_id not in by_id]
    if unknown:
        return _not_a_start(f"no element found with id '{unknown[0]}'.")
    return tuple(by_id[element_id].index for element_id in element_ids)


def _opening(
    turn: Turn, process: ExecutableProcess, sketch: ProcessInstance, starts: tuple[int, ...]
) -> Opening | Rejected:
    """The start in the middle of a process."""
    opening = Opening(turn, process, sketch)
    rejected = opening.wait_in_process()
    for index in starts:
        if rejected is not None:
            break
        element = process.element(index)
        result = opening.activate(element, {})
        if isinstance(result, LoopScope):
            return _not_a_start(
                f"the element with id '{element.id}' is inside a multi-instance subprocess. The creation of"
                " elements inside a multi-instance subprocess is not supported."
            )
        assert result is None or isinstance(result, Rejected), f"{result} in an instance that is not there"
        rejected = result
    return rejected or opening


def cancel(turn: Turn, command: CancelProcessInstance) -> Outcome:
    instance = turn.state.instances.get(command.key)
    if instance is None:
        return Rejected(
            RejectionType.NOT_FOUND,
            f"Expected to cancel a process instance with key '{command.key}', but no such process was found",
        )
    if instance.parent is not None:
        return Rejected(
            RejectionType.INVALID_STATE,
            f"Expected to cancel a process instance with key '{command.key}', but it is created by a parent"
            f" process instance. Cancel the root process instance '{instance.root_key}' instead.",
        )
    turn.schedule(TerminateElement(instance.key, instance.key))
    return Accepted()


def set_variables(turn: Turn, command: SetVariables) -> Outcome:
    key = command.scope_key
    instance = turn.state.instances.get(key) or turn.state.owner_of(key)
    if instance is None or key not in instance.elements:
        return Rejected(
            RejectionType.NOT_FOUND,
            f"Expected to update variables for element with key '{key}', but no such element was found",
        )
    too_large = oversize(instance, key, command.variables, local=command.local)
    if too_large is not None:
        return Rejected(RejectionType.INVALID_ARGUMENT, too_large)
    merge = merge_local if command.local else merge_upwards
    merge(turn, instance, key, command.variables)
    return Accepted()
