"""Process instances that were modified or migrated."""

from bpmnd.actors.exporters.describing.registry import describes
from bpmnd.actors.exporters.places import Places
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.events import ProcessInstanceMigrated, ProcessInstanceModified, ScopeReopened


@describes
def process_instance_modified(event: ProcessInstanceModified, places: Places) -> Value:
    instance = places.instance(event.instance_key)
    return {
        **places.in_instance(event.instance_key),
        "activateInstructions": [
            {"elementInstanceKey": str(key), **places.element(instance, element)}
            for key, element in event.activated
        ],
        "terminateInstructions": [{"elementInstanceKey": str(key)} for key in event.terminated],
    }


@describes
def process_instance_migrated(event: ProcessInstanceMigrated, places: Places) -> Value:
    instance = places.instance(event.instance_key)
    source_key = 0 if instance is None else instance.definition_key
    return {
        **places.in_instance(event.instance_key),
        "targetProcessDefinitionKey": str(event.definition_key),
        "mappingInstructions": [
            {
                "sourceElementId": places.element_id(source_key, old),
                "targetElementId": places.element_id(event.definition_key, new),
            }
            for old, new in event.elements
        ],
    }


@describes
def scope_reopened(event: ScopeReopened, places: Places) -> Value:
    return places.in_instance(event.instance_key, event.scope_key)
