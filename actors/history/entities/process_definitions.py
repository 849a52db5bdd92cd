"""Versions of processes."""

from typing import Final

from bpmnd.actors.history.entities.fields import Entity, Field, Filter, Kind, enum_field, key_field
from bpmnd.actors.history.names import DEFINITION_STATES

PROCESS_DEFINITIONS: Final = Entity(
    "definitions x",
    "",
    "x.key",
    {
        "processDefinitionKey": key_field("key", filter=Filter.PLAIN),
        "processDefinitionId": Field("x.process_id", Kind.TEXT),
        "name": Field("x.name", Kind.TEXT),
        "resourceName": Field("x.resource_name", Kind.TEXT, Filter.PLAIN),
        "version": Field("x.version", Kind.INTEGER, Filter.PLAIN),
        "versionTag": Field("x.version_tag", Kind.TEXT, Filter.PLAIN),
        "tenantId": Field("x.tenant_id", Kind.TEXT, Filter.PLAIN),
        "hasStartForm": Field("x.has_start_form", Kind.BOOLEAN, Filter.PLAIN, sorts=False),
        "state": enum_field("x.state", DEFINITION_STATES, filter=Filter.PLAIN, sorts=False),
        "isLatestVersion": Field(
            "NOT EXISTS (SELECT 1 FROM definitions later WHERE later.process_id = x.process_id"
            " AND later.tenant_id = x.tenant_id AND later.version > x.version AND later.state = x.state)",
            Kind.BOOLEAN,
            Filter.PLAIN,
            sorts=False,
            shows=False,
        ),
    },
)
