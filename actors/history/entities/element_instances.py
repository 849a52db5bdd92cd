"""Element instances."""

from typing import Final

from bpmnd.actors.history.entities.fields import (
    DEFINITION,
    ELEMENT,
    INSTANCE,
    ROOT,
    Entity,
    Field,
    Filter,
    Kind,
    definition_field,
    enum_field,
    key_field,
)
from bpmnd.actors.history.names import ELEMENT_TYPES, INSTANCE_STATES

ELEMENT_INSTANCES: Final = Entity(
    "element_instances x",
    DEFINITION + ELEMENT + INSTANCE,
    "x.key",
    {
        "elementInstanceKey": key_field("key", filter=Filter.PLAIN),
        "processInstanceKey": key_field("instance_key", filter=Filter.PLAIN),
        "rootProcessInstanceKey": ROOT,
        "processDefinitionKey": key_field("definition_key", filter=Filter.PLAIN),
        "processDefinitionId": definition_field("process_id", filter=Filter.PLAIN),
        "startDate": Field("x.start", Kind.MOMENT),
        "endDate": Field('x."end"', Kind.MOMENT),
        "elementId": Field("e.element_id", Kind.TEXT, Filter.PLAIN, on_element=True),
        "elementName": Field("coalesce(e.name, e.element_id)", Kind.TEXT, Filter.PLAIN, on_element=True),
        "type": Field("e.type", Kind.ENUM, Filter.PLAIN, names=ELEMENT_TYPES, on_element=True),
        "state": enum_field("x.state", INSTANCE_STATES),
        "hasIncident": Field("x.incidents > 0", Kind.BOOLEAN, Filter.PLAIN, sorts=False),
        "incidentKey": key_field("incident_key", filter=Filter.PLAIN),
        "tenantId": definition_field("tenant_id", filter=Filter.PLAIN),
        "elementInstanceScopeKey": key_field("scope_key", filter=Filter.PLAIN, sorts=False, shows=False),
    },
)
