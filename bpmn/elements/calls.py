"""Process instances that call activities start, and what comes back from them (BPMN 2.0, §10.3.4)."""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events import ProcessInstanceCalled
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.graph import CallActivity
from bpmnd.bpmn.starts import open_process
from bpmnd.bpmn.state.deployed import Definition
from bpmnd.bpmn.state.records import Lifecycle, Parent, ProcessInstance
from bpmnd.bpmn.steps import ActivateElement, CompleteElement, TerminateElement
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import merge_local, merge_upwards, oversize


def depth_of(instance: ProcessInstance) -> int:
    """How many process instances there are from the root to this one."""
    return 1 if instance.parent is None else instance.parent.depth


def call(
    turn: Turn, instance: ProcessInstance, key: int, definition: Definition, variables: Variables
) -> None:
    """Start an instance of the definition for the call activity `key`, which is active."""
    called = turn.new_key()
    turn.emit(
        ProcessInstanceCalled(
            called,
            instance.key,
            key,
            definition.key,
            definition.tenant_id,
            instance.root_key,
            depth_of(instance) + 1,
        )
    )
    process = turn.definitions.executable(definition.key)
    assert process.root.start_event is not None, f"{process.id} has no none start event"
    first = ActivateElement(called, called, process.root.start_event)
    open_process(turn, called, process, variables, (first,))


def cannot_return(turn: Turn, instance: ProcessInstance, parent: Parent) -> Incident | None:
    """Why the variables of a called instance that is about to complete cannot go to its caller, if so."""
    variables = instance.variables.get(instance.key)
    if not variables:
        return None
    caller, element = _caller(turn, parent)
    if not _takes_variables(element):
        return None
    key = parent.element_instance_key
    too_large = oversize(caller, key, variables, local=bool(element.outputs))
    return None if too_large is None else Incident(IncidentType.IO_MAPPING_ERROR, too_large)


def completed(turn: Turn, parent: Parent, variables: Variables) -> None:
    """A called instance has completed, and so does its call activity, unless that is being terminated."""
    caller, element = _caller(turn, parent)
    key = parent.element_instance_key
    if caller.elements[key].state is Lifecycle.TERMINATING:
        turn.schedule(TerminateElement(caller.key, key))
        return
    if _takes_variables(element):
        merge = merge_local if element.outputs else merge_upwards
        merge(turn, caller, key, variables)
    turn.schedule(CompleteElement(caller.key, key))


def terminated(turn: Turn, parent: Parent) -> None:
    """A called instance was terminated, and with it its call activity is."""
    turn.schedule(TerminateElement(parent.instance_key, parent.element_instance_key))


def _caller(turn: Turn, parent: Parent) -> tuple[ProcessInstance, CallActivity]:
    caller = turn.state.instances.get(parent.instance_key)
    assert caller is not None, f"{parent} is gone before what it called"
    element = turn.executable_of(caller).elements[caller.elements[parent.element_instance_key].element]
    assert isinstance(element, CallActivity), f"{element} has called {parent}"
    return caller, element


def _takes_variables(element: CallActivity) -> bool:
    return element.propagates_all_child or bool(element.outputs)
