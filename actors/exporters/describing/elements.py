"""Process instances, their elements, and events that leave them."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value, json_values
from bpmnd.bpmn.events import (
    BoundaryEventTriggered,
    ElementActivated,
    ElementActivating,
    ElementCompleted,
    ElementCompleting,
    ElementTerminated,
    ElementTerminating,
    EscalationThrown,
    ProcessInstanceCalled,
    ProcessInstanceCreated,
    ScopeInterrupted,
    SequenceFlowTaken,
)


@describes
def process_instance_created(event: ProcessInstanceCreated, places: Places) -> Value:
    return {
        **places.process(event.definition_key, event.tenant_id),
        "processInstanceKey": str(event.key),
        "tags": event.tags,
        "businessId": event.business_id,
    }


@describes
def process_instance_called(event: ProcessInstanceCalled, places: Places) -> Value:
    return {
        **places.process(event.definition_key, event.tenant_id),
        "processInstanceKey": str(event.key),
        "parentProcessInstanceKey": str(event.instance_key),
        "parentElementInstanceKey": str(event.element_instance_key),
        "rootProcessInstanceKey": str(event.root_key),
    }


@describes
def element_began(event: ElementActivating | ElementActivated, places: Places) -> Value:
    value = places.at_element(event.instance_key, event.key, event.element)
    return {**value, "flowScopeKey": str(event.scope_key)}


@describes
def element_ends(
    event: ElementCompleting | ElementCompleted | ElementTerminating | ElementTerminated, places: Places
) -> Value:
    return places.at_element(event.instance_key, event.key, event.element)


@describes
def sequence_flow_taken(event: SequenceFlowTaken, places: Places) -> Value:
    value = places.at_element(event.instance_key, 0, event.flow)
    return {**value, "flowScopeKey": str(event.scope_key)}


@describes
def boundary_event_triggered(event: BoundaryEventTriggered, places: Places) -> Value:
    value = places.at_element(event.instance_key, event.element_instance_key, event.boundary_event)
    return {**value, "variables": json_values(event.variables)}


@describes
def scope_interrupted(event: ScopeInterrupted, places: Places) -> Value:
    value = places.at_element(event.instance_key, event.scope_key, event.element)
    return {**value, "variables": json_values(event.variables)}


@describes
def escalation_thrown(event: EscalationThrown, places: Places) -> Value:
    value = places.at_element(event.instance_key, event.element_instance_key, event.element)
    return {
        **value,
        "escalationCode": event.code,
        "throwElementId": value.get("elementId"),
        "catchElementId": event.catch_event or None,
    }
