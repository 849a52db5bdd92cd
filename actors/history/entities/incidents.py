"""Incidents."""

from typing import Final

from bpmnd.actors.history.entities.fields import (
    DEFINITION,
    ELEMENT,
    INSTANCE,
    ROOT,
    TENANT,
    Entity,
    Field,
    Filter,
    Kind,
    definition_field,
    enum_field,
    key_field,
)
from bpmnd.actors.history.names import ERROR_TYPES, INCIDENT_STATES

INCIDENTS: Final = Entity(
    "incidents x",
    DEFINITION + ELEMENT + INSTANCE,
    "x.key",
    {
        "incidentKey": key_field("key", filter=Filter.BASIC),
        "processDefinitionKey": key_field("definition_key"),
        "processDefinitionId": definition_field("process_id"),
        "processInstanceKey": key_field("instance_key"),
        "rootProcessInstanceKey": ROOT,
        "errorType": enum_field("x.type", ERROR_TYPES, filter=Filter.FULL_NOT_IN),
        "errorMessage": Field("x.message", Kind.TEXT, sorts=False),
        "elementId": Field("coalesce(e.element_id, '')", Kind.TEXT, on_element=True),
        "elementInstanceKey": key_field("element_key"),
        "creationTime": Field("x.created", Kind.MOMENT, follows_key=True),
        "state": enum_field("x.state", INCIDENT_STATES, filter=Filter.FULL_NOT_IN),
        "jobKey": key_field("job_key"),
        "tenantId": TENANT,
    },
)
