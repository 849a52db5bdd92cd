"""The call activity (BPMN 2.0, §10.3.4)."""

from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.calls import call, depth_of
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_events
from bpmnd.bpmn.evaluation import evaluate_string, lookup_in
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.extensions import read_called_element
from bpmnd.bpmn.model.graph import BindingType, CallActivity
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.state.deployed import Definition
from bpmnd.bpmn.state.records import ProcessInstance, size_of
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.variables import visible_from

DEPTH_MAX: Final = 1000
"""Process instances from a root to the one called last. Who goes deeper surely calls itself."""
SIZE_MAX: Final = 64 * 1024 * 1024
"""Bytes of the variables of all process instances in a row, if each had as many as the one called last."""


@final
class CallActivityKind(ElementKind[CallActivity]):
    """Starts an instance of another process, and completes with it."""

    nodes = (CallActivity,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> CallActivity:
        return read_called_element(tag, common, reading.report)

    def activate(self, element: CallActivity, activation: Activation) -> Incident | None:
        turn, instance = activation.turn, activation.instance
        definition = _called(turn, element, activation)
        if isinstance(definition, Incident):
            return definition
        events = plan_events(element, activation)
        if isinstance(events, Incident):
            return events
        if element.propagates_all_parent:
            variables = visible_from(instance, activation.inner_key, ())
        elif element.inputs:
            variables = dict(instance.variables.get(activation.key, {}))
        else:
            variables = {}  # Not even an item, though the call activity has it for itself.
        depth = depth_of(instance) + 1
        if depth > DEPTH_MAX or depth * size_of(variables) > SIZE_MAX:
            return _too_deep(depth - 1)

        activated(element, activation)
        begin_waiting(activation, events)
        call(turn, instance, activation.key, definition, variables)
        return None


def _called(turn: Turn, element: CallActivity, activation: Activation) -> Definition | Incident:
    instance = activation.instance
    process_id = evaluate_string(turn, element.process_id, lookup_in(instance, activation.inner_key))
    if isinstance(process_id, Incident):
        return process_id
    definition = _definition(turn, instance, element, process_id)
    if isinstance(definition, Incident):
        return definition
    if turn.definitions.executable(definition.key).root.start_event is None:
        return _failed(
            f"Expected process with BPMN process id '{process_id}' to have a none start event, but not found."
        )
    return definition


def _definition(
    turn: Turn, instance: ProcessInstance, element: CallActivity, process_id: str
) -> Definition | Incident:
    """The process that is called, by its id and the binding."""
    definitions = turn.state.definitions.items
    caller = definitions[instance.definition_key]
    versions = turn.state.latest.get((instance.tenant_id, process_id), {})
    match element.binding:
        case BindingType.LATEST:
            if versions:
                return definitions[versions[max(versions)]]
            return _failed(
                f"Expected process with BPMN process id '{process_id}' to be deployed, but not found."
            )
        case BindingType.DEPLOYMENT:
            for key in versions.values():
                if definitions[key].deployment_key == caller.deployment_key:
                    return definitions[key]
            return _failed(
                f"Expected to use process with BPMN process id '{process_id}' from the deployment of the"
                f" calling process '{caller.process_id}', but it was not deployed together with it."
            )
        case BindingType.VERSION_TAG:
            for version in sorted(versions, reverse=True):
                if definitions[versions[version]].version_tag == element.version_tag:
                    return definitions[versions[version]]
            return _failed(
                f"Expected to use process with BPMN process id '{process_id}' and version tag"
                f" '{element.version_tag}', but no such version is deployed."
            )


def _too_deep(depth: int) -> Incident:
    return _failed(
        f"The call activity has reached the maximum depth of {depth}. This is likely due to a recursive call."
    )


def _failed(message: str) -> Incident:
    return Incident(IncidentType.CALLED_ELEMENT_ERROR, message)
